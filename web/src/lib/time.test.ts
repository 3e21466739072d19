import { expect, it } from "vitest";
import { rangeOf, resolve, shifted, stepFor } from "./time";

const NOW_S = 1_795_458_123;

it("reads relative and absolute moments, and nothing else", () => {
  expect([resolve("now", NOW_S), resolve("-6h", NOW_S), resolve("1795450000", NOW_S), resolve("yesterday", NOW_S)]).toEqual([
    NOW_S, NOW_S - 21_600, 1_795_450_000, null,
  ]);
});

it("aligns a range to its step and keeps the last minute whole", () => {
  const range = rangeOf("-6h", null, NOW_S);
  expect(range.fromS % range.stepS).toBe(0);
  expect(range.toS % 60).toBe(0);
  expect(range.toS).toBeGreaterThanOrEqual(NOW_S);
  expect(range.isRelative).toBe(true);
});

it("never asks for more than about a hundred points", () => {
  for (const spanS of [900, 3600, 21_600, 86_400, 604_800, 2_592_000]) expect(spanS / stepFor(spanS)).toBeLessThanOrEqual(100);
});

it("falls back to the default range when the words mean nothing", () => {
  expect(rangeOf("soon", "later", NOW_S).toS - rangeOf("soon", "later", NOW_S).fromS).toBeGreaterThan(20_000);
});

it("moves a range back by its half, and never past now", () => {
  const range = rangeOf("1795440000", "1795450000", NOW_S);
  expect(Number(shifted(range, -0.5, NOW_S).to)).toBeLessThan(range.toS);
  expect(Number(shifted(range, 5, NOW_S).to)).toBeLessThanOrEqual(NOW_S + 60);
});
