// One objective to make or change.

import { useState } from "preact/hooks";
import { useLocation } from "wouter";
import { ApiError, call } from "../api/client";
import { declared, type Objective, type Policy, type SloSpec } from "../api/objectives";
import { useInvalidate, useMeasures } from "../api/queries";
import { idOf } from "../lib/budget";
import { Field, useAction } from "../ui/form";
import { ErrorNote } from "../ui/states";
import { hrefTo } from "../url";

const NEW: SloSpec = {
  name: "", measure: "error_rate", target: 0.99, window_days: 30, calendar: "", timezone: "UTC", filter: "", service: "", description: "", slice_target: null, slice_min: 5, lambda: 3, alpha: 1e-4, burn_factors: [], severity: "page", judge: null, policies: [],
};
const SLICES_MIN = [1, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440];
const PLACED = ["name", "measure", "target", "window_days", "timezone", "filter", "slice_target", "lambda"];

interface Props {
  objective?: Objective;
  taken: string[];
  cancel: () => void;
}

/** The form; a refusal stands at the field it is about. */
export function ObjectiveForm({ objective, taken, cancel }: Props) {
  const [spec, setSpec] = useState<SloSpec>(objective ? declared(objective) : NEW);
  const [target, setTarget] = useState(String(Number((spec.target * 100).toFixed(4))));
  const measures = useMeasures();
  const action = useAction();
  const invalidate = useInvalidate();
  const [, navigate] = useLocation();
  const change = (part: Partial<SloSpec>) => setSpec({ ...spec, ...part });
  const field = action.error instanceof ApiError ? action.error.field : null;
  const said = (name: string) => (field === name && action.error instanceof Error ? action.error.message : undefined);
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const id = objective?.id ?? idOf(spec.name, taken);
    void action.run(async () => {
      await call(`/slos/${encodeURIComponent(id)}`, { method: "PUT", body: { ...spec, target: Math.round(Number(target) * 1e4) / 1e6 } });
      await invalidate("/slos");
      await invalidate(`/slos/${encodeURIComponent(id)}`);
      navigate(hrefTo(`/slos/${encodeURIComponent(id)}`));
    });
  };
  const shares = (measures.data ?? []).filter((measure) => measure.kind === "ratio" && measure.direction !== "neutral");
  return (
    <form class="sheet" onSubmit={save} aria-label={objective ? `Edit ${objective.name}` : "New objective"}>
      <div class="sheet-grid">
        <Field label="Name" error={said("name")}>
          <input required maxLength={200} value={spec.name} onInput={(event) => change({ name: event.currentTarget.value })} />
        </Field>
        <Field label="Measure" hint="a share; latency_ms_over_5000 is one, too" error={said("measure")}>
          <input required maxLength={200} list="objective-measures" value={spec.measure} onInput={(event) => change({ measure: event.currentTarget.value.trim() })} spellcheck={false} />
          <datalist id="objective-measures">
            {shares.map((measure) => (
              <option key={measure.id} value={measure.id}>
                {measure.name}
              </option>
            ))}
          </datalist>
        </Field>
        <Field label="Filter" hint="empty: the whole project" error={said("filter")} class="is-wide">
          <input maxLength={2000} value={spec.filter} onInput={(event) => change({ filter: event.currentTarget.value })} placeholder="feature:checkout" spellcheck={false} />
        </Field>
        <Field label="Target, % good" error={said("target")}>
          <input required type="number" min="0.0001" max="99.9999" step="any" value={target} onInput={(event) => setTarget(event.currentTarget.value)} />
        </Field>
        <Field label="Window">
          <select value={spec.calendar} onChange={(event) => change({ calendar: event.currentTarget.value })}>
            <option value="">rolling days</option>
            <option value="week">calendar week</option>
            <option value="month">calendar month</option>
            <option value="quarter">calendar quarter</option>
          </select>
        </Field>
        {spec.calendar ? (
          <Field label="Time zone" hint="where its days begin" error={said("timezone")}>
            <input required maxLength={64} value={spec.timezone} onInput={(event) => change({ timezone: event.currentTarget.value })} />
          </Field>
        ) : (
          <Field label="Days" error={said("window_days")}>
            <input required type="number" min="1" max="90" value={spec.window_days} onInput={(event) => change({ window_days: Number(event.currentTarget.value) })} />
          </Field>
        )}
        <Field label="What is counted" hint={spec.slice_target === null ? "each event is good or bad" : "a slice is good when enough of its events are"}>
          <select value={spec.slice_target === null ? "events" : "slices"} onChange={(event) => change({ slice_target: event.currentTarget.value === "events" ? null : 0.95 })}>
            <option value="events">events (occurrences)</option>
            <option value="slices">slices of time</option>
          </select>
        </Field>
        {spec.slice_target === null ? null : (
          <>
            <Field label="A slice is good from, %" error={said("slice_target")}>
              <input required type="number" min="0.01" max="99.99" step="any" value={Number((spec.slice_target * 100).toFixed(4))} onInput={(event) => change({ slice_target: Number(event.currentTarget.value) / 100 })} />
            </Field>
            <Field label="Minutes of a slice">
              <select value={String(spec.slice_min)} onChange={(event) => change({ slice_min: Number(event.currentTarget.value) })}>
                {SLICES_MIN.map((minutes) => (
                  <option key={minutes}>{minutes}</option>
                ))}
              </select>
            </Field>
          </>
        )}
        <Field label="When it burns">
          <select value={spec.severity} onChange={(event) => change({ severity: event.currentTarget.value })}>
            <option value="page">page somebody</option>
            <option value="ticket">open a ticket</option>
            <option value="none">only show it</option>
          </select>
        </Field>
        <Field label="Burn worth waking for" hint="times the budgeted rate" error={said("lambda")}>
          <input required type="number" min="1.01" max="1000" step="any" value={spec.lambda} onInput={(event) => change({ lambda: Number(event.currentTarget.value) })} />
        </Field>
      </div>
      <PolicyFields policies={spec.policies} change={(policies) => change({ policies })} />
      {action.error && !(field && PLACED.includes(field)) ? <ErrorNote error={action.error} /> : null}
      <div class="row">
        <button type="submit" class="button primary" disabled={action.isBusy}>
          {objective ? "Save" : "Create the objective"}
        </button>
        <button type="button" class="button" onClick={cancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function PolicyFields({ policies, change }: { policies: Policy[]; change: (policies: Policy[]) => void }) {
  const set = (at: number, part: Partial<Policy>) => change(policies.map((policy, index) => (index === at ? { ...policy, ...part } : policy)));
  return (
    <fieldset class="sheet-group">
      <legend>Policies</legend>
      {policies.map((policy, at) => (
        <div class="row policy-row" key={at}>
          <label>
            above{" "}
            <input type="number" min="1" max="10000" step="any" aria-label={`Share of policy ${at + 1}, %`} value={Math.round(policy.above * 1e4) / 100} onInput={(event) => set(at, { above: Number(event.currentTarget.value) / 100 })} /> % spent
          </label>
          <select aria-label={`What policy ${at + 1} does`} value={policy.action} onChange={(event) => set(at, { action: event.currentTarget.value })}>
            <option value="notify">open a ticket</option>
            <option value="freeze">refuse promotions</option>
          </select>
          <label class="check">
            <input type="checkbox" checked={policy.dry_run} onChange={(event) => set(at, { dry_run: event.currentTarget.checked })} /> dry run
          </label>
          <button type="button" class="button small" onClick={() => change(policies.filter((_, index) => index !== at))}>
            Remove
          </button>
        </div>
      ))}
      <button type="button" class="button small" onClick={() => change([...policies, { above: 0.75, action: "notify", dry_run: true }])}>
        Add a policy
      </button>
    </fieldset>
  );
}
