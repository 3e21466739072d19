// The head of a trace: what it was, and its totals.

import type { ComponentChildren } from "preact";
import type { TraceDetail } from "../api/types";
import { termFor } from "../lib/filter";
import { compact, count, duration, moment, phrase, visible } from "../lib/format";
import type { Tree } from "../lib/waterfall";
import { Link } from "../url";
import { CopyButton } from "./copy";
import { Icon } from "./icons";
import { KnownCost } from "./knowncost";
import { Badge } from "./states";
import { Scores } from "./traceline";

/** Where the way back leads: the list, or the conversation the trace was opened from. */
export interface Place {
  to: string;
  set: Record<string, string | null>;
  name: string;
}

/** Facts of a trace in one band, and the way to its next problem. */
export function TraceFacts({ detail, tree, next, back }: { detail: TraceDetail; tree: Tree; next: () => void; back: Place }) {
  const { trace } = detail;
  const stages = Object.entries(trace.critical_path ?? {}).sort((a, b) => b[1] - a[1]);
  const sum = stages.reduce((total, [, ms]) => total + ms, 0) || 1;
  return (
    <header class="trace-facts">
      <div class="trace-title">
        <Link to={back.to} set={back.set} class="icon-button" aria-label={`Back to ${back.name}`} title={`Back to ${back.name} (Esc)`}>
          <Icon name="left" />
        </Link>
        <h1>{visible(trace.name || "(no name)")}</h1>
        <Badge state={trace.status} label={trace.status === "error" && trace.error_class ? trace.error_class.replaceAll("_", " ") : trace.status} />
        {trace.is_settled ? null : <span class="tag warn">still arriving</span>}
        {(trace.flags ?? []).map((flag) => (
          <span key={flag} class="tag">
            {flag.replaceAll("_", " ")}
          </span>
        ))}
        <Scores scores={Object.fromEntries(detail.scores.filter((score) => score.status !== "failed").map((score) => [score.name, score]))} />
        <span class="spring" />
        <code class="trace-id">{trace.trace_id}</code>
        <CopyButton text={trace.trace_id} label="Copy id" />
        <button type="button" class="button" onClick={next} disabled={!tree.problems.length}>
          {tree.problems.length ? `Next problem of ${count(tree.problems.length)}` : "No problems"} <kbd>n</kbd>
        </button>
      </div>
      <dl class="facts facts-band">
        <Fact name="Started">{moment(trace.start_ms)}</Fact>
        <Fact name="Duration">{duration(trace.duration_ms)}</Fact>
        <Fact name="First token">{trace.ttft_ms == null ? <span class="unknown">unknown</span> : duration(trace.ttft_ms)}</Fact>
        <Fact name="Cost"><KnownCost usd={trace.cost_usd} isKnown={trace.cost_known} source={trace.cost_source} /></Fact>
        <Fact name="Tokens in / out">
          {compact(trace.input_tokens ?? null)} / {compact(trace.output_tokens ?? null)}
        </Fact>
        <Fact name="Spans">{count(detail.total_spans)}</Fact>
        <FilterFact name="Service" dimension="service" value={trace.service} />
        <FilterFact name="Environment" dimension="env" value={trace.env} />
        <FilterFact name="Team" dimension="team" value={trace.team} />
        <FilterFact name="Feature" dimension="feature" value={trace.feature} />
        <FilterFact name="Model" dimension="model" value={trace.model} />
        <FilterFact name="User" dimension="user" value={trace.user} />
        {trace.session ? (
          <Fact name="Session">
            <Link to="/sessions" set={{ session: trace.session, turn: trace.trace_id }} title="The conversation">
              {visible(trace.session)}
            </Link>
          </Fact>
        ) : null}
      </dl>
      {stages.length ? (
        <div class="critical" aria-label="Critical path by kind">
          <span class="quiet-text">Critical path</span>
          <span class="critical-bar">
            {stages.map(([kind, ms]) => (
              <span key={kind} class={`kind-fill kind-${kind}`} style={{ width: `${(ms / sum) * 100}%` }} title={`${phrase(kind)} ${duration(ms)}`} />
            ))}
          </span>
          {stages.slice(0, 5).map(([kind, ms]) => (
            <span key={kind} class="critical-part">
              <span class={`swatch kind-fill kind-${kind}`} /> {kind} {duration(ms)}
            </span>
          ))}
        </div>
      ) : null}
    </header>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function FilterFact({ name, dimension, value }: { name: string; dimension: string; value: string | undefined }) {
  if (!value) return null;
  return (
    <Fact name={name}>
      <Link to="/traces" set={{ filter: termFor(dimension, value) }} title={`Traces with this ${dimension}`}>
        {visible(value)}
      </Link>
    </Fact>
  );
}
