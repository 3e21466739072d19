import { describe, expect, it } from "vitest";
import { axisLabel, compact, duration, interval, measured, money, percent, visible } from "./format";

describe("numbers", () => {
  it("says unknown, never zero, for what is not known", () => {
    expect([compact(null), percent(null), duration(null), money(null), measured(null, "USD")]).toEqual(Array(5).fill("unknown"));
  });
  it("keeps small shares apart from none", () => {
    expect([percent(0), percent(0.00004), percent(0.0021), percent(0.129), percent(1)]).toEqual(["0%", "<0.01%", "0.21%", "12.9%", "100%"]);
  });
  it("keeps two digits of small amounts of money", () => {
    expect([money(0), money(0.00000049), money(0.000123), money(0.0042), money(0.5), money(36.07), money(12345.6)]).toEqual([
      "$0", "<$0.000001", "$0.00012", "$0.0042", "$0.500", "$36.07", "$12,346",
    ]);
  });
  it("shortens large counts", () => {
    expect([compact(999), compact(1234), compact(12345), compact(3.2e6), compact(0.0321)]).toEqual(["999", "1,234", "12.3k", "3.2M", "0.032"]);
  });
  it("drops trailing zeros on an axis only", () => {
    expect([axisLabel(0.6, "USD"), axisLabel(10, "USD"), axisLabel(0.25, "share", "ratio")]).toEqual(["$0.6", "$10", "25%"]);
  });
});

describe("durations", () => {
  it("reads at every scale", () => {
    expect([0, 0.25, 4.5, 640, 1370, 12_300, 240_000, 245_000, 3_600_000, 90_000_000].map((ms) => duration(ms))).toEqual([
      "0 ms", "250 µs", "4.5 ms", "640 ms", "1.37 s", "12.3 s", "4 min", "4 min 5 s", "1 h", "1 d 1 h",
    ]);
  });
  it("never says sixty seconds", () => {
    expect(duration(119_700)).toBe("2 min");
  });
});

it("gives an interval only where both ends are known", () => {
  expect(interval(0.1, 0.2, "share", "ratio")).toBe("10% – 20%");
  expect(interval(null, 0.2, "share", "ratio")).toBe("");
});

it("shows direction and control characters as their codes", () => {
  expect(visible("a\u202egnp.exe\u0000\u200b")).toBe("a⟨202E⟩gnp.exe⟨0000⟩⟨200B⟩");
  expect(visible("line\n\ttab <b>")).toBe("line\n\ttab <b>");
});
