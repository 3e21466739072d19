import { expect, test } from "vitest";
import type { Clocks } from "../api/types";
import { clockRows, fromInput, localInput } from "./clocks";

const CLOCKS: Clocks = { occurred_ms: 60_000, detected_ms: 180_000, aware_ms: null, causal_link_ms: null, acknowledged_ms: null, mitigated_ms: null, resolved_ms: 30_000 };

test("each clock counts from the onset and an unknown one stays unknown", () => {
  const rows = clockRows(CLOCKS);
  expect(rows.map((row) => row.afterMs)).toEqual([0, 120_000, null, null, null, null, -30_000]);
});

test("a moment survives the way through an input to the minute", () => {
  const ms = Date.UTC(2026, 10, 24, 9, 41);
  expect(fromInput(localInput(ms))).toBe(ms);
  expect(localInput(null)).toBe("");
  expect(fromInput("")).toBeNull();
});
