// The shapes of the HTTP API, as the screens use them. Times are epoch milliseconds unless the
// name says otherwise; null means unknown, never zero.

export interface Me {
  user: string;
  role: string;
  credential: string;
  scopes: string[];
  project: string;
  projects: string[];
  version: string;
}

export type Unit = string;

export interface MeasureInfo {
  id: string;
  name: string;
  unit: Unit;
  kind: string;
  direction: string;
  dimensions: string[];
  help: string;
}

export interface Point {
  t: number;
  n: number;
  value: number | null;
  low: number | null;
  high: number | null;
  numerator: number | null;
  denominator: number | null;
}

export interface Series {
  key: string[];
  total: Point;
  points: Point[];
}

export interface Slice {
  measure: string;
  unit: Unit;
  kind: string;
  direction: string;
  by: string[];
  from: number;
  to: number;
  step: number | null;
  truncated: number;
  series: Series[];
}

export interface SliceRequest {
  measure: string;
  from: number | string;
  to: number | string;
  by?: string[];
  filter?: string;
  step?: number | null;
  limit?: number;
}

export type Facets = Record<string, { value: string; count: number }[]>;

export interface ScoreValue {
  value: number | null;
  passed: boolean | null;
}

export interface TraceRow {
  trace_id: string;
  start_ms: number;
  name: string;
  kind: string;
  status: string;
  error_class: string;
  duration_ms: number;
  service: string;
  env: string;
  team: string;
  feature: string;
  user: string;
  session: string;
  model: string;
  span_count: number;
  orphan_count: number;
  input_tokens: number;
  output_tokens: number;
  cost_usd: number | null;
  cost_known: boolean;
  cost_source: string;
  ttft_ms: number | null;
  input: string;
  output: string;
  flags: string[];
  scores: Record<string, ScoreValue>;
}

export interface TracePage {
  rows: TraceRow[];
  next_cursor: string | null;
  total: { n: number; is_exact: boolean };
}

export interface TraceColumns {
  span_id: string[];
  parent: number[];
  depth: number[];
  name: string[];
  kind: string[];
  start_ms: number[];
  duration_ms: number[];
  status: string[];
  error_class: string[];
  model: string[];
  tokens: (number | null)[];
  cost_usd: (number | null)[];
  below: number[];
  hidden: number[];
  waited_ms: number[];
  is_orphan: boolean[];
  is_billable: boolean[];
  on_critical_path: boolean[];
  problems: string[][];
}

export interface ScoreRow {
  score_id?: string;
  span_id?: string;
  name: string;
  value: number | null;
  label?: string;
  passed: boolean | null;
  explanation?: string;
  detail?: unknown;
  source?: string;
  evaluator?: string;
  evaluator_version?: string;
  status?: string;
  time_ms?: number;
}

/** The head of a trace; before it has settled only the fields of its root are there. */
export type TraceHead = Pick<TraceRow, "trace_id" | "name" | "kind" | "status" | "start_ms" | "duration_ms" | "span_count" | "orphan_count"> &
  Partial<TraceRow> & { critical_path?: Record<string, number>; is_settled: boolean };

export interface TraceDetail {
  trace: TraceHead;
  columns: TraceColumns;
  scores: ScoreRow[];
  total_spans: number;
  shown: number;
}

export interface MessagePart {
  type: string;
  content?: string;
  id?: string;
  name?: string;
  arguments?: unknown;
  response?: unknown;
  value?: unknown;
  uri?: string;
  file_id?: string;
  mime_type?: string;
  modality?: string;
  size_bytes?: number | null;
  sha256?: string;
  signature?: string;
  is_error?: boolean;
  cut?: number;
}

export interface Message {
  role: string;
  name?: string;
  finish_reason?: string;
  parts: MessagePart[];
}

export interface Attribute {
  key: string;
  kind: string;
  value: unknown;
  cut?: number | null;
}

export interface DocumentRow {
  id?: string;
  score?: number | null;
  content?: string;
  metadata?: Record<string, unknown>;
  rank: number;
  cut?: number;
}

export interface PromptUse {
  name: string;
  version: string;
  id: string;
  template: unknown;
  variables: Record<string, unknown>;
}

export interface SpanDetail {
  span: Record<string, unknown>;
  attributes: Attribute[];
  resource: Attribute[];
  events: { time_ms: number; name: string; attributes: unknown }[];
  links: Record<string, unknown>[];
  input: Message[];
  output: Message[];
  tools: unknown[];
  documents: DocumentRow[];
  documents_in: DocumentRow[];
  prompt: PromptUse | null;
  query: string;
  query_cut: number | null;
  step: Record<string, unknown> | null;
  scores: ScoreRow[];
  logs: Record<string, unknown>[];
}

export interface Episode {
  episode_id: string;
  monitor_id: string;
  monitor: string;
  measure: string;
  group: Record<string, string>;
  severity: string;
  state: string;
  onset_ms: number;
  fired_ms: number;
  resolved_ms: number | null;
  value: number | null;
  baseline: number | null;
  evidence: string;
  classification: string;
  signs: Sign[];
}

/** One reason for the class of an episode; a weight above 0 speaks for systematic. */
export interface Sign {
  statement: string;
  points_to: string;
  weight: number;
  query: Partial<SliceRequest>;
}

export interface Evidence {
  statement: string;
  weight: number;
  value: number | null;
  baseline: number | null;
  n: number | null;
  query: Partial<SliceRequest>;
}

export interface Hypothesis {
  cause: string;
  title: string;
  probability: number;
  evidence: Evidence[];
  against: Evidence[];
  runbook: string;
}

export interface Segment {
  where: Record<string, string>;
  share_before: number;
  share_after: number;
  rate_before: number | null;
  rate_after: number | null;
  n_before: number;
  n_after: number;
  q_value: number;
}

export interface StageShift {
  stage: string;
  measure: string;
  moved: boolean;
  onset_ms: number | null;
  before: number | null;
  after: number | null;
  query: Partial<SliceRequest>;
}

export interface Change {
  change_id?: string;
  time_ms: number;
  kind: string;
  title: string;
  before: string;
  after: string;
  scope: Record<string, string>;
  source: string;
  share: number | null;
  share_before?: number | null;
  query?: Partial<SliceRequest>;
}

export interface Conditioning {
  stage: string;
  sign: string;
  words: string;
  share_before: number;
  share_after: number;
  change: number;
  change_without: number;
  vanishes: number;
  n: number;
  of: number;
  query: Partial<SliceRequest>;
}

export interface Infrastructure {
  name: string;
  labels: Record<string, string>;
  unit: string;
  source: string;
  before: number | null;
  after: number | null;
  correlation: number;
  p_value: number;
  q_value: number;
  onset_ms: number | null;
  lag_ms: number | null;
}

export interface Finding {
  measure: string;
  onset_ms: number;
  window: [number, number];
  reference: [number, number];
  verdict: string;
  summary: string;
  hypotheses: Hypothesis[];
  narrative: { text: string; query: Partial<SliceRequest> }[];
  changes: Change[];
  segments: Segment[];
  decomposition: { by: string; before: number; after: number; mix: number; rate: number }[];
  stages: StageShift[];
  conditioning: Conditioning[];
  infrastructure: Infrastructure[];
  sampled: number;
  examples: string[];
  made_at_ms: number;
}

/** The times of an incident, each kept apart. */
export interface Clocks {
  occurred_ms: number;
  detected_ms: number;
  aware_ms: number | null;
  causal_link_ms: number | null;
  acknowledged_ms: number | null;
  mitigated_ms: number | null;
  resolved_ms: number | null;
}

export interface Incident {
  id: string;
  number: number;
  title: string;
  severity: string;
  state: string;
  occurred_ms: number;
  opened_ms: number;
  acknowledged_ms: number | null;
  updated_ms: number;
  resolved_ms: number | null;
  cause: string;
  episodes: Episode[];
  finding: Finding | null;
  phase: string;
  level: string;
  roles: Record<string, string>;
  clocks: Clocks;
  accepted_cause: string;
  rejected_causes: string[];
  merged_into: string;
  events?: { time_ms: number; kind: string; actor: string; detail: unknown }[];
  runbook?: { cause: string; markdown: string } | null;
}
