// What is left of an error budget.

import { useGet } from "../api/queries";
import { count, percent } from "../lib/format";
import { Link } from "../url";
import { Bar } from "./sparkline";

export interface Slo {
  id: string;
  name: string;
  measure: string;
  target: number;
  window_days: number;
  filter: string;
  severity: string;
  budget: { spent: number | null; low: number | null; high: number | null; burn: number | null; n: number; floor: number; state: string } | null;
  problems: string[];
  error: string;
}

/** The tile of the SLO that has spent most of its budget. */
export function SloTile() {
  const slos = useGet<Slo[]>("/slos", {}, { refetchMs: 30_000 });
  const worst = [...(slos.data ?? [])].sort((a, b) => (b.budget?.spent ?? -1) - (a.budget?.spent ?? -1))[0];
  const budget = worst?.budget ?? null;
  const left = budget?.spent == null ? null : 1 - budget.spent;
  const tone = left == null ? "quiet" : left < 0 ? "bad" : left < 0.25 ? "warn" : "good";
  return (
    <Link to="/slos" class="tile" aria-busy={slos.isPending}>
      <span class="tile-name">SLO budget left</span>
      {slos.error ? (
        <span class="tile-error">{slos.error.message}</span>
      ) : (
        <span class="tile-value">{left == null ? <span class="unknown">{worst ? (budget?.state === "insufficient_data" ? "insufficient data" : "unknown") : slos.isPending ? " " : "no SLO"}</span> : percent(Math.max(left, -9.99))}</span>
      )}
      <span class="certainty">
        {budget ? `n ${count(Math.round(budget.n))}` : " "}
        {budget?.low != null && budget.high != null ? ` · ${percent(1 - budget.high)} – ${percent(1 - budget.low)}` : ""}
      </span>
      <span class="tile-slo">
        <Bar share={left ?? 0} tone={tone} />
        <span class="quiet-text">{worst ? worst.name : ""}</span>
      </span>
    </Link>
  );
}
