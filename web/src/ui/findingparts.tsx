// The parts of a diagnosis: stages, changes, segments, decomposition, examples.

import { useState } from "preact/hooks";
import { useMeasures } from "../api/queries";
import type { Finding, StageShift } from "../api/types";
import { termFor, withTerm } from "../lib/filter";
import { ago, count, duration, measured, moment, percent } from "../lib/format";
import { Link } from "../url";
import { EvidenceQuery, hasQuery } from "./evidence";
import { Icon } from "./icons";
import { Bar } from "./sparkline";
import { Panel } from "./states";

function useUnits(): (measure: string, value: number | null) => string {
  const measures = useMeasures();
  return (measure, value) => {
    const info = measures.data?.find((item) => item.id === measure);
    return measured(value, info?.unit ?? "", info?.kind ?? "");
  };
}

/** Which stage of the pipeline moved, and which moved first. */
export function Stages({ finding }: { finding: Finding }) {
  const moved = finding.stages.filter((stage) => stage.moved && stage.onset_ms != null).sort((a, b) => (a.onset_ms ?? 0) - (b.onset_ms ?? 0));
  const first = moved[0];
  if (!finding.stages.length) return null;
  return (
    <Panel title="Stages of the pipeline" aside={<span class="quiet-text">{first ? "in the order of the pipeline; the first to move is marked" : "none moved"}</span>}>
      <ol class="stages">
        {finding.stages.map((stage, at) => (
          <StageLine key={at} stage={stage} isFirst={stage === first} firstMs={first?.onset_ms ?? null} onsetMs={finding.onset_ms} />
        ))}
      </ol>
    </Panel>
  );
}

function StageLine({ stage, isFirst, firstMs, onsetMs }: { stage: StageShift; isFirst: boolean; firstMs: number | null; onsetMs: number }) {
  const [isOpen, setIsOpen] = useState(false);
  const show = useUnits();
  const lag = stage.onset_ms != null && firstMs != null ? stage.onset_ms - firstMs : null;
  const canOpen = hasQuery(stage.query);
  return (
    <li class={stage.moved ? "is-moved" : ""}>
      <button type="button" class="stage" disabled={!canOpen} aria-expanded={canOpen ? isOpen : undefined} onClick={() => setIsOpen(!isOpen)}>
        <span class="stage-sign" aria-hidden="true">
          {stage.moved ? (isFirst ? "◆" : "◇") : "○"}
        </span>
        <strong>{stage.stage}</strong>
        <span class="quiet-text">{stage.measure.replaceAll("_", " ")}</span>
        <span class="number">
          {show(stage.measure, stage.before)} → {show(stage.measure, stage.after)}
        </span>
        <span class={stage.moved ? "stage-when" : "stage-when quiet-text"}>
          {!stage.moved ? "did not move" : isFirst ? `moved first, ${stage.onset_ms ? moment(stage.onset_ms, Date.now(), false) : ""}` : lag == null ? "moved" : lag < 60_000 ? "moved in the same minute" : `${duration(lag)} later`}
        </span>
        {canOpen ? <Icon name={isOpen ? "down" : "right"} size={12} /> : <span />}
      </button>
      {isOpen && hasQuery(stage.query) ? <EvidenceQuery query={stage.query} onsetMs={onsetMs} /> : null}
    </li>
  );
}

/** Bad traffic against good traffic. */
export function Segments({ finding }: { finding: Finding }) {
  const show = useUnits();
  if (!finding.segments.length) return null;
  const shown = finding.segments.slice(0, 12);
  return (
    <Panel title="Where it differs" aside={<span class="cut">{`${shown.length} of ${finding.segments.length} segments`}</span>}>
      <div class="table-scroll">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Segment</th>
              <th scope="col">Share of traffic, before → after</th>
              <th scope="col">{finding.measure.replaceAll("_", " ")}, before → after</th>
              <th scope="col" class="right">
                n
              </th>
              <th scope="col" class="right" title="False discovery rate at which this row would still be reported">
                q
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((segment, at) => {
              const filter = Object.entries(segment.where).reduce((text, [name, value]) => withTerm(text, termFor(name, value)), "");
              return (
                <tr key={at}>
                  <th scope="row">
                    <Link to="/traces" set={{ from: String(Math.floor(finding.window[0] / 1000)), to: String(Math.ceil(finding.window[1] / 1000)), filter }}>
                      {Object.entries(segment.where).map(([name, value]) => (
                        <span key={name} class="tag">
                          {name} {value || "(not said)"}
                        </span>
                      ))}
                    </Link>
                  </th>
                  <td>
                    <span class="pair">
                      <Bar share={segment.share_before} tone="quiet" /> <span class="number">{percent(segment.share_before)}</span>
                    </span>
                    <span class="pair">
                      <Bar share={segment.share_after} /> <span class="number">{percent(segment.share_after)}</span>
                    </span>
                  </td>
                  <td class="number">
                    {show(finding.measure, segment.rate_before)} → {show(finding.measure, segment.rate_after)}
                  </td>
                  <td class="number right">
                    {count(Math.round(segment.n_before))} → {count(Math.round(segment.n_after))}
                  </td>
                  <td class="number right">{segment.q_value < 0.001 ? "<0.001" : segment.q_value.toFixed(3)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

/** The change split into traffic mix and rate. */
export function Decompositions({ finding }: { finding: Finding }) {
  const show = useUnits();
  if (!finding.decomposition.length) return null;
  return (
    <Panel title="Mix or rate" aside={<span class="quiet-text">who asked changed, or what they got changed; the parts add up</span>}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">By</th>
            <th scope="col">Before → after</th>
            <th scope="col">From the mix of traffic</th>
            <th scope="col">From the rate within groups</th>
          </tr>
        </thead>
        <tbody>
          {finding.decomposition.slice(0, 8).map((part) => {
            const size = Math.abs(part.mix) + Math.abs(part.rate) || 1;
            return (
              <tr key={part.by}>
                <th scope="row">{part.by.replaceAll("_", " ")}</th>
                <td class="number">
                  {show(finding.measure, part.before)} → {show(finding.measure, part.after)}
                </td>
                <td>
                  <span class="pair">
                    <Bar share={Math.abs(part.mix) / size} tone="warn" /> <span class="number">{signed(show(finding.measure, Math.abs(part.mix)), part.mix)}</span>
                  </span>
                </td>
                <td>
                  <span class="pair">
                    <Bar share={Math.abs(part.rate) / size} /> <span class="number">{signed(show(finding.measure, Math.abs(part.rate)), part.rate)}</span>
                  </span>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Panel>
  );
}

function signed(text: string, value: number): string {
  return value === 0 || text.startsWith("<") ? text : `${value > 0 ? "+" : "−"}${text}`;
}

/** Changes near the onset. */
export function Changes({ finding }: { finding: Finding }) {
  if (!finding.changes.length) return null;
  const rows = [...finding.changes].sort((a, b) => Math.abs(a.time_ms - finding.onset_ms) - Math.abs(b.time_ms - finding.onset_ms)).slice(0, 10);
  return (
    <Panel title="Changes near the onset" aside={<span class="cut">{`${rows.length} of ${finding.changes.length}`}</span>}>
      <ol class="changes is-narrow">
        {rows.map((change, at) => {
          const lag = change.time_ms - finding.onset_ms;
          return (
            <li key={at}>
              <span class="tag">{change.kind.replaceAll("_", " ")}</span>
              <span class="change-title">
                {change.title}
                {change.before || change.after ? (
                  <span class="change-values">
                    <code>{change.before || "—"}</code> → <code>{change.after || "—"}</code>
                  </span>
                ) : null}
                <span class="quiet-text">
                  {Math.abs(lag) < 1000 ? "at the onset" : `${duration(Math.abs(lag))} ${lag < 0 ? "before" : "after"} the onset`} · {change.source}
                  {change.share != null ? ` · ${percent(change.share)} of traffic` : ""}
                </span>
              </span>
            </li>
          );
        })}
      </ol>
    </Panel>
  );
}

/** Traces to look at. */
export function Examples({ finding }: { finding: Finding }) {
  if (!finding.examples.length) return null;
  return (
    <Panel title="Example traces" aside={<span class="cut">{`${Math.min(finding.examples.length, 8)} of ${finding.examples.length}`}</span>}>
      <ul class="examples">
        {finding.examples.slice(0, 8).map((id) => (
          <li key={id}>
            <Link to={`/traces/${id}`}>
              <code>{id}</code>
            </Link>
          </li>
        ))}
      </ul>
      <p class="quiet-text">from {ago(finding.window[0])}</p>
    </Panel>
  );
}
