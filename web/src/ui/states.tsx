// What stands in a place before, instead of, or around its data.

import type { ComponentChildren } from "preact";
import { ApiError } from "../api/client";
import { count, interval, measured } from "../lib/format";
import type { Point } from "../api/types";

/** A grey block of the size that the content will have. */
export function Skeleton({ lines = 1, tall = false }: { lines?: number; tall?: boolean }) {
  return (
    <div class={tall ? "skeleton-box" : "skeleton-lines"} role="status" aria-label="Loading">
      {tall ? null : Array.from({ length: lines }, (_, at) => <div class="skeleton-line" key={at} />)}
    </div>
  );
}

/** An error in the server's own words. */
export function ErrorNote({ error, retry }: { error: unknown; retry?: () => void }) {
  const message = error instanceof Error ? error.message : String(error);
  const field = error instanceof ApiError && error.field ? ` (${error.field})` : "";
  return (
    <div class="note note-bad" role="alert">
      <span>
        {message}
        {field}
      </span>
      {retry ? (
        <button type="button" class="button small" onClick={retry}>
          Try again
        </button>
      ) : null}
    </div>
  );
}

/** A calm sentence where there is nothing to show. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children ? <p>{children}</p> : null}
    </div>
  );
}

/** The count and interval that every rate carries. */
export function Certainty({ point, unit, kind }: { point: Point | undefined; unit: string; kind: string }) {
  if (!point) return <span class="certainty"> </span>;
  const range = interval(point.low, point.high, unit, kind);
  return (
    <span class="certainty">
      n {count(Math.round(point.n))}
      {range ? <span title="95% interval"> · {range}</span> : null}
    </span>
  );
}

/** A measured value; unknown is a word, in its own style. */
export function Value({ value, unit, kind = "" }: { value: number | null | undefined; unit: string; kind?: string }) {
  if (value == null) return <span class="unknown">unknown</span>;
  return <span class="number">{measured(value, unit, kind)}</span>;
}

/** How much of a whole is on screen. */
export function Cut({ shown, total, isExact = true, word }: { shown: number; total: number; isExact?: boolean; word: string }) {
  return (
    <span class="cut">
      {count(shown)} of {isExact ? "" : "about "}
      {count(total)} {word}
    </span>
  );
}

/** A panel with a heading and, at its right, controls or a note. */
export function Panel({ title, aside, children, class: extra = "" }: { title?: ComponentChildren; aside?: ComponentChildren; children: ComponentChildren; class?: string }) {
  return (
    <section class={`panel ${extra}`}>
      {title || aside ? (
        <header class="panel-head">
          <h2>{title}</h2>
          <div class="panel-aside">{aside}</div>
        </header>
      ) : null}
      {children}
    </section>
  );
}

const STATUS_WORDS: Record<string, [string, string]> = {
  ok: ["good", "✓"],
  resolved: ["good", "✓"],
  error: ["bad", "✕"],
  firing: ["bad", "▲"],
  open: ["bad", "▲"],
  exhausted: ["bad", "✕"],
  page: ["bad", "▲"],
  acknowledged: ["warn", "◐"],
  pending: ["warn", "◔"],
  ticket: ["warn", "◆"],
  systematic: ["bad", "▲"],
  transient: ["warn", "◔"],
  undecided: ["quiet", "?"],
  insufficient_data: ["quiet", "…"],
  disabled: ["quiet", "–"],
};

/** A state as a sign and a word, never as colour alone. */
export function Badge({ state, label }: { state: string; label?: string }) {
  const [tone, sign] = STATUS_WORDS[state] ?? ["quiet", "•"];
  return (
    <span class={`badge ${tone}`}>
      <span aria-hidden="true">{sign}</span> {label ?? state.replaceAll("_", " ")}
    </span>
  );
}
