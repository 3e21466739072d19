// One monitor: the state of each of its groups, and its declaration with a back-test.

import { useLocation } from "wouter";
import { call } from "../api/client";
import type { Classed, Group, Monitor } from "../api/monitors";
import { useGet, useInvalidate, useMeasures } from "../api/queries";
import { ago, count, measured, moment, visible } from "../lib/format";
import { classesOf, countsText, groupKey, groupText, rankedGroups, stateOf } from "../lib/monitor";
import { SureButton, useAction } from "../ui/form";
import { Badge, Empty, ErrorNote, Panel, Skeleton } from "../ui/states";
import { VirtualList } from "../ui/virtual";
import { hrefTo, Link } from "../url";
import { MonitorEditor } from "./monitoreditor";

const ROW_PX = 44;
const SHOWN_PX = 360;

/** The page of one monitor. */
export function MonitorDetail({ id }: { id: string }) {
  const monitors = useGet<Monitor[]>("/monitors", {}, { refetchMs: 10_000 });
  const action = useAction();
  const invalidate = useInvalidate();
  const [, navigate] = useLocation();
  if (monitors.error) return <ErrorNote error={monitors.error} retry={() => void monitors.refetch()} />;
  if (!monitors.data) return <Skeleton tall />;
  const monitor = monitors.data.find((item) => item.id === id);
  if (!monitor) {
    return (
      <Empty title="There is no such monitor.">
        It may have been deleted. <Link to="/monitors">All monitors</Link>
      </Empty>
    );
  }
  const remove = () =>
    void action.run(async () => {
      await call(`/monitors/${encodeURIComponent(id)}`, { method: "DELETE" });
      await invalidate("/monitors");
      navigate(hrefTo("/monitors"));
    });
  return (
    <div class="page">
      <Panel
        title={
          <>
            <Link to="/monitors">Monitors</Link> › {visible(monitor.name)}
          </>
        }
        aside={
          <>
            <span class="quiet-text">{monitor.judged_until_ms ? `judged up to ${moment(monitor.judged_until_ms)}` : "not judged yet"}</span>
            <Badge state={stateOf(monitor)} {...(monitor.enabled ? {} : { label: "off" })} />
            <SureButton label="Delete" sure="Really delete?" act={remove} isBusy={action.isBusy} />
          </>
        }
      >
        {action.error ? <ErrorNote error={action.error} /> : null}
        {monitor.error ? <ErrorNote error={new Error(monitor.error)} /> : null}
        <p class="quiet-text monitor-counts">{countsText(monitor)}</p>
        <Groups monitor={monitor} />
      </Panel>
      <Panel title="Declaration">
        <MonitorEditor key={monitor.id} monitor={monitor} taken={[]} />
      </Panel>
    </div>
  );
}

function Groups({ monitor }: { monitor: Monitor }) {
  const incidents = useGet<Classed[]>("/incidents", {}, { refetchMs: 10_000 });
  const classes = classesOf(incidents.data ?? []);
  const groups = rankedGroups(monitor.groups);
  if (!groups.length) return <Empty title="Not judged yet">The first verdict about a new group comes after about an hour of data.</Empty>;
  return (
    <div class="monitor-box" style={{ height: `${Math.min(SHOWN_PX, groups.length * ROW_PX + 30)}px` }}>
      <VirtualList
        count={groups.length}
        rowHeight={ROW_PX}
        label="Groups"
        header={
          <div class="group-row group-head" aria-hidden="true">
            <span>State</span>
            <span>Group</span>
            <span>Value</span>
            <span>Tolerated</span>
            <span>n</span>
            <span>Class</span>
            <span>Evidence</span>
          </div>
        }
        row={(at) => <GroupRow key={at} monitor={monitor} group={groups[at] as Group} classification={classes.get(groupKey(monitor.id, groups[at]?.group ?? {}))} />}
      />
    </div>
  );
}

function GroupRow({ monitor, group, classification }: { monitor: Monitor; group: Group; classification: string | undefined }) {
  const measures = useMeasures();
  const info = measures.data?.find((item) => item.id === monitor.measure);
  // All rules but a threshold count what is bad, also where the measure itself counts what is good.
  const isBad = monitor.rule["type"] !== "threshold" && info?.kind === "ratio";
  const show = (value: number | null) => (value === null ? <span class="unknown">unknown</span> : `${measured(value, info?.unit ?? "", info?.kind ?? "")}${isBad ? " bad" : ""}`);
  return (
    <div class="group-row" role="listitem" style={{ height: `${ROW_PX}px` }}>
      <Badge state={group.state} />
      <span class="clip" title={groupText(group.group)}>
        {visible(groupText(group.group))}
      </span>
      <span class="number">{show(group.value)}</span>
      <span class="number">{show(group.baseline)}</span>
      <span class="number">{count(Math.round(group.n))}</span>
      <span>{classification ? <span class={`tag ${classification === "systematic" ? "bad" : ""}`}>{classification}</span> : <span class="quiet-text">–</span>}</span>
      <span class="quiet-text two-lines" title={group.evidence}>
        {group.fired_ms ? `fired ${ago(group.fired_ms)} · ` : ""}
        {visible(group.evidence)}
      </span>
    </div>
  );
}
