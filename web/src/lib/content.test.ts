import { describe, expect, it } from "vitest";
import { marksOf, runsOf } from "./highlights";
import { jsonLines, maybeJson } from "./json";
import { blocksOf, inlineOf } from "./markdown";
import { pivotOf } from "./pivot";

describe("markdown", () => {
  it("reads headings, lists, code and paragraphs", () => {
    const kinds = blocksOf("# Title\n\nA *short* text\nin two lines.\n\n1. one\n2. two\n   more\n\n- a\n\n```sh\n# not a heading\n```\n---").map((block) => block.kind);
    expect(kinds).toEqual(["heading", "paragraph", "list", "list", "code", "rule"]);
  });
  it("keeps markup in a text as text", () => {
    expect(blocksOf("<script>alert(1)</script>")).toEqual([{ kind: "paragraph", inline: [{ kind: "text", text: "<script>alert(1)</script>" }] }]);
  });
  it("marks code and emphasis inside a line", () => {
    expect(inlineOf("set `a*b` to **two**").map((run) => run.kind)).toEqual(["text", "code", "text", "strong"]);
  });
  it("survives a fence that never ends", () => {
    expect(blocksOf("```\nopen")).toEqual([{ kind: "code", text: "open" }]);
  });
});

describe("json", () => {
  it("gives flat lines that fold", () => {
    const value = { a: [1, { b: null }], c: "text" };
    expect(jsonLines(value, new Set()).map((line) => line.text)).toEqual(["{", "[", "1", "{", "null", "}", "]", '"text"', "}"]);
    expect(jsonLines(value, new Set(["$/a"])).map((line) => line.text)).toEqual(["{", "[ … ]", '"text"', "}"]);
  });
  it("does not recurse, however deep the value", () => {
    let deep: unknown = 1;
    for (let at = 0; at < 4_000; at++) deep = [deep];
    expect(jsonLines(deep, new Set(), 1_000_000).length).toBeGreaterThan(4_000);
  });
  it("takes a text for JSON only when it is", () => {
    expect([maybeJson('{"a":1}'), maybeJson("{not json"), maybeJson("12"), maybeJson(12)]).toEqual([{ a: 1 }, "{not json", "12", 12]);
  });
});

describe("marks", () => {
  const text = "Shoes come back within 30 days. Refunds take 14 days.";
  it("marks sentences by offset against the threshold", () => {
    const detail = JSON.stringify({ threshold: 0.6, sentences: [{ start: 0, end: 31, value: 0.9 }, { start: 32, end: 53, value: 0.4, numbers: ["14"] }] });
    const marks = marksOf(detail, text);
    expect(marks.map((mark) => mark.tone)).toEqual(["good", "bad"]);
    expect(marks[1]?.note).toContain("14");
    expect(runsOf(text, marks).map((run) => run.text).join("")).toBe(text);
  });
  it("leaves out offsets that do not fit the text", () => {
    expect(marksOf({ sentences: [{ start: 10, end: 5 }, { start: 0, end: 999 }, null, "x"] }, text)).toEqual([]);
  });
});

it("pivots by size and keeps unknown apart from zero", () => {
  const point = (value: number | null) => ({ t: 0, n: 10, value, low: null, high: null, numerator: null, denominator: null });
  const pivot = pivotOf([
    { key: ["small", "a"], total: point(1), points: [] },
    { key: ["large", "a"], total: point(5), points: [] },
    { key: ["large", "b"], total: point(2), points: [] },
    { key: ["house", "b"], total: point(null), points: [] },
  ]);
  expect(pivot.rows.map((row) => [row.key, row.total, row.unknown > 0])).toEqual([["large", 7, false], ["small", 1, false], ["house", 0, true]]);
  expect(pivot.columns.map((column) => column.key)).toEqual(["a", "b"]);
  expect(pivot.rows[2]?.cells[1]?.value).toBeNull();
  expect(pivot.total).toBe(8);
});
