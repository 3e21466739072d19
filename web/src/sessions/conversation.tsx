// One session: the conversation as the user saw it. A turn opens its trace and is found again.

import { useInfiniteQuery, type InfiniteData } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { useLocation } from "wouter";
import { call, currentProject } from "../api/client";
import type { SessionDetail, SessionRow, Turn } from "../api/sessions";
import { termFor } from "../lib/filter";
import { compact, count, duration, moment, visible } from "../lib/format";
import { hrefTo, Link, useUrl } from "../url";
import { CopyButton } from "../ui/copy";
import { Icon } from "../ui/icons";
import { useKeys } from "../ui/keys";
import { KnownCost } from "../ui/knowncost";
import { Badge, Cut, ErrorNote, Skeleton } from "../ui/states";
import { TurnView } from "./turn";

const PAGE = 100;
/** To find a turn again, so many pages are read at most. */
const MOST_PAGES = 20;

function useTurns(session: string) {
  return useInfiniteQuery<SessionDetail, Error, InfiniteData<SessionDetail>, unknown[], string | null>({
    queryKey: [currentProject(), "/sessions/turns", session],
    queryFn: ({ pageParam, signal }) => call<SessionDetail>(`/sessions/${encodeURIComponent(session)}`, { query: { limit: PAGE, cursor: pageParam }, signal }),
    initialPageParam: null,
    getNextPageParam: (page) => page.next_cursor,
  });
}

/** The screen of one session. */
export function Conversation({ session }: { session: string }) {
  const [params, setUrl] = useUrl();
  const [, navigate] = useLocation();
  const found = useTurns(session);
  const turns = useMemo(() => found.data?.pages.flatMap((page) => page.turns) ?? [], [found.data]);
  const box = useRef<HTMLOListElement>(null);
  const chosen = params.get("turn");
  const selected = turns.findIndex((turn) => turn.trace_id === chosen);
  const back = () => setUrl({ session: null, turn: null, y: null, row: session });
  useReturn(box, chosen, Number(params.get("y") ?? NaN), selected, found);

  const placeOf = (traceId: string): number => {
    const element = box.current?.querySelector(`[data-turn="${CSS.escape(traceId)}"]`);
    return Math.round(element && box.current ? element.getBoundingClientRect().top - box.current.getBoundingClientRect().top : 0);
  };
  const open = (turn: Turn) => {
    const y = String(placeOf(turn.trace_id));
    setUrl({ turn: turn.trace_id, y }, false);
    navigate(hrefTo(`/traces/${turn.trace_id}`, { session, y }));
  };
  const select = (at: number) => {
    const turn = turns[Math.max(0, Math.min(turns.length - 1, at))];
    if (!turn) return;
    setUrl({ turn: turn.trace_id, y: null }, false);
    box.current?.querySelector(`[data-turn="${CSS.escape(turn.trace_id)}"]`)?.scrollIntoView({ block: "nearest" });
  };
  const bad = turns.flatMap((turn, at) => (turn.status === "error" || Object.values(turn.scores).some((score) => score.passed === false) ? [at] : []));
  useKeys({
    j: () => select(selected + 1),
    k: () => select(selected - 1),
    n: () => select(bad.find((at) => at > selected) ?? bad[0] ?? selected),
    Enter: () => turns[selected] && open(turns[selected] as Turn),
    Escape: back,
  });
  const head = found.data?.pages[0]?.session;
  if (found.error && !head) {
    return (
      <div class="page">
        <ErrorNote error={found.error} retry={() => void found.refetch()} />
        <Link to="/sessions" class="link-button">
          All sessions
        </Link>
      </div>
    );
  }
  if (!head) {
    return (
      <div class="page page-full">
        <Skeleton lines={3} />
        <Skeleton tall />
      </div>
    );
  }
  return (
    <div class="page page-full session-page">
      <Head row={head} />
      <section class="panel conversation">
        <ol ref={box} class="turns" aria-label="Turns of the conversation">
          {turns.map((turn, at) => (
            <TurnView key={turn.trace_id} turn={turn} number={at + 1} pauseMs={pauseBefore(turns, at)} isSelected={at === selected} open={() => open(turn)} />
          ))}
          {found.hasNextPage ? (
            <li class="turns-more">
              <button type="button" class="button" disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
                {found.isFetchingNextPage ? "Loading…" : `Load ${PAGE} more turns`}
              </button>
            </li>
          ) : null}
        </ol>
        <footer class="list-foot">
          <Cut shown={turns.length} total={Math.max(head.turns, turns.length)} word="turns" />
          {bad.length ? (
            <button type="button" class="button small" onClick={() => select(bad.find((at) => at > selected) ?? bad[0] ?? 0)}>
              Next problem of {count(bad.length)} <kbd>n</kbd>
            </button>
          ) : (
            <span>No problems in these turns</span>
          )}
          <span class="quiet-text">
            <kbd>j</kbd> <kbd>k</kbd> move <kbd>Enter</kbd> open the trace <kbd>Esc</kbd> all sessions
          </span>
        </footer>
      </section>
    </div>
  );
}

/** How long the user took before a turn. */
function pauseBefore(turns: Turn[], at: number): number | null {
  const before = turns[at - 1];
  const turn = turns[at];
  return before && turn ? turn.start_ms - before.start_ms - before.duration_ms : null;
}

/** Bring the turn that was opened back to the place on the screen where it was. */
function useReturn(box: { current: HTMLOListElement | null }, chosen: string | null, y: number, selected: number, found: ReturnType<typeof useTurns>): void {
  const isDone = useRef(chosen === null);
  const pages = found.data?.pages.length ?? 0;
  useEffect(() => {
    if (isDone.current || !pages || found.isFetchingNextPage) return;
    if (selected < 0 && found.hasNextPage && pages < MOST_PAGES) {
      void found.fetchNextPage();
      return;
    }
    isDone.current = true;
    const element = box.current?.querySelector(`[data-turn="${CSS.escape(chosen ?? "")}"]`);
    if (!element || !box.current) return;
    if (Number.isNaN(y)) element.scrollIntoView({ block: "center" });
    else box.current.scrollTop += element.getBoundingClientRect().top - box.current.getBoundingClientRect().top - y;
  }, [pages, selected, found.isFetchingNextPage, found.hasNextPage]);
}

function Head({ row }: { row: SessionRow }) {
  const [params] = useUrl();
  const facts = [
    ["User", "user"],
    ["Tenant", "tenant"],
    ["Team", "team"],
    ["Feature", "feature"],
    ["Service", "service"],
    ["Environment", "env"],
    ["Model", "model"],
  ] as const;
  return (
    <header class="trace-facts">
      <div class="trace-title">
        <Link to="/sessions" set={{ row: row.session, sort: params.get("sort"), order: params.get("order") }} class="icon-button" aria-label="Back to sessions" title="Back to sessions (Esc)">
          <Icon name="left" />
        </Link>
        <h1>{visible(row.session)}</h1>
        {row.errors ? <Badge state="error" label={`${count(row.errors)} of ${count(row.turns)} turns failed`} /> : <Badge state="ok" label="no failed turns" />}
        <span class="spring" />
        <CopyButton text={row.session} label="Copy id" />
        <Link to="/traces" set={{ filter: termFor("session", row.session) }} class="button small">
          Its traces
        </Link>
      </div>
      <dl class="facts facts-band">
        <div>
          <dt>First turn</dt>
          <dd>{moment(row.first_ms)}</dd>
        </div>
        <div>
          <dt>Duration</dt>
          <dd>{duration(row.duration_ms)}</dd>
        </div>
        <div>
          <dt>Turns</dt>
          <dd>{count(row.turns)}</dd>
        </div>
        <div>
          <dt>Cost</dt>
          <dd><KnownCost usd={row.cost_usd} isKnown={row.cost_known} source={row.cost_source} /></dd>
        </div>
        <div>
          <dt>Tokens in / out</dt>
          <dd>
            {compact(row.input_tokens)} / {compact(row.output_tokens)}
          </dd>
        </div>
        {facts.map(([name, dimension]) =>
          row[dimension] ? (
            <div key={dimension}>
              <dt>{name}</dt>
              <dd>
                <Link to="/sessions" set={{ filter: termFor(dimension, row[dimension]) }} title={`Sessions with this ${dimension}`}>
                  {visible(row[dimension])}
                </Link>
              </dd>
            </div>
          ) : null,
        )}
      </dl>
    </header>
  );
}
