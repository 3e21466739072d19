import { describe, expect, it } from "vitest";
import { parseTerm, quote, splitTerms, termFor, withTerm, withoutTerm } from "./filter";

describe("terms", () => {
  it("keeps quoted spaces together", () => {
    expect(splitTerms('team:billing  feature:"my feature" refund')).toEqual(["team:billing", 'feature:"my feature"', "refund"]);
  });
  it("closes a quote that was left open", () => {
    expect(splitTerms('feature:"my fea')).toEqual(['feature:"my fea"']);
  });
  it("reads operators", () => {
    expect(parseTerm("model!=gpt-4o")).toMatchObject({ dimension: "model", operator: "!=", value: "gpt-4o" });
    expect(parseTerm("duration_ms>=2000")).toMatchObject({ dimension: "duration_ms", operator: ">=", value: "2000" });
    expect(parseTerm("refund")).toMatchObject({ dimension: "", value: "refund" });
  });
  it("comes back from quoting whatever the value is", () => {
    for (const value of ["plain", "two words", 'a "quote"', "back\\slash", "a,b", "", "<script>", "x:y", "line\nbreak"]) {
      const [raw = "", ...rest] = splitTerms(termFor("team", value));
      expect(rest).toEqual([]);
      expect(parseTerm(raw).value).toBe(value);
    }
  });
  it("quotes only when it must", () => {
    expect([quote("gpt-4o"), quote("a b"), quote("")]).toEqual(["gpt-4o", '"a b"', '""']);
  });
});

describe("editing", () => {
  it("replaces the value of a dimension and keeps exclusions", () => {
    expect(withTerm("team:a model!=x", "team:b")).toBe("model!=x team:b");
    expect(withTerm("model!=x", "model!=y")).toBe("model!=x model!=y");
    expect(withTerm("team:a", "team:a")).toBe("team:a");
  });
  it("takes one term out", () => {
    expect(withoutTerm("team:a refund refund", "refund")).toBe("team:a refund");
    expect(withoutTerm("team:a", "team:b")).toBe("team:a");
  });
});
