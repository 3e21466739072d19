// The whole trace in a strip: one line a span, drawn once on a canvas, with a brush for the zoom.

import { useEffect, useRef, useState } from "preact/hooks";
import type { TraceColumns } from "../api/types";
import { duration } from "../lib/format";
import type { Tree } from "../lib/waterfall";
import { palette, useThemeVersion } from "./theme";

const HEIGHT = 56;

interface Props {
  columns: TraceColumns;
  tree: Tree;
  zoom: [number, number];
  setZoom: (zoom: [number, number]) => void;
  selected: number;
}

/** Drag to zoom, double-click to see everything. */
export function Minimap({ columns, tree, zoom, setZoom, selected }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useThemeVersion();
  const [width, setWidth] = useState(0);
  const [drag, setDrag] = useState<[number, number] | null>(null);

  useEffect(() => {
    const element = canvas.current?.parentElement;
    if (!element) return;
    const watcher = new ResizeObserver(() => setWidth(element.clientWidth));
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);
  useEffect(() => {
    if (canvas.current && width > 0) draw(canvas.current, width, columns, tree);
  }, [columns, tree, width, theme]);

  const share = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
  };
  const finish = () => {
    if (drag) {
      const [a, b] = [Math.min(...drag) * tree.durationMs, Math.max(...drag) * tree.durationMs];
      if (b - a > tree.durationMs * 0.003) setZoom([a, b]);
    }
    setDrag(null);
  };
  const isZoomed = zoom[0] > 0 || zoom[1] < tree.durationMs;
  const [from, to] = drag ? [Math.min(...drag), Math.max(...drag)] : [zoom[0] / tree.durationMs, zoom[1] / tree.durationMs];
  return (
    <div
      class="minimap"
      style={{ height: `${HEIGHT}px` }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag([share(event), share(event)]);
      }}
      onPointerMove={(event) => drag && setDrag([drag[0], share(event)])}
      onPointerUp={finish}
      onPointerCancel={() => setDrag(null)}
      onDblClick={() => setZoom([0, tree.durationMs])}
      role="img"
      aria-label={`Minimap of ${duration(tree.durationMs)}; drag to zoom, double-click to reset`}
    >
      <canvas ref={canvas} />
      {drag || isZoomed ? (
        <>
          <div class="minimap-shade" style={{ left: "0", width: `${from * 100}%` }} />
          <div class="minimap-shade" style={{ left: `${to * 100}%`, right: "0" }} />
        </>
      ) : null}
      {selected >= 0 ? <div class="minimap-at" style={{ left: `${((columns.start_ms[selected] ?? 0) / tree.durationMs) * 100}%`, top: `${(selected / tree.size) * 100}%` }} /> : null}
      {isZoomed ? (
        <button type="button" class="button small minimap-reset" onPointerDown={(event) => event.stopPropagation()} onClick={() => setZoom([0, tree.durationMs])}>
          Whole trace
        </button>
      ) : null}
    </div>
  );
}

function draw(canvas: HTMLCanvasElement, width: number, columns: TraceColumns, tree: Tree): void {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(HEIGHT * scale);
  const context = canvas.getContext("2d");
  if (!context) return;
  const colours = palette();
  const byKind = new Map<string, string>();
  const colourOf = (kind: string): string => {
    const known = byKind.get(kind);
    if (known) return known;
    const found = colours.tone(`kind-${kind}`) || colours.tone("kind-other");
    byKind.set(kind, found);
    return found;
  };
  const usable = canvas.height - 4 * scale;
  const line = Math.max(scale, Math.min(6 * scale, usable / tree.size - 0.5));
  const paint = (row: number) => {
    const x = ((columns.start_ms[row] ?? 0) / tree.durationMs) * canvas.width;
    const size = Math.max(scale, ((columns.duration_ms[row] ?? 0) / tree.durationMs) * canvas.width);
    context.fillRect(x, 2 * scale + (row / tree.size) * usable, size, line);
  };
  context.globalAlpha = 0.85;
  for (let row = 0; row < tree.size; row++) {
    context.fillStyle = colourOf(columns.kind[row] ?? "other");
    paint(row);
  }
  context.globalAlpha = 1;
  context.fillStyle = colours.bad;
  for (const row of tree.problems) if (columns.status[row] === "error") paint(row);
}
