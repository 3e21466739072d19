import { describe, expect, it } from "vitest";
import type { Series } from "../api/types";
import { pivotOf } from "./pivot";

const series = (row: string, column: string, value: number | null, numerator: number | null = null): Series => ({
  key: [row, column],
  total: { t: 0, n: 10, value, low: null, high: null, numerator, denominator: 10 },
  points: [],
});

describe("pivotOf", () => {
  it("puts the biggest rows and columns first", () => {
    const pivot = pivotOf([series("a", "x", 1), series("b", "y", 5), series("b", "x", 1)]);
    expect(pivot.rows.map((row) => row.key)).toEqual(["b", "a"]);
    expect(pivot.columns.map((column) => column.total)).toEqual([5, 2]);
    expect(pivot.rows[1]?.cells).toEqual([null, { value: 1, n: 10, unknown: 0 }]);
    expect(pivot.total).toBe(7);
  });
  it("counts what is unknown beside every sum and never as a part of it", () => {
    const pivot = pivotOf([series("a", "x", 0), series("a", "y", 3)], 6, [series("a", "x", 0.4, 4), series("a", "y", 0, 0)]);
    expect(pivot.rows[0]).toMatchObject({ total: 3, unknown: 4 });
    expect(pivot.rows[0]?.cells.map((cell) => cell?.unknown)).toEqual([0, 4]);
    expect(pivot.columns.find((column) => column.key === "x")).toMatchObject({ total: 0, unknown: 4 });
    expect(pivot.unknown).toBe(4);
  });
  it("says how many columns it leaves out", () => {
    const pivot = pivotOf(["x", "y", "z"].map((name, at) => series("a", name, at)), 2);
    expect(pivot.columns.length).toBe(2);
    expect(pivot.restColumns).toBe(1);
  });
});
