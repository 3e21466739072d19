// Monitors with the state of each of their groups, and SLOs with what is left of their budgets.

import { useState } from "preact/hooks";
import { call } from "../api/client";
import { useGet, useInvalidate, useMeasures } from "../api/queries";
import { ago, count, duration, measured, moment, percent } from "../lib/format";
import type { Slo } from "./slo";
import { Bar } from "./sparkline";
import { Badge, Empty, ErrorNote, Panel, Skeleton } from "./states";

interface Group {
  group: Record<string, string>;
  state: string;
  evidence: string;
  value: number | null;
  baseline: number | null;
  n: number;
  onset_ms: number | null;
  fired_ms: number | null;
}

interface MonitorSpec {
  name: string;
  measure: string;
  rule: Record<string, unknown>;
  filter: string;
  by: string[];
  max_groups: number;
  severity: string;
  enabled: boolean;
}

interface Monitor extends MonitorSpec {
  id: string;
  judged_until_ms: number | null;
  groups: Group[];
  groups_left_out: number;
  error: string;
}

const GROUPS_SHOWN = 8;
const RANK: Record<string, number> = { firing: 0, pending: 1, insufficient_data: 2, resolved: 3, ok: 4 };

function specOf({ name, measure, rule, filter, by, max_groups, severity, enabled }: Monitor): MonitorSpec {
  return { name, measure, rule, filter, by, max_groups, severity, enabled };
}

function ruleText(rule: Record<string, unknown>, show: (value: number) => string): string {
  const numberOf = (name: string): number | null => (typeof rule[name] === "number" ? (rule[name] as number) : null);
  const least = numberOf("min_n");
  const enough = least === null ? "" : `needs n ≥ ${count(least)}`;
  if (rule["type"] === "threshold") {
    const value = numberOf("value");
    const limit = value === null ? "" : `${String(rule["op"] ?? ">")} ${show(value)}`;
    const hold = numberOf("hold_min");
    return [`fires when ${limit}${hold ? ` for ${hold} min` : ""}`, enough].filter(Boolean).join(" · ");
  }
  const alpha = numberOf("alpha");
  const reference = numberOf("reference_min");
  const parts = [
    `${String(rule["type"])} test against ${rule["target"] == null ? "its own past" : show(Number(rule["target"]))}`,
    reference === null ? "" : `reference of ${duration(reference * 60_000)}`,
    alpha ? `at most one false alarm in ${duration(60_000 / alpha)}` : "",
    enough,
  ];
  return parts.filter(Boolean).join(" · ");
}

/** The section of monitors and SLOs. */
export function Monitors() {
  const monitors = useGet<Monitor[]>("/monitors", {}, { refetchMs: 10_000 });
  return (
    <>
      <Panel title="Monitors">
        {monitors.error ? <ErrorNote error={monitors.error} /> : null}
        {monitors.isPending ? <Skeleton lines={5} /> : null}
        {monitors.data && !monitors.data.length ? <Empty title="No monitors" /> : null}
        <ul class="monitors">
          {(monitors.data ?? []).map((monitor) => (
            <MonitorLine key={monitor.id} monitor={monitor} />
          ))}
        </ul>
      </Panel>
      <Slos />
    </>
  );
}

function MonitorLine({ monitor }: { monitor: Monitor }) {
  const invalidate = useInvalidate();
  const measures = useMeasures();
  const info = measures.data?.find((item) => item.id === monitor.measure);
  const [error, setError] = useState<unknown>(null);
  const turn = async () => {
    try {
      await call(`/monitors/${encodeURIComponent(monitor.id)}`, { method: "PUT", body: { ...specOf(monitor), enabled: !monitor.enabled } });
      setError(null);
      await invalidate("/monitors");
    } catch (failure) {
      setError(failure);
    }
  };
  const facts = [
    monitor.measure.replaceAll("_", " "),
    monitor.by.length ? `by ${monitor.by.join(", ")}` : "",
    monitor.filter ? `where ${monitor.filter}` : "",
    monitor.judged_until_ms ? `judged up to ${moment(monitor.judged_until_ms)}` : "",
  ];
  return (
    <li class={monitor.enabled ? "" : "is-off"}>
      <div class="row">
        <strong>{monitor.name}</strong>
        <span class="quiet-text">{facts.filter(Boolean).join(" · ")}</span>
        <span class="spring" />
        <span class="tag">{monitor.severity}</span>
        <button type="button" class="switch" role="switch" aria-checked={monitor.enabled} aria-label={`Monitor ${monitor.name}`} onClick={() => void turn()}>
          {monitor.enabled ? "on" : "off"}
        </button>
      </div>
      <p class="quiet-text">{ruleText(monitor.rule, (value) => measured(value, info?.unit ?? "", info?.kind ?? ""))}</p>
      {error ? <ErrorNote error={error} /> : null}
      {monitor.error ? <ErrorNote error={new Error(monitor.error)} /> : null}
      <Groups monitor={monitor} />
    </li>
  );
}

function Groups({ monitor }: { monitor: Monitor }) {
  const measures = useMeasures();
  const info = measures.data?.find((item) => item.id === monitor.measure);
  const groups = [...monitor.groups].sort((a, b) => (RANK[a.state] ?? 9) - (RANK[b.state] ?? 9));
  const all = groups.length + monitor.groups_left_out;
  // A sequential test counts what is bad, also where the measure itself counts what is good.
  const isSequential = monitor.rule["type"] === "sequential";
  const show = (value: number) => measured(value, info?.unit ?? "", info?.kind ?? "");
  if (!groups.length) return <Badge state="insufficient_data" label="not judged yet" />;
  return (
    <div class="groups">
      {groups.slice(0, GROUPS_SHOWN).map((group, at) => (
        <span key={at} class="group" title={group.evidence}>
          <Badge state={group.state} />
          <span>{Object.entries(group.group).map(([name, value]) => `${name} ${value || "(not said)"}`).join(", ") || "whole project"}</span>
          <span class="number">{group.value == null ? <span class="unknown">unknown</span> : `${show(group.value)}${isSequential ? " bad" : ""}`}</span>
          <span class="certainty">
            n {count(Math.round(group.n))}
            {group.baseline != null ? ` · ${isSequential ? "expected" : "limit"} ${show(group.baseline)}` : ""}
            {group.fired_ms ? ` · fired ${ago(group.fired_ms)}` : ""}
          </span>
        </span>
      ))}
      {all > GROUPS_SHOWN ? (
        <span class="cut">
          {Math.min(GROUPS_SHOWN, groups.length)} of {count(all)} groups
        </span>
      ) : null}
    </div>
  );
}

function Slos() {
  const slos = useGet<Slo[]>("/slos", {}, { refetchMs: 30_000 });
  return (
    <Panel title="Service level objectives">
      {slos.error ? <ErrorNote error={slos.error} /> : null}
      {slos.isPending ? <Skeleton lines={2} /> : null}
      {slos.data && !slos.data.length ? <Empty title="No objectives" /> : null}
      {slos.data?.length ? (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Objective</th>
              <th scope="col">Target</th>
              <th scope="col">Budget spent, with interval</th>
              <th scope="col">State</th>
            </tr>
          </thead>
          <tbody>
            {slos.data.map((slo) => {
              const budget = slo.budget;
              return (
                <tr key={slo.id}>
                  <th scope="row">
                    {slo.name}
                    <div class="quiet-text">
                      {slo.measure.replaceAll("_", " ")}
                      {slo.filter ? ` where ${slo.filter}` : ""}
                    </div>
                    {slo.problems.map((problem) => (
                      <div key={problem} class="quiet-text">
                        ⚠ {problem}
                      </div>
                    ))}
                    {slo.error ? <ErrorNote error={new Error(slo.error)} /> : null}
                  </th>
                  <td class="number">
                    {percent(slo.target)} over {slo.window_days} d
                  </td>
                  <td>
                    <span class="pair wide">
                      <Bar share={budget?.spent ?? 0} tone={(budget?.spent ?? 0) > 1 ? "bad" : "accent"} />
                      <span class="number">{budget?.spent == null ? <span class="unknown">unknown</span> : percent(budget.spent)}</span>
                      <span class="certainty">
                        {budget?.low != null && budget.high != null ? `${percent(budget.low)} – ${percent(budget.high)} · ` : ""}n {count(budget ? Math.round(budget.n) : null)}
                      </span>
                    </span>
                  </td>
                  <td>{budget ? <Badge state={budget.state} /> : null}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      ) : null}
    </Panel>
  );
}
