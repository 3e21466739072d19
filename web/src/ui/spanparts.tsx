// Scores, attributes, events and logs of a span.

import { useMemo, useState } from "preact/hooks";
import type { Attribute, ScoreRow, SpanDetail } from "../api/types";
import { compact, count, moment, visible } from "../lib/format";
import { marksOf } from "../lib/highlights";
import { Bar } from "./sparkline";
import { Empty } from "./states";
import { AnyValue, LongText } from "./text";

/** Verdicts with what the evaluator said and, where it gave them, its sentences. */
export function ScoreList({ scores, answer }: { scores: ScoreRow[]; answer: string }) {
  if (!scores.length) return <Empty title="No scores" />;
  return (
    <ul class="score-list">
      {scores.map((score, at) => (
        <li key={score.score_id ?? at}>
          <header>
            <span class={`score ${score.passed === false ? "bad" : score.passed ? "good" : "quiet"}`}>
              <span aria-hidden="true">{score.passed === false ? "✕" : score.passed ? "✓" : "•"}</span> {score.passed === false ? "failed" : score.passed ? "passed" : "no verdict"}
            </span>
            <strong>{visible(score.name)}</strong>
            <span class="number">{score.value == null ? <span class="unknown">{score.label || "no value"}</span> : compact(score.value)}</span>
            {score.value != null && score.value >= 0 && score.value <= 1 ? <Bar share={score.value} tone={score.passed === false ? "bad" : "good"} /> : null}
            <span class="quiet-text">
              {score.source} {score.evaluator ? `· ${visible(score.evaluator)} ${score.evaluator_version ?? ""}` : ""}
            </span>
          </header>
          {score.explanation ? <p class="content">{visible(score.explanation)}</p> : null}
          <Sentences score={score} answer={answer} />
        </li>
      ))}
    </ul>
  );
}

/** The answer with its sentences marked, what each stands on, and the raw detail behind a fold. */
function Sentences({ score, answer }: { score: ScoreRow; answer: string }) {
  const detail = score.detail;
  const marks = useMemo(() => marksOf(detail, answer), [detail, answer]);
  if (detail === undefined || detail === null || detail === "" || detail === "{}") return null;
  return (
    <>
      {marks.length ? (
        <ol class="sentences">
          {marks.map((mark) => (
            <li key={mark.start}>
              <LongText text={answer.slice(mark.start, mark.end)} marks={[{ ...mark, start: 0, end: mark.end - mark.start }]} />
              <p class="quiet-text">{visible(mark.note)}</p>
            </li>
          ))}
        </ol>
      ) : null}
      <details>
        <summary>Raw detail</summary>
        <AnyValue value={detail} />
      </details>
    </>
  );
}

/** Raw attributes, searchable. */
export function Attributes({ attributes, resource }: { attributes: Attribute[]; resource: Attribute[] }) {
  const [search, setSearch] = useState("");
  const rows = useMemo(() => [...attributes.map((row) => ({ ...row, from: "span" })), ...resource.map((row) => ({ ...row, from: "resource" }))], [attributes, resource]);
  const wanted = search.toLowerCase();
  const found = wanted ? rows.filter((row) => row.key.toLowerCase().includes(wanted) || textOf(row.value).toLowerCase().includes(wanted)) : rows;
  const shown = found.slice(0, 300);
  return (
    <div class="attributes">
      <div class="row">
        <input type="search" value={search} onInput={(event) => setSearch(event.currentTarget.value)} placeholder="Search keys and values" aria-label="Search attributes" />
        <span class="cut">
          {count(shown.length)} of {count(rows.length)}
        </span>
      </div>
      <table class="table attributes-table">
        <tbody>
          {shown.map((row, at) => (
            <tr key={`${row.from}${row.key}${at}`}>
              <th scope="row">
                {visible(row.key)}
                {row.from === "resource" ? <span class="tag">resource</span> : null}
              </th>
              <td>
                <AnyValue value={row.value} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** Events, logs and links in time order. */
export function EventsAndLogs({ detail }: { detail: SpanDetail }) {
  return (
    <div class="event-list">
      {detail.events.map((event, at) => (
        <article key={`e${at}`} class="event">
          <header>
            <time class="quiet-text">{moment(event.time_ms)}</time> <span class="tag">event</span> <strong>{visible(event.name)}</strong>
          </header>
          <AnyValue value={event.attributes} />
        </article>
      ))}
      {detail.logs.map((log, at) => (
        <article key={`l${at}`} class="event">
          <header>
            {typeof log["time_ms"] === "number" ? <time class="quiet-text">{moment(log["time_ms"])}</time> : null} <span class="tag">log</span>{" "}
            <strong>{visible(String(log["event_name"] ?? log["severity_text"] ?? log["severity"] ?? ""))}</strong>
          </header>
          <AnyValue value={log["body"] ?? log} />
        </article>
      ))}
      {detail.links.map((link, at) => (
        <article key={`k${at}`} class="event">
          <header>
            <span class="tag">link</span>
          </header>
          <AnyValue value={link} />
        </article>
      ))}
    </div>
  );
}
