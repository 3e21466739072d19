import { expect, test } from "vitest";
import type { Change } from "../api/types";
import { kindsOf, windowAround } from "./changelog";

const change = (kind: string): Change => ({ time_ms: 0, kind, title: "", before: "", after: "", scope: {}, source: "", share: null });

test("kinds are counted, the most frequent first", () => {
  expect(kindsOf(["model", "deploy", "deploy"].map(change))).toEqual([
    ["deploy", 2],
    ["model", 1],
  ]);
});

test("the window around a change ends at the present", () => {
  expect(windowAround(10_000_000, 10_900)).toEqual({ from: "9400", to: "10900" });
  expect(windowAround(10_000_000, 99_000)).toEqual({ from: "9400", to: "13600" });
});
