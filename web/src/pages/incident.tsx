// One incident: what happened, why, how sure that is, and what to do.

import { useState } from "preact/hooks";
import { call } from "../api/client";
import { useGet, useInvalidate } from "../api/queries";
import type { Incident as IncidentData } from "../api/types";
import { ago, duration, moment, percent, phrase } from "../lib/format";
import { hrefTo, Link } from "../url";
import { useKeys } from "../ui/keys";
import { Icon } from "../ui/icons";
import { Changes, Decompositions, Examples, Segments, Stages } from "../ui/findingparts";
import { Episodes } from "../respond/episodes";
import { CauseVerdict } from "../respond/causeverdict";
import { Clocks } from "../respond/clocks";
import { Description } from "../respond/description";
import { Phases } from "../respond/phases";
import { PostMortem } from "../respond/postmortem";
import { RunbookRuns } from "../respond/runs";
import "../styles/respond.css";
import { Conditionings, InfrastructureCandidates } from "../ui/candidates";
import { Hypotheses } from "../ui/hypotheses";
import { Markdown } from "../ui/markdown";
import { Narrative } from "../ui/narrative";
import { Badge, Empty, ErrorNote, Panel, Skeleton } from "../ui/states";
import { AnyValue } from "../ui/text";
import { useLocation } from "wouter";

/** The incident screen. */
export function Incident({ id }: { id: string }) {
  const incident = useGet<IncidentData>(`/incidents/${encodeURIComponent(id)}`, {}, { refetchMs: 10_000 });
  const [, navigate] = useLocation();
  useKeys({ Escape: () => navigate(hrefTo("/incidents", { row: id })) });
  if (incident.error) {
    return (
      <div class="page">
        <ErrorNote error={incident.error} retry={() => void incident.refetch()} />
      </div>
    );
  }
  if (!incident.data) {
    return (
      <div class="page">
        <Skeleton lines={3} />
        <Skeleton tall />
      </div>
    );
  }
  const data = incident.data;
  const finding = data.finding;
  return (
    <div class="page incident">
      <Head incident={data} />
      <div class="incident-columns">
        <div class="incident-main">
          {finding ? <Narrative finding={finding} /> : null}
          {finding ? <Hypotheses finding={finding} judge={(cause) => <CauseVerdict incident={data} cause={cause} />} /> : <Empty title="Not diagnosed yet">A diagnosis follows within a minute of the first firing monitor.</Empty>}
          {finding ? <Stages finding={finding} /> : null}
          {finding ? <Conditionings finding={finding} /> : null}
          {finding ? <Segments finding={finding} /> : null}
          {finding ? <InfrastructureCandidates finding={finding} /> : null}
          {finding ? <Decompositions finding={finding} /> : null}
          <PostMortem id={id} />
        </div>
        <div class="incident-side">
          <Clocks incident={data} />
          <Description incident={data} />
          {data.runbook?.markdown ? (
            <Panel title="Runbook" aside={<span class="tag">{data.runbook.cause.replaceAll("_", " ")}</span>}>
              <Markdown text={data.runbook.markdown} />
            </Panel>
          ) : null}
          {data.runbook?.markdown ? <RunbookRuns incident={data} name={data.runbook.cause} /> : null}
          {finding ? <Changes finding={finding} /> : null}
          {finding ? <Examples finding={finding} /> : null}
          <Episodes incident={data} />
          <Events incident={data} />
        </div>
      </div>
    </div>
  );
}

function Head({ incident }: { incident: IncidentData }) {
  const finding = incident.finding;
  const top = finding?.hypotheses[0];
  const onset = incident.occurred_ms;
  return (
    <header class="incident-head">
      <div class="incident-title">
        <Link to="/incidents" set={{ row: incident.id }} class="icon-button" aria-label="Back to incidents">
          <Icon name="left" />
        </Link>
        <span class="incident-number">#{incident.number}</span>
        <h1>{incident.title}</h1>
        <Badge state={incident.state} />
        <Badge state={incident.severity} />
        {incident.level ? <span class="tag">{incident.level}</span> : null}
        <span class="spring" />
        <Actions incident={incident} />
      </div>
      <div class="incident-headline">
        {top && finding?.verdict !== "not_identifiable" ? (
          <p class="verdict">
            <span class="verdict-number">{percent(top.probability)}</span> probable cause: <strong>{top.title}</strong>
          </p>
        ) : finding ? (
          <p class="verdict">
            <strong>{finding.verdict === "not_identifiable" ? "The cause is not identifiable from the data" : phrase(finding.verdict)}</strong>
          </p>
        ) : null}
        <dl class="facts facts-band">
          <div>
            <dt>Began</dt>
            <dd title={moment(onset)}>
              {moment(onset, Date.now(), false)} · {ago(onset)}
            </dd>
          </div>
          <div>
            <dt>Noticed after</dt>
            <dd>{duration(Math.max(0, incident.opened_ms - onset))}</dd>
          </div>
          <div>
            <dt>{incident.resolved_ms ? "Lasted" : "Open for"}</dt>
            <dd>{duration((incident.resolved_ms ?? Date.now()) - onset)}</dd>
          </div>
          {finding ? (
            <div>
              <dt>Measure</dt>
              <dd>{phrase(finding.measure)}</dd>
            </div>
          ) : null}
        </dl>
      </div>
    </header>
  );
}

function Actions({ incident }: { incident: IncidentData }) {
  const invalidate = useInvalidate();
  const [note, setNote] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const act = async (action: string, text = "") => {
    setIsBusy(true);
    try {
      await call(`/incidents/${encodeURIComponent(incident.id)}/${action}`, { method: "POST", body: { note: text } });
      setError(null);
      setNote(null);
      await Promise.all([invalidate(`/incidents/${encodeURIComponent(incident.id)}`), invalidate("/incidents")]);
    } catch (failure) {
      setError(failure);
    }
    setIsBusy(false);
  };
  return (
    <div class="actions">
      {incident.state === "open" ? (
        <button type="button" class="button primary" disabled={isBusy} onClick={() => void act("acknowledge")}>
          Acknowledge
        </button>
      ) : null}
      {incident.state !== "resolved" ? (
        <button type="button" class="button" disabled={isBusy} onClick={() => void act("resolve")}>
          Resolve
        </button>
      ) : null}
      <Phases incident={incident} />
      <button type="button" class="button" onClick={() => setNote(note === null ? "" : null)} aria-expanded={note !== null}>
        Note
      </button>
      {note !== null ? (
        <form
          class="note-form"
          onSubmit={(event) => {
            event.preventDefault();
            if (note.trim()) void act("note", note.trim());
          }}
        >
          <textarea value={note} onInput={(event) => setNote(event.currentTarget.value)} rows={3} aria-label="Note" placeholder="What did you see or do?" />
          <button type="submit" class="button primary" disabled={isBusy || !note.trim()}>
            Save the note
          </button>
        </form>
      ) : null}
      {error ? <ErrorNote error={error} /> : null}
    </div>
  );
}

function Events({ incident }: { incident: IncidentData }) {
  const events = [...(incident.events ?? [])].sort((a, b) => b.time_ms - a.time_ms);
  return (
    <Panel title="Timeline">
      {events.length ? null : <Empty title="Nothing recorded yet" />}
      <ol class="timeline">
        {events.map((event, at) => (
          <li key={at}>
            <time class="quiet-text" title={moment(event.time_ms)}>
              {moment(event.time_ms)}
            </time>
            <div>
              <strong>{phrase(event.kind)}</strong> <span class="quiet-text">{event.actor}</span>
              <EventDetail detail={event.detail} />
            </div>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function EventDetail({ detail }: { detail: unknown }) {
  if (!detail || (typeof detail === "object" && Object.keys(detail).length === 0)) return null;
  const note = typeof detail === "object" ? (detail as Record<string, unknown>)["note"] : detail;
  if (typeof note === "string") return note ? <p class="content">{note}</p> : null;
  return (
    <details>
      <summary>Detail</summary>
      <AnyValue value={detail} />
    </details>
  );
}
