// How much of the spend has no owner: per dimension the share that says nothing.

import { useGet } from "../api/queries";
import type { Untagged } from "../api/spend";
import { termFor, withTerm } from "../lib/filter";
import { count, money, percent } from "../lib/format";
import { Bar } from "../ui/sparkline";
import { Empty, ErrorNote, Panel, Skeleton } from "../ui/states";
import { Link, useFilter, useRange } from "../url";

/** The dimensions that calls leave empty, the largest gap first. */
export function UntaggedShares({ hasRules = false }: { hasRules?: boolean }) {
  const range = useRange();
  const filter = useFilter();
  const gaps = useGet<Untagged>("/spend/untagged", { from: range.fromS, to: range.toS, filter });
  const open = (gaps.data?.dimensions ?? []).filter((gap) => gap.untagged.calls > 0).sort((a, b) => (b.cost_share ?? 0) - (a.cost_share ?? 0) || (b.call_share ?? 0) - (a.call_share ?? 0));
  const full = (gaps.data?.dimensions ?? []).filter((gap) => gap.untagged.calls === 0);
  const calls = gaps.data?.total.calls ?? 0;
  return (
    <Panel
      title="Spend without a name"
      aside={
        hasRules ? null : (
          <Link to="/cost" set={{ view: "owners" }} class="link-button">
            attribution rules
          </Link>
        )
      }
    >
      {gaps.error ? <ErrorNote error={gaps.error} retry={() => void gaps.refetch()} /> : null}
      {gaps.isPending ? <Skeleton lines={5} /> : null}
      {gaps.data && !calls ? <Empty title="No billable calls in this range" /> : null}
      {open.length ? (
        <table class="table pivot">
          <thead>
            <tr>
              <th scope="col">Without a</th>
              <th scope="col" class="right">
                Known cost
              </th>
              <th scope="col">Of the cost</th>
              <th scope="col" class="right">
                Of the calls
              </th>
            </tr>
          </thead>
          <tbody>
            {open.map((gap) => (
              <tr key={gap.dimension}>
                <th scope="row">
                  <Link to="/traces" set={{ filter: withTerm(filter, termFor(gap.dimension, "")), sort: "cost" }} title="The traces behind it">
                    {gap.dimension.replaceAll("_", " ")}
                  </Link>
                </th>
                <td class="number right">{gap.untagged.cost_usd == null ? <span class="unknown">unknown</span> : money(gap.untagged.cost_usd)}</td>
                <td class="share-cell">
                  <Bar share={gap.cost_share ?? 0} tone="warn" /> <span class="number">{gap.cost_share == null || gap.untagged.cost_usd == null ? <span class="unknown">unknown</span> : percent(gap.cost_share)}</span>
                </td>
                <td class="number right" title={`${count(gap.untagged.calls)} of ${count(calls)} calls`}>
                  {percent(gap.call_share)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
      {calls && full.length ? <p class="quiet-text untagged-full">Every call says its {full.map((gap) => gap.dimension.replaceAll("_", " ")).join(", ")}.</p> : null}
    </Panel>
  );
}
