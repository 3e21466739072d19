// What conditioning on earlier stages shows, and infrastructure that moved with the measure.

import { useState } from "preact/hooks";
import type { Conditioning, Finding } from "../api/types";
import { count, duration, measured, percent } from "../lib/format";
import { EvidenceQuery, hasQuery } from "./evidence";
import { Icon } from "./icons";
import { Panel } from "./states";

/** How much of the change is gone among the requests without a sign of an earlier stage. */
export function Conditionings({ finding }: { finding: Finding }) {
  if (!finding.conditioning.length) return null;
  return (
    <Panel title="Does it vanish without an earlier sign?" aside={<span class="quiet-text">the change among requests without the sign</span>}>
      <ul class="signs">
        {finding.conditioning.map((item, at) => (
          <ConditioningView key={at} item={item} onsetMs={finding.onset_ms} />
        ))}
      </ul>
    </Panel>
  );
}

function ConditioningView({ item, onsetMs }: { item: Conditioning; onsetMs: number }) {
  const [isOpen, setIsOpen] = useState(false);
  const canOpen = hasQuery(item.query);
  return (
    <li>
      <button type="button" class="evidence-item" disabled={!canOpen} aria-expanded={canOpen ? isOpen : undefined} onClick={() => setIsOpen(!isOpen)}>
        {canOpen ? <Icon name={isOpen ? "down" : "right"} size={11} /> : <span class="icon-space" />}
        <span class="evidence-statement">
          {item.stage}: {item.words} ({percent(item.share_before)} → {percent(item.share_after)} of requests)
          <span class="certainty">
            {" "}
            n {count(item.n)} of {count(item.of)} traces
          </span>
        </span>
        <span class="number">{percent(item.vanishes)} gone</span>
      </button>
      {isOpen && hasQuery(item.query) ? <EvidenceQuery query={item.query} onsetMs={onsetMs} /> : null}
    </li>
  );
}

/** Series of the infrastructure, the strongest association first. */
export function InfrastructureCandidates({ finding }: { finding: Finding }) {
  if (!finding.infrastructure.length) return null;
  const rows = [...finding.infrastructure].sort((a, b) => a.q_value - b.q_value).slice(0, 12);
  return (
    <Panel title="Infrastructure that moved with it" aside={<span class="cut">{`${rows.length} of ${finding.infrastructure.length}`}</span>}>
      <div class="table-scroll">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Series</th>
              <th scope="col">Before → after</th>
              <th scope="col" class="right" title="Spearman's rank correlation with the measure">
                ρ
              </th>
              <th scope="col" class="right" title="False discovery rate at which this row would still be reported">
                q
              </th>
              <th scope="col">When</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row, at) => (
              <tr key={at}>
                <th scope="row">
                  {row.name}{" "}
                  {Object.entries(row.labels).map(([name, value]) => (
                    <span key={name} class="tag">
                      {name} {value}
                    </span>
                  ))}
                </th>
                <td class="number">
                  {measured(row.before, row.unit)} → {measured(row.after, row.unit)}
                </td>
                <td class="number right">{row.correlation.toFixed(2)}</td>
                <td class="number right">{row.q_value < 0.001 ? "<0.001" : row.q_value.toFixed(3)}</td>
                <td>{row.lag_ms == null ? "no clear step" : Math.abs(row.lag_ms) < 60_000 ? "in the same minute" : `${duration(Math.abs(row.lag_ms))} ${row.lag_ms < 0 ? "before" : "after"}`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
