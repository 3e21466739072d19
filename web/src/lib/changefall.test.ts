import { describe, expect, it } from "vitest";
import type { ExplainPart } from "../api/spend";
import { fallOf } from "./changefall";

const part = (factor: string, usd: number): ExplainPart => ({ factor, usd, share: null, words: "" });

describe("fallOf", () => {
  it("lets the parts lead from the amount before to the amount after", () => {
    const fall = fallOf(10, 16, [part("volume", 8), part("price", -2)]);
    expect(fall.steps.map((step) => step.factor)).toEqual(["volume", "price"]);
    expect(fall.steps[0]?.left).toBeCloseTo(fall.before);
    expect(fall.steps[1]?.right).toBeCloseTo(fall.steps[0]?.right ?? NaN);
    expect(fall.steps[1]?.left).toBeCloseTo(fall.after);
  });
  it("begins at 0 unless that would hide the parts", () => {
    expect(fallOf(10, 16, [part("volume", 6)]).lowUsd).toBe(0);
    const small = fallOf(1000, 1010, [part("volume", 10)]);
    expect(small.isCut).toBe(true);
    expect(small.lowUsd).toBeGreaterThan(0);
    expect(small.before).toBeGreaterThan(0);
  });
  it("names what did not move instead of drawing it", () => {
    expect(fallOf(1, 2, [part("volume", 1), part("extras", 0)]).still).toEqual(["extras"]);
    expect(fallOf(0, 0, [part("volume", 0)]).still).toEqual(["volume"]);
  });
  it("stays inside the axis when parts overshoot", () => {
    const fall = fallOf(5, 6, [part("mix", -9), part("volume", 10)]);
    for (const step of fall.steps) {
      expect(step.left).toBeGreaterThanOrEqual(-1e-9);
      expect(step.right).toBeLessThanOrEqual(1 + 1e-9);
    }
  });
});
