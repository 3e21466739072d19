// Monitors with the state of each of their groups, and SLOs with what is left of their budgets.

import { useState } from "preact/hooks";
import { call } from "../api/client";
import { useGet, useInvalidate, useMeasures } from "../api/queries";
import { ago, count, measured, percent } from "../lib/format";
import { budgetOf, sloName, type Slo } from "./slo";
import { Bar } from "./sparkline";
import { Badge, Empty, ErrorNote, Panel, Skeleton } from "./states";

interface Group {
  group?: Record<string, string>;
  group_key?: string;
  state: string;
  value?: number | null;
  n?: number | null;
  since_ms?: number | null;
}

interface Monitor {
  id: string;
  enabled: boolean;
  name?: string;
  spec: Record<string, unknown>;
  states?: Group[];
  groups?: Group[];
  state?: Group[] | string;
  [key: string]: unknown;
}

const GROUPS_SHOWN = 8;

function groupsOf(monitor: Monitor): Group[] {
  if (Array.isArray(monitor.states)) return monitor.states;
  if (Array.isArray(monitor.groups)) return monitor.groups;
  if (Array.isArray(monitor.state)) return monitor.state;
  return typeof monitor.state === "string" ? [{ state: monitor.state }] : [];
}

function word(monitor: Monitor, name: string): string {
  const value = monitor.spec?.[name] ?? monitor[name];
  return value === undefined || value === null ? "" : Array.isArray(value) ? value.join(", ") : String(value);
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
  const [error, setError] = useState<unknown>(null);
  const rank: Record<string, number> = { firing: 0, pending: 1, insufficient_data: 2, resolved: 3, ok: 4 };
  const groups = [...groupsOf(monitor)].sort((a, b) => (rank[a.state] ?? 9) - (rank[b.state] ?? 9));
  const info = measures.data?.find((item) => item.id === word(monitor, "measure"));
  const turn = async () => {
    try {
      await call(`/monitors/${encodeURIComponent(monitor.id)}`, { method: "PUT", body: { spec: monitor.spec, enabled: !monitor.enabled } });
      setError(null);
      await invalidate("/monitors");
    } catch (failure) {
      setError(failure);
    }
  };
  const facts = [
    word(monitor, "measure").replaceAll("_", " "),
    word(monitor, "by") || word(monitor, "group_by") ? `by ${word(monitor, "by") || word(monitor, "group_by")}` : "",
    word(monitor, "filter") ? `where ${word(monitor, "filter")}` : "",
    (word(monitor, "detector") || word(monitor, "method") || word(monitor, "kind")).replaceAll("_", " "),
  ].filter(Boolean);
  return (
    <li class={monitor.enabled ? "" : "is-off"}>
      <div class="row">
        <strong>{word(monitor, "name") || monitor.id}</strong>
        <span class="quiet-text">{facts.join(" · ")}</span>
        <span class="spring" />
        {word(monitor, "severity") ? <span class="tag">{word(monitor, "severity")}</span> : null}
        <button type="button" class="switch" role="switch" aria-checked={monitor.enabled} aria-label={`Monitor ${word(monitor, "name") || monitor.id}`} onClick={() => void turn()}>
          <span>{monitor.enabled ? "on" : "off"}</span>
        </button>
      </div>
      {word(monitor, "help") ? <p class="quiet-text">{word(monitor, "help")}</p> : null}
      {error ? <ErrorNote error={error} /> : null}
      <div class="groups">
        {groups.slice(0, GROUPS_SHOWN).map((group, at) => (
          <span key={at} class="group">
            <Badge state={group.state} />
            <span>
              {group.group && Object.keys(group.group).length
                ? Object.entries(group.group).map(([name, value]) => `${name} ${value || "(not said)"}`).join(", ")
                : group.group_key || "whole project"}
            </span>
            {group.value != null ? <span class="number">{measured(group.value, info?.unit ?? "", info?.kind ?? "")}</span> : null}
            {group.n != null ? <span class="certainty">n {count(Math.round(group.n))}</span> : null}
            {group.since_ms ? <span class="certainty">since {ago(group.since_ms)}</span> : null}
          </span>
        ))}
        {groups.length > GROUPS_SHOWN ? (
          <span class="cut">
            {GROUPS_SHOWN} of {count(groups.length)} groups
          </span>
        ) : null}
        {groups.length ? null : <Badge state="insufficient_data" label="not evaluated yet" />}
      </div>
    </li>
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
              const budget = budgetOf(slo);
              const target = Number(slo.objective ?? slo.target ?? slo.spec?.["objective"] ?? slo.spec?.["target"]);
              return (
                <tr key={slo.id}>
                  <th scope="row">{sloName(slo)}</th>
                  <td class="number">{Number.isFinite(target) ? percent(target) : <span class="unknown">unknown</span>}</td>
                  <td>
                    <span class="pair wide">
                      <Bar share={budget.spent ?? 0} tone={(budget.spent ?? 0) > 1 ? "bad" : "accent"} />
                      <span class="number">{budget.spent == null ? <span class="unknown">unknown</span> : percent(budget.spent)}</span>
                      <span class="certainty">
                        {budget.low != null && budget.high != null ? `${percent(budget.low)} – ${percent(budget.high)} · ` : ""}n {count(budget.n == null ? null : Math.round(budget.n))}
                      </span>
                    </span>
                  </td>
                  <td>{budget.state ? <Badge state={budget.state} /> : null}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      ) : null}
    </Panel>
  );
}
