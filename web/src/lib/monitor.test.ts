import { describe, expect, it } from "vitest";
import type { Group, Monitor } from "../api/monitors";
import { classesOf, cleaned, countsText, groupKey, groupText, KINDS, meant, newRule, rankedGroups, ruleText, shown, stateOf } from "./monitor";

const group = (state: string, n = 1): Group => ({ group: {}, state, evidence: "", value: null, baseline: null, n, onset_ms: null, fired_ms: null });
const monitor = (groups: Group[], part: Partial<Monitor> = {}): Monitor => ({
  id: "m", name: "M", measure: "error_rate", rule: {}, filter: "", by: [], max_groups: 200, severity: "page", enabled: true, judged_until_ms: null, groups, groups_left_out: 0, error: "", ...part,
});

describe("parameters", () => {
  it("of every kind survive being shown and read again", () => {
    for (const [kind, { parameters }] of Object.entries(KINDS)) {
      const rule = newRule(kind);
      for (const parameter of parameters.filter((item) => item.type !== "flag" && item.initial !== undefined)) {
        expect(meant(parameter, shown(parameter, rule[parameter.name]))).toEqual(parameter.initial);
      }
    }
  });

  it("are left out when an optional one is empty", () => {
    const target = KINDS["sequential"]?.parameters.find((item) => item.name === "target");
    expect(target && meant(target, " ")).toBeNull();
    expect(target && meant(target, "2.5")).toBe(0.025);
    expect(cleaned({ type: "sequential", target: null, lambda: 3 })).toEqual({ type: "sequential", lambda: 3 });
  });
});

describe("a monitor's state", () => {
  it("is that of the group that needs a look first", () => {
    expect(stateOf(monitor([group("ok"), group("firing")]))).toBe("firing");
    expect(stateOf(monitor([group("ok"), group("insufficient_data")]))).toBe("ok");
    expect(stateOf(monitor([]))).toBe("insufficient_data");
    expect(stateOf(monitor([group("firing")], { enabled: false }))).toBe("disabled");
    expect(stateOf(monitor([group("ok")], { error: "no such measure" }))).toBe("error");
  });

  it("counts groups by state and says who is not watched", () => {
    expect(countsText(monitor([group("ok"), group("firing"), group("ok")], { groups_left_out: 7 }))).toBe("1 firing · 2 ok · 7 not watched");
    expect(countsText(monitor([]))).toBe("not judged yet");
    expect(rankedGroups([group("ok", 9), group("ok", 99), group("firing")]).map((item) => item.n)).toEqual([1, 99, 9]);
  });
});

it("rules read as a line", () => {
  const show = (value: number) => `${value * 100}%`;
  expect(ruleText({ type: "threshold", op: ">", value: 0.05, hold_min: 10, min_n: 30 }, show)).toBe("> 5% for 10 min · needs n ≥ 30");
  expect(ruleText({ type: "sequential", alpha: 1e-4 }, show)).toBe("sequential, against its own past · ≤ 1 false alarms in 30 d");
  expect(ruleText({ type: "drift", dimension: "model" }, show)).toBe("drift of model");
});

it("classes are found by monitor and group, open episodes alone", () => {
  const episode = { monitor_id: "m", group: { b: "2", a: "1" }, state: "open", classification: "transient" };
  const found = classesOf([{ episodes: [episode, { ...episode, group: { a: "9" }, state: "resolved" }] }]);
  expect(found.get(groupKey("m", { a: "1", b: "2" }))).toBe("transient");
  expect(found.size).toBe(1);
  expect(groupText({})).toBe("whole project");
  expect(groupText({ model: "" })).toBe("model (not said)");
});
