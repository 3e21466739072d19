// Who spends most, by any dimension.

import { useGet } from "../api/queries";
import type { SpendBody, TopSpend } from "../api/spend";
import { termFor, withTerm } from "../lib/filter";
import { compact, count, money, percent, visible } from "../lib/format";
import { Choice } from "../ui/form";
import { Bar } from "../ui/sparkline";
import { Cut, Empty, ErrorNote, Panel, Skeleton } from "../ui/states";
import { Link, useFilter, useRange, useUrl } from "../url";
import { said } from "./dimensions";

const SHOWN = 20;

/** The groups that cost most; the rest is one line. */
export function TopSpenders({ dimensions }: { dimensions: string[] }) {
  const [params, setUrl] = useUrl();
  const range = useRange();
  const filter = useFilter();
  const key = dimensions.includes(params.get("key") ?? "") ? (params.get("key") as string) : "user";
  const top = useGet<TopSpend>("/spend/top", { key, from: range.fromS, to: range.toS, filter, limit: SHOWN });
  const rows = top.data?.key === key ? top.data.rows : [];
  return (
    <Panel
      title="Top spenders"
      aside={
        <>
          {top.data ? <Cut shown={rows.length} total={top.data.total.n} word={key === "session" ? "sessions" : "groups"} /> : null}
          <Choice label="By" value={key} options={dimensions} choose={(value) => setUrl({ key: value }, false)} />
        </>
      }
    >
      {top.error ? <ErrorNote error={top.error} retry={() => void top.refetch()} /> : null}
      {top.isPending ? <Skeleton lines={8} /> : null}
      {top.data && !rows.length ? <Empty title="No spend in this range" /> : null}
      {top.data && rows.length ? (
        <div class="table-scroll">
          <table class="table pivot">
            <thead>
              <tr>
                <th scope="col">{key.replaceAll("_", " ")}</th>
                <th scope="col" class="right">
                  Known cost
                </th>
                <th scope="col">Share</th>
                <th scope="col" class="right">
                  Calls
                </th>
                <th scope="col" class="right">
                  Tokens in / out
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.value}>
                  <th scope="row">
                    <button type="button" class="cell-value" title={`Only ${key} ${said(row.value)}`} onClick={() => setUrl({ filter: withTerm(filter, termFor(key, row.value)) })}>
                      {visible(said(row.value))}
                    </button>
                  </th>
                  <td class="number right">
                    <Link to="/traces" set={{ filter: withTerm(filter, termFor(key, row.value)), sort: "cost" }} title="The traces behind it">
                      <Amount spend={row} />
                    </Link>
                  </td>
                  <td class="share-cell">
                    <Bar share={row.share ?? 0} /> <span class="number">{percent(row.share)}</span>
                  </td>
                  <Usage spend={row} />
                </tr>
              ))}
              {top.data.others.calls > 0 ? (
                <tr class="is-rest">
                  <th scope="row">{count(top.data.total.n - rows.length)} others</th>
                  <td class="number right">
                    <Amount spend={top.data.others} />
                  </td>
                  <td class="share-cell">
                    <Bar share={(top.data.others.cost_usd ?? 0) / (top.data.total_usd || 1)} tone="quiet" /> <span class="number">{percent(top.data.total_usd ? (top.data.others.cost_usd ?? 0) / top.data.total_usd : null)}</span>
                  </td>
                  <Usage spend={top.data.others} />
                </tr>
              ) : null}
            </tbody>
          </table>
        </div>
      ) : null}
    </Panel>
  );
}

/** A sum with the calls that it lacks. */
export function Amount({ spend }: { spend: SpendBody }) {
  return (
    <>
      {spend.cost_usd == null ? <span class="unknown">unknown</span> : money(spend.cost_usd)}
      {spend.unknown_cost_calls > 0 && spend.cost_usd != null ? (
        <span class="unknown" title={`${count(spend.unknown_cost_calls)} of ${count(spend.calls)} calls have an unknown cost`}>
          {" "}
          + {compact(spend.unknown_cost_calls)} unknown
        </span>
      ) : null}
    </>
  );
}

function Usage({ spend }: { spend: SpendBody }) {
  return (
    <>
      <td class="number right">{count(spend.calls)}</td>
      <td class="number right">
        {compact(spend.input_tokens)} / {compact(spend.output_tokens)}
      </td>
    </>
  );
}
