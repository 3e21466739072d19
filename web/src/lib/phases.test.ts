import { expect, test } from "vitest";
import { nextPhases } from "./phases";

test("a phase leads to others but never to itself, and the last to nothing", () => {
  expect(nextPhases("triage")).toContain("investigating");
  expect(nextPhases("mitigating")).not.toContain("mitigating");
  expect(nextPhases("resolved")).toEqual(["review", "closed"]);
  expect(nextPhases("closed")).toEqual([]);
});
