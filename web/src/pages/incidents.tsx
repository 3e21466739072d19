// Incidents: open ones first, each with its most probable cause.

import { useMemo } from "preact/hooks";
import { useLocation } from "wouter";
import { useIncidents } from "../api/queries";
import type { Incident } from "../api/types";
import { ago, duration, moment, percent } from "../lib/format";
import { hrefTo, Link, useUrl } from "../url";
import { useKeys } from "../ui/keys";
import { Bar } from "../ui/sparkline";
import { Badge, Cut, Empty, ErrorNote, Panel, Skeleton } from "../ui/states";

/** Open incidents first, then the newest. */
export function ordered(incidents: Incident[]): Incident[] {
  const rank = (incident: Incident) => (incident.state === "resolved" ? 1 : 0);
  return [...incidents].sort((a, b) => rank(a) - rank(b) || b.opened_ms - a.opened_ms);
}

/** The incident list. */
export function Incidents() {
  const [params, setUrl] = useUrl();
  const [, navigate] = useLocation();
  const incidents = useIncidents();
  const state = params.get("state") ?? "";
  const rows = useMemo(() => ordered(incidents.data ?? []).filter((incident) => !state || (state === "open") === (incident.state !== "resolved")), [incidents.data, state]);
  const selected = rows.findIndex((incident) => incident.id === params.get("row"));
  const select = (at: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, at))];
    if (row) setUrl({ row: row.id }, false);
  };
  useKeys({
    j: () => select(selected + 1),
    k: () => select(selected - 1),
    Enter: () => rows[selected] && navigate(hrefTo(`/incidents/${rows[selected]?.id}`)),
  });
  return (
    <div class="page">
      <Panel
        title="Incidents"
        aside={
          <>
            <div class="segmented" role="group" aria-label="State">
              {[
                ["", "All"],
                ["open", "Open"],
                ["resolved", "Resolved"],
              ].map(([value, name]) => (
                <button type="button" key={name} aria-pressed={state === value} onClick={() => setUrl({ state: value ?? null })}>
                  {name}
                </button>
              ))}
            </div>
            <Cut shown={rows.length} total={incidents.data?.length ?? 0} word="incidents" />
          </>
        }
      >
        {incidents.error ? <ErrorNote error={incidents.error} retry={() => void incidents.refetch()} /> : null}
        {incidents.isPending ? <Skeleton lines={6} /> : null}
        {incidents.data && !rows.length ? (
          <Empty title={state ? "None in this state" : "No incidents"}>Monitors are watching; an incident opens by itself when one fires. See them under Monitors.</Empty>
        ) : null}
        <ul class="incident-list">
          {rows.map((incident, at) => (
            <IncidentLine key={incident.id} incident={incident} isSelected={at === selected} />
          ))}
        </ul>
      </Panel>
    </div>
  );
}

function IncidentLine({ incident, isSelected }: { incident: Incident; isSelected: boolean }) {
  const top = incident.finding?.hypotheses[0];
  const onset = incident.occurred_ms;
  return (
    <li class={isSelected ? "is-selected" : ""}>
      <Link to={`/incidents/${incident.id}`} class="incident-line">
        <span class="incident-number">#{incident.number}</span>
        <span class="incident-badges">
          <Badge state={incident.state} />
          <Badge state={incident.severity} />
        </span>
        <span class="incident-text">
          <strong>{incident.title}</strong>
          <span class="quiet-text">
            {incident.finding?.summary ?? (incident.resolved_ms ? "ended before it was diagnosed" : "being diagnosed")}
          </span>
        </span>
        <span class="incident-cause">
          {top ? (
            <>
              <span>{top.title}</span>
              <span class="incident-probability">
                <Bar share={top.probability} /> <span class="number">{percent(top.probability)}</span>
              </span>
            </>
          ) : (
            <span class="unknown">cause unknown</span>
          )}
        </span>
        <span class="incident-when">
          <span title={moment(onset)}>{ago(onset)}</span>
          <span class="quiet-text">{incident.resolved_ms ? `lasted ${duration(incident.resolved_ms - onset)}` : `open ${duration(Date.now() - onset)}`}</span>
        </span>
      </Link>
    </li>
  );
}
