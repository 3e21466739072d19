// How fast a budget burns, and what is done when it is spent.

import type { ErrorBudget, ObjectiveDetail, Rate } from "../api/objectives";
import { compact, duration, moment, percent, visible } from "../lib/format";
import { exhaustionText } from "../lib/objective";
import { Badge, Empty, Panel } from "../ui/states";

/** The burn rates of each pair of windows, with their intervals. */
export function Burns({ budget }: { budget: ErrorBudget | null }) {
  return (
    <Panel title="Burn rate" aside={<span class="quiet-text">budget gone in: {exhaustionText(budget?.exhaustion ?? null)}</span>}>
      {budget?.burns.length ? (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Windows</th>
              <th scope="col">Long</th>
              <th scope="col">Short</th>
              <th scope="col">Fires above</th>
              <th scope="col">State</th>
            </tr>
          </thead>
          <tbody>
            {budget.burns.map((burn) => (
              <tr key={burn.long_min}>
                <th scope="row" class="number">
                  {duration(burn.long_min * 60_000)} / {duration(burn.short_min * 60_000)}
                </th>
                <td>
                  <RateText rate={burn.long} />
                </td>
                <td>
                  <RateText rate={burn.short} />
                </td>
                <td class="number">{compact(burn.factor)}×</td>
                <td>
                  <Badge state={burn.is_firing ? "firing" : burn.long.value === null ? "insufficient_data" : "ok"} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <Empty title="No burn rate">Nothing was counted in the window.</Empty>
      )}
    </Panel>
  );
}

function RateText({ rate }: { rate: Rate }) {
  if (rate.value === null) return <span class="unknown">unknown</span>;
  return (
    <>
      <span class="number">{compact(rate.value)}×</span> <span class="certainty">{rate.low === null || rate.high === null ? "" : `${compact(rate.low)} – ${compact(rate.high)}`}</span>
    </>
  );
}

const EFFECTS: Record<string, [string, string]> = {
  calm: ["ok", "calm"],
  unknown: ["insufficient_data", "unknown"],
  dry_run: ["pending", "would act (dry run)"],
  overridden: ["disabled", "held back"],
  acting: ["firing", "acting"],
};

/** The policies with what each does now, and who holds them back. */
export function Policies({ slo }: { slo: ObjectiveDetail }) {
  return (
    <Panel title="Policies">
      {slo.policy_states.length ? null : <Empty title="No policies">A policy tells somebody, or says no to promotions, once so much of the budget is surely spent. Add one under Edit.</Empty>}
      <ul class="policies">
        {slo.policy_states.map(({ policy, effect }) => {
          const [state, label] = EFFECTS[effect] ?? ["disabled", effect];
          return (
            <li key={policy.action + policy.above} class="row">
              <Badge state={state} label={label} />
              {policy.action === "freeze" ? "promotions are refused" : "a ticket is opened"} once surely more than {percent(policy.above)} is spent
              {policy.dry_run ? <span class="tag">dry run</span> : null}
            </li>
          );
        })}
      </ul>
      {slo.overrides.map((held) => (
        <p key={held.id} class="quiet-text">
          Held back until {moment(held.expires_ms)} by {held.people.map(visible).join(" and ")}: {visible(held.reason)}
        </p>
      ))}
    </Panel>
  );
}
