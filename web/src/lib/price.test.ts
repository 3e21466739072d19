import { describe, expect, it } from "vitest";
import type { PriceSpec } from "../api/spend";
import { draftOf, newDraft, specOf } from "./price";

const STORED: PriceSpec = {
  name: "contract", provider: "openai", model: { starts_with: "gpt-4.1" }, per_million: { input: 1.5, output: 6 }, each: { web_search: 0.01 },
  above: [{ input_tokens: 200000, per_million: { input: 3 } }], tiers: { batch: 0.5 }, list_factor: null, gpu: null, valid_from_ms: Date.UTC(2026, 0, 1), valid_to_ms: null, every_project: false,
};

describe("specOf", () => {
  it("gives back what was stored, with what the form does not show", () => {
    const { list_factor, gpu, ...said } = STORED;
    expect([list_factor, gpu]).toEqual([null, null]);
    expect(specOf(draftOf(STORED), STORED)).toEqual(said);
  });
  it("sends exactly one way of saying how much", () => {
    const draft = { ...newDraft("my-model"), perMillion: { input: "1" }, factor: "0.8", gpu: { usd_per_hour: "2" } };
    const ways = (["per_million", "list_factor", "gpu"] as const).map((kind) => {
      const spec = specOf({ ...draft, kind });
      return ["per_million", "list_factor", "gpu"].filter((name) => name in spec);
    });
    expect(ways).toEqual([["per_million"], ["list_factor"], ["gpu"]]);
  });
  it("leaves out what was left empty instead of calling it 0", () => {
    const spec = specOf({ ...newDraft("m"), perMillion: { input: "2", output: " " } });
    expect(spec.per_million).toEqual({ input: 2 });
  });
});
