// Cost: what is spent, on what, by whom; and how much of it is not known.

import { useMemo } from "preact/hooks";
import { useMeasures, usePageSlice } from "../api/queries";
import { termFor, withTerm } from "../lib/filter";
import { compact, count, money, percent } from "../lib/format";
import { pivotOf } from "../lib/pivot";
import { Link, useFilter, useUrl } from "../url";
import { MeasureChart } from "../ui/measurechart";
import { Bar } from "../ui/sparkline";
import { Empty, ErrorNote, Panel, Skeleton } from "../ui/states";
import { Tile } from "../ui/tile";

/** What a call has and a request has not: by these, cost is given per call. */
const OF_CALLS = ["model", "provider", "kind"];
const DIMENSIONS = ["model", "team", "feature", "provider", "service", "env", "tenant", "user", "prompt", "prompt_version", "kind"];

/** The cost screen. */
export function Cost() {
  const [params, setUrl] = useUrl();
  const measures = useMeasures();
  const known = measures.data?.find((measure) => measure.id === "cost")?.dimensions ?? DIMENSIONS;
  const dimensions = DIMENSIONS.filter((name) => known.includes(name));
  const rows = dimensions.includes(params.get("rows") ?? "") ? (params.get("rows") as string) : "model";
  const columns = dimensions.includes(params.get("columns") ?? "") ? (params.get("columns") as string) : "team";
  const by = params.get("by") ?? rows;
  return (
    <div class="page">
      <UnknownShare />
      <div class="tiles is-six">
        <Tile measure="cost" name="Known cost" behind={{ sort: "cost" }} />
        <Tile measure="cost_per_request" name="Cost per request" behind={{ sort: "cost" }} />
        <Tile measure="unknown_cost_share" name="Calls of unknown cost" tone="warn" />
        <Tile measure="tokens_per_request" name="Tokens per request" behind={{ sort: "tokens" }} />
        <Tile measure="cache_hit_share" name="Cached input share" tone="good" />
        <Tile measure="retry_share" name="Retries" tone="bad" />
      </div>
      <MeasureChart
        title={`Cost over time, by ${by.replaceAll("_", " ")}`}
        measures={[{ id: "cost", label: "cost" }]}
        by={[by]}
        isStacked
        isBars
        height={220}
        limit={8}
      />
      <Panel
        title="Cost table"
        aside={
          <>
            <Choice label="Rows" value={rows} options={dimensions} choose={(value) => setUrl({ rows: value, by: null })} />
            <Choice label="Columns" value={columns} options={dimensions.filter((name) => name !== rows)} choose={(value) => setUrl({ columns: value })} />
          </>
        }
      >
        <PivotTable rows={rows} columns={columns === rows ? (rows === "team" ? "model" : "team") : columns} />
      </Panel>
    </div>
  );
}

function Choice({ label, value, options, choose }: { label: string; value: string; options: string[]; choose: (value: string) => void }) {
  return (
    <label class="choice">
      {label}
      <select value={value} onChange={(event) => choose(event.currentTarget.value)}>
        {options.map((name) => (
          <option key={name} value={name}>
            {name.replaceAll("_", " ")}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Money that is not known is said first, with the models that cause it. */
function UnknownShare() {
  const unknown = usePageSlice("unknown_cost_share", { by: ["model"], withSteps: false, limit: 50 });
  const bad = (unknown.data?.series ?? []).filter((series) => (series.total.numerator ?? 0) > 0);
  if (!bad.length) return null;
  const calls = bad.reduce((sum, series) => sum + (series.total.numerator ?? 0), 0);
  const all = (unknown.data?.series ?? []).reduce((sum, series) => sum + (series.total.denominator ?? series.total.n), 0);
  return (
    <div class="note note-warn" role="status">
      <span>
        <strong>
          {count(calls)} of {count(all)} billable calls ({percent(calls / (all || 1))}) have an unknown cost
        </strong>{" "}
        and are in no sum on this page:{" "}
        {bad.slice(0, 4).map((series, at) => (
          <span key={at}>
            {at > 0 ? ", " : ""}
            <Link to="/traces" set={{ filter: termFor("model", series.key[0] ?? "") }}>
              {series.key[0] || "(no model said)"}
            </Link>
          </span>
        ))}
        {bad.length > 4 ? ` and ${bad.length - 4} more models` : ""}.
      </span>
    </div>
  );
}

function PivotTable({ rows, columns }: { rows: string; columns: string }) {
  const slice = usePageSlice("cost", { by: [rows, columns], withSteps: false, limit: 400 });
  const isByCall = OF_CALLS.includes(rows);
  const perRequest = usePageSlice(isByCall ? "cost_per_call" : "cost_per_request", { by: [rows], withSteps: false, limit: 400 });
  const filter = useFilter();
  const [, setUrl] = useUrl();
  const pivot = useMemo(() => pivotOf(slice.data?.series ?? []), [slice.data]);
  if (slice.error) return <ErrorNote error={slice.error} retry={() => void slice.refetch()} />;
  if (!slice.data) return <Skeleton lines={8} />;
  if (!pivot.rows.length) return <Empty title="No billable calls in this range" />;
  const each = new Map((perRequest.data?.series ?? []).map((series) => [series.key[0] ?? "", series.total]));
  const add = (dimension: string, value: string) => setUrl({ filter: withTerm(filter, termFor(dimension, value)) });
  return (
    <div class="table-scroll">
      <table class="table pivot">
        <thead>
          <tr>
            <th scope="col">{rows.replaceAll("_", " ")}</th>
            <th scope="col" class="right">
              Total
            </th>
            <th scope="col" class="right">
              Share
            </th>
            {perRequest.data ? (
              <th scope="col" class="right">
                {isByCall ? "Per call" : "Per request"}
              </th>
            ) : null}
            {pivot.columns.map((column) => (
              <th scope="col" class="right" key={column.key}>
                <button type="button" class="cell-value" title={`Only ${columns} ${column.key}`} onClick={() => add(columns, column.key)}>
                  {column.key || "(not said)"}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {pivot.rows.map((row) => (
            <tr key={row.key}>
              <th scope="row">
                <button type="button" class="cell-value" title={`Only ${rows} ${row.key}`} onClick={() => add(rows, row.key)}>
                  {row.key || "(not said)"}
                </button>
              </th>
              <td class="number right">
                <Link to="/traces" set={{ filter: withTerm(filter, termFor(rows, row.key)), sort: "cost" }}>
                  {row.total === 0 && row.isPartial ? <span class="unknown">unknown</span> : money(row.total)}
                </Link>
                {row.isPartial && row.total > 0 ? <span class="unknown"> + unknown</span> : null}
              </td>
              <td class="right share-cell">
                <Bar share={pivot.total ? row.total / pivot.total : 0} /> <span class="number">{percent(pivot.total ? row.total / pivot.total : null)}</span>
              </td>
              {perRequest.data ? (
                <td class="number right" title={`n ${count(each.get(row.key)?.n ?? 0)}`}>
                  {each.get(row.key)?.value == null ? <span class="unknown">unknown</span> : money(each.get(row.key)?.value)}
                </td>
              ) : null}
              {row.cells.map((cell, at) => (
                <td class="number right heat-cell" key={pivot.columns[at]?.key}>
                  {cell ? (
                    <>
                      <span class="heat" style={{ opacity: String(pivot.top ? Math.sqrt((cell.value ?? 0) / pivot.top) * 0.5 : 0) }} aria-hidden="true" />
                      <span class="heat-value" title={`n ${compact(cell.n)} calls`}>
                        {cell.value == null ? <span class="unknown">unknown</span> : money(cell.value)}
                      </span>
                    </>
                  ) : (
                    <span class="quiet-text">–</span>
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Total</th>
            <td class="number right">{money(pivot.total)}</td>
            <td />
            {perRequest.data ? <td /> : null}
            {pivot.columns.map((column) => (
              <td class="number right" key={column.key}>
                {money(column.total)}
              </td>
            ))}
          </tr>
        </tfoot>
      </table>
      <p class="cut">
        {count(pivot.rows.length)} rows{pivot.restColumns > 0 ? `, ${pivot.columns.length} of ${pivot.columns.length + pivot.restColumns} columns` : ""}
        {slice.data.truncated > 0 ? `, ${count(slice.data.truncated)} groups left out` : ""}
      </p>
    </div>
  );
}
