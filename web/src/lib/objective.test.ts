import { describe, expect, it } from "vitest";
import { byRule, coarser, exhaustionText, ladder, nearest, placeOf, rulesOf, stepped, targetText, windowText } from "./objective";

const alert = (rule: string) => ({ rule, severity: "page", onset_s: 0, fired_s: 60, cleared_s: null });

describe("the ladder of targets", () => {
  it("holds one's own targets once, in order", () => {
    const rungs = ladder([0.99, 0.9734]);
    expect(rungs.filter((rung) => rung === 0.99)).toHaveLength(1);
    expect(rungs).toContain(0.9734);
    expect(rungs).toEqual([...rungs].sort((a, b) => a - b));
    expect(rungs.length).toBeLessThanOrEqual(200);
  });

  it("is walked a step at a time and ends at its ends", () => {
    const rungs = [0.9, 0.95, 0.99];
    expect(stepped(rungs, 0.95, 1)).toBe(0.99);
    expect(stepped(rungs, 0.95, -1)).toBe(0.9);
    expect(stepped(rungs, 0.99, 5)).toBe(0.99);
    expect(stepped(rungs, 0.9, -1)).toBe(0.9);
  });

  it("finds the rung nearest to where it was dragged", () => {
    const rungs = [0.9, 0.99, 0.999];
    expect(nearest(rungs, placeOf(0.009))).toBe(0.99);
    expect(nearest(rungs, 0)).toBe(0.999);
    expect(nearest(rungs, 1)).toBe(0.9);
  });
});

describe("the axis", () => {
  it("gives every nine the same room, better above", () => {
    expect(placeOf(0.01) - placeOf(0.001)).toBeCloseTo(placeOf(0.1) - placeOf(0.01));
    expect(placeOf(0.001)).toBeLessThan(placeOf(0.01));
  });

  it("keeps all good and all bad on the chart", () => {
    expect(placeOf(0)).toBe(0);
    expect(placeOf(1)).toBe(1);
  });
});

it("steps are put together without losing an event", () => {
  const points = Array.from({ length: 720 }, (_, at) => ({ t_s: at * 3600, judged: 1, total: 2, bad: at % 2 }));
  const found = coarser(points, 0, 3600, 720 * 3600, 180);
  expect(found.stepS).toBe(4 * 3600);
  expect(found.points).toHaveLength(180);
  expect(found.points.reduce((sum, point) => sum + point.bad, 0)).toBe(360);
  expect(found.points.reduce((sum, point) => sum + point.total, 0)).toBe(1440);
});

it("lanes stay where they are whatever the target", () => {
  const judged = (rules: string[]) => ({ target: 0.9, budget: {} as never, problems: [], alerts: rules.map(alert) });
  expect(rulesOf([judged(["burn 3d/6h"]), judged(["sequential", "burn 1h/5m"])])).toEqual(["sequential", "burn 1h/5m", "burn 3d/6h"]);
  expect(byRule([alert("a"), alert("b"), alert("a")]).map((lane) => lane.alerts.length)).toEqual([2, 1]);
});

it("says targets, windows and forecasts in words", () => {
  expect(targetText(0.9995)).toBe("99.95%");
  expect(windowText({ window_days: 30, calendar: "", timezone: "UTC" })).toBe("last 30 d");
  expect(windowText({ window_days: 30, calendar: "month", timezone: "Europe/Oslo" })).toBe("this month, Europe/Oslo");
  expect(exhaustionText(null)).toBe("unknown");
  expect(exhaustionText({ hours: 0, low_hours: 0, high_hours: 0 })).toBe("gone");
  expect(exhaustionText({ hours: 30, low_hours: 20, high_hours: null })).toBe("1 d 6 h (20 h to never)");
  expect(exhaustionText({ hours: null, low_hours: 20, high_hours: null })).toBe("not in this window; 20 h at the earliest");
  expect(exhaustionText({ hours: null, low_hours: null, high_hours: null })).toBe("not in this window");
});
