// A slice by two dimensions as a table of rows and columns, biggest first.

import type { Series } from "../api/types";

export interface PivotCell {
  value: number | null;
  n: number;
}

export interface Pivot {
  rows: { key: string; total: number; isPartial: boolean; cells: (PivotCell | null)[] }[];
  columns: { key: string; total: number }[];
  total: number;
  top: number;
  restColumns: number;
}

/** Group series of two keys; at most `columnLimit` columns, the rest counted. */
export function pivotOf(series: Series[], columnLimit = 6): Pivot {
  const rowTotals = new Map<string, number>();
  const columnTotals = new Map<string, number>();
  const cells = new Map<string, PivotCell>();
  const partial = new Set<string>();
  let total = 0;
  for (const { key, total: point } of series) {
    const [row = "", column = ""] = key;
    const value = point.value ?? 0;
    if (point.value === null) partial.add(row);
    rowTotals.set(row, (rowTotals.get(row) ?? 0) + value);
    columnTotals.set(column, (columnTotals.get(column) ?? 0) + value);
    cells.set(JSON.stringify([row, column]), { value: point.value, n: point.n });
    total += value;
  }
  const bySize = (a: [string, number], b: [string, number]) => b[1] - a[1] || a[0].localeCompare(b[0]);
  const allColumns = [...columnTotals].sort(bySize);
  const columns = allColumns.slice(0, columnLimit).map(([key, sum]) => ({ key, total: sum }));
  const rows = [...rowTotals].sort(bySize).map(([key, sum]) => ({
    key,
    total: sum,
    isPartial: partial.has(key),
    cells: columns.map((column) => cells.get(JSON.stringify([key, column.key])) ?? null),
  }));
  const top = Math.max(0, ...[...cells.values()].map((cell) => cell.value ?? 0));
  return { rows, columns, total, top, restColumns: allColumns.length - columns.length };
}
