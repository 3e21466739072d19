// Trace: where the time, the money and the mistake are.

import { useEffect, useMemo, useState } from "preact/hooks";
import { useLocation } from "wouter";
import { useGet } from "../api/queries";
import type { TraceDetail } from "../api/types";
import { nextProblem, treeOf, visibleRows, ancestors } from "../lib/waterfall";
import { hrefTo, useUrl } from "../url";
import { useKeys } from "../ui/keys";
import { Minimap } from "../ui/minimap";
import { SpanPanel } from "../ui/spanpanel";
import { Cut, ErrorNote, Skeleton } from "../ui/states";
import { TraceFacts, type Place } from "../ui/tracefacts";
import { Waterfall } from "../ui/waterfall";

const SHOWN = 50_000;

/** The trace screen. */
export function Trace({ id }: { id: string }) {
  const [params] = useUrl();
  const detail = useGet<TraceDetail>(`/traces/${encodeURIComponent(id)}`, { limit: SHOWN, root: params.get("root") });
  if (detail.error) {
    return (
      <div class="page">
        <ErrorNote error={detail.error} retry={() => void detail.refetch()} />
      </div>
    );
  }
  if (!detail.data) {
    return (
      <div class="page page-full">
        <Skeleton lines={3} />
        <Skeleton tall />
      </div>
    );
  }
  return <Loaded detail={detail.data} />;
}

function Loaded({ detail }: { detail: TraceDetail }) {
  const { columns, trace } = detail;
  const [params, setUrl] = useUrl();
  const [, navigate] = useLocation();
  const tree = useMemo(() => treeOf(columns, trace.duration_ms), [columns, trace.duration_ms]);
  const [collapsed, setCollapsed] = useState<ReadonlySet<number>>(new Set());
  const [root, setRoot] = useState(-1);
  const [zoom, setZoom] = useState<[number, number]>([0, tree.durationMs]);
  const rows = useMemo(() => visibleRows(tree, collapsed, root), [tree, collapsed, root]);
  const spanId = params.get("span");
  const selected = useMemo(() => (spanId ? columns.span_id.indexOf(spanId) : -1), [columns, spanId]);
  useEffect(() => setZoom([0, tree.durationMs]), [tree]);
  const session = params.get("session");
  const back: Place = session
    ? { to: "/sessions", set: { session, turn: trace.trace_id, y: params.get("y") }, name: "the conversation" }
    : { to: "/traces", set: { row: trace.trace_id }, name: "traces" };

  const select = (row: number) => {
    if (row < 0) return;
    const hidden = ancestors(columns, row).filter((at) => collapsed.has(at));
    if (hidden.length) setCollapsed(new Set([...collapsed].filter((at) => !hidden.includes(at))));
    if (root >= 0 && (row < root || row >= (tree.end[root] as number))) setRoot(-1);
    setUrl({ span: columns.span_id[row] ?? null }, false);
  };
  const step = (by: number) => {
    const at = rows.indexOf(selected);
    select(rows[Math.max(0, Math.min(rows.length - 1, at + by))] ?? -1);
  };
  const fold = (row: number, isFolded: boolean) => {
    if (row < 0 || (tree.end[row] as number) <= row + 1) return;
    const next = new Set(collapsed);
    if (isFolded) next.add(row);
    else next.delete(row);
    setCollapsed(next);
  };
  const focus = (row: number) => {
    setRoot(row);
    if (row < 0) return setZoom([0, tree.durationMs]);
    const from = columns.start_ms[row] ?? 0;
    setZoom([from, from + Math.max(columns.duration_ms[row] ?? 0, tree.durationMs / 1e6)]);
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: (event) => (event.preventDefault(), step(1)),
    ArrowUp: (event) => (event.preventDefault(), step(-1)),
    n: () => select(nextProblem(tree, selected)),
    N: () => select(nextProblem(tree, selected, -1)),
    h: () => fold(selected, true),
    l: () => fold(selected, false),
    ArrowLeft: () => fold(selected, true),
    ArrowRight: () => fold(selected, false),
    Escape: () => {
      if (spanId) setUrl({ span: null, tab: null }, false);
      else if (root >= 0) focus(-1);
      else navigate(hrefTo(back.to, back.set));
    },
  });

  return (
    <div class="page page-full trace-page">
      <TraceFacts detail={detail} tree={tree} next={() => select(nextProblem(tree, selected))} back={back} />
      <div class={`trace-split ${selected >= 0 ? "has-panel" : ""}`}>
        <section class="panel waterfall-panel" aria-label="Waterfall">
          <Minimap columns={columns} tree={tree} zoom={zoom} setZoom={setZoom} selected={selected} />
          <Waterfall
            columns={columns}
            tree={tree}
            rows={rows}
            collapsed={collapsed}
            zoom={zoom}
            selected={selected}
            root={root}
            select={select}
            fold={fold}
            focus={focus}
          />
          <footer class="list-foot">
            <Cut shown={detail.shown} total={detail.total_spans} word="spans" />
            {params.get("root") ? (
              <button type="button" class="button small" onClick={() => setUrl({ root: null })}>
                Back to the whole trace
              </button>
            ) : null}
            <span class="quiet-text">
              <kbd>n</kbd> next problem <kbd>j</kbd> <kbd>k</kbd> move <kbd>h</kbd> <kbd>l</kbd> fold
            </span>
          </footer>
        </section>
        {selected >= 0 ? (
          <SpanPanel key={columns.span_id[selected]} traceId={trace.trace_id} spanId={columns.span_id[selected] as string} columns={columns} row={selected} traceScores={detail.scores} close={() => setUrl({ span: null, tab: null }, false)} focus={() => focus(selected)} />
        ) : null}
      </div>
    </div>
  );
}
