// A runbook run step by step: dry, as a drill, or for real with approvals.

import { useState } from "preact/hooks";
import { call } from "../api/client";
import { useGet, useInvalidate } from "../api/queries";
import type { Incident } from "../api/types";
import { ago, phrase } from "../lib/format";
import { Field, SureButton, useAction } from "../ui/form";
import { Badge, ErrorNote, Panel, Skeleton } from "../ui/states";
import { RunView } from "./runview";

export interface Run {
  id: string;
  runbook: string;
  mode: string;
  state: string;
  waits_for: string;
  step: number;
  steps: number;
  outcome: string;
  started_by: string;
  started_ms: number;
  ended_ms: number | null;
}

interface Runbook {
  name: string;
  parameters: string[];
  steps: { kind: string }[];
}

/** The runs of an incident's runbook and the ways to start one. */
export function RunbookRuns({ incident, name }: { incident: Incident; name: string }) {
  const runbook = useGet<Runbook>(`/runbooks/${encodeURIComponent(name)}`);
  const runs = useGet<Run[]>("/runbook-runs", { incident_id: incident.id }, { refetchMs: 5_000 });
  const [parameters, setParameters] = useState<Record<string, string>>({});
  const [chosen, setChosen] = useState<string | null>(null);
  const action = useAction();
  const invalidate = useInvalidate();
  const start = (mode: string) =>
    void action.run(async () => {
      const made = await call<{ id: string }>("/runbook-runs", { method: "POST", body: { runbook: name, mode, incident_id: incident.id, parameters } });
      setChosen(made.id);
      await invalidate("/runbook-runs");
    });
  const current = runs.data?.find((run) => run.id === chosen) ?? runs.data?.[0];
  const isBlocked = action.isBusy || !runbook.data?.steps.length;
  return (
    <Panel title="Runbook runs" aside={<span class="cut">{runs.data ? `${runs.data.length}` : ""}</span>}>
      {runbook.error ? <ErrorNote error={runbook.error} /> : null}
      {runbook.data && !runbook.data.steps.length ? <p class="quiet-text">This runbook has no steps that can be run; it is to be read.</p> : null}
      {(runbook.data?.parameters ?? []).map((parameter) => (
        <Field key={parameter} label={parameter}>
          <input type="text" maxLength={500} value={parameters[parameter] ?? ""} onInput={(event) => setParameters({ ...parameters, [parameter]: event.currentTarget.value })} />
        </Field>
      ))}
      <div class="row">
        <button type="button" class="button small" disabled={isBlocked} title="Changes nothing; shows the exact calls" onClick={() => start("dry_run")}>
          Dry run
        </button>
        <button type="button" class="button small" disabled={isBlocked} title="Practise it; marked as a drill" onClick={() => start("drill")}>
          Drill
        </button>
        <SureButton label="Run for real" sure="Press again to run" isBusy={isBlocked} act={() => start("live")} />
      </div>
      {action.error ? <ErrorNote error={action.error} /> : null}
      {runs.error ? <ErrorNote error={runs.error} retry={() => void runs.refetch()} /> : null}
      {runs.isPending ? <Skeleton lines={2} /> : null}
      {(runs.data?.length ?? 0) > 1 ? (
        <ul class="runs">
          {runs.data?.slice(0, 10).map((run) => (
            <li key={run.id}>
              <button type="button" class="link-button" aria-pressed={run === current} onClick={() => setChosen(run.id)}>
                {phrase(run.mode)} {ago(run.started_ms)}
              </button>{" "}
              <Badge state={run.state} />
            </li>
          ))}
        </ul>
      ) : null}
      {current ? <RunView key={current.id} run={current} /> : null}
    </Panel>
  );
}
