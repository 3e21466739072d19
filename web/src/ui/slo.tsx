// What is left of an error budget. The API may give the spent share with an interval.

import { useGet } from "../api/queries";
import { count, percent } from "../lib/format";
import { Link } from "../url";
import { Bar } from "./sparkline";

export interface Slo {
  id: string;
  name?: string;
  spec?: Record<string, unknown>;
  objective?: number;
  target?: number;
  window_days?: number;
  state?: string;
  n?: number | null;
  spent?: number | null;
  low?: number | null;
  high?: number | null;
  interval?: [number | null, number | null] | null;
  budget?: { spent?: number | null; low?: number | null; high?: number | null; interval?: [number | null, number | null] | null; n?: number | null; state?: string } | null;
}

export interface Budget {
  spent: number | null;
  low: number | null;
  high: number | null;
  n: number | null;
  state: string;
}

/** The budget of an SLO in one shape. */
export function budgetOf(slo: Slo): Budget {
  const from = slo.budget ?? slo;
  return {
    spent: from.spent ?? null,
    low: from.low ?? from.interval?.[0] ?? null,
    high: from.high ?? from.interval?.[1] ?? null,
    n: from.n ?? slo.n ?? null,
    state: from.state ?? slo.state ?? "",
  };
}

/** The name of an SLO. */
export function sloName(slo: Slo): string {
  return slo.name ?? (typeof slo.spec?.["name"] === "string" ? (slo.spec["name"] as string) : slo.id);
}

/** The tile of the SLO that has spent most of its budget. */
export function SloTile() {
  const slos = useGet<Slo[]>("/slos", {}, { refetchMs: 30_000 });
  const worst = [...(slos.data ?? [])].sort((a, b) => (budgetOf(b).spent ?? -1) - (budgetOf(a).spent ?? -1))[0];
  const budget = worst ? budgetOf(worst) : null;
  const left = budget?.spent == null ? null : 1 - budget.spent;
  const tone = left == null ? "quiet" : left < 0 ? "bad" : left < 0.25 ? "warn" : "good";
  return (
    <Link to="/settings/monitors" class="tile" aria-busy={slos.isPending}>
      <span class="tile-name">SLO budget left</span>
      {slos.error ? (
        <span class="tile-error">{slos.error.message}</span>
      ) : (
        <span class="tile-value">{left == null ? <span class="unknown">{worst ? "unknown" : slos.isPending ? " " : "no SLO"}</span> : percent(Math.max(left, -9.99))}</span>
      )}
      <span class="certainty">
        {budget ? `n ${count(budget.n == null ? null : Math.round(budget.n))}` : " "}
        {budget?.low != null && budget.high != null ? ` · ${percent(1 - budget.high)} – ${percent(1 - budget.low)}` : ""}
      </span>
      <span class="tile-slo">
        <Bar share={left ?? 0} tone={tone} />
        <span class="quiet-text">{worst ? sloName(worst) : ""}</span>
      </span>
    </Link>
  );
}
