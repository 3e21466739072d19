// One monitor to make or change: its promise beside it, and a back-test before it is kept.

import { useEffect, useState } from "preact/hooks";
import { useLocation } from "wouter";
import { ApiError, call } from "../api/client";
import { type Monitor, type MonitorSpec, specOf } from "../api/monitors";
import { useInvalidate, useMeasures } from "../api/queries";
import { idOf } from "../lib/budget";
import { cleaned, KINDS, newRule } from "../lib/monitor";
import { Field, useAction } from "../ui/form";
import { ErrorNote } from "../ui/states";
import { hrefTo } from "../url";
import { BacktestBox } from "./backtestbox";
import { PromiseBox } from "./promisebox";
import { RuleFields } from "./rulefields";

const NEW: MonitorSpec = { name: "", measure: "error_rate", rule: newRule("sequential"), filter: "", by: [], max_groups: 200, severity: "ticket", enabled: true };
const SETTLED_MS = 500;
const PLACED = ["name", "measure", "filter", "by", "max_groups"];

interface Props {
  monitor?: Monitor;
  taken: string[];
  cancel?: () => void;
}

/** The form; a refusal stands at the field it is about. */
export function MonitorEditor({ monitor, taken, cancel }: Props) {
  const [spec, setSpec] = useState<MonitorSpec>(monitor ? specOf(monitor) : NEW);
  const [by, setBy] = useState(spec.by.join(", "));
  const [isSaved, setIsSaved] = useState(false);
  const measures = useMeasures();
  const action = useAction();
  const invalidate = useInvalidate();
  const [, navigate] = useLocation();
  const change = (part: Partial<MonitorSpec>) => {
    setSpec({ ...spec, ...part });
    setIsSaved(false);
  };
  const draft = { ...spec, name: spec.name || "Draft", by: by.split(/[\s,]+/).filter(Boolean), rule: cleaned(spec.rule) };
  const settled = useSettled(draft);
  const kind = String(spec.rule["type"]);
  const field = action.error instanceof ApiError ? action.error.field : null;
  const said = (name: string) => (field === name && action.error instanceof Error ? action.error.message : undefined);
  const info = measures.data?.find((measure) => measure.id === spec.measure);
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const id = monitor?.id ?? idOf(spec.name, taken);
    void action.run(async () => {
      await call(`/monitors/${encodeURIComponent(id)}`, { method: "PUT", body: draft });
      await invalidate("/monitors");
      if (monitor) setIsSaved(true);
      else navigate(hrefTo(`/monitors/${encodeURIComponent(id)}`));
    });
  };
  return (
    <form class="sheet" onSubmit={save} aria-label={monitor ? `Edit ${monitor.name}` : "New monitor"}>
      <div class="editor">
        <div class="editor-fields">
          <div class="sheet-grid">
            <Field label="Name" error={said("name")}>
              <input required maxLength={200} value={spec.name} onInput={(event) => change({ name: event.currentTarget.value })} />
            </Field>
            <Field label="Kind" class="is-wide" hint={KINDS[kind]?.what}>
              <select value={kind} onChange={(event) => change({ rule: newRule(event.currentTarget.value) })}>
                {Object.keys(KINDS).map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </Field>
            <Field label="Measure" hint={info?.name ?? ""} error={said("measure")}>
              <input required maxLength={200} list="monitor-measures" value={spec.measure} onInput={(event) => change({ measure: event.currentTarget.value.trim() })} spellcheck={false} />
              <datalist id="monitor-measures">
                {(measures.data ?? []).map((measure) => (
                  <option key={measure.id} value={measure.id}>
                    {measure.name}
                  </option>
                ))}
              </datalist>
            </Field>
            <Field label="Filter" hint="empty: the whole project" error={said("filter")} class="is-wide">
              <input maxLength={2000} value={spec.filter} onInput={(event) => change({ filter: event.currentTarget.value })} placeholder="feature:checkout" spellcheck={false} />
            </Field>
            <Field label="Split by" hint="up to four dimensions; each group is judged" error={said("by")}>
              <input value={by} onInput={(event) => (setBy(event.currentTarget.value), setIsSaved(false))} placeholder="feature, model" spellcheck={false} />
            </Field>
            <Field label="At most groups" hint="the largest ones" error={said("max_groups")}>
              <input required type="number" min="1" max="10000" value={spec.max_groups} onInput={(event) => change({ max_groups: Number(event.currentTarget.value) })} />
            </Field>
            <Field label="When it fires">
              <select value={spec.severity} onChange={(event) => change({ severity: event.currentTarget.value })}>
                <option value="page">page somebody</option>
                <option value="ticket">open a ticket</option>
              </select>
            </Field>
            <label class="check">
              <input type="checkbox" checked={spec.enabled} onChange={(event) => change({ enabled: event.currentTarget.checked })} /> switched on
            </label>
          </div>
          <RuleFields rule={spec.rule} change={(rule) => change({ rule })} said={(name) => said(`rule.${name}`)} />
        </div>
        <PromiseBox spec={settled} />
      </div>
      {action.error && !(field && (PLACED.includes(field) || field.startsWith("rule."))) ? <ErrorNote error={action.error} /> : null}
      <div class="row">
        <button type="submit" class="button primary" disabled={action.isBusy}>
          {monitor ? "Save" : "Create the monitor"}
        </button>
        {cancel ? (
          <button type="button" class="button" onClick={cancel}>
            Cancel
          </button>
        ) : null}
        {isSaved ? (
          <span class="good-text" role="status">
            ✓ saved
          </span>
        ) : null}
      </div>
      <BacktestBox spec={draft} />
    </form>
  );
}

/** The value once it has not changed for a moment, so that typing asks nothing. */
function useSettled(value: MonitorSpec): MonitorSpec {
  const [settled, setSettled] = useState(value);
  const text = JSON.stringify(value);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(value), SETTLED_MS);
    return () => window.clearTimeout(timer);
  }, [text]);
  return settled;
}
