// The shapes of sessions: conversations made of traces.

import type { ScoreValue } from "./types";

export interface SessionRow {
  session: string;
  first_ms: number;
  last_ms: number;
  duration_ms: number;
  turns: number;
  errors: number;
  user: string;
  tenant: string;
  team: string;
  feature: string;
  service: string;
  env: string;
  model: string;
  input_tokens: number;
  output_tokens: number;
  cost_usd: number | null;
  cost_known: boolean;
  cost_source: string;
  unknown_cost_calls: number;
  first_input: string;
  last_output: string;
  scores: Record<string, ScoreValue>;
}

export interface SessionPage {
  rows: SessionRow[];
  next_cursor: string | null;
  total: { n: number; is_exact: boolean };
}

export interface Turn {
  trace_id: string;
  start_ms: number;
  duration_ms: number;
  name: string;
  input: string;
  output: string;
  model: string;
  cost_usd: number | null;
  cost_known: boolean;
  cost_source: string;
  input_tokens: number;
  output_tokens: number;
  status: string;
  error_class: string;
  scores: Record<string, ScoreValue>;
}

export interface SessionDetail {
  session: SessionRow;
  turns: Turn[];
  next_cursor: string | null;
}
