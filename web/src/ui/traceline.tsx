// One trace as a line of the list, and the head above the lines.

import type { ComponentChildren } from "preact";
import type { TraceRow } from "../api/types";
import { compact, duration, moment, visible } from "../lib/format";
import { hrefTo } from "../url";
import { KnownCost } from "./knowncost";
import { Bar } from "./sparkline";

type AddTerm = (dimension: string, value: string, isExcluded: boolean) => void;

const COLUMNS: { name: string; label: string; sort?: string; class: string }[] = [
  { name: "time", label: "Time", sort: "start", class: "c-time" },
  { name: "name", label: "Name and input", class: "c-name" },
  { name: "duration", label: "Duration", sort: "duration", class: "c-duration" },
  { name: "tokens", label: "Tokens", sort: "tokens", class: "c-tokens" },
  { name: "cost", label: "Cost", sort: "cost", class: "c-cost" },
  { name: "model", label: "Model", class: "c-model" },
  { name: "feature", label: "Feature", class: "c-feature" },
  { name: "team", label: "Team", class: "c-team" },
  { name: "user", label: "User", class: "c-user" },
  { name: "scores", label: "Scores", class: "c-scores" },
];

/** The column heads; those that sort are buttons. */
export function TraceHead({ sort, order, onSort }: { sort: string; order: string; onSort: (name: string) => void }) {
  return (
    <div class="trace-row trace-head" role="row">
      {COLUMNS.map((column) => (
        <div key={column.name} class={column.class} role="columnheader" aria-sort={column.sort === sort ? (order === "asc" ? "ascending" : "descending") : undefined}>
          {column.sort ? (
            <button type="button" class="sort" onClick={() => onSort(column.sort as string)}>
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

interface LineProps {
  row: TraceRow;
  longestMs: number;
  isSelected: boolean;
  open: (row: TraceRow) => void;
  addTerm: AddTerm;
}

/** One line; a click opens the trace, the signs in a cell add or exclude its value. */
export function TraceLine({ row, longestMs, isSelected, open, addTerm }: LineProps) {
  const isBad = row.status === "error";
  const onOpen = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    open(row);
  };
  const tokens = row.input_tokens + row.output_tokens;
  return (
    <div class={`trace-row ${isSelected ? "is-selected" : ""}`} role="row" aria-selected={isSelected} onClick={onOpen}>
      <div class="c-time" role="gridcell">
        {moment(row.start_ms)}
      </div>
      <div class="c-name" role="gridcell">
        <span class={isBad ? "sign bad-text" : "sign good-text"} role="img" aria-label={row.status}>
          {isBad ? "✕" : "✓"}
        </span>
        <a class="trace-name" href={hrefTo(`/traces/${row.trace_id}`)} onClick={onOpen}>
          {visible(row.name || "(no name)")}
        </a>
        {isBad && row.error_class ? <span class="tag bad">{row.error_class.replaceAll("_", " ")}</span> : null}
        {row.orphan_count > 0 ? <span class="tag warn">{row.orphan_count} orphans</span> : null}
        <span class="preview">{visible(row.input)}</span>
      </div>
      <div class="c-duration" role="gridcell">
        <Bar share={row.duration_ms / longestMs} tone={isBad ? "bad" : "accent"} />
        <span class="number">{duration(row.duration_ms)}</span>
      </div>
      <div class="c-tokens number" role="gridcell">
        {tokens ? compact(tokens) : "–"}
      </div>
      <div class="c-cost number" role="gridcell">
        <KnownCost usd={row.cost_usd} isKnown={row.cost_known} source={row.cost_source} />
      </div>
      <Cell class="c-model" dimension="model" value={row.model} addTerm={addTerm} />
      <Cell class="c-feature" dimension="feature" value={row.feature} addTerm={addTerm} />
      <Cell class="c-team" dimension="team" value={row.team} addTerm={addTerm} />
      <Cell class="c-user" dimension="user" value={row.user} addTerm={addTerm} />
      <div class="c-scores" role="gridcell">
        <Scores scores={row.scores} />
      </div>
    </div>
  );
}

function Cell({ class: name, dimension, value, addTerm }: { class: string; dimension: string; value: string; addTerm: AddTerm }): ComponentChildren {
  if (!value) {
    return (
      <div class={name} role="gridcell">
        <span class="quiet-text">–</span>
      </div>
    );
  }
  const click = (isExcluded: boolean) => (event: MouseEvent) => {
    event.stopPropagation();
    addTerm(dimension, value, isExcluded);
  };
  return (
    <div class={`${name} cell-filter`} role="gridcell">
      <button type="button" class="cell-value" title={`Only ${dimension} ${value}`} onClick={click(false)}>
        {visible(value)}
      </button>
      <button type="button" class="cell-not" title="Exclude" aria-label={`Exclude ${dimension} ${value}`} onClick={click(true)}>
        ≠
      </button>
    </div>
  );
}

/** Scores in short: what failed by name, what passed as a number. */
export function Scores({ scores }: { scores: TraceRow["scores"] }) {
  const all = Object.entries(scores ?? {});
  const failed = all.filter(([, score]) => score.passed === false);
  const passed = all.filter(([, score]) => score.passed === true).length;
  const told = all.map(([name, score]) => `${name}: ${score.value ?? "no value"}`).join(", ");
  return (
    <>
      {failed.slice(0, 1).map(([name]) => (
        <span key={name} class="score bad" title={told}>
          <span aria-hidden="true">✕</span> <span class="score-name">{name.replaceAll("_", " ")}</span>
          {failed.length > 1 ? ` +${failed.length - 1}` : ""}
        </span>
      ))}
      {passed && !failed.length ? (
        <span class="score good" title={told}>
          <span aria-hidden="true">✓</span> {passed} passed
        </span>
      ) : null}
      {all.length && !failed.length && !passed ? (
        <span class="score quiet" title={told}>
          {all.length} without verdict
        </span>
      ) : null}
    </>
  );
}
