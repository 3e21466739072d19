// Monitors and back-tests as the API tells them. Times are epoch milliseconds.

import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { ApiError, call, currentProject } from "./client";

export type Rule = Record<string, unknown>;

export interface Group {
  group: Record<string, string>;
  state: string;
  evidence: string;
  value: number | null;
  baseline: number | null;
  n: number;
  onset_ms: number | null;
  fired_ms: number | null;
}

export interface MonitorSpec {
  name: string;
  measure: string;
  rule: Rule;
  filter: string;
  by: string[];
  max_groups: number;
  severity: string;
  enabled: boolean;
}

export interface Monitor extends MonitorSpec {
  id: string;
  judged_until_ms: number | null;
  groups: Group[];
  groups_left_out: number;
  error: string;
}

/** The part of an incident that says what class each open episode has. */
export interface Classed {
  episodes: { monitor_id: string; group: Record<string, string>; state: string; classification: string }[];
}

export interface Promise {
  false_alarms_per_30d: number | null;
  smallest_change_hour: number | null;
  smallest_change_day: number | null;
}

export interface Preview {
  promise: Promise;
  warnings: string[];
}

export interface WouldBe {
  monitor_id: string;
  group: Record<string, string>;
  severity: string;
  onset_ms: number;
  detected_ms: number;
  resolved_ms: number | null;
  class: string;
  systematic_probability: number;
  value: number | null;
  baseline: number | null;
  evidence: string;
}

export interface KnownIncident {
  id: string;
  number: number;
  title: string;
  occurred_ms: number;
  opened_ms: number;
  cause: string;
  detected_ms: number | null;
}

export interface Backtest {
  from: number;
  to: number;
  episodes: WouldBe[];
  incidents: KnownIncident[];
}

/** What of a monitor is its declaration. */
export function specOf({ name, measure, rule, filter, by, max_groups, severity, enabled }: MonitorSpec): MonitorSpec {
  return { name, measure, rule, filter, by, max_groups, severity, enabled };
}

/** What a monitor promises before it is kept; a refusal is the error. */
export function usePreview(spec: MonitorSpec): UseQueryResult<Preview, ApiError> {
  return useQuery<Preview, ApiError>({
    queryKey: [currentProject(), "preview", spec],
    queryFn: ({ signal }) => call<Preview>("/monitors/preview", { method: "POST", body: spec, signal }),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  }) as UseQueryResult<Preview, ApiError>;
}

/** What a monitor would have said of the last days; nobody is told. */
export function backtest(spec: MonitorSpec, days: number): globalThis.Promise<Backtest> {
  const { enabled: _, ...declared } = specOf(spec);
  return call<Backtest>("/backtest", { method: "POST", body: { from: `-${days}d`, to: "now", monitors: [declared], findings: false } });
}
