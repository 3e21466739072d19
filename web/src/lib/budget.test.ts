import { describe, expect, it } from "vitest";
import { budgetState, idOf, shareText, sharesOf } from "./budget";

const forecast = (over_chance: number) => ({ expected_usd: 1, low_usd: 0, high_usd: 2, over_chance });

describe("budgetState", () => {
  it("does not call an unknown amount fine", () => {
    expect(budgetState({ share_spent: null, forecast: null })).toBe("unknown");
  });
  it("says what is worst first", () => {
    expect(budgetState({ share_spent: 1, forecast: forecast(1) })).toBe("over");
    expect(budgetState({ share_spent: 0.2, forecast: forecast(0.7) })).toBe("likely");
    expect(budgetState({ share_spent: 0.85, forecast: forecast(0.1) })).toBe("close");
    expect(budgetState({ share_spent: 0.2, forecast: null })).toBe("within");
  });
});

describe("idOf", () => {
  it("makes ids that the API takes", () => {
    for (const name of ["Équipe A / mois", "  --- ", "../../x", "日本", "a".repeat(300)]) expect(idOf(name)).toMatch(/^[a-z0-9][a-z0-9_.:-]{0,55}$/);
  });
  it("does not replace what is there", () => {
    expect(idOf("Team", ["team", "team-2"])).toBe("team-3");
  });
});

describe("shares", () => {
  it("are percentages to people", () => {
    expect(sharesOf("50, 80, 100%")).toEqual([0.5, 0.8, 1]);
    expect(sharesOf("50, x")).toBeNull();
    expect(shareText([0.5, 0.801])).toBe("50, 80.1");
  });
});
