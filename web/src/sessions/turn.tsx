// One turn: what the user said, what came back, and what it took.

import type { Turn } from "../api/sessions";
import { compact, duration, moment, visible } from "../lib/format";
import { hrefTo } from "../url";
import { KnownCost } from "../ui/knowncost";
import { Scores } from "../ui/traceline";

/** A pause of the user that is worth a line of its own. */
const LONG_PAUSE_MS = 10 * 60_000;

interface Props {
  turn: Turn;
  number: number;
  pauseMs: number | null;
  isSelected: boolean;
  open: () => void;
}

/** Two bubbles and a line of facts; the line opens the trace. */
export function TurnView({ turn, number, pauseMs, isSelected, open }: Props) {
  const isBad = turn.status === "error";
  const onOpen = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    open();
  };
  // Selecting text to copy is no wish to leave.
  const onTurn = (event: MouseEvent) => {
    if (!window.getSelection()?.toString()) onOpen(event);
  };
  return (
    <li class={`turn ${isSelected ? "is-selected" : ""} ${isBad ? "is-bad" : ""}`} data-turn={turn.trace_id} aria-current={isSelected ? "true" : undefined}>
      {pauseMs !== null && pauseMs > LONG_PAUSE_MS ? <p class="turn-pause">{duration(pauseMs)} later</p> : null}
      <div class="turn-body" onClick={onTurn}>
        <div class="bubble is-user">
          {turn.input ? <div class="content">{visible(turn.input)}</div> : <span class="quiet-text">(no input was sent)</span>}
        </div>
        <div class={`bubble is-answer ${isBad ? "is-bad" : ""}`}>
          {turn.output ? <div class="content">{visible(turn.output)}</div> : <span class="quiet-text">{isBad ? "(no answer; the turn failed)" : "(no output was sent)"}</span>}
        </div>
        <p class="turn-facts">
          <a href={hrefTo(`/traces/${turn.trace_id}`)} onClick={onOpen} class="turn-open">
            {number} · {moment(turn.start_ms)} · {visible(turn.name || "(no name)")}
          </a>
          {isBad ? (
            <span class="score bad">
              <span aria-hidden="true">✕</span> {(turn.error_class || "error").replaceAll("_", " ")}
            </span>
          ) : null}
          <Scores scores={turn.scores} />
          <span class="number">{duration(turn.duration_ms)}</span>
          <span class="number"><KnownCost usd={turn.cost_usd} isKnown={turn.cost_known} /></span>
          <span class="number">
            {compact(turn.input_tokens)} / {compact(turn.output_tokens)} tokens
          </span>
          {turn.model ? <span>{visible(turn.model)}</span> : null}
        </p>
      </div>
    </li>
  );
}
