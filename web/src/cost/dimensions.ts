// By what spend can be grouped, and how a value that nobody said is written.

import { useMeasures } from "../api/queries";

/** What a call has and a request has not: by these, cost is given per call. */
export const OF_CALLS = ["model", "provider", "kind", "cost_source", "service_tier", "tool"];

const WANTED = [
  "model", "team", "feature", "provider", "service", "env", "tenant", "user", "session", "prompt", "prompt_version", "agent", "tool",
  "region", "service_tier", "cost_source", "kind",
];

/** The dimensions that cost can be grouped by, those asked for often first. */
export function useCostDimensions(): string[] {
  const measures = useMeasures();
  const known = measures.data?.find((measure) => measure.id === "cost")?.dimensions;
  return known ? WANTED.filter((name) => known.includes(name)) : WANTED;
}

/** A value of a dimension for the screen. */
export function said(value: string): string {
  return value === "" ? "(not said)" : value;
}
