// The clocks of an incident, kept apart: when it began, was seen, was known, was over.

import type { Clocks } from "../api/types";

export interface ClockRow {
  name: string;
  meaning: string;
  ms: number | null;
  /** How long after the beginning; null where either is not known. */
  afterMs: number | null;
}

const ROWS: [keyof Clocks, string, string][] = [
  ["occurred_ms", "Occurred", "the estimated onset in the data"],
  ["detected_ms", "Detected", "a monitor fired"],
  ["aware_ms", "Aware", "somebody responsible knew of it"],
  ["causal_link_ms", "Causal link", "it was established that the system caused it"],
  ["acknowledged_ms", "Acknowledged", "somebody took it on"],
  ["mitigated_ms", "Mitigated", "users were no longer hurt"],
  ["resolved_ms", "Resolved", "it is over"],
];

/** Each clock in order, those not known included. */
export function clockRows(clocks: Clocks): ClockRow[] {
  return ROWS.map(([key, name, meaning]) => {
    const ms = clocks[key];
    return { name, meaning, ms, afterMs: ms === null ? null : ms - clocks.occurred_ms };
  });
}

/** What an input of kind datetime-local shows; '' for a time not known. */
export function localInput(ms: number | null): string {
  if (ms === null) return "";
  const date = new Date(ms);
  return new Date(ms - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The moment that an input shows; null when it is empty or no moment. */
export function fromInput(text: string): number | null {
  const ms = new Date(text).getTime();
  return Number.isFinite(ms) ? ms : null;
}
