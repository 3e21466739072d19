// The monitors of the project, each with the state of its groups.

import { useMemo, useState } from "preact/hooks";
import { useLocation } from "wouter";
import { call } from "../api/client";
import { type Monitor, specOf } from "../api/monitors";
import { useGet, useInvalidate, useMeasures } from "../api/queries";
import { ago, measured, visible } from "../lib/format";
import { countsText, ruleText, stateOf } from "../lib/monitor";
import { useKeys } from "../ui/keys";
import { Badge, Cut, Empty, ErrorNote, Panel, Skeleton } from "../ui/states";
import { VirtualList } from "../ui/virtual";
import { hrefTo, Link, useUrl } from "../url";
import { MonitorEditor } from "./monitoreditor";
import { YamlBox } from "./yamlbox";

const ROW_PX = 52;
const ORDER = ["firing", "error", "pending", "ok", "resolved", "insufficient_data", "disabled"];

/** The list, those that fire first; and the ways to make one. */
export function MonitorList() {
  const [params, setUrl] = useUrl();
  const [, navigate] = useLocation();
  const monitors = useGet<Monitor[]>("/monitors", {}, { refetchMs: 10_000 });
  const [error, setError] = useState<unknown>(null);
  const view = params.get("view");
  const turn = (name: string) => setUrl({ view: view === name ? null : name });
  const rows = useMemo(() => [...(monitors.data ?? [])].sort((a, b) => ORDER.indexOf(stateOf(a)) - ORDER.indexOf(stateOf(b)) || a.name.localeCompare(b.name)), [monitors.data]);
  const selected = rows.findIndex((monitor) => monitor.id === params.get("row"));
  const select = (at: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, at))];
    if (row) setUrl({ row: row.id }, false);
  };
  useKeys({
    j: () => select(selected + 1),
    k: () => select(selected - 1),
    Enter: () => rows[selected] && navigate(hrefTo(`/monitors/${encodeURIComponent(rows[selected]?.id ?? "")}`)),
  });
  return (
    <div class="page">
      <Panel
        title="Monitors"
        aside={
          <>
            <Cut shown={rows.filter((monitor) => monitor.enabled).length} total={rows.length} word="monitors on" />
            <button type="button" class="button" aria-expanded={view === "yaml"} onClick={() => turn("yaml")}>
              YAML
            </button>
            <button type="button" class="button primary" aria-expanded={view === "new"} onClick={() => turn("new")}>
              New monitor
            </button>
          </>
        }
      >
        {view === "new" ? <MonitorEditor taken={rows.map((row) => row.id)} cancel={() => setUrl({ view: null })} /> : null}
        {view === "yaml" ? <YamlBox path="/monitors.yaml" refresh="/monitors" name="YAML" hint="All monitors as a file for git. Applying makes or replaces what the text names: all of it, or nothing." /> : null}
        {monitors.error ? <ErrorNote error={monitors.error} retry={() => void monitors.refetch()} /> : null}
        {error ? <ErrorNote error={error} /> : null}
        {monitors.isPending ? <Skeleton lines={8} /> : null}
        {monitors.data && !rows.length ? <Empty title="No monitors">A monitor asks one measure, split by up to four dimensions, and judges each group by one rule.</Empty> : null}
        {rows.length ? (
          <div class="monitor-box" style={{ height: `max(320px, min(${rows.length * ROW_PX + 4}px, calc(100vh - 150px)))` }}>
            <VirtualList count={rows.length} rowHeight={ROW_PX} label="Monitors" focusRow={selected} row={(at) => <Row key={rows[at]?.id} monitor={rows[at] as Monitor} isSelected={at === selected} failed={setError} />} />
          </div>
        ) : null}
      </Panel>
    </div>
  );
}

function Row({ monitor, isSelected, failed }: { monitor: Monitor; isSelected: boolean; failed: (error: unknown) => void }) {
  const invalidate = useInvalidate();
  const measures = useMeasures();
  const info = measures.data?.find((item) => item.id === monitor.measure);
  const turn = async () => {
    try {
      await call(`/monitors/${encodeURIComponent(monitor.id)}`, { method: "PUT", body: { ...specOf(monitor), enabled: !monitor.enabled } });
      failed(null);
      await invalidate("/monitors");
    } catch (failure) {
      failed(failure);
    }
  };
  const facts = [monitor.measure.replaceAll("_", " "), monitor.by.length ? `by ${monitor.by.join(", ")}` : "", monitor.filter ? `where ${visible(monitor.filter)}` : ""];
  return (
    <div class={`monitor-row ${isSelected ? "is-selected" : ""} ${monitor.enabled ? "" : "is-off"}`} role="listitem" style={{ height: `${ROW_PX}px` }}>
      <Badge state={stateOf(monitor)} label={stateOf(monitor) === "disabled" ? "off" : stateOf(monitor).replace("insufficient_data", "too little data")} />
      <span class="monitor-words">
        <Link to={`/monitors/${encodeURIComponent(monitor.id)}`} class="objective-name">
          {visible(monitor.name)}
        </Link>
        <span class="quiet-text">{facts.filter(Boolean).join(" · ")}</span>
      </span>
      <span class="monitor-words">
        <span>{monitor.error ? <span class="bad-text">{monitor.error}</span> : countsText(monitor)}</span>
        <span class="quiet-text">{ruleText(monitor.rule, (value) => measured(value, info?.unit ?? "", info?.kind ?? ""))}</span>
      </span>
      <span class="quiet-text">{monitor.judged_until_ms ? `judged up to ${ago(monitor.judged_until_ms)}` : "not judged yet"}</span>
      <span class="tag">{monitor.severity}</span>
      <button type="button" class="switch" role="switch" aria-checked={monitor.enabled} aria-label={`Monitor ${monitor.name}`} onClick={() => void turn()}>
        {monitor.enabled ? "on" : "off"}
      </button>
    </div>
  );
}
