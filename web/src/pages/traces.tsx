// Traces: the list behind every number. Facets at the left, a virtual list at the right.

import { useInfiniteQuery, type InfiniteData } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "preact/hooks";
import { useLocation } from "wouter";
import { call, currentProject } from "../api/client";
import { useGet } from "../api/queries";
import type { Facets, TracePage, TraceRow } from "../api/types";
import { splitTerms, termFor, withoutTerm, withTerm } from "../lib/filter";
import { compact, phrase } from "../lib/format";
import { hrefTo, refreshNow, useFilter, useRange, useUrl } from "../url";
import { useKeys } from "../ui/keys";
import { Bar } from "../ui/sparkline";
import { Cut, Empty, ErrorNote, Skeleton } from "../ui/states";
import { TraceHead, TraceLine } from "../ui/traceline";
import { VirtualList } from "../ui/virtual";

const PAGE = 100;
const ROW_PX = 34;
const FACETS = ["status", "error_class", "env", "team", "feature", "service", "model", "user"];
const SORTS = ["start", "duration", "cost", "tokens"];

function useTraceList(sort: string, order: string) {
  const range = useRange();
  const filter = useFilter();
  const [held, setHeld] = useState<{ fromS: number; toS: number } | null>(null);
  const { fromS, toS } = held ?? range;
  const place = `${currentProject()}|${filter}|${sort}|${order}|${range.toS - range.fromS}|${range.isRelative}`;
  useEffect(() => setHeld(null), [place]);
  const list = useInfiniteQuery<TracePage, Error, InfiniteData<TracePage>, unknown[], string | null>({
    queryKey: [currentProject(), "/traces/list", fromS, toS, filter, sort, order],
    queryFn: ({ pageParam, signal }) =>
      call<TracePage>("/traces", { query: { from: fromS, to: toS, filter, sort, order, limit: PAGE, cursor: pageParam }, signal }),
    initialPageParam: null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (old) => old,
  });
  const more = () => {
    if (!list.hasNextPage || list.isFetchingNextPage) return;
    // A list that is read further down stops moving under the reader.
    setHeld({ fromS, toS });
    void list.fetchNextPage();
  };
  const release = () => {
    setHeld(null);
    refreshNow();
  };
  return { list, more, isHeld: held !== null && range.isRelative, release };
}

/** The trace list screen. */
export function Traces() {
  const [params, setUrl] = useUrl();
  const [, navigate] = useLocation();
  const filter = useFilter();
  const sort = SORTS.includes(params.get("sort") ?? "") ? (params.get("sort") as string) : "start";
  const order = params.get("order") === "asc" ? "asc" : "desc";
  const { list, more, isHeld, release } = useTraceList(sort, order);
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.rows) ?? [], [list.data]);
  const total = list.data?.pages[0]?.total;
  const longest = useMemo(() => rows.reduce((top, row) => Math.max(top, row.duration_ms), 1), [rows]);
  const selected = rows.findIndex((row) => row.trace_id === params.get("row"));

  const select = (at: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, at))];
    if (row) setUrl({ row: row.trace_id }, false);
  };
  const open = (row: TraceRow) => {
    setUrl({ row: row.trace_id }, false);
    navigate(hrefTo(`/traces/${row.trace_id}`));
  };
  useKeys({
    j: () => select(selected + 1),
    k: () => select(selected - 1),
    Enter: () => rows[selected] && open(rows[selected] as TraceRow),
    Escape: () => setUrl({ row: null }, false),
  });
  const addTerm = (dimension: string, value: string, isExcluded: boolean) => setUrl({ filter: withTerm(filter, termFor(dimension, value, isExcluded)), cursor: null });
  const onSort = (name: string) => setUrl({ sort: name === "start" ? null : name, order: name === sort && order === "desc" ? "asc" : null });

  return (
    <div class="page page-full traces-page">
      <FacetColumn />
      <section class="panel trace-list">
        <header class="panel-head">
          <h1>Traces</h1>
          <div class="panel-aside">
            {isHeld ? (
              <button type="button" class="button small" onClick={release}>
                Held while you read · resume live
              </button>
            ) : null}
            {total ? <Cut shown={rows.length} total={total.n} isExact={total.is_exact} word="traces" /> : null}
          </div>
        </header>
        {list.error ? <ErrorNote error={list.error} retry={() => void list.refetch()} /> : null}
        {list.isPending ? (
          <Skeleton lines={14} />
        ) : rows.length === 0 && !list.error ? (
          <Empty title="No traces match">{filter ? "Take a term out of the filter, or widen the time range." : "Nothing arrived in this time range."}</Empty>
        ) : (
          <VirtualList
            label="Traces"
            role="grid"
            count={rows.length}
            rowHeight={ROW_PX}
            focusRow={selected}
            onEnd={more}
            header={<TraceHead sort={sort} order={order} onSort={onSort} />}
            row={(at) => {
              const row = rows[at] as TraceRow;
              return <TraceLine key={row.trace_id} row={row} longestMs={longest} isSelected={at === selected} open={open} addTerm={addTerm} />;
            }}
          />
        )}
        <footer class="list-foot">
          {list.isFetchingNextPage ? "Loading more…" : list.hasNextPage ? (
            <button type="button" class="button small" onClick={more}>
              Load {PAGE} more
            </button>
          ) : rows.length ? (
            "End of the list"
          ) : (
            ""
          )}
        </footer>
      </section>
    </div>
  );
}

function FacetColumn() {
  const range = useRange();
  const filter = useFilter();
  const [, setUrl] = useUrl();
  const facets = useGet<Facets>("/facets", { from: range.fromS, to: range.toS, filter, dims: FACETS.join(",") });
  const terms = new Set(splitTerms(filter));
  return (
    <aside class="facets" aria-label="Facets">
      {facets.error ? <ErrorNote error={facets.error} /> : null}
      {facets.isPending ? <Skeleton lines={18} /> : null}
      {FACETS.map((name) => {
        const values = (facets.data?.[name] ?? []).filter((facet) => facet.value !== "" || name !== "error_class");
        if (!values.length || (values.length === 1 && values[0]?.value === "")) return null;
        const top = Math.max(...values.map((facet) => facet.count), 1);
        return <Facet key={name} name={name} values={values} top={top} terms={terms} toggle={(term) => setUrl({ filter: terms.has(term) ? withoutTerm(filter, term) : withTerm(filter, term), cursor: null })} />;
      })}
    </aside>
  );
}

interface FacetProps {
  name: string;
  values: { value: string; count: number }[];
  top: number;
  terms: Set<string>;
  toggle: (term: string) => void;
}

function Facet({ name, values, top, terms, toggle }: FacetProps) {
  const [isWhole, setIsWhole] = useState(false);
  const shown = isWhole ? values : values.slice(0, 6);
  return (
    <section class="facet">
      <h2>{phrase(name)}</h2>
      <ul>
        {shown.map((facet) => {
          const term = termFor(name, facet.value);
          const excluded = termFor(name, facet.value, true);
          return (
            <li key={facet.value}>
              <button type="button" class="facet-value" aria-pressed={terms.has(term)} onClick={() => toggle(term)} title={facet.value}>
                <Bar share={facet.count / top} tone="facet" />
                <span class="facet-name">{facet.value || "(not said)"}</span>
                <span class="number">{compact(facet.count)}</span>
              </button>
              <button type="button" class="facet-not" aria-pressed={terms.has(excluded)} aria-label={`Exclude ${name} ${facet.value}`} title="Exclude" onClick={() => toggle(excluded)}>
                ≠
              </button>
            </li>
          );
        })}
      </ul>
      {values.length > 6 ? (
        <button type="button" class="link-button" onClick={() => setIsWhole(!isWhole)}>
          {isWhole ? "Show fewer" : `6 of ${values.length}${values.length >= 20 ? " largest" : ""} · show all`}
        </button>
      ) : null}
    </section>
  );
}
