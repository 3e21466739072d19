// Health: is it well, what changed, and since when.

import { useMemo } from "preact/hooks";
import { useGet, useIncidents } from "../api/queries";
import type { Change, TracePage } from "../api/types";
import { ago, moment, percent } from "../lib/format";
import { Link, useFilter, useRange } from "../url";
import type { Marker } from "../ui/chart";
import { IngestLine } from "../ui/ingest";
import { MeasureChart } from "../ui/measurechart";
import { Badge, Empty, ErrorNote, Panel, Skeleton } from "../ui/states";
import { SloTile } from "../ui/slo";
import { Tile } from "../ui/tile";
import { Onboarding } from "./onboarding";

/** True once the project holds any trace at all; asked often while it holds none. */
function useHasTraces(): boolean | undefined {
  const first = useGet<TracePage>("/traces", { from: 0, to: "now", limit: 1 }, { refetchMs: 3_000, staleMs: 60_000 });
  const rows = first.data?.rows.length;
  return rows === undefined ? undefined : rows > 0;
}

/** The overview screen. */
export function Health() {
  const hasTraces = useHasTraces();
  if (hasTraces === false) return <Onboarding />;
  return <Overview />;
}

function Overview() {
  const markers = useMarkers();
  return (
    <div class="page">
      <OpenIncidents />
      <div class="tiles">
        <Tile measure="requests" name="Requests" />
        <Tile measure="error_rate" name="Error rate" tone="bad" behind={{ filter: "status:error" }} />
        <Tile measure="latency_p95" name="Latency p95" behind={{ sort: "duration" }} beside={{ measure: "latency_p50", name: "p50" }} />
        <Tile measure="ttft_p95" name="First token p95" />
        <Tile measure="cost" name="Cost" behind={{ sort: "cost" }} />
        <Tile measure="groundedness" name="Groundedness" tone="good" />
        <Tile measure="evaluation_pass_rate" name="Evaluations passed" tone="good" />
        <SloTile />
      </div>
      <div class="charts">
        <MeasureChart title="Requests" measures={[{ id: "requests", label: "requests" }]} isBars markers={markers} />
        <MeasureChart title="Error rate, with 95% interval" measures={[{ id: "error_rate", label: "error rate", tone: "bad" }]} markers={markers} />
        <MeasureChart
          title="Latency"
          measures={[
            { id: "latency_p50", label: "p50" },
            { id: "latency_p95", label: "p95", tone: "series-2" },
          ]}
          markers={markers}
        />
        <MeasureChart title="Groundedness, with 95% interval" measures={[{ id: "groundedness", label: "groundedness", tone: "good" }]} markers={markers} />
        <MeasureChart title="Cost by model" measures={[{ id: "cost", label: "cost" }]} by={["model"]} isStacked isBars markers={markers} limit={7} />
        <MeasureChart title="Age of retrieved documents" measures={[{ id: "document_age_days", label: "age", tone: "series-4" }]} markers={markers} />
      </div>
      <div class="columns">
        <Changes />
        <IngestLine />
      </div>
    </div>
  );
}

/** Incident onsets and changes, as marks on every chart. */
function useMarkers(): Marker[] {
  const incidents = useIncidents();
  const changes = useChanges();
  return useMemo(() => {
    const onsets = (incidents.data ?? []).map((incident): Marker => {
      return { timeMs: incident.occurred_ms, kind: "incident", label: `Incident ${incident.number}: ${incident.title}` };
    });
    const told = (changes.data ?? []).map((change): Marker => ({ timeMs: change.time_ms, kind: "change", label: change.title }));
    return [...told, ...onsets];
  }, [incidents.data, changes.data]);
}

/** Changes that were told, and those that a diagnosis saw in the telemetry. */
function useChanges() {
  const range = useRange();
  const incidents = useIncidents();
  const told = useGet<Change[]>("/changes", { from: range.fromS, to: range.toS });
  const data = useMemo(() => {
    if (!told.data) return undefined;
    const seen = (incidents.data ?? []).flatMap((incident) => incident.finding?.changes ?? []);
    const all = new Map([...seen, ...told.data].map((change) => [`${change.kind}|${change.after}|${Math.round(change.time_ms / 60_000)}`, change]));
    return [...all.values()].filter((change) => change.time_ms >= range.fromS * 1000 && change.time_ms <= range.toS * 1000);
  }, [told.data, incidents.data, range.fromS, range.toS]);
  return { data, error: told.error, isPending: told.isPending };
}

function OpenIncidents() {
  const incidents = useIncidents();
  const open = (incidents.data ?? []).filter((incident) => incident.state !== "resolved");
  if (!open.length) return null;
  return (
    <ul class="open-incidents" aria-label="Open incidents">
      {open.slice(0, 3).map((incident) => {
        const top = incident.finding?.hypotheses[0];
        return (
          <li key={incident.id}>
            <Link to={`/incidents/${incident.id}`} class="open-incident">
              <Badge state={incident.state} />
              <strong>{incident.title}</strong>
              <span class="open-incident-why">{top ? `${top.title} · ${percent(top.probability)} probable` : "being diagnosed"}</span>
              <span class="quiet-text">since {ago(incident.occurred_ms)}</span>
            </Link>
          </li>
        );
      })}
      {open.length > 3 ? (
        <li>
          <Link to="/incidents">{open.length - 3} more open incidents</Link>
        </li>
      ) : null}
    </ul>
  );
}

function Changes() {
  const changes = useChanges();
  const filter = useFilter();
  const rows = [...(changes.data ?? [])].sort((a, b) => b.time_ms - a.time_ms);
  return (
    <Panel title="What changed" aside={<span class="cut">{rows.length ? `${Math.min(rows.length, 12)} of ${rows.length}` : ""}</span>}>
      {changes.error ? <ErrorNote error={changes.error} /> : null}
      {changes.isPending ? <Skeleton lines={4} /> : null}
      {changes.data && !rows.length ? (
        <Empty title="Nothing changed in this range">
          New models, prompt versions, indexes and service versions are seen in the telemetry; deploys can be told through POST /api/v1/changes.
        </Empty>
      ) : null}
      <ol class="changes">
        {rows.slice(0, 12).map((change) => (
          <li key={`${change.time_ms}${change.title}`}>
            <time class="quiet-text">{moment(change.time_ms, Date.now(), false)}</time>
            <span class="tag">{change.kind.replaceAll("_", " ")}</span>
            <span class="change-title">
              <Link to="/traces" set={{ from: String(Math.floor(change.time_ms / 1000) - 900), to: String(Math.floor(change.time_ms / 1000) + 2 * 900), filter }}>
                {change.title}
              </Link>
              {change.before || change.after ? (
                <span class="change-values">
                  <code>{change.before || "—"}</code> → <code>{change.after || "—"}</code>
                </span>
              ) : null}
            </span>
            <span class="quiet-text">{change.share != null ? `${percent(change.share)} of traffic` : change.source}</span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

