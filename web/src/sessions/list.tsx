// The list of sessions: sorted, filtered, page by page.

import { useInfiniteQuery, type InfiniteData } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "preact/hooks";
import { call, currentProject } from "../api/client";
import type { SessionPage, SessionRow } from "../api/sessions";
import { termFor, withTerm } from "../lib/filter";
import { useFilter, useRange, useUrl } from "../url";
import { useKeys } from "../ui/keys";
import { Cut, Empty, ErrorNote, Skeleton } from "../ui/states";
import { VirtualList } from "../ui/virtual";
import { SessionHead, SessionLine, SORTS } from "./line";

const PAGE = 100;
const ROW_PX = 48;

function useSessionList(sort: string, order: string) {
  const range = useRange();
  const filter = useFilter();
  const [held, setHeld] = useState<{ fromS: number; toS: number } | null>(null);
  const { fromS, toS } = held ?? range;
  const place = `${currentProject()}|${filter}|${sort}|${order}|${range.toS - range.fromS}|${range.isRelative}`;
  useEffect(() => setHeld(null), [place]);
  const list = useInfiniteQuery<SessionPage, Error, InfiniteData<SessionPage>, unknown[], string | null>({
    queryKey: [currentProject(), "/sessions/list", fromS, toS, filter, sort, order],
    queryFn: ({ pageParam, signal }) => call<SessionPage>("/sessions", { query: { from: fromS, to: toS, filter, sort, order, limit: PAGE, cursor: pageParam }, signal }),
    initialPageParam: null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (old) => old,
  });
  const more = () => {
    if (!list.hasNextPage || list.isFetchingNextPage) return;
    setHeld({ fromS, toS });
    void list.fetchNextPage();
  };
  return { list, more, isHeld: held !== null && range.isRelative, release: () => setHeld(null) };
}

/** The screen without a chosen session. */
export function SessionList() {
  const [params, setUrl] = useUrl();
  const filter = useFilter();
  const sort = SORTS.includes(params.get("sort") ?? "") ? (params.get("sort") as string) : "last";
  const order = params.get("order") === "asc" ? "asc" : "desc";
  const { list, more, isHeld, release } = useSessionList(sort, order);
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.rows) ?? [], [list.data]);
  const total = list.data?.pages[0]?.total;
  const selected = rows.findIndex((row) => row.session === params.get("row"));
  const longest = useMemo(() => rows.reduce((top, row) => Math.max(top, row.turns), 1), [rows]);
  const select = (at: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, at))];
    if (row) setUrl({ row: row.session }, false);
  };
  const open = (row: SessionRow) => {
    setUrl({ row: row.session }, false);
    setUrl({ session: row.session });
  };
  useKeys({
    j: () => select(selected + 1),
    k: () => select(selected - 1),
    Enter: () => rows[selected] && open(rows[selected] as SessionRow),
    Escape: () => setUrl({ row: null }, false),
  });
  const onSort = (name: string) => setUrl({ sort: name === "last" ? null : name, order: name === sort && order === "desc" ? "asc" : null });
  return (
    <div class="page page-full">
      <section class="panel trace-list session-list">
        <header class="panel-head">
          <h1>Sessions</h1>
          <div class="panel-aside">
            {isHeld ? (
              <button type="button" class="button small" onClick={release}>
                Held while you read · resume live
              </button>
            ) : null}
            {total ? <Cut shown={rows.length} total={total.n} isExact={total.is_exact} word="sessions" /> : null}
          </div>
        </header>
        {list.error ? <ErrorNote error={list.error} retry={() => void list.refetch()} /> : null}
        {list.isPending ? (
          <Skeleton lines={14} />
        ) : rows.length === 0 && !list.error ? (
          <Empty title="No sessions match">{filter ? "Take a term out of the filter, or widen the time range." : "No trace of this time range names a session; Instrumentation shows the line that does."}</Empty>
        ) : (
          <VirtualList
            label="Sessions"
            role="grid"
            count={rows.length}
            rowHeight={ROW_PX}
            focusRow={selected}
            onEnd={more}
            header={<SessionHead sort={sort} order={order} onSort={onSort} />}
            row={(at) => {
              const row = rows[at] as SessionRow;
              return <SessionLine key={row.session} row={row} mostTurns={longest} isSelected={at === selected} open={open} add={(dimension, value) => setUrl({ filter: withTerm(filter, termFor(dimension, value)) })} />;
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
          <span class="quiet-text">A row tells of the turns in this time range.</span>
        </footer>
      </section>
    </div>
  );
}
