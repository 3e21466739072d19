// How the way in is doing: rate, backlog, lag, refusals.

import { useGet } from "../api/queries";
import { compact, count, duration } from "../lib/format";
import { ErrorNote, Panel, Skeleton } from "./states";

type Health = Record<string, unknown>;

function numberAt(health: Health, names: string[]): number | null {
  for (const name of names) {
    const value = health[name];
    if (typeof value === "number") return value;
  }
  return null;
}

/** The ingest panel of the overview. */
export function IngestLine() {
  const health = useGet<Health>("/health/ingest", {}, { refetchMs: 5_000 });
  if (health.error) {
    return (
      <Panel title="Ingest">
        <ErrorNote error={health.error} />
      </Panel>
    );
  }
  if (!health.data) {
    return (
      <Panel title="Ingest">
        <Skeleton lines={4} />
      </Panel>
    );
  }
  const data = health.data;
  const lagMs = numberAt(data, ["lag_ms"]) ?? scaled(numberAt(data, ["lag_s", "lag_seconds"]), 1000);
  const refused = Object.entries((data["refused"] ?? {}) as Record<string, number>).filter(([, n]) => n > 0);
  return (
    <Panel title="Ingest">
      <dl class="facts">
        <Fact name="Spans a second" value={compact(numberAt(data, ["spans_per_s", "spans_per_second"]))} />
        <Fact name="Lag, received to queryable" value={duration(lagMs)} />
        <Fact name="Backlog" value={backlog(data)} />
        <Fact name="Refused" value={refused.length ? refused.map(([reason, n]) => `${count(n)} ${reason.replaceAll("_", " ")}`).join(", ") : "none"} isBad={refused.length > 0} />
      </dl>
    </Panel>
  );
}

function scaled(value: number | null, factor: number): number | null {
  return value == null ? null : value * factor;
}

function backlog(data: Health): string {
  const bytes = numberAt(data, ["backlog_bytes"]);
  if (bytes != null) return bytes < 1024 ? "none" : `${compact(bytes / 1024 / 1024)} MB`;
  const requests = numberAt(data, ["backlog", "backlog_requests", "backlog_segments"]);
  return requests === 0 ? "none" : compact(requests);
}

function Fact({ name, value, isBad = false }: { name: string; value: string; isBad?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={isBad ? "bad-text" : ""}>{value}</dd>
    </div>
  );
}
