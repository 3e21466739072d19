// The query behind a sentence, run and drawn in place.

import { useMemo } from "preact/hooks";
import { useSlice } from "../api/queries";
import type { Slice, SliceRequest } from "../api/types";
import { withTerm } from "../lib/filter";
import { termFor } from "../lib/filter";
import { count, duration } from "../lib/format";
import { stepFor } from "../lib/time";
import { Link } from "../url";
import { Chart, type Marker } from "./chart";
import { linesOf } from "./measurechart";
import { Whisker } from "./sparkline";
import { Certainty, ErrorNote, Skeleton, Value } from "./states";

/** True when a finding gave a query that can be run. */
export function hasQuery(query: Partial<SliceRequest> | undefined | null): query is SliceRequest {
  return Boolean(query && query.measure && query.from !== undefined && query.to !== undefined);
}

/** Steps wide enough for a picture: minutes with a handful of answers each are only noise. */
function coarse(query: SliceRequest): number {
  const spanS = Number(query.to) - Number(query.from);
  return Number.isFinite(spanS) ? stepFor(spanS * 2.5) : 0;
}

/** A slice request run and shown as a chart when it has steps, else as a table. */
export function EvidenceQuery({ query, onsetMs }: { query: SliceRequest; onsetMs?: number | undefined }) {
  const request: SliceRequest = {
    measure: query.measure,
    from: query.from,
    to: query.to,
    by: query.by ?? [],
    filter: query.filter ?? "",
    step: query.step ? Math.max(query.step, coarse(query)) : null,
    limit: query.limit ?? 20,
  };
  const slice = useSlice(request);
  if (slice.error) return <ErrorNote error={slice.error} retry={() => void slice.refetch()} />;
  if (!slice.data) return <Skeleton lines={3} />;
  return (
    <div class="evidence">
      <p class="evidence-query">
        <code>
          {request.measure}
          {request.by?.length ? ` by ${request.by.join(", ")}` : ""}
          {request.filter ? ` where ${request.filter}` : ""}
          {request.step ? `, every ${duration(request.step * 1000)}` : ""}
        </code>
        <Link to="/traces" set={{ from: String(request.from), to: String(request.to), filter: request.filter ?? null }}>
          Traces behind it
        </Link>
      </p>
      {slice.data.step ? <EvidenceChart slice={slice.data} onsetMs={onsetMs} /> : null}
      <EvidenceTable slice={slice.data} request={request} />
    </div>
  );
}

function EvidenceChart({ slice, onsetMs }: { slice: Slice; onsetMs: number | undefined }) {
  const drawn = useMemo(() => linesOf(slice, slice.measure, Date.now() / 1000), [slice]);
  const markers: Marker[] = onsetMs ? [{ timeMs: onsetMs, kind: "incident", label: "estimated onset" }] : [];
  return <Chart label={slice.measure} times={drawn.times} lines={drawn.lines.slice(0, 8)} unit={slice.unit} kind={slice.kind} height={150} markers={markers} syncKey="evidence" />;
}

function EvidenceTable({ slice, request }: { slice: Slice; request: SliceRequest }) {
  const top = Math.max(...slice.series.map((series) => series.total.high ?? series.total.value ?? 0), 0);
  if (!slice.series.length) return <p class="quiet-text">No data answers this query.</p>;
  const shown = slice.series.slice(0, 10);
  return (
    <table class="table evidence-table">
      <tbody>
        {shown.map((series, at) => {
          const filter = series.key.reduce((text, value, place) => withTerm(text, termFor(slice.by[place] ?? "", value)), request.filter ?? "");
          return (
            <tr key={at}>
              <th scope="row">
                <Link to="/traces" set={{ from: String(request.from), to: String(request.to), filter }}>
                  {series.key.length ? series.key.map((word) => word || "(not said)").join(" · ") : "all"}
                </Link>
              </th>
              <td class="right">
                <Value value={series.total.value} unit={slice.unit} kind={slice.kind} />
              </td>
              <td class="whisker-cell">
                <Whisker low={series.total.low} value={series.total.value} high={series.total.high} top={top} />
              </td>
              <td>
                <Certainty point={series.total} unit={slice.unit} kind={slice.kind} />
              </td>
            </tr>
          );
        })}
      </tbody>
      {slice.series.length > shown.length || slice.truncated ? (
        <tfoot>
          <tr>
            <td colSpan={4} class="cut">
              {count(shown.length)} of {count(slice.series.length + slice.truncated)} groups
            </td>
          </tr>
        </tfoot>
      ) : null}
    </table>
  );
}
