// Spend by any two dimensions. A name filters, a bar goes one level down, an amount opens its traces.

import { useMemo } from "preact/hooks";
import { usePageSlice } from "../api/queries";
import { termFor, withTerm } from "../lib/filter";
import { compact, count, money, percent, visible } from "../lib/format";
import { pivotOf, type Pivot } from "../lib/pivot";
import { Choice } from "../ui/form";
import { Bar } from "../ui/sparkline";
import { Empty, ErrorNote, Panel, Skeleton } from "../ui/states";
import { Link, useFilter, useUrl } from "../url";
import { OF_CALLS, said } from "./dimensions";

interface Props {
  rows: string;
  columns: string;
  dimensions: string[];
}

/** The table with its two choices. */
export function CostTable({ rows, columns, dimensions }: Props) {
  const [, setUrl] = useUrl();
  return (
    <Panel
      title="Cost table"
      aside={
        <>
          <Choice label="Rows" value={rows} options={dimensions} choose={(value) => setUrl({ rows: value })} />
          <button type="button" class="button small" title="Swap rows and columns" aria-label="Swap rows and columns" onClick={() => setUrl({ rows: columns, columns: rows })}>
            ⇄
          </button>
          <Choice label="Columns" value={columns} options={dimensions.filter((name) => name !== rows)} choose={(value) => setUrl({ columns: value })} />
        </>
      }
    >
      <Table rows={rows} columns={columns} dimensions={dimensions} />
    </Panel>
  );
}

function Table({ rows, columns, dimensions }: Props) {
  const slice = usePageSlice("cost", { by: [rows, columns], withSteps: false, limit: 400 });
  const isByCall = OF_CALLS.includes(rows);
  const each = usePageSlice(isByCall ? "cost_per_call" : "cost_per_request", { by: [rows], withSteps: false, limit: 400 });
  const unknown = usePageSlice("unknown_cost_share", { by: [rows, columns], withSteps: false, limit: 400 });
  const pivot = useMemo(() => pivotOf(slice.data?.series ?? [], 6, unknown.data?.series ?? []), [slice.data, unknown.data]);
  if (slice.error) return <ErrorNote error={slice.error} retry={() => void slice.refetch()} />;
  if (!slice.data) return <Skeleton lines={8} />;
  if (!pivot.rows.length) return <Empty title="No billable calls in this range">Widen the time range, or take a term out of the filter.</Empty>;
  const means = new Map((each.data?.series ?? []).map((series) => [series.key[0] ?? "", series.total]));
  return (
    <div class="table-scroll">
      <table class="table pivot">
        <Head pivot={pivot} rows={rows} columns={columns} each={each.data ? (isByCall ? "Per call" : "Per request") : ""} />
        <tbody>
          {pivot.rows.map((row) => (
            <Row key={row.key} row={row} pivot={pivot} rows={rows} columns={columns} dimensions={dimensions} mean={each.data ? (means.get(row.key) ?? null) : undefined} />
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Total</th>
            <td class="number right">
              <Sum usd={pivot.total} unknown={pivot.unknown} />
            </td>
            <td />
            {each.data ? <td /> : null}
            {pivot.columns.map((column) => (
              <td class="number right" key={column.key}>
                <Sum usd={column.total} unknown={column.unknown} />
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

/** A sum of what is known; with unknown calls it is never a plain 0. */
function Sum({ usd, unknown }: { usd: number; unknown: number }) {
  if (!unknown) return <>{money(usd)}</>;
  const title = `${count(unknown)} calls of unknown cost are not in it`;
  return (
    <span title={title}>
      {usd === 0 ? "" : money(usd)}
      <span class={`unknown ${usd === 0 ? "" : "is-below"}`}>{usd === 0 ? `${compact(unknown)} unknown` : `+ ${compact(unknown)} unknown`}</span>
    </span>
  );
}

function Head({ pivot, rows, columns, each }: { pivot: Pivot; rows: string; columns: string; each: string }) {
  const filter = useFilter();
  const [, setUrl] = useUrl();
  return (
    <thead>
      <tr>
        <th scope="col">{rows.replaceAll("_", " ")}</th>
        <th scope="col" class="right">
          Total
        </th>
        <th scope="col">Share</th>
        {each ? (
          <th scope="col" class="right">
            {each}
          </th>
        ) : null}
        {pivot.columns.map((column) => (
          <th scope="col" class="right" key={column.key}>
            <button type="button" class="cell-value" title={`Only ${columns} ${said(column.key)}`} onClick={() => setUrl({ filter: withTerm(filter, termFor(columns, column.key)) })}>
              {visible(said(column.key))}
            </button>
          </th>
        ))}
      </tr>
    </thead>
  );
}

interface RowProps extends Props {
  row: Pivot["rows"][number];
  pivot: Pivot;
  mean: { value: number | null; n: number } | null | undefined;
}

function Row({ row, pivot, rows, columns, dimensions, mean }: RowProps) {
  const filter = useFilter();
  const [, setUrl] = useUrl();
  const term = termFor(rows, row.key);
  const next = dimensions.find((name) => name !== rows && name !== columns && !filter.includes(`${name}:`)) ?? rows;
  const share = pivot.total ? row.total / pivot.total : null;
  return (
    <tr>
      <th scope="row">
        <button type="button" class="cell-value" title={`Only ${rows} ${said(row.key)}`} onClick={() => setUrl({ filter: withTerm(filter, term) })}>
          {visible(said(row.key))}
        </button>
      </th>
      <td class="number right">
        <Link to="/traces" set={{ filter: withTerm(filter, term), sort: "cost" }} title="The traces behind it">
          <Sum usd={row.total} unknown={row.unknown} />
        </Link>
      </td>
      <td class="share-cell">
        <button
          type="button"
          class="share-button"
          title={`Pivot: only ${rows} ${said(row.key)}, by ${columns} and ${next}`}
          aria-label={`Pivot into ${rows} ${said(row.key)}`}
          onClick={() => setUrl({ filter: withTerm(filter, term), rows: columns, columns: next })}
        >
          <Bar share={share ?? 0} /> <span class="number">{percent(share)}</span>
        </button>
      </td>
      {mean === undefined ? null : (
        <td class="number right" title={`n ${count(mean?.n ?? 0)}`}>
          {mean?.value == null || (row.total === 0 && row.unknown > 0) ? <span class="unknown">unknown</span> : money(mean.value)}
        </td>
      )}
      {row.cells.map((cell, at) => {
        const column = pivot.columns[at]?.key ?? "";
        if (!cell)
          return (
            <td class="right" key={column}>
              <span class="quiet-text">–</span>
            </td>
          );
        return (
          <td class="number right heat-cell" key={column}>
            <span class="heat" style={{ opacity: String(pivot.top ? Math.sqrt((cell.value ?? 0) / pivot.top) * 0.5 : 0) }} aria-hidden="true" />
            <button
              type="button"
              class="heat-value"
              title={`n ${compact(cell.n)} calls · only these`}
              onClick={() => setUrl({ filter: withTerm(withTerm(filter, term), termFor(columns, column)) })}
            >
              {cell.value == null ? <span class="unknown">unknown</span> : <Sum usd={cell.value} unknown={cell.unknown} />}
            </button>
          </td>
        );
      })}
    </tr>
  );
}
