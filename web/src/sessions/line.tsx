// One session as a line of the list, and the head above the lines.

import type { SessionRow } from "../api/sessions";
import { compact, count, duration, moment, visible } from "../lib/format";
import { hrefTo } from "../url";
import { KnownCost } from "../ui/knowncost";
import { Bar } from "../ui/sparkline";
import { Scores } from "../ui/traceline";

/** By what the list can be sorted. */
export const SORTS = ["last", "turns", "duration", "cost"];

const COLUMNS = [
  { name: "last", label: "Last turn", sort: "last", class: "c-time" },
  { name: "talk", label: "First said, last answered", sort: "", class: "c-talk" },
  { name: "turns", label: "Turns", sort: "turns", class: "c-turns" },
  { name: "duration", label: "Duration", sort: "duration", class: "c-length" },
  { name: "cost", label: "Cost", sort: "cost", class: "c-cost" },
  { name: "user", label: "User", sort: "", class: "c-user" },
  { name: "feature", label: "Feature", sort: "", class: "c-feature" },
  { name: "state", label: "Errors and scores", sort: "", class: "c-scores" },
];

/** The column heads; those that sort are buttons. */
export function SessionHead({ sort, order, onSort }: { sort: string; order: string; onSort: (name: string) => void }) {
  return (
    <div class="session-row trace-head" role="row">
      {COLUMNS.map((column) => (
        <div key={column.name} class={column.class} role="columnheader" aria-sort={column.sort && column.sort === sort ? (order === "asc" ? "ascending" : "descending") : undefined}>
          {column.sort ? (
            <button type="button" class="sort" onClick={() => onSort(column.sort)}>
              {column.label} <span aria-hidden="true">{column.sort === sort ? (order === "asc" ? "↑" : "↓") : ""}</span>
            </button>
          ) : (
            column.label
          )}
        </div>
      ))}
    </div>
  );
}

interface Props {
  row: SessionRow;
  mostTurns: number;
  isSelected: boolean;
  open: (row: SessionRow) => void;
  add: (dimension: string, value: string) => void;
}

/** One line; a click opens the conversation. */
export function SessionLine({ row, mostTurns, isSelected, open, add }: Props) {
  const onOpen = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    open(row);
  };
  const filter = (dimension: string, value: string) => (event: MouseEvent) => {
    event.stopPropagation();
    add(dimension, value);
  };
  return (
    <div class={`session-row ${isSelected ? "is-selected" : ""}`} role="row" aria-selected={isSelected} onClick={onOpen}>
      <div class="c-time" role="gridcell" title={`from ${moment(row.first_ms)}`}>
        {moment(row.last_ms)}
      </div>
      <div class="c-talk" role="gridcell">
        <a class="talk-first" href={hrefTo("/sessions", { session: row.session })} onClick={onOpen}>
          {visible(row.first_input) || visible(row.session)}
        </a>
        <span class="talk-last">{row.last_output ? visible(row.last_output) : "(no answer was sent)"}</span>
      </div>
      <div class="c-turns" role="gridcell">
        <Bar share={row.turns / mostTurns} /> <span class="number">{compact(row.turns)}</span>
      </div>
      <div class="c-length number" role="gridcell">
        {duration(row.duration_ms)}
      </div>
      <div class="c-cost number" role="gridcell" title={row.unknown_cost_calls ? `${count(row.unknown_cost_calls)} calls of unknown cost` : ""}>
        <KnownCost usd={row.cost_usd} isKnown={row.cost_known} />
      </div>
      {(["user", "feature"] as const).map((name) => (
        <div key={name} class={`c-${name}`} role="gridcell">
          {row[name] ? (
            <button type="button" class="cell-value" title={`Only ${name} ${row[name]}`} onClick={filter(name, row[name])}>
              {visible(row[name])}
            </button>
          ) : (
            <span class="quiet-text">–</span>
          )}
        </div>
      ))}
      <div class="c-scores" role="gridcell">
        {row.errors ? (
          <span class="score bad">
            <span aria-hidden="true">✕</span> {count(row.errors)} failed
          </span>
        ) : null}
        <Scores scores={row.scores} />
      </div>
    </div>
  );
}
