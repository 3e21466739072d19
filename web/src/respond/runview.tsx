// One run: what became of each step, and the decision that it waits for.

import { useState } from "preact/hooks";
import { call } from "../api/client";
import { useGet, useInvalidate } from "../api/queries";
import { phrase } from "../lib/format";
import { useAction } from "../ui/form";
import { Badge, ErrorNote, Skeleton } from "../ui/states";
import { AnyValue } from "../ui/text";
import type { Run } from "./runs";

interface Result {
  step: number;
  kind: string;
  section: string;
  state: string;
  actor: string;
  inputs: Record<string, unknown>;
  output: Record<string, unknown>;
}

const DECISIONS: Record<string, [string, string][]> = {
  approval: [
    ["approve", "Approve"],
    ["stop", "Stop"],
  ],
  decision: [
    ["retry", "Try again"],
    ["continue", "Skip"],
    ["stop", "Stop"],
  ],
};

/** The steps of a run, refreshed while it is not over. */
export function RunView({ run }: { run: Run }) {
  const path = `/runbook-runs/${encodeURIComponent(run.id)}`;
  const detail = useGet<Run & { results: Result[] }>(path, {}, run.ended_ms === null ? { refetchMs: 2_000 } : {});
  const [note, setNote] = useState("");
  const action = useAction();
  const invalidate = useInvalidate();
  if (detail.error) return <ErrorNote error={detail.error} />;
  if (!detail.data) return <Skeleton lines={3} />;
  const data = detail.data;
  const decide = (decision: string) =>
    void action.run(async () => {
      await call(`${path}/decide`, { method: "POST", body: { decision, note } });
      setNote("");
      await Promise.all([invalidate(path), invalidate("/runbook-runs")]);
    });
  return (
    <section class="run" aria-label={`Run of ${data.runbook}`}>
      <p class="row">
        <span class={`tag ${data.mode === "live" ? "bad" : ""}`}>{phrase(data.mode)}</span>
        <Badge state={data.state} />
        <span class="quiet-text">{`${data.results.length} of ${data.steps} steps begun, by ${data.started_by}`}</span>
      </p>
      {data.outcome ? <p role="status">{data.outcome}</p> : null}
      <ol class="run-steps">
        {data.results.map((result, at) => (
          <li key={at}>
            <strong>{phrase(result.kind)}</strong> <Badge state={result.state} /> <span class="quiet-text">{[result.section, result.actor].filter(Boolean).join(" · ")}</span>
            <details>
              <summary>What was asked and answered</summary>
              <AnyValue value={result.inputs} />
              <AnyValue value={result.output} />
            </details>
          </li>
        ))}
      </ol>
      {DECISIONS[data.waits_for] ? (
        <div class="row" role="group" aria-label={`Waits for ${data.waits_for}`}>
          <input type="text" maxLength={2000} value={note} aria-label="Note on the decision" placeholder="Note" onInput={(event) => setNote(event.currentTarget.value)} />
          {DECISIONS[data.waits_for]?.map(([decision, label]) => (
            <button type="button" key={decision} class="button small" disabled={action.isBusy} onClick={() => decide(decision)}>
              {label}
            </button>
          ))}
        </div>
      ) : null}
      {action.error ? <ErrorNote error={action.error} /> : null}
    </section>
  );
}
