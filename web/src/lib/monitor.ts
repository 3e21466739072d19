// The kinds of monitors with their parameters in plain words, and what a monitor says in a line.

import type { Classed, Group, Monitor, Rule } from "../api/monitors";
import { compact, count } from "./format";

/** Budgets of false alarms are given for 30 days; no group has more than one. */
const MONTH_MIN = 30 * 24 * 60;

export interface Parameter {
  name: string;
  label: string;
  help: string;
  type: "number" | "share" | "choice" | "flag" | "text" | "days";
  initial?: unknown;
  choices?: readonly string[];
  isOptional?: boolean;
  isAdvanced?: boolean;
}

const ALPHA: Parameter = { name: "alpha", label: "Price of a false alarm", help: "at most one false alarm in 1 / this many minutes with data", type: "number", initial: 1e-4, isAdvanced: true };
const MARGIN: Parameter = { name: "margin", label: "Margin", help: "how many times its usual level is still tolerated, from 1", type: "number", initial: 1.25 };
const LEAST: Parameter = { name: "min_n", label: "Least observations", help: "fewer than this and nothing is said", type: "number", initial: 30 };
const CLEAR: Parameter = { name: "clear_min", label: "Minutes to clear", help: "how long recovery must have held", type: "number", initial: 15, isAdvanced: true };

export const KINDS: Record<string, { what: string; parameters: Parameter[] }> = {
  sequential: {
    what: "fires when a series is proven worse than tolerated, however often one looks",
    parameters: [
      { name: "target", label: "Tolerated bad share, %", help: "empty: learned from its own past", type: "share", isOptional: true },
      { name: "lambda", label: "Change looked for", help: "so many times the tolerated rate", type: "number", initial: 3 },
      MARGIN,
      { name: "min_target", label: "Never below, %", help: "a learned rate below this counts as this", type: "share", initial: 0.01 },
      LEAST,
      { name: "limit", label: "Limit of a quantile", help: "watches the share of observations above it", type: "number", isOptional: true, isAdvanced: true },
      { name: "test", label: "Test", help: "betting needs only the mean to hold; likelihood needs independent trials", type: "choice", choices: ["betting", "likelihood"], initial: "betting", isAdvanced: true },
      ALPHA,
      CLEAR,
    ],
  },
  threshold: {
    what: "fires when the value stays beyond a limit; it has no stated rate of false alarms",
    parameters: [
      { name: "op", label: "Fires when the value is", help: "", type: "choice", choices: [">", ">=", "<", "<="], initial: ">" },
      { name: "value", label: "Limit", help: "in the unit of the measure; 0.05 is 5 % of a share", type: "number", initial: 0.05 },
      { name: "hold_min", label: "For minutes", help: "how long it must stay there", type: "number", initial: 10 },
      { name: "window_min", label: "Over minutes", help: "each look takes the last so many", type: "number", initial: 5 },
      LEAST,
    ],
  },
  seasonal: {
    what: "fires when a series leaves what is usual at this hour of the day and week",
    parameters: [
      { name: "side", label: "Side", help: "which way counts", type: "choice", choices: ["both", "worse", "up", "down"], initial: "both" },
      { name: "weeks", label: "Weeks looked back", help: "2 to 6", type: "number", initial: 5 },
      { name: "false_alarms", label: "False alarms accepted", help: "of one group in 30 days", type: "number", initial: 1 },
      { name: "holidays", label: "Holidays", help: "such as 2026-12-25, 2027-01-01", type: "days", initial: [] },
      { name: "growth", label: "It grows", help: "the level may grow as it grew last week", type: "flag", initial: false },
      MARGIN,
      LEAST,
      CLEAR,
    ],
  },
  drift: {
    what: "fires when a value of a dimension takes a larger share than it had: a model, a language",
    parameters: [
      { name: "dimension", label: "Dimension", help: "whose values are watched", type: "text", initial: "model" },
      { name: "min_share", label: "Smallest rise, %", help: "worth a word", type: "share", initial: 0.05 },
      { name: "pinned_from", label: "Reference from", help: "a day; empty: the last weeks", type: "text", isOptional: true },
      { name: "pinned_to", label: "Reference up to", help: "a day, not included", type: "text", isOptional: true },
      { ...LEAST, initial: 100 },
      { ...MARGIN, isAdvanced: true },
      ALPHA,
      CLEAR,
    ],
  },
  absence: {
    what: "fires when what is usual at this hour stays away: telemetry that stopped",
    parameters: [
      { name: "remains", label: "At most remains, %", help: "of what is usual at this hour", type: "share", initial: 0.5 },
      { name: "silent_min", label: "Or silence of minutes", help: "nothing at all for so long; needs no past", type: "number", isOptional: true },
      ALPHA,
      { ...CLEAR, initial: 10 },
    ],
  },
};

/** A rule of a kind with what it has from the start. */
export function newRule(kind: string): Rule {
  const given = (KINDS[kind]?.parameters ?? []).filter((item) => item.initial !== undefined);
  return { type: kind, ...Object.fromEntries(given.map((item) => [item.name, item.initial])) };
}

/** A parameter as text to edit. */
export function shown(parameter: Parameter, value: unknown): string {
  if (value === null || value === undefined) return "";
  if (parameter.type === "share") return String(Number((Number(value) * 100).toFixed(6)));
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** The value that a text means; null for an empty optional one. */
export function meant(parameter: Parameter, text: string): unknown {
  if (parameter.type === "days") return text.split(/[\s,;]+/).filter(Boolean);
  if (text.trim() === "") return parameter.isOptional ? null : text;
  if (parameter.type === "share") return Number((Number(text) / 100).toFixed(8));
  return parameter.type === "number" ? Number(text) : text;
}

/** A rule without the parameters that say nothing. */
export function cleaned(rule: Rule): Rule {
  return Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== null && value !== undefined && value !== ""));
}

/** A rule in one line. */
export function ruleText(rule: Rule, show: (value: number) => string): string {
  const numberOf = (name: string): number | null => (typeof rule[name] === "number" ? (rule[name] as number) : null);
  const least = numberOf("min_n");
  const enough = least === null ? "" : `needs n ≥ ${count(least)}`;
  if (rule["type"] === "threshold") {
    const value = numberOf("value");
    const hold = numberOf("hold_min");
    return [`${value === null ? "limit" : `${String(rule["op"] ?? ">")} ${show(value)}`}${hold ? ` for ${hold} min` : ""}`, enough].filter(Boolean).join(" · ");
  }
  const alpha = numberOf("alpha");
  const against: Record<string, string> = {
    sequential: rule["target"] == null ? "sequential, against its own past" : `sequential, against ${show(Number(rule["target"]))}`,
    seasonal: `seasonal, ${String(rule["side"] ?? "both")}`,
    drift: `drift of ${String(rule["dimension"] ?? "")}`,
    absence: "absence",
  };
  return [against[String(rule["type"])] ?? String(rule["type"]), alpha ? `≤ ${compact(Math.min(1, alpha * MONTH_MIN))} false alarms in 30 d` : "", enough].filter(Boolean).join(" · ");
}

const RANK: Record<string, number> = { firing: 0, pending: 1, insufficient_data: 2, resolved: 3, ok: 4 };

/** Groups with those that need a look first. */
export function rankedGroups(groups: readonly Group[]): Group[] {
  return [...groups].sort((a, b) => (RANK[a.state] ?? 9) - (RANK[b.state] ?? 9) || b.n - a.n);
}

/** The state of a whole monitor: that of its worst group, which is never "too little data" beside a judged one. */
export function stateOf(monitor: Monitor): string {
  if (!monitor.enabled) return "disabled";
  if (monitor.error) return "error";
  const states = monitor.groups.map((group) => group.state);
  return ["firing", "pending", "ok", "resolved"].find((state) => states.includes(state)) ?? "insufficient_data";
}

/** How many groups are in each state, in words. */
export function countsText(monitor: Monitor): string {
  const found = new Map<string, number>();
  for (const group of monitor.groups) found.set(group.state, (found.get(group.state) ?? 0) + 1);
  const said = [...found].sort((a, b) => (RANK[a[0]] ?? 9) - (RANK[b[0]] ?? 9)).map(([state, n]) => `${count(n)} ${state.replaceAll("_", " ")}`);
  return [...said, monitor.groups_left_out ? `${count(monitor.groups_left_out)} not watched` : ""].filter(Boolean).join(" · ") || "not judged yet";
}

/** A group by its values. */
export function groupText(group: Record<string, string>): string {
  return (
    Object.entries(group)
      .map(([name, value]) => `${name} ${value || "(not said)"}`)
      .join(", ") || "whole project"
  );
}

/** A key of a monitor's group, the same whatever the order of its names. */
export function groupKey(monitorId: string, group: Record<string, string>): string {
  return JSON.stringify([monitorId, ...Object.entries(group).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** The class of each episode that is open. */
export function classesOf(incidents: readonly Classed[]): Map<string, string> {
  const open = incidents.flatMap((incident) => incident.episodes ?? []).filter((episode) => episode.state !== "resolved");
  return new Map(open.map((episode) => [groupKey(episode.monitor_id, episode.group), episode.classification]));
}
