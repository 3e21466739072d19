// The frame around every screen: navigation, project, range, filter, theme, keyboard help.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useLocation } from "wouter";
import { useIncidents, useMe } from "../api/queries";
import { shifted } from "../lib/time";
import { hrefTo, Link, useLiveClock, useRange, useUrl } from "../url";
import { FilterBox } from "./filterbox";
import { Icon } from "./icons";
import { useKeys } from "./keys";
import { lazy } from "./lazy";
import { RangePicker } from "./rangepicker";
import { chooseTheme, chosenTheme, type Theme } from "./theme";

const SCREENS = [
  { path: "/", name: "Health", icon: "health" },
  { path: "/traces", name: "Traces", icon: "traces" },
  { path: "/sessions", name: "Sessions", icon: "sessions" },
  { path: "/cost", name: "Cost", icon: "cost" },
  { path: "/incidents", name: "Incidents", icon: "incidents" },
  { path: "/changes", name: "Changes", icon: "changes" },
  { path: "/monitors", name: "Monitors", icon: "monitors" },
  { path: "/slos", name: "Objectives", icon: "slos" },
  { path: "/instrumentation", name: "Instrumentation", icon: "instrumentation" },
  { path: "/settings", name: "Settings", icon: "settings" },
];

const Explanation = lazy(() => import("../diagnose/explanation").then((part) => part.Explanation));

/** The screens whose charts set the window that may be explained. */
function canExplain(path: string): boolean {
  return path === "/" || path.startsWith("/cost");
}

function ExplainButton() {
  const [params, setUrl] = useUrl();
  const range = useRange();
  const isOpen = params.get("explain") !== null;
  // The moments are written out, so that the address means the same window to whoever gets it.
  const open = () => setUrl({ from: String(range.fromS), to: String(range.toS), explain: "1" });
  return (
    <button type="button" class="button" aria-expanded={isOpen} title="Drag on a chart to choose the window" onClick={() => (isOpen ? setUrl({ explain: null, measure: null }) : open())}>
      Explain this window
    </button>
  );
}

/** The shell; screens are its children. */
export function Shell({ children }: { children: ComponentChildren }) {
  const [path, navigate] = useLocation();
  const [params, setUrl] = useUrl();
  const range = useRange();
  const help = useRef<HTMLDialogElement>(null);
  useLiveClock(range.isRelative && params.get("live") !== "0");
  const shift = (share: number) => setUrl({ ...shifted(range, share, Date.now() / 1000), cursor: null });
  useKeys({
    "/": (event) => {
      event.preventDefault();
      document.getElementById("filter-input")?.focus();
    },
    "?": () => help.current?.showModal(),
    "[": () => shift(-0.5),
    "]": () => shift(0.5),
    g: () => navigate(hrefTo("/")),
    t: () => navigate(hrefTo("/traces")),
    s: () => navigate(hrefTo("/sessions")),
    c: () => navigate(hrefTo("/cost")),
    i: () => navigate(hrefTo("/incidents")),
    m: () => navigate(hrefTo("/monitors")),
    o: () => navigate(hrefTo("/slos")),
    u: () => navigate(hrefTo("/instrumentation")),
  });
  const hasRange = !path.startsWith("/settings") && !path.startsWith("/incidents") && !/^\/(monitors|slos)/.test(path) && !/^\/traces\/./.test(path);
  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Navigation path={path} />
      <header class="topbar">
        <ProjectPicker />
        {hasRange && path !== "/changes" ? <FilterBox /> : <div class="spring" />}
        {canExplain(path) ? <ExplainButton /> : null}
        {hasRange ? <RangePicker /> : null}
        <ThemeButton />
        <button type="button" class="button icon-only" aria-label="Keyboard help" title="Keyboard help (?)" onClick={() => help.current?.showModal()}>
          <Icon name="help" size={14} />
        </button>
      </header>
      <main id="main" class="main" tabIndex={-1}>
        {children}
      </main>
      {canExplain(path) && params.get("explain") ? <Explanation /> : null}
      <Help dialog={help} />
    </div>
  );
}

function Navigation({ path }: { path: string }) {
  const incidents = useIncidents();
  const me = useMe();
  const open = (incidents.data ?? []).filter((incident) => incident.state !== "resolved").length;
  const isHere = (screen: string) => (screen === "/" ? path === "/" : path.startsWith(screen));
  return (
    <nav class="nav" aria-label="Screens">
      <Link to="/" class="brand">
        <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M5 17h5l3-8 5 15 3.5-9 1.5 2h4" />
        </svg>
        <span>Vagus</span>
      </Link>
      {SCREENS.map((screen) => (
        <Link key={screen.path} to={screen.path} class="nav-item" aria-current={isHere(screen.path) ? "page" : undefined}>
          <Icon name={screen.icon} />
          <span>{screen.name}</span>
          {screen.path === "/incidents" && open > 0 ? (
            <span class="nav-count" aria-label={`${open} open`}>
              {open}
            </span>
          ) : null}
        </Link>
      ))}
      <div class="nav-foot">{me.data && /^\d/.test(me.data.version) ? `v${me.data.version}` : ""}</div>
    </nav>
  );
}

function ProjectPicker() {
  const me = useMe();
  const [params, setUrl] = useUrl();
  const current = params.get("project") ?? me.data?.project ?? "default";
  const known = me.data?.projects ?? [];
  const projects = known.includes(current) ? known : [current, ...known];
  return (
    <label class="project">
      <span class="visually-hidden">Project</span>
      <select value={current} onChange={(event) => setUrl({ project: event.currentTarget.value, cursor: null, filter: null })}>
        {projects.map((item) => (
          <option key={item} value={item}>
            {item}
          </option>
        ))}
      </select>
    </label>
  );
}

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const THEME_ICON: Record<Theme, string> = { system: "system", light: "sun", dark: "moon" };

function ThemeButton() {
  const [theme, setTheme] = useState(chosenTheme());
  const turn = () => {
    chooseTheme(NEXT[theme]);
    setTheme(NEXT[theme]);
  };
  return (
    <button type="button" class="button icon-only" onClick={turn} aria-label={`Theme: ${theme}`} title={`Theme: ${theme}`}>
      <Icon name={THEME_ICON[theme]} size={14} />
    </button>
  );
}

const KEYS: [string, string][] = [
  ["/", "Filter"],
  ["[ ]", "Earlier, later"],
  ["j k", "Next, previous row"],
  ["Enter", "Open the row"],
  ["n N", "In a trace: next, previous problem; n in a session"],
  ["h l", "In a trace: fold, unfold"],
  ["g t s c i m o u", "Health, Traces, Sessions, Cost, Incidents, Monitors, Objectives, Instrumentation"],
  ["Esc", "Close what is open"],
  ["?", "This help"],
];

function Help({ dialog }: { dialog: { current: HTMLDialogElement | null } }) {
  useEffect(() => {
    const element = dialog.current;
    const close = (event: MouseEvent) => event.target === element && element?.close();
    element?.addEventListener("click", close);
    return () => element?.removeEventListener("click", close);
  }, [dialog]);
  return (
    <dialog class="dialog" ref={dialog} aria-label="Keyboard help">
      <header class="panel-head">
        <h2>Keyboard</h2>
        <button type="button" class="icon-button" aria-label="Close" onClick={() => dialog.current?.close()}>
          <Icon name="close" size={14} />
        </button>
      </header>
      <dl class="keys">
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p class="hint">
        Filter terms: <code>team:billing</code>, <code>model:a,b</code>, <code>team!=search</code>, <code>duration_ms&gt;2000</code>, <code>feature:"my feature"</code>; a bare word searches names and inputs. Drag on a chart to set the time range.
      </p>
    </dialog>
  );
}
