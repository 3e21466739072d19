// Budgets: how they stand, where they end, and their forms.

import { useState } from "preact/hooks";
import { call } from "../api/client";
import { useGet, useInvalidate } from "../api/queries";
import type { Budget } from "../api/spend";
import { budgetState, type BudgetState } from "../lib/budget";
import { count, duration, moment, money, percent, visible } from "../lib/format";
import { SureButton, useAction } from "../ui/form";
import { Badge, Empty, ErrorNote, Panel, Skeleton } from "../ui/states";
import { Link } from "../url";
import { BudgetForm } from "./budgetform";

const STATES: Record<BudgetState, [string, string]> = {
  over: ["error", "used up"],
  likely: ["pending", "likely to be used up"],
  close: ["pending", "nearly used up"],
  within: ["ok", "within"],
  unknown: ["insufficient_data", "unknown"],
};

/** The budgets of the project. */
export function Budgets() {
  const budgets = useGet<Budget[]>("/budgets", {}, { refetchMs: 30_000 });
  const invalidate = useInvalidate();
  const [edited, setEdited] = useState<string | null>(null);
  const rows = budgets.data ?? [];
  const done = () => {
    setEdited(null);
    void invalidate("/budgets");
  };
  const taken = rows.map((row) => row.id);
  return (
    <Panel
      title="Budgets"
      aside={
        <button type="button" class="button primary" onClick={() => setEdited(edited === "" ? null : "")}>
          New budget
        </button>
      }
    >
      {edited === "" ? <BudgetForm taken={taken} done={done} cancel={() => setEdited(null)} /> : null}
      {budgets.error ? <ErrorNote error={budgets.error} retry={() => void budgets.refetch()} /> : null}
      {budgets.isPending ? <Skeleton lines={6} /> : null}
      {budgets.data && !rows.length && edited === null ? (
        <Empty title="No budgets yet">A budget watches what a team, a tenant or any other filter may spend in a period, says early when it will not be enough, and can tell a gateway to stop.</Empty>
      ) : null}
      <ul class="budgets">
        {rows.map((row) => (
          <li key={row.id}>{edited === row.id ? <BudgetForm budget={row} taken={taken} done={done} cancel={() => setEdited(null)} /> : <BudgetLine budget={row} edit={() => setEdited(row.id)} done={done} />}</li>
        ))}
      </ul>
    </Panel>
  );
}

function periodWords(budget: Budget): string {
  return budget.period === "rolling" ? `last ${count(budget.days ?? 30)} days` : `this ${budget.period}`;
}

function BudgetLine({ budget, edit, done }: { budget: Budget; edit: () => void; done: () => void }) {
  const action = useAction();
  const [state, label] = STATES[budgetState(budget)];
  const remove = () => void action.run(() => call(`/budgets/${encodeURIComponent(budget.id)}`, { method: "DELETE" })).then((ok) => ok && done());
  const set = { filter: budget.filter || null, from: String(Math.floor(budget.from)), to: String(Math.ceil(Math.min(budget.to, budget.at))) };
  return (
    <>
      <div class="row">
        <strong>{visible(budget.name)}</strong>
        <Badge state={state} label={label} />
        <span class="quiet-text">
          {money(budget.amount_usd)} {periodWords(budget)}
          {budget.period === "rolling" ? "" : `, until ${moment(budget.to * 1000, Date.now(), false)} ${budget.timezone === "UTC" ? "" : visible(budget.timezone)}`}
        </span>
        {budget.filter ? <code class="tag">{visible(budget.filter)}</code> : <span class="tag">whole project</span>}
        {budget.action === "block" ? <span class="tag warn">refuses calls when used up</span> : null}
        <span class="spring" />
        <Link to="/cost" set={set} class="button small">
          Its spend
        </Link>
        <button type="button" class="button small" onClick={edit}>
          Edit
        </button>
        <SureButton label="Delete" sure="Really delete?" act={remove} isBusy={action.isBusy} />
      </div>
      <BudgetBar budget={budget} />
      <BudgetWords budget={budget} />
      {action.error ? <ErrorNote error={action.error} /> : null}
    </>
  );
}

/** Spent, the forecast with its interval, and the amount, on one scale. */
function BudgetBar({ budget }: { budget: Budget }) {
  const { forecast, amount_usd: amount } = budget;
  const spent = budget.spent_usd ?? 0;
  const top = Math.max(amount, spent, forecast?.high_usd ?? 0) * 1.04;
  const at = (usd: number) => `${(Math.max(0, usd) / top) * 100}%`;
  const said = `Spent ${money(budget.spent_usd)} of ${money(amount)}${forecast ? `, expected ${money(forecast.expected_usd)}, between ${money(forecast.low_usd)} and ${money(forecast.high_usd)}` : ""}`;
  return (
    <div class="budget-bar" role="img" aria-label={said} title={said}>
      <span class={`budget-spent ${spent >= amount ? "is-over" : ""}`} style={{ width: at(spent) }} />
      {forecast ? (
        <>
          <span class="budget-range" style={{ left: at(forecast.low_usd), width: `calc(${at(forecast.high_usd)} - ${at(forecast.low_usd)})` }} />
          <span class="budget-expected" style={{ left: at(forecast.expected_usd) }} />
        </>
      ) : null}
      <span class="budget-limit" style={{ left: at(amount) }} />
    </div>
  );
}

function BudgetWords({ budget }: { budget: Budget }) {
  const { forecast } = budget;
  return (
    <p class="budget-words">
      <span>
        <strong class="number">{budget.spent_usd == null ? <span class="unknown">unknown</span> : money(budget.spent_usd)}</strong> spent
        {budget.share_spent == null ? "" : ` (${percent(budget.share_spent)})`}
        {budget.unknown_cost_calls ? <span class="unknown"> + {count(budget.unknown_cost_calls)} calls of unknown cost</span> : null}
      </span>
      <span>
        {budget.left_usd == null ? <span class="unknown">left: unknown</span> : <span class={`number ${budget.left_usd < 0 ? "bad-text" : ""}`}>{budget.left_usd < 0 ? `${money(-budget.left_usd)} over` : `${money(budget.left_usd)} left`}</span>}
      </span>
      {budget.burn_usd_per_day == null ? null : <span class="number">{money(budget.burn_usd_per_day)} a day</span>}
      {forecast ? (
        <span>
          <span class="number">{money(forecast.expected_usd)}</span> expected at the end{" "}
          <span class="certainty" title="In nine cases of ten">
            {money(forecast.low_usd)} – {money(forecast.high_usd)}
          </span>
          , {percent(forecast.over_chance)} chance to be over
        </span>
      ) : budget.period === "rolling" ? null : (
        <span class="unknown">forecast: too little data</span>
      )}
      {budget.period === "rolling" ? null : <span class="quiet-text">{duration(Math.max(0, budget.to - budget.at) * 1000)} to go</span>}
    </p>
  );
}
