// Objectives as the API tells them. Times are epoch seconds where the name says `_s`.

import { useQuery, keepPreviousData, type UseQueryResult } from "@tanstack/react-query";
import { call, currentProject } from "./client";

export interface Policy {
  above: number;
  action: string;
  dry_run: boolean;
}

export interface SloSpec {
  name: string;
  measure: string;
  target: number;
  window_days: number;
  calendar: string;
  timezone: string;
  filter: string;
  service: string;
  description: string;
  slice_target: number | null;
  slice_min: number;
  lambda: number;
  alpha: number;
  burn_factors: number[];
  severity: string;
  judge: { good: number; good_passed: number; bad: number; bad_failed: number } | null;
  policies: Policy[];
}

export interface Rate {
  value: number | null;
  low: number | null;
  high: number | null;
  n: number;
}

export interface Burn {
  long_min: number;
  short_min: number;
  factor: number;
  long: Rate;
  short: Rate;
  is_firing: boolean;
}

export interface ErrorBudget {
  spent: number | null;
  low: number | null;
  high: number | null;
  burn: number | null;
  n: number;
  judged: number;
  total: number;
  floor: number;
  state: string;
  calibration: string;
  sentence: string;
  start_s: number;
  end_s: number;
  burns: Burn[];
  exhaustion: { hours: number | null; low_hours: number | null; high_hours: number | null; over_min: number } | null;
}

export interface Objective extends SloSpec {
  id: string;
  created_ms: number;
  budget: ErrorBudget | null;
  problems: string[];
  error: string;
}

export interface ObjectiveDetail extends Objective {
  policy_states: { policy: Policy; effect: string }[];
  overrides: { id: string; slo: string; people: string[]; reason: string; actor: string; created_ms: number; expires_ms: number }[];
}

export interface Counted {
  t_s: number;
  judged: number;
  total: number;
  bad: number;
}

export interface Alert {
  rule: string;
  severity: string;
  onset_s: number;
  fired_s: number;
  cleared_s: number | null;
}

export interface Judged {
  target: number;
  budget: ErrorBudget;
  alerts: Alert[];
  problems: string[];
}

export interface Judgement {
  start_s: number;
  end_s: number;
  step_s: number;
  points: Counted[];
  judged: Judged;
  targets: Judged[];
}

const FIELDS = ["name", "measure", "target", "window_days", "calendar", "timezone", "filter", "service", "description", "slice_target", "slice_min", "lambda", "alpha", "burn_factors", "severity", "judge", "policies"] as const;

/** What of an objective is its declaration. */
export function declared(slo: SloSpec): SloSpec {
  return Object.fromEntries(FIELDS.map((name) => [name, slo[name]])) as unknown as SloSpec;
}

/** The last days judged again for every target at once; the declaration need not be kept yet. */
export function useJudgement(spec: SloSpec, days: number, targets: number[]): UseQueryResult<Judgement> {
  return useQuery<Judgement>({
    queryKey: [currentProject(), "judge", spec, days, targets],
    queryFn: ({ signal }) => call<Judgement>("/slos/judge", { method: "POST", body: { spec, days, targets }, signal }),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  }) as UseQueryResult<Judgement>;
}
