// The change log: its kinds, and the window around one change.

import type { Change } from "../api/types";

const BEFORE_S = 600;
const AFTER_S = 3600;
const LEAST_S = 300;

/** The kinds in the log with how many each has, the most frequent first. */
export function kindsOf(changes: Change[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const change of changes) counts.set(change.kind, (counts.get(change.kind) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}

/** The window that shows what a change did: a little before it, up to an hour after it. */
export function windowAround(timeMs: number, nowS: number): { from: string; to: string } {
  const atS = Math.floor(timeMs / 1000);
  return { from: String(atS - BEFORE_S), to: String(Math.max(atS + LEAST_S, Math.min(atS + AFTER_S, Math.floor(nowS)))) };
}
