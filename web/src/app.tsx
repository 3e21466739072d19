// Which screen an address means, and who may see it.

import { useEffect } from "preact/hooks";
import { Route, Switch, useLocation } from "wouter";
import { ApiError } from "./api/client";
import { useMe } from "./api/queries";
import { Health } from "./pages/health";
import { SignIn } from "./pages/signin";
import { lazy } from "./ui/lazy";
import { Shell } from "./ui/shell";
import { Empty, ErrorNote } from "./ui/states";

const Traces = lazy(() => import("./pages/traces").then((page) => page.Traces));
const Trace = lazy<{ id: string }>(() => import("./pages/trace").then((page) => page.Trace));
const Sessions = lazy(() => import("./pages/sessions").then((page) => page.Sessions));
const Instrumentation = lazy(() => import("./pages/instrumentation").then((page) => page.Instrumentation));
const Cost = lazy(() => import("./pages/cost").then((page) => page.Cost));
const Incidents = lazy(() => import("./pages/incidents").then((page) => page.Incidents));
const Incident = lazy<{ id: string }>(() => import("./pages/incident").then((page) => page.Incident));
const Changes = lazy(() => import("./pages/changes").then((page) => page.Changes));
const Monitors = lazy<{ id?: string }>(() => import("./pages/monitors").then((page) => page.Monitors));
const Slos = lazy<{ id?: string }>(() => import("./pages/slos").then((page) => page.Slos));
const Settings = lazy<{ section: string }>(() => import("./pages/settings").then((page) => page.Settings));

const TITLES: Record<string, string> = { "": "Health", traces: "Traces", sessions: "Sessions", instrumentation: "Instrumentation", cost: "Cost", incidents: "Incidents", changes: "Changes", monitors: "Monitors", slos: "Objectives", settings: "Settings" };

/** The whole application. */
export function App() {
  const me = useMe();
  const [path] = useLocation();
  useEffect(() => {
    document.title = `${TITLES[path.split("/")[1] ?? ""] ?? "Vagus"} · Vagus`;
  }, [path]);
  if (me.error instanceof ApiError && me.error.status === 401) return <SignIn />;
  return (
    <Shell>
      {me.error ? <ErrorNote error={me.error} retry={() => void me.refetch()} /> : null}
      <Switch>
        <Route path="/">
          <Health />
        </Route>
        <Route path="/traces">
          <Traces />
        </Route>
        <Route path="/traces/:id">{(params: { id: string }) => <Trace key={params.id} id={params.id} />}</Route>
        <Route path="/sessions">
          <Sessions />
        </Route>
        <Route path="/instrumentation">
          <Instrumentation />
        </Route>
        <Route path="/cost">
          <Cost />
        </Route>
        <Route path="/incidents">
          <Incidents />
        </Route>
        <Route path="/incidents/:id">{(params: { id: string }) => <Incident key={params.id} id={params.id} />}</Route>
        <Route path="/changes">
          <Changes />
        </Route>
        <Route path="/monitors">
          <Monitors />
        </Route>
        <Route path="/monitors/:id">{(params: { id: string }) => <Monitors key={params.id} id={params.id} />}</Route>
        <Route path="/slos">
          <Slos />
        </Route>
        <Route path="/slos/:id">{(params: { id: string }) => <Slos key={params.id} id={params.id} />}</Route>
        <Route path="/settings">
          <Settings section="general" />
        </Route>
        <Route path="/settings/:section">{(params: { section: string }) => <Settings section={params.section} />}</Route>
        <Route>
          <Empty title="There is no such page.">The address does not name a screen of Vagus.</Empty>
        </Route>
      </Switch>
    </Shell>
  );
}
