import { describe, expect, it } from "vitest";
import type { TraceColumns } from "../api/types";
import { ancestors, branchOf, nextProblem, ticks, treeOf, visibleRows } from "./waterfall";

/** Columns of a trace given as depths, in depth-first order. */
function columnsOf(depths: number[], problems: number[] = []): TraceColumns {
  const path: number[] = [];
  const parent = depths.map((depth, row) => {
    path[depth] = row;
    return depth > 0 ? (path[depth - 1] as number) : -1;
  });
  const each = <T>(value: (row: number) => T): T[] => depths.map((_, row) => value(row));
  const below = each((row) => depths.slice(row + 1).findIndex((depth) => depth <= (depths[row] as number))).map((size, row) => (size < 0 ? depths.length - row - 1 : size));
  return {
    span_id: each((row) => `s${row}`), parent, depth: depths, below, hidden: each(() => 0), name: each((row) => `span ${row}`),
    kind: each(() => "llm"), start_ms: each((row) => row), duration_ms: each(() => 10), status: each((row) => (problems.includes(row) ? "error" : "ok")),
    error_class: each(() => ""), model: each(() => ""), tokens: each(() => 5), cost_usd: each((row) => (row === 4 ? null : 0.5)),
    is_orphan: each(() => false), is_billable: each(() => true), on_critical_path: each(() => false), waited_ms: each(() => 0), problems: each(() => []),
  };
}

const columns = columnsOf([0, 1, 2, 2, 1, 0], [2, 5]);
const tree = treeOf(columns, 0);

describe("folding", () => {
  it("knows where each branch ends", () => {
    expect([...tree.end]).toEqual([5, 4, 3, 4, 5, 6]);
  });
  it("leaves out what is under a folded row", () => {
    expect([...visibleRows(tree, new Set([1]))]).toEqual([0, 1, 4, 5]);
    expect([...visibleRows(tree, new Set())]).toEqual([0, 1, 2, 3, 4, 5]);
  });
  it("shows one subtree when it is focused", () => {
    expect([...visibleRows(tree, new Set(), 1)]).toEqual([1, 2, 3]);
  });
  it("sums a branch, and says when its cost is not known", () => {
    expect(branchOf(columns, tree, 1)).toEqual({ spans: 3, errors: 1, costUsd: 1.5, tokens: 15 });
    expect(branchOf(columns, tree, 0).costUsd).toBeNull();
  });
});

it("goes round the problems in both directions", () => {
  expect([nextProblem(tree, -1), nextProblem(tree, 2), nextProblem(tree, 5), nextProblem(tree, 2, -1)]).toEqual([2, 5, 2, 5]);
});

it("walks up to the root", () => {
  expect(ancestors(columns, 3)).toEqual([0, 1]);
});

it("uses the latest end as the length of a trace", () => {
  expect(tree.durationMs).toBe(15);
});

it("folds fifty thousand spans within one frame or two", () => {
  const depths = Array.from({ length: 50_000 }, (_, row) => (row === 0 ? 0 : 1 + (row % 5)));
  const big = { ...columnsOf([0]), depth: depths, span_id: depths.map(String), start_ms: depths, duration_ms: depths, status: depths.map(() => "ok"), is_orphan: [], problems: [] };
  const begin = performance.now();
  const whole = treeOf(big, 1);
  const rows = visibleRows(whole, new Set([1, 6, 11]));
  expect(rows.length).toBeGreaterThan(49_000);
  expect(performance.now() - begin).toBeLessThan(250);
});

it("puts round ticks inside the window", () => {
  expect(ticks(0, 4230)).toEqual([0, 1000, 2000, 3000, 4000]);
  expect(ticks(5, 5)).toEqual([5]);
});
