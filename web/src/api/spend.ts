// The shapes of spend, budgets, prices, attribution and bills, as the cost screen uses them. Amounts
// are US dollars; null means unknown, never zero.

export interface SpendBody {
  cost_usd: number | null;
  unknown_cost_calls: number;
  calls: number;
  input_tokens: number;
  output_tokens: number;
}

export interface TopRow extends SpendBody {
  value: string;
  share: number | null;
}

export interface TopSpend {
  key: string;
  rows: TopRow[];
  others: SpendBody;
  total_usd: number | null;
  unknown_cost_calls: number;
  total: { n: number };
}

export interface Gap {
  dimension: string;
  untagged: SpendBody;
  cost_share: number | null;
  call_share: number | null;
}

export interface Untagged {
  total: SpendBody;
  dimensions: Gap[];
}

export interface ExplainPart {
  factor: string;
  usd: number;
  share: number | null;
  words: string;
}

export interface ExplainSegment {
  group: string;
  provider: string;
  model: string;
  service_tier: string;
  is_other: boolean;
  before_usd: number;
  after_usd: number;
  change_usd: number;
  parts: Record<string, number>;
}

export interface Explained {
  before_usd: number;
  after_usd: number;
  change_usd: number;
  parts: ExplainPart[];
  segments: ExplainSegment[];
  segments_left_out: number;
  unknown: { before_calls: number; after_calls: number };
  method: string;
}

export interface Portion {
  value: string;
  is_others: boolean;
  usage: number;
  share: number;
  allocated_usd: number;
  own_usd: number;
  unknown_cost_calls: number;
}

export interface Allocation {
  by: string;
  weight: string;
  shared_usd: number;
  unallocated_usd: number;
  unknown_cost_calls: number;
  rows: Portion[];
}

export interface BudgetSpec {
  name: string;
  amount_usd: number;
  period: string;
  days: number | null;
  timezone: string;
  filter: string;
  alerts: number[];
  forecast_alert: boolean;
  action: string;
  on_unknown: string;
}

export interface Forecast {
  expected_usd: number;
  low_usd: number;
  high_usd: number;
  over_chance: number;
}

export interface Budget extends BudgetSpec {
  id: string;
  from: number;
  to: number;
  at: number;
  spent_usd: number | null;
  share_spent: number | null;
  left_usd: number | null;
  unknown_cost_calls: number;
  burn_usd_per_day: number | null;
  forecast: Forecast | null;
}

export interface PriceSpec {
  name: string;
  provider: string;
  model: Record<string, string>;
  per_million: Record<string, number>;
  each: Record<string, number>;
  above: unknown[];
  tiers: Record<string, number>;
  list_factor: number | null;
  gpu: Record<string, number> | null;
  valid_from_ms: number;
  valid_to_ms: number | null;
  every_project: boolean;
}

export interface OwnPrice extends PriceSpec {
  id: string;
  created_ms: number;
  updated_ms: number;
}

export interface UnknownPrice {
  provider: string;
  model: string;
  reason: string;
  calls: number;
  input_tokens: number;
  output_tokens: number;
}

export interface RepriceJob {
  id: string;
  state: string;
  start_s: number;
  end_s: number;
  dry_run: boolean;
  why: string;
  actor: string;
  traces: number;
  calls: number;
  changed: number;
  before_usd: number;
  after_usd: number;
  unknown_before: number;
  unknown_after: number;
  created_ms: number;
  updated_ms: number;
}

export interface Repriced {
  trace_id: string;
  span_id: string;
  provider: string;
  model: string;
  before_usd: number | null;
  after_usd: number | null;
  before_source: string;
  after_source: string;
  after_price_id: string;
  before_dimensions: Record<string, string>;
  after_dimensions: Record<string, string>;
}

export interface Rule {
  name: string;
  when: string;
  set: Record<string, string>;
  override: boolean;
}

export interface Rules {
  rules: Rule[];
  updated_ms: number | null;
}

export interface Bill {
  id: string;
  provider: string;
  format: string;
  name: string;
  sha256: string;
  lines: number;
  skipped: number;
  first_day: string;
  last_day: string;
  billed_usd: number | null;
  imported_ms: number;
  is_new: boolean;
}

export interface BillRow {
  day: string;
  provider: string;
  model: string;
  ledger_models: string[];
  state: string;
  billed_usd: number | null;
  ledger_usd: number | null;
  difference_usd: number | null;
  unknown_cost_calls: number;
  billed_requests: number | null;
  ledger_calls: number;
  billed_input_tokens: number | null;
  ledger_input_tokens: number;
  billed_output_tokens: number | null;
  ledger_output_tokens: number;
}

export interface BillDifference {
  rows: BillRow[];
  billed_usd: number | null;
  ledger_usd: number | null;
  difference_usd: number | null;
  unknown_cost_calls: number;
  superseded: string[];
}
