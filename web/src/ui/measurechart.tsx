// A panel with one or several measures over the page's range.

import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { usePageSlice } from "../api/queries";
import type { Series, Slice } from "../api/types";
import { count } from "../lib/format";
import { useRange, useUrl } from "../url";
import { Chart, type Line, type Marker } from "./chart";
import { Empty, ErrorNote, Panel, Skeleton } from "./states";

const LEGEND_SHOWN = 4;

interface Props {
  title: string;
  measures: { id: string; label: string; tone?: string }[];
  by?: string[];
  isStacked?: boolean;
  isBars?: boolean;
  markers?: Marker[];
  height?: number;
  limit?: number;
  aside?: ComponentChildren;
}

/** The lines of a slice; the last, unfinished step of a count is left out. */
export function linesOf(slice: Slice, label: string, nowS: number, tone?: string): { times: number[]; lines: Line[] } {
  const stepS = slice.step ?? 60;
  const isTotal = slice.kind === "count" || slice.kind === "sum";
  const times: number[] = [];
  for (let at = Math.floor(slice.from / stepS) * stepS; at < slice.to; at += stepS) {
    if (isTotal && at + stepS > nowS + 1) break;
    times.push(at);
  }
  const place = new Map(times.map((time, at) => [time, at]));
  const lines = slice.series.map((series) => lineOf(series, times.length, place, slice, label, isTotal, tone));
  return { times, lines };
}

function lineOf(series: Series, size: number, place: Map<number, number>, slice: Slice, label: string, isTotal: boolean, tone?: string): Line {
  const values = new Array<number | null>(size).fill(isTotal ? 0 : null);
  const low = new Array<number | null>(size).fill(null);
  const high = new Array<number | null>(size).fill(null);
  for (const point of series.points) {
    const at = place.get(point.t);
    if (at === undefined) continue;
    values[at] = point.value;
    low[at] = point.low;
    high[at] = point.high;
  }
  const name = series.key.length ? series.key.map((word) => word || "(not said)").join(" · ") : label;
  const hasBand = !slice.by.length && low.some((value) => value != null);
  return { label: name, values, ...(hasBand ? { low, high } : {}), ...(tone ? { tone } : {}) };
}

/** The chart panel; drag on it to set the range. */
export function MeasureChart({ title, measures, by = [], isStacked, isBars, markers = [], height = 170, limit = 8, aside }: Props) {
  const range = useRange();
  const [, setUrl] = useUrl();
  const [first, second, third] = measures;
  const slices = [
    usePageSlice(first?.id ?? "", { by, limit }, Boolean(first)),
    usePageSlice(second?.id ?? "", { by, limit }, Boolean(second)),
    usePageSlice(third?.id ?? "", { by, limit }, Boolean(third)),
  ].slice(0, measures.length);
  const drawn = useMemo(() => {
    const parts = slices.map((slice, at) => (slice.data ? linesOf(slice.data, measures[at]?.label ?? "", range.tick / 1000, measures[at]?.tone) : null));
    const times = parts.find((part) => part)?.times ?? [];
    return { times, lines: parts.flatMap((part) => part?.lines ?? []) };
  }, [slices.map((slice) => slice.dataUpdatedAt).join(), range.tick]);
  const head = slices.find((slice) => slice.data)?.data;
  const error = slices.find((slice) => slice.error)?.error;
  const hasData = drawn.lines.some((line) => line.values.some((value) => value != null && value !== 0)) || drawn.lines.some((line) => line.low);
  const truncated = head?.truncated ?? 0;
  return (
    <Panel title={title} aside={aside ?? (drawn.lines.length > 1 ? <Legend lines={drawn.lines} truncated={truncated} /> : null)}>
      {error ? (
        <ErrorNote error={error} />
      ) : !head ? (
        <div class="chart-place" style={{ height: `${height}px` }}>
          <Skeleton tall />
        </div>
      ) : !hasData ? (
        <div class="chart-place" style={{ height: `${height}px` }}>
          <Empty title="No data in this range" />
        </div>
      ) : (
        <Chart
          label={title}
          times={drawn.times}
          lines={drawn.lines}
          unit={head.unit}
          kind={head.kind}
          height={height}
          span={[range.fromS, range.toS]}
          markers={markers}
          {...(isStacked ? { isStacked } : {})}
          {...(isBars ? { isBars } : {})}
          onBrush={(fromS, toS) => setUrl({ from: String(fromS), to: String(toS), cursor: null })}
        />
      )}
    </Panel>
  );
}

function Legend({ lines, truncated }: { lines: Line[]; truncated: number }) {
  const hidden = truncated + Math.max(0, lines.length - LEGEND_SHOWN);
  return (
    <ul class="legend">
      {lines.slice(0, LEGEND_SHOWN).map((line, at) => (
        <li key={line.label} title={line.label}>
          <span class="swatch" style={{ background: line.tone ? `var(--${line.tone})` : `var(--series-${(at % 8) + 1})` }} />
          <span class="legend-name">{line.label}</span>
        </li>
      ))}
      {hidden > 0 ? <li class="cut">+{count(hidden)} more</li> : null}
    </ul>
  );
}
