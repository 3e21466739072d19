// How the way in is doing: rate, backlog, lag, refusals.

import { useGet } from "../api/queries";
import { ago, bytes, compact, count, duration } from "../lib/format";
import { ErrorNote, Panel, Skeleton } from "./states";

interface Health {
  spans_per_s: number;
  backlog_bytes: number;
  lag_ms: number;
  refused: Record<string, number>;
  last_received_ms: number | null;
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
  const refused = Object.entries(data.refused).filter(([, n]) => n > 0);
  return (
    <Panel title="Ingest">
      <dl class="facts">
        <Fact name="Spans a second" value={compact(data.spans_per_s)} />
        <Fact name="Lag, received to queryable" value={duration(data.lag_ms)} />
        <Fact name="Backlog" value={data.backlog_bytes ? bytes(data.backlog_bytes) : "none"} />
        <Fact name="Last received" value={data.last_received_ms == null ? "never" : ago(data.last_received_ms)} />
        <Fact name="Refused" value={refused.length ? refused.map(([reason, n]) => `${count(n)} ${reason.replaceAll("_", " ")}`).join(", ") : "none"} isBad={refused.length > 0} />
      </dl>
    </Panel>
  );
}

function Fact({ name, value, isBad = false }: { name: string; value: string; isBad?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={isBad ? "bad-text" : ""}>{value}</dd>
    </div>
  );
}
