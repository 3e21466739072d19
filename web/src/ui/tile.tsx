// One measure at a glance: its value, how sure it is, how it moved, and the way to the traces.

import { usePageSlice, useSlice } from "../api/queries";
import type { Point, Slice } from "../api/types";
import { compact, measured, percent } from "../lib/format";
import { useFilter, useRange, Link } from "../url";
import { Sparkline } from "./sparkline";
import { Certainty, Value } from "./states";

interface Props {
  measure: string;
  name: string;
  tone?: string;
  /** Parameters of the traces list that stands behind the number. */
  behind?: Record<string, string>;
  filter?: string;
  /** A second measure in small, such as the median beside a high quantile. */
  beside?: { measure: string; name: string };
}

/** A tile that links to the traces behind its number. */
export function Tile({ measure, name, tone = "accent", behind = {}, filter, beside }: Props) {
  const slice = usePageSlice(measure, filter === undefined ? {} : { filter });
  const range = useRange();
  const series = slice.data?.series[0];
  const unit = slice.data?.unit ?? "";
  const kind = slice.data?.kind ?? "";
  return (
    <Link to="/traces" set={behind} class="tile" aria-busy={slice.isPending}>
      <span class="tile-name">
        {name}
        {beside ? <Beside {...beside} filter={filter} /> : null}
      </span>
      {slice.error ? (
        <span class="tile-error">{slice.error.message}</span>
      ) : slice.isPending ? (
        <span class="tile-value skeleton-line" />
      ) : (
        <span class="tile-value">
          <Value value={series?.total.value ?? null} unit={unit} kind={kind} />
          <Difference measure={measure} now={series?.total ?? NOTHING} direction={slice.data?.direction ?? ""} filter={filter} />
        </span>
      )}
      {kind === "count" ? <PerMinute value={series?.total.value ?? 0} /> : <Certainty point={series?.total ?? (slice.data ? NOTHING : undefined)} unit={unit} kind={kind} />}
      <Sparkline values={whole(series?.points ?? [], slice.data, range.tick / 1000)} tone={tone} />
    </Link>
  );
}

/** The values of the steps that are over; an unfinished step of a count only looks like a fall. */
function whole(points: Point[], slice: Slice | undefined, nowS: number): (number | null)[] {
  const isTotal = slice?.kind === "count" || slice?.kind === "sum";
  const stepS = slice?.step ?? 0;
  return points.filter((point) => !isTotal || point.t + stepS <= nowS).map((point) => point.value);
}

function Beside({ measure, name, filter }: { measure: string; name: string; filter: string | undefined }) {
  const slice = usePageSlice(measure, { withSteps: false, ...(filter === undefined ? {} : { filter }) });
  if (!slice.data) return null;
  return (
    <span class="tile-beside number">
      {name} {measured(slice.data.series[0]?.total.value ?? null, slice.data.unit, slice.data.kind)}
    </span>
  );
}

/** A count says how many by itself; a rate makes ranges comparable. */
function PerMinute({ value }: { value: number }) {
  const range = useRange();
  return <span class="certainty">{compact((value * 60) / (range.toS - range.fromS))} a minute</span>;
}

const NOTHING = { t: 0, n: 0, value: null, low: null, high: null, numerator: null, denominator: null };

// A range before with a small part of the data of this one is no yardstick.
const LEAST_SHARE = 0.25;
const LEAST_N = 30;

function overlaps(a: Point, b: Point): boolean {
  if (a.low == null || a.high == null || b.low == null || b.high == null) return false;
  return a.low <= b.high && b.low <= a.high;
}

function Difference({ measure, now, direction, filter }: { measure: string; now: Point; direction: string; filter: string | undefined }) {
  const range = useRange();
  const pageFilter = useFilter();
  const spanS = range.toS - range.fromS;
  // The range before moves in whole steps, so that a live page does not ask for it every time.
  const end = Math.floor(range.fromS / range.stepS) * range.stepS;
  const before = useSlice({ measure, from: end - spanS, to: end, by: [], filter: filter ?? pageFilter, step: null, limit: 1 });
  const old = before.data?.series[0]?.total;
  if (now.value == null || old?.value == null || old.value === 0) return null;
  if (old.n < Math.max(LEAST_N, LEAST_SHARE * now.n)) return null;
  const change = now.value / old.value - 1;
  if (Math.abs(change) < 0.005 || overlaps(now, old))
    return (
      <span class="difference quiet" title="No difference to the range before that the data could show">
        ±
      </span>
    );
  const isUp = change > 0;
  const isBad = direction === "up_is_bad" ? isUp : direction === "down_is_bad" ? !isUp : null;
  const tone = isBad === null ? "quiet" : isBad ? "bad" : "good";
  return (
    <span class={`difference ${tone}`} title="Against the range before">
      {isUp ? "▲" : "▼"} {percent(Math.abs(change))}
    </span>
  );
}
