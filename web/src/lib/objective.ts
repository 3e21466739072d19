// The target line of an objective: the steps it moves in, where it stands, and what it means.

import type { Alert, Counted, Judged } from "../api/objectives";
import { duration } from "./format";

const STEPS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8];
const DECADES = [1e-4, 1e-3, 1e-2, 1e-1];
/** The axis runs from half of everything bad to one in twenty thousand. */
const WORST = 0.6;
const BEST = 5e-5;

/** The targets that the line stops at, lowest first; one's own is always among them. */
export function ladder(own: readonly number[]): number[] {
  const steps = DECADES.flatMap((decade) => STEPS.map((step) => decade * step)).filter((budget) => budget <= 0.5);
  const all = [...steps.map((budget) => rounded(1 - budget)), ...own.map(rounded)];
  return [...new Set(all)].filter((target) => target > 0 && target < 1).sort((a, b) => a - b);
}

function rounded(target: number): number {
  return Math.round(target * 1e6) / 1e6;
}

/** The rung nearest to a place on the axis. */
export function nearest(rungs: readonly number[], place: number): number {
  const far = (target: number) => Math.abs(placeOf(1 - target) - place);
  return rungs.reduce((best, target) => (far(target) < far(best) ? target : best), rungs[0] ?? 0.99);
}

/** The rung so many steps above a target, or the last one on the way. */
export function stepped(rungs: readonly number[], target: number, by: number): number {
  const at = rungs.findIndex((rung) => rung >= rounded(target));
  const from = at < 0 ? rungs.length - 1 : at;
  return rungs[Math.max(0, Math.min(rungs.length - 1, from + by))] ?? target;
}

/** Where a bad share stands: 0 is the top of the chart, 1 its bottom; each nine takes as much room. */
export function placeOf(badShare: number): number {
  const share = Math.max(BEST, Math.min(WORST, badShare));
  return Math.log(share / BEST) / Math.log(WORST / BEST);
}

/** Steps of time put together until there are at most so many. */
export function coarser(points: readonly Counted[], startS: number, stepS: number, spanS: number, most = 180): { points: Counted[]; stepS: number } {
  const times = Math.max(1, Math.ceil(spanS / stepS / most));
  const wide = stepS * times;
  const found = new Map<number, Counted>();
  for (const point of points) {
    const t_s = startS + Math.floor((point.t_s - startS) / wide) * wide;
    const sum = found.get(t_s) ?? { t_s, judged: 0, total: 0, bad: 0 };
    found.set(t_s, { t_s, judged: sum.judged + point.judged, total: sum.total + point.total, bad: sum.bad + point.bad });
  }
  return { points: [...found.values()].sort((a, b) => a.t_s - b.t_s), stepS: wide };
}

/** A target as people write it: 99.95%. */
export function targetText(target: number): string {
  return `${Number((target * 100).toFixed(4))}%`;
}

/** The alerts of each rule, in the order in which the rules came. */
export function byRule(alerts: readonly Alert[]): { rule: string; severity: string; alerts: Alert[] }[] {
  const found = new Map<string, { rule: string; severity: string; alerts: Alert[] }>();
  for (const alert of alerts) {
    const lane = found.get(alert.rule) ?? { rule: alert.rule, severity: alert.severity, alerts: [] };
    lane.alerts.push(alert);
    found.set(alert.rule, lane);
  }
  return [...found.values()];
}

/** The lanes of every rule that fires at any target, so that dragging moves nothing about. */
export function rulesOf(all: readonly Judged[]): string[] {
  return [...new Set(all.flatMap((judged) => judged.alerts.map((alert) => alert.rule)))].sort((a, b) => rank(a) - rank(b));
}

const ORDER = ["sequential", "burn 1h/5m", "burn 6h/30m", "burn 1d/2h", "burn 3d/6h"];

function rank(rule: string): number {
  const at = ORDER.indexOf(rule);
  return at < 0 ? ORDER.length : at;
}

/** When the budget is gone, in words. */
export function exhaustionText(found: { hours: number | null; low_hours: number | null; high_hours: number | null } | null): string {
  if (!found) return "unknown";
  const said = (hours: number | null) => (hours === null ? "not in this window" : hours <= 0 ? "gone" : duration(hours * 3_600_000));
  if (found.hours !== null && found.hours <= 0) return "gone";
  if (found.low_hours === null && found.high_hours === null) return said(found.hours);
  if (found.hours === null && found.low_hours !== null) return `not in this window; ${said(found.low_hours)} at the earliest`;
  return `${said(found.hours)} (${said(found.low_hours)} to ${found.high_hours === null ? "never" : said(found.high_hours)})`;
}

/** The window of an objective in words. */
export function windowText(slo: { window_days: number; calendar: string; timezone: string }): string {
  return slo.calendar ? `this ${slo.calendar}${slo.timezone === "UTC" ? "" : `, ${slo.timezone}`}` : `last ${slo.window_days} d`;
}
