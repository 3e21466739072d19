// What a budget's numbers say in a word, and its id from its name.

import type { Budget } from "../api/spend";

export type BudgetState = "over" | "likely" | "close" | "within" | "unknown";

const LIKELY = 0.5;
const CLOSE = 0.8;

/** The state of a budget: used up, on its way there, or within. */
export function budgetState(budget: Pick<Budget, "share_spent" | "forecast">): BudgetState {
  if (budget.share_spent == null) return "unknown";
  if (budget.share_spent >= 1) return "over";
  if (budget.forecast && budget.forecast.over_chance >= LIKELY) return "likely";
  return budget.share_spent >= CLOSE ? "close" : "within";
}

/** A name as an id: small letters, digits and dashes, and not one of those that exist. */
export function idOf(name: string, taken: readonly string[] = []): string {
  const base = name.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 48) || "new";
  if (!taken.includes(base)) return base;
  let n = 2;
  while (taken.includes(`${base}-${n}`)) n += 1;
  return `${base}-${n}`;
}

/** Shares written as percentages, such as `50, 80, 100`; null when a word is no number above 0. */
export function sharesOf(text: string): number[] | null {
  const words = text.split(/[\s,;%]+/).filter(Boolean);
  const shares = words.map((word) => Number(word) / 100);
  return shares.every((share) => Number.isFinite(share) && share > 0) ? shares : null;
}

/** Shares as percentages to edit. */
export function shareText(shares: readonly number[]): string {
  return shares.map((share) => String(Math.round(share * 10_000) / 100)).join(", ");
}
