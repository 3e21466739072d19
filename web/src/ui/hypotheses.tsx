// Causes ranked by probability, each with what speaks for it and against it.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Evidence, Finding, Hypothesis } from "../api/types";
import { count, percent } from "../lib/format";
import { EvidenceQuery, hasQuery } from "./evidence";
import { Icon } from "./icons";
import { Bar } from "./sparkline";
import { Empty, Panel } from "./states";

const SHOWN = 4;

/** The ranked list; the first is open. `judge` adds what a person may say about a cause. */
export function Hypotheses({ finding, judge }: { finding: Finding; judge?: (cause: string) => ComponentChildren }) {
  const [isWhole, setIsWhole] = useState(false);
  const ranked = [...finding.hypotheses].sort((a, b) => b.probability - a.probability);
  const shown = isWhole ? ranked : ranked.slice(0, SHOWN);
  return (
    <Panel title="Hypotheses" aside={<span class="cut">{`${shown.length} of ${ranked.length}`}</span>}>
      {ranked.length ? null : <Empty title="No hypothesis fits" />}
      <ol class="hypotheses">
        {shown.map((hypothesis, at) => (
          <HypothesisView key={hypothesis.cause} hypothesis={hypothesis} isFirst={at === 0} onsetMs={finding.onset_ms} judge={judge} />
        ))}
      </ol>
      {ranked.length > SHOWN ? (
        <button type="button" class="link-button" onClick={() => setIsWhole(!isWhole)}>
          {isWhole ? "Show fewer" : `Show the other ${ranked.length - SHOWN}`}
        </button>
      ) : null}
    </Panel>
  );
}

function HypothesisView({ hypothesis, isFirst, onsetMs, judge }: { hypothesis: Hypothesis; isFirst: boolean; onsetMs: number; judge: ((cause: string) => ComponentChildren) | undefined }) {
  const top = Math.max(0.1, ...[...hypothesis.evidence, ...hypothesis.against].map((item) => Math.abs(item.weight)));
  return (
    <li>
      <details open={isFirst} class="hypothesis">
        <summary>
          <span class="hypothesis-probability number">{percent(hypothesis.probability)}</span>
          <Bar share={hypothesis.probability} tone={isFirst ? "accent" : "quiet"} />
          <strong>{hypothesis.title}</strong>
          <code class="quiet-text">{hypothesis.cause}</code>
        </summary>
        <div class="for-against">
          <Side title="For" items={hypothesis.evidence} top={top} onsetMs={onsetMs} tone="good" />
          <Side title="Against" items={hypothesis.against} top={top} onsetMs={onsetMs} tone="bad" />
        </div>
        {judge?.(hypothesis.cause)}
      </details>
    </li>
  );
}

function Side({ title, items, top, onsetMs, tone }: { title: string; items: Evidence[]; top: number; onsetMs: number; tone: string }) {
  return (
    <section>
      <h3>
        <span aria-hidden="true">{tone === "good" ? "+" : "−"}</span> {title}
      </h3>
      {items.length ? null : <p class="quiet-text">Nothing was found.</p>}
      <ul class="evidence-list">
        {[...items]
          .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight))
          .map((item, at) => (
            <EvidenceItem key={at} item={item} top={top} onsetMs={onsetMs} tone={tone} />
          ))}
      </ul>
    </section>
  );
}

function EvidenceItem({ item, top, onsetMs, tone }: { item: Evidence; top: number; onsetMs: number; tone: string }) {
  const [isOpen, setIsOpen] = useState(false);
  const canOpen = hasQuery(item.query);
  const weight = `${item.weight >= 0 ? "+" : "−"}${Math.abs(item.weight).toFixed(1)}`;
  return (
    <li>
      <button type="button" class="evidence-item" disabled={!canOpen} aria-expanded={canOpen ? isOpen : undefined} onClick={() => setIsOpen(!isOpen)}>
        {canOpen ? <Icon name={isOpen ? "down" : "right"} size={11} /> : <span class="icon-space" />}
        <span class="evidence-statement">
          {item.statement}
          {item.n != null ? <span class="certainty"> n {count(Math.round(item.n))}</span> : null}
        </span>
        <span class="evidence-weight" title="Contribution to the log-odds of this cause">
          <Bar share={Math.abs(item.weight) / top} tone={tone} />
          <span class="number">{weight}</span>
        </span>
      </button>
      {isOpen && canOpen ? <EvidenceQuery query={item.query as Parameters<typeof EvidenceQuery>[0]["query"]} onsetMs={onsetMs} /> : null}
    </li>
  );
}
