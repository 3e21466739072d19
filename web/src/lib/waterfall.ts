// The shape of a trace: which rows are visible, what a branch holds. No recursion, typed arrays:
// a trace of 50,000 spans folds in a few milliseconds.

import type { TraceColumns } from "../api/types";

export const INDENT_LIMIT = 14;

export interface Tree {
  size: number;
  /** For each row, the index just after its last descendant. */
  end: Int32Array;
  durationMs: number;
  problems: number[];
  maxDepth: number;
}

/** Read the columns once; rows arrive depth-first. */
export function treeOf(columns: TraceColumns, traceDurationMs: number): Tree {
  const size = columns.span_id.length;
  const end = new Int32Array(size);
  const open: number[] = [];
  const problems: number[] = [];
  let durationMs = Math.max(traceDurationMs, 0);
  let maxDepth = 0;
  for (let row = 0; row < size; row++) {
    const depth = columns.depth[row] ?? 0;
    while (open.length && (columns.depth[open[open.length - 1] as number] ?? 0) >= depth) end[open.pop() as number] = row;
    open.push(row);
    if (depth > maxDepth) maxDepth = depth;
    const finish = (columns.start_ms[row] ?? 0) + (columns.duration_ms[row] ?? 0);
    if (finish > durationMs) durationMs = finish;
    if (hasProblem(columns, row)) problems.push(row);
  }
  for (const row of open) end[row] = size;
  return { size, end, durationMs: durationMs || 1, problems, maxDepth };
}

/** True when a row has something worth looking at. */
export function hasProblem(columns: TraceColumns, row: number): boolean {
  return columns.status[row] === "error" || Boolean(columns.is_orphan[row]) || (columns.problems[row]?.length ?? 0) > 0;
}

/** The rows to show, under a focused root, with collapsed branches left out. */
export function visibleRows(tree: Tree, collapsed: ReadonlySet<number>, root = -1): Int32Array {
  const from = root < 0 ? 0 : root;
  const to = root < 0 ? tree.size : (tree.end[root] as number);
  const rows = new Int32Array(to - from);
  let size = 0;
  for (let row = from; row < to; ) {
    rows[size++] = row;
    row = collapsed.has(row) ? (tree.end[row] as number) : row + 1;
  }
  return rows.subarray(0, size);
}

/** The rows from the root down to a row's parent. */
export function ancestors(columns: TraceColumns, row: number): number[] {
  const path: number[] = [];
  for (let at = columns.parent[row] ?? -1; at >= 0 && path.length <= columns.span_id.length; at = columns.parent[at] ?? -1) {
    path.push(at);
  }
  return path.reverse();
}

export interface Branch {
  spans: number;
  errors: number;
  costUsd: number | null;
  tokens: number;
}

/** What a collapsed branch holds, itself included. Cost counts billable calls only. */
export function branchOf(columns: TraceColumns, tree: Tree, row: number): Branch {
  const last = tree.end[row] as number;
  let errors = 0;
  let tokens = 0;
  let cost = 0;
  let hasUnknown = false;
  for (let at = row; at < last; at++) {
    if (columns.status[at] === "error") errors++;
    if (!columns.is_billable[at]) continue;
    tokens += columns.tokens[at] ?? 0;
    const part = columns.cost_usd[at];
    if (part == null) hasUnknown = true;
    else cost += part;
  }
  return { spans: (columns.below[row] ?? last - row - 1) + 1, errors, costUsd: hasUnknown ? null : cost, tokens };
}

/** The problem after (or before) a row, going round. */
export function nextProblem(tree: Tree, row: number, step: 1 | -1 = 1): number {
  const { problems } = tree;
  if (!problems.length) return -1;
  if (step > 0) return problems.find((at) => at > row) ?? (problems[0] as number);
  return [...problems].reverse().find((at) => at < row) ?? (problems[problems.length - 1] as number);
}

/** Round numbers of milliseconds for an axis between two moments. */
export function ticks(fromMs: number, toMs: number, wanted = 6): number[] {
  const raw = (toMs - fromMs) / wanted;
  if (!(raw > 0)) return [fromMs];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10) * power;
  const found: number[] = [];
  for (let at = Math.ceil(fromMs / step) * step; at <= toMs + step * 1e-9; at += step) found.push(at);
  return found;
}
