// Time series on a canvas (uPlot): synced cursors, interval bands, markers, and a brush that sets
// the time range of the page.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { axisLabel, measured, moment } from "../lib/format";
import { palette, useThemeVersion } from "./theme";

export interface Line {
  label: string;
  values: (number | null)[];
  low?: (number | null)[];
  high?: (number | null)[];
  tone?: string;
}

export interface Marker {
  timeMs: number;
  kind: "incident" | "change";
  label: string;
}

/** A stretch of the axis with a background and a word of its own. */
export interface Shade {
  fromS: number;
  toS: number;
  label: string;
  tone: string;
}

interface Props {
  times: number[];
  lines: Line[];
  unit: string;
  kind: string;
  height?: number;
  isStacked?: boolean;
  isBars?: boolean;
  markers?: Marker[];
  shades?: Shade[];
  span?: [number, number];
  onBrush?: ((fromS: number, toS: number) => void) | undefined;
  label: string;
  syncKey?: string;
}

interface Reading {
  left: number;
  at: number;
}

/** One chart; the tooltip follows the cursor and is plain DOM text. */
export function Chart(props: Props) {
  const { lines, unit, kind, height = 170, label } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const theme = useThemeVersion();
  const [reading, setReading] = useState<Reading | null>(null);
  const [isHovered, setIsHovered] = useState(false);
  const shape = `${lines.map((line) => line.label + (line.low ? "b" : "")).join("|")}/${unit}/${kind}/${props.isStacked}/${props.isBars}/${height}/${theme}`;
  const data = useMemo(() => dataOf(props), [props.times, lines, props.isStacked]);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const chart = new uPlot(optionsOf(latest, element.clientWidth, height, setReading), dataOf(latest.current), element);
    plot.current = chart;
    const watcher = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data, props.span?.[0], props.span?.[1]]);

  useEffect(() => plot.current?.redraw(false), [props.markers, props.shades]);

  return (
    <div class="chart" ref={box} role="img" aria-label={`${label}: ${summary(props)}`} style={{ height: `${height}px` }} onPointerEnter={() => setIsHovered(true)} onPointerLeave={() => setIsHovered(false)}>
      {reading && isHovered ? <Tooltip reading={reading} props={props} /> : null}
    </div>
  );
}

function summary({ lines, unit, kind }: Props): string {
  return lines
    .slice(0, 4)
    .map((line) => {
      const known = line.values.filter((value) => value != null);
      return `${line.label} latest ${measured(known[known.length - 1] ?? null, unit, kind)}`;
    })
    .join(", ");
}

function Tooltip({ reading, props }: { reading: Reading; props: Props }) {
  const { times, lines, unit, kind, markers = [] } = props;
  const timeS = times[reading.at];
  if (timeS === undefined) return null;
  const stepS = (times[1] ?? timeS + 60) - (times[0] ?? timeS);
  const near = markers.filter((marker) => Math.abs(marker.timeMs / 1000 - timeS) <= stepS * 1.5).slice(0, 4);
  const rows = lines.map((line, at) => ({ line, at, value: line.values[reading.at] ?? null }));
  const shown = props.isStacked ? rows.filter((row) => row.value).reverse().slice(0, 10) : rows;
  return (
    <div class={`chart-tip ${reading.left > 0.6 ? "is-left" : ""}`} style={{ left: `${reading.left * 100}%` }}>
      <div class="chart-tip-time">{moment(timeS * 1000, Date.now(), false)}</div>
      {shown.map(({ line, at, value }) => (
        <div class="chart-tip-row" key={line.label}>
          <span class="swatch" style={{ background: line.tone ? `var(--${line.tone})` : `var(--series-${(at % 8) + 1})` }} />
          <span class="chart-tip-name">{line.label}</span>
          <span class="number">{measured(value, unit, kind)}</span>
          {line.low && value != null ? (
            <span class="certainty">
              {measured(line.low[reading.at] ?? null, unit, kind)} – {measured(line.high?.[reading.at] ?? null, unit, kind)}
            </span>
          ) : null}
        </div>
      ))}
      {near.map((marker) => (
        <div class="chart-tip-mark" key={marker.label}>
          {marker.kind === "incident" ? "▲" : "◆"} {marker.label}
        </div>
      ))}
    </div>
  );
}

function dataOf({ times, lines, isStacked }: Props): uPlot.AlignedData {
  if (!isStacked) {
    const rows = lines.flatMap((line) => (line.low && line.high ? [line.values, line.low, line.high] : [line.values]));
    return [times, ...rows] as uPlot.AlignedData;
  }
  const totals = new Array<number>(times.length).fill(0);
  const stacked = lines.map((line) => line.values.map((value, at) => (totals[at] = (totals[at] ?? 0) + (value ?? 0))));
  return [times, ...stacked.reverse()] as uPlot.AlignedData;
}

function optionsOf(latest: { current: Props }, width: number, height: number, read: (reading: Reading | null) => void): uPlot.Options {
  const { unit, kind, syncKey = "page", isStacked } = latest.current;
  const colours = palette();
  const axis = { stroke: colours.muted, font: `11px ${colours.font}`, ticks: { show: false }, grid: { stroke: colours.grid, width: 1 } };
  return {
    width,
    height,
    padding: [10, 18, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: syncKey },
      points: { show: !isStacked, size: 6 },
      drag: { x: true, y: false, setScale: false, dist: 6 },
      y: false,
    },
    scales: {
      x: { range: () => latest.current.span ?? spanOf(latest.current.times) },
      y: { range: (_, low, high) => yRange(low, high, latest.current.kind) },
    },
    series: [{}, ...seriesOf(latest.current, colours)],
    bands: bandsOf(latest.current, colours),
    axes: [
      { ...axis, size: 24, gap: 4, values: (_, splits) => timeLabels(splits), space: 70, grid: { show: false } },
      { ...axis, size: 58, gap: 6, values: (_, splits) => splits.map((value) => axisLabel(value, unit, kind)), space: 34 },
    ],
    hooks: {
      drawClear: [(chart) => drawShades(chart, latest.current.shades ?? [])],
      draw: [(chart) => drawMarkers(chart, latest.current.markers ?? [])],
      setCursor: [
        (chart) => {
          const { left, idx } = chart.cursor;
          if (left == null || left < 0 || idx == null) read(null);
          else read({ left: (left + chart.bbox.left / devicePixelRatio) / chart.width, at: idx });
        },
      ],
      setSelect: [
        (chart) => {
          if (chart.select.width < 6 || !latest.current.onBrush) return;
          const from = chart.posToVal(chart.select.left, "x");
          const to = chart.posToVal(chart.select.left + chart.select.width, "x");
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          latest.current.onBrush(Math.floor(from / 60) * 60, Math.ceil(to / 60) * 60);
        },
      ],
    },
  };
}

function spanOf(times: number[]): [number, number] {
  return [times[0] ?? 0, times[times.length - 1] ?? 1];
}

function yRange(low: number, high: number, kind: string): [number, number] {
  if (low == null || high == null || !Number.isFinite(high)) return [0, 1];
  const top = high === 0 ? 1 : high * 1.08;
  return [0, kind === "ratio" ? Math.min(1, Math.max(top, 0.01)) : top];
}

type Colours = ReturnType<typeof palette>;

function seriesOf({ lines, isStacked, isBars }: Props, colours: Colours): uPlot.Series[] {
  const bars = isBars ? { paths: uPlot.paths.bars?.({ size: [0.74, 40], align: 1 }) as uPlot.Series.PathBuilder } : {};
  if (isStacked) {
    return lines
      .map((line, at) => ({
        label: line.label,
        stroke: colours.panel,
        fill: colours.series[at % 8] as string,
        width: isBars ? 0 : 0.5,
        points: { show: false },
        ...bars,
      }))
      .reverse();
  }
  return lines.flatMap((line, at) => {
    const stroke = line.tone ? (colours.tone(line.tone) as string) : (colours.series[at % 8] as string);
    const main: uPlot.Series = {
      label: line.label, stroke, width: isBars ? 0 : 1.6, points: { show: !isBars && isSparse(line.values), size: 4, fill: stroke }, spanGaps: false, ...(isBars ? { fill: stroke } : {}), ...bars,
    };
    if (!line.low) return [main];
    const edge: uPlot.Series = { stroke: "transparent", width: 0, points: { show: false } };
    return [main, { ...edge, label: "low" }, { ...edge, label: "high" }];
  });
}

/** With gaps, a lone value has no line to be part of and needs a point. */
function isSparse(values: (number | null)[]): boolean {
  return values.some((value, at) => value != null && values[at - 1] == null && values[at + 1] == null);
}

function bandsOf({ lines, isStacked }: Props, colours: Colours): uPlot.Band[] {
  if (isStacked) return [];
  const bands: uPlot.Band[] = [];
  let at = 1;
  lines.forEach((line, index) => {
    if (line.low) {
      const fill = line.tone ? colours.tone(line.tone) : (colours.series[index % 8] as string);
      bands.push({ series: [at + 2, at + 1], fill: `color-mix(in srgb, ${fill} 18%, transparent)` });
      at += 3;
    } else at += 1;
  });
  return bands;
}

function timeLabels(splits: number[]): string[] {
  const stepS = (splits[1] ?? 0) - (splits[0] ?? 0);
  return splits.map((timeS) => {
    const date = new Date(timeS * 1000);
    const isMidnight = date.getHours() === 0 && date.getMinutes() === 0;
    if (stepS >= 86400 || isMidnight) return date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
    return `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
  });
}

function drawShades(chart: uPlot, shades: Shade[]): void {
  const { ctx, bbox } = chart;
  const colours = palette();
  for (const shade of shades) {
    const left = Math.max(bbox.left, chart.valToPos(shade.fromS, "x", true));
    const right = Math.min(bbox.left + bbox.width, chart.valToPos(shade.toS, "x", true));
    if (right <= left) continue;
    const tone = colours.tone(shade.tone);
    ctx.save();
    ctx.fillStyle = `color-mix(in srgb, ${tone} 13%, transparent)`;
    ctx.fillRect(left + 1, bbox.top, right - left - 2, bbox.height);
    ctx.fillStyle = tone;
    ctx.font = `${11 * devicePixelRatio}px ${colours.font}`;
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    ctx.fillText(shade.label, left + 6 * devicePixelRatio, bbox.top + 12 * devicePixelRatio);
    ctx.restore();
  }
}

function drawMarkers(chart: uPlot, markers: Marker[]): void {
  const { ctx, bbox } = chart;
  const colours = palette();
  const scale = devicePixelRatio;
  for (const marker of markers) {
    const x = chart.valToPos(marker.timeMs / 1000, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const tone = marker.kind === "incident" ? colours.bad : colours.accent;
    ctx.save();
    ctx.strokeStyle = tone;
    ctx.fillStyle = tone;
    ctx.lineWidth = scale;
    ctx.setLineDash([3 * scale, 3 * scale]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    const size = 4 * scale;
    const top = bbox.top - 1;
    if (marker.kind === "incident") {
      ctx.moveTo(x - size, top - size);
      ctx.lineTo(x + size, top - size);
      ctx.lineTo(x, top + size * 0.9);
    } else {
      ctx.moveTo(x, top - size);
      ctx.lineTo(x + size, top);
      ctx.lineTo(x, top + size);
      ctx.lineTo(x - size, top);
    }
    ctx.fill();
    ctx.restore();
  }
}
