// A cost that nobody owns alone, spread over those who used it.

import { useState } from "preact/hooks";
import { useGet } from "../api/queries";
import type { Allocation as Spread } from "../api/spend";
import { compact, count, money, percent, visible } from "../lib/format";
import { Choice } from "../ui/form";
import { Bar } from "../ui/sparkline";
import { Empty, ErrorNote, Panel, Skeleton } from "../ui/states";
import { useFilter, useRange, useUrl } from "../url";
import { said, useCostDimensions } from "./dimensions";

const WEIGHTS: Record<string, string> = { tokens: "tokens", calls: "calls", cost: "own cost" };

/** The view that spreads an amount, or the cost of some calls; the question is in the URL. */
export function Allocation() {
  const [params, setUrl] = useUrl();
  const range = useRange();
  const filter = useFilter();
  const dimensions = useCostDimensions();
  const by = dimensions.includes(params.get("by") ?? "") ? (params.get("by") as string) : "team";
  const weight = params.get("weight") ?? "tokens";
  const amount = params.get("amount") ?? "";
  const shared = params.get("shared") ?? "";
  const isAsked = amount !== "" || shared !== "";
  const found = useGet<Spread>("/spend/allocation", { by, weight, amount_usd: shared ? null : amount, shared, untagged: params.get("untagged") === "spread" ? "spread" : "keep", from: range.fromS, to: range.toS, filter }, { enabled: isAsked });
  return (
    <Panel
      title="Shared costs"
      aside={
        <>
          <Choice label="Over" value={by} options={dimensions} choose={(value) => setUrl({ by: value }, false)} />
          <Choice label="By" value={weight} options={Object.keys(WEIGHTS)} names={WEIGHTS} choose={(value) => setUrl({ weight: value === "tokens" ? null : value }, false)} />
          <label class="choice">
            <input type="checkbox" checked={params.get("untagged") === "spread"} onChange={(event) => setUrl({ untagged: event.currentTarget.checked ? "spread" : null }, false)} /> spread what has no name, too
          </label>
        </>
      }
    >
      <p class="lead">A platform fee, a cluster, a team's evaluations: a cost that all use is spread by what each used in this range. The parts and what is left over add up to it exactly.</p>
      <Question amount={amount} shared={shared} ask={(part) => setUrl(part)} />
      {found.error && isAsked ? <ErrorNote error={found.error} retry={() => void found.refetch()} /> : null}
      {isAsked && found.isPending ? <Skeleton lines={5} /> : null}
      {isAsked && found.data && !found.error ? <Portions found={found.data} /> : null}
      {isAsked ? null : <Empty title="Nothing to spread yet">Give an amount in USD, or a filter of the calls whose cost is shared.</Empty>}
    </Panel>
  );
}

function Question({ amount, shared, ask }: { amount: string; shared: string; ask: (part: { amount: string | null; shared: string | null }) => void }) {
  const [usd, setUsd] = useState(amount);
  const [calls, setCalls] = useState(shared);
  return (
    <form class="row form" onSubmit={(event) => (event.preventDefault(), ask(calls.trim() ? { amount: null, shared: calls.trim() } : { amount: usd, shared: null }))}>
      <label>
        Amount, USD
        <input type="number" min="0" step="any" value={usd} disabled={calls.trim() !== ""} onInput={(event) => setUsd(event.currentTarget.value)} placeholder="1200" />
      </label>
      <span class="or">or</span>
      <label class="grow">
        The cost of calls with
        <input value={calls} spellcheck={false} onInput={(event) => setCalls(event.currentTarget.value)} placeholder="feature:evaluation" />
      </label>
      <button type="submit" class="button primary" disabled={!usd && !calls.trim()}>
        Spread it
      </button>
    </form>
  );
}

function Portions({ found }: { found: Spread }) {
  if (!found.rows.length) return <Empty title="Nobody used anything in this range">There is nothing to spread the cost by.</Empty>;
  const top = Math.max(...found.rows.map((row) => row.share), 0);
  return (
    <>
      {found.unknown_cost_calls ? (
        <p class="note note-warn">
          <span>{count(found.unknown_cost_calls)} calls have an unknown cost; their own cost is in no amount here.</span>
        </p>
      ) : null}
      <table class="table pivot">
        <thead>
          <tr>
            <th scope="col">{found.by.replaceAll("_", " ")}</th>
            <th scope="col" class="right">
              {WEIGHTS[found.weight] ?? found.weight}
            </th>
            <th scope="col">Share</th>
            <th scope="col" class="right">
              Bears
            </th>
            <th scope="col" class="right">
              Own cost
            </th>
            <th scope="col" class="right">
              Together
            </th>
          </tr>
        </thead>
        <tbody>
          {found.rows.map((row) => (
            <tr key={row.is_others ? "\0others" : row.value} class={row.is_others ? "is-rest" : ""}>
              <th scope="row">{row.is_others ? "All others" : visible(said(row.value))}</th>
              <td class="number right">{found.weight === "cost" ? money(row.usage) : compact(row.usage)}</td>
              <td class="share-cell">
                <Bar share={top ? row.share / top : 0} /> <span class="number">{percent(row.share)}</span>
              </td>
              <td class="number right">{money(row.allocated_usd)}</td>
              <td class="number right">
                {row.own_usd === 0 && row.unknown_cost_calls ? "" : money(row.own_usd)}
                {row.unknown_cost_calls ? <span class="unknown"> {row.own_usd === 0 ? "" : "+ "}{compact(row.unknown_cost_calls)} unknown</span> : null}
              </td>
              <td class="number right">
                {money(row.own_usd + row.allocated_usd)}
                {row.unknown_cost_calls ? <span class="unknown"> + unknown</span> : null}
              </td>
            </tr>
          ))}
          {found.unallocated_usd > 0 ? (
            <tr class="is-rest">
              <th scope="row">Left over</th>
              <td />
              <td class="share-cell">
                <span class="quiet-text">no name to bear it</span>
              </td>
              <td class="number right">{money(found.unallocated_usd)}</td>
              <td />
              <td />
            </tr>
          ) : null}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Shared</th>
            <td />
            <td />
            <td class="number right">{money(found.shared_usd)}</td>
            <td />
            <td />
          </tr>
        </tfoot>
      </table>
    </>
  );
}
