import { describe, expect, it } from "vitest";
import { readSet, setText } from "./rules";

describe("what a rule sets", () => {
  it("survives the editor", () => {
    const set = { team: "pay ments", tenant: 'a"b', env: "production" };
    expect(readSet(setText(set))).toEqual(set);
  });
  it("is refused in words", () => {
    expect(readSet("")).toContain("Say what it sets");
    expect(readSet("model:x")).toContain("cannot set");
    expect(readSet("payments")).toContain("dimension:value");
    expect(readSet("team:")).toContain("no value");
  });
});
