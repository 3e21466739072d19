// One budget to make or change.

import { useState } from "preact/hooks";
import { ApiError, call } from "../api/client";
import type { Budget, BudgetSpec } from "../api/spend";
import { idOf, sharesOf, shareText } from "../lib/budget";
import { Field, useAction } from "../ui/form";
import { ErrorNote } from "../ui/states";
import { useFilter } from "../url";

const PERIODS = ["day", "week", "month", "quarter", "rolling"];
const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** The form; the API's refusals stand at the field they are about. */
export function BudgetForm({ budget, taken, done, cancel }: { budget?: Budget; taken: string[]; done: () => void; cancel: () => void }) {
  const pageFilter = useFilter();
  const action = useAction();
  const [spec, setSpec] = useState<BudgetSpec>(budget ?? { name: "", amount_usd: 100, period: "month", days: null, timezone: OWN_ZONE, filter: pageFilter, alerts: [0.5, 0.8, 1], forecast_alert: true, action: "alert", on_unknown: "allow" });
  const [amount, setAmount] = useState(String(spec.amount_usd));
  const [alerts, setAlerts] = useState(shareText(spec.alerts));
  const change = (part: Partial<BudgetSpec>) => setSpec({ ...spec, ...part });
  const field = action.error instanceof ApiError ? action.error.field : null;
  const said = (name: string) => (field === name && action.error instanceof Error ? action.error.message : undefined);
  const isPlaced = field !== null && ["name", "amount_usd", "days", "timezone", "filter", "alerts"].includes(field);
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    void action
      .run(async () => {
        const shares = sharesOf(alerts);
        if (!shares) throw new ApiError(0, "Alerts are percentages above 0, such as 50, 80, 100.", "alerts");
        const { name, period, timezone, filter, forecast_alert, action: does, on_unknown } = spec;
        const body: BudgetSpec = { name, amount_usd: Number(amount), period, days: period === "rolling" ? (spec.days ?? 30) : null, timezone, filter, alerts: shares, forecast_alert, action: does, on_unknown };
        await call(`/budgets/${encodeURIComponent(budget?.id ?? idOf(name, taken))}`, { method: "PUT", body });
      })
      .then((ok) => ok && done());
  };
  return (
    <form class="sheet" onSubmit={save} aria-label={budget ? `Edit ${budget.name}` : "New budget"}>
      <div class="sheet-grid">
        <Field label="Name" error={said("name")}>
          <input required maxLength={200} value={spec.name} onInput={(event) => change({ name: event.currentTarget.value })} placeholder="Support team" />
        </Field>
        <Field label="Amount, USD" error={said("amount_usd")}>
          <input required type="number" min="0" step="any" value={amount} onInput={(event) => setAmount(event.currentTarget.value)} />
        </Field>
        <Field label="Period" error={said("period")}>
          <select value={spec.period} onChange={(event) => change({ period: event.currentTarget.value })}>
            {PERIODS.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </Field>
        {spec.period === "rolling" ? (
          <Field label="Days" error={said("days")}>
            <input required type="number" min="1" max="366" value={spec.days ?? 30} onInput={(event) => change({ days: Number(event.currentTarget.value) })} />
          </Field>
        ) : null}
        <Field label="Time zone" hint="where its days begin" error={said("timezone")}>
          <input required maxLength={64} value={spec.timezone} onInput={(event) => change({ timezone: event.currentTarget.value })} />
        </Field>
        <Field label="Filter" hint="empty: the whole project" error={said("filter")} class="is-wide">
          <input maxLength={2000} value={spec.filter} onInput={(event) => change({ filter: event.currentTarget.value })} placeholder="team:support model:gpt-4.1" spellcheck={false} />
        </Field>
        <Field label="Alerts at, %" error={said("alerts")}>
          <input value={alerts} onInput={(event) => setAlerts(event.currentTarget.value)} />
        </Field>
        <Field label="When it is used up">
          <select value={spec.action} onChange={(event) => change({ action: event.currentTarget.value })}>
            <option value="alert">tell</option>
            <option value="block">tell, and refuse calls at the gateway</option>
          </select>
        </Field>
        <Field label="When the check cannot know">
          <select value={spec.on_unknown} onChange={(event) => change({ on_unknown: event.currentTarget.value })}>
            <option value="allow">allow the call</option>
            <option value="refuse">refuse the call</option>
          </select>
        </Field>
        <label class="check">
          <input type="checkbox" checked={spec.forecast_alert} onChange={(event) => change({ forecast_alert: event.currentTarget.checked })} /> tell as soon as the forecast says it will not be enough
        </label>
      </div>
      {action.error && !isPlaced ? <ErrorNote error={action.error} /> : null}
      <div class="row">
        <button type="submit" class="button primary" disabled={action.isBusy}>
          {budget ? "Save" : "Create the budget"}
        </button>
        <button type="button" class="button" onClick={cancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
