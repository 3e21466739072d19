// A slice by two dimensions as a table of rows and columns, biggest first.

import type { Series } from "../api/types";

export interface PivotCell {
  value: number | null;
  n: number;
  /** Calls of this cell whose cost nobody knows. */
  unknown: number;
}

export interface Pivot {
  rows: { key: string; total: number; unknown: number; cells: (PivotCell | null)[] }[];
  columns: { key: string; total: number; unknown: number }[];
  total: number;
  unknown: number;
  top: number;
  restColumns: number;
}

/** Group series of two keys; at most `columnLimit` columns, the rest counted.
 *
 * `unknowns` count by the same keys the calls that are in no amount; where they say nothing about a
 * group without an amount, all of its calls are unknown.
 */
export function pivotOf(series: Series[], columnLimit = 6, unknowns: Series[] = []): Pivot {
  const rowTotals = new Map<string, number>();
  const columnTotals = new Map<string, number>();
  const cells = new Map<string, PivotCell>();
  const rowUnknowns = new Map<string, number>();
  const columnUnknowns = new Map<string, number>();
  const cellUnknowns = new Map<string, number>();
  let total = 0;
  let unknown = 0;
  for (const { key, total: point } of unknowns) {
    const [row = "", column = ""] = key;
    const calls = point.numerator ?? 0;
    add(rowUnknowns, row, calls);
    add(columnUnknowns, column, calls);
    add(cellUnknowns, JSON.stringify([row, column]), calls);
    unknown += calls;
  }
  for (const { key, total: point } of series) {
    const [row = "", column = ""] = key;
    const value = point.value ?? 0;
    const place = JSON.stringify([row, column]);
    const missing = cellUnknowns.has(place) || point.value !== null ? 0 : point.n;
    add(rowUnknowns, row, missing);
    add(columnUnknowns, column, missing);
    unknown += missing;
    add(rowTotals, row, value);
    add(columnTotals, column, value);
    cells.set(place, { value: point.value, n: point.n, unknown: cellUnknowns.get(place) ?? missing });
    total += value;
  }
  const bySize = (a: [string, number], b: [string, number]) => b[1] - a[1] || a[0].localeCompare(b[0]);
  const allColumns = [...columnTotals].sort(bySize);
  const columns = allColumns.slice(0, columnLimit).map(([key, sum]) => ({ key, total: sum, unknown: columnUnknowns.get(key) ?? 0 }));
  const rows = [...rowTotals].sort(bySize).map(([key, sum]) => ({
    key,
    total: sum,
    unknown: rowUnknowns.get(key) ?? 0,
    cells: columns.map((column) => cells.get(JSON.stringify([key, column.key])) ?? null),
  }));
  const top = Math.max(0, ...[...cells.values()].map((cell) => cell.value ?? 0));
  return { rows, columns, total, unknown, top, restColumns: allColumns.length - columns.length };
}

function add(sums: Map<string, number>, key: string, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}
