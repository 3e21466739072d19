// The change log: what was told and what was seen in the telemetry, and what each did.

import { useState } from "preact/hooks";
import { useGet } from "../api/queries";
import type { Change } from "../api/types";
import { kindsOf, windowAround } from "../lib/changelog";
import { moment, percent } from "../lib/format";
import { Choice } from "../ui/form";
import { EvidenceQuery, hasQuery } from "../ui/evidence";
import { Cut, Empty, ErrorNote, Panel, Skeleton } from "../ui/states";
import { Link, useRange, useUrl } from "../url";
import "../styles/respond.css";

const LIMIT = 500;

/** The changes of the range, the newest first. */
export function Changes() {
  const [params, setUrl] = useUrl();
  const range = useRange();
  const changes = useGet<Change[]>("/changes", { from: range.fromS, to: range.toS, limit: LIMIT });
  const kind = params.get("kind") ?? "";
  const kinds = kindsOf(changes.data ?? []);
  const rows = (changes.data ?? []).filter((change) => !kind || change.kind === kind);
  const names = Object.fromEntries([["", "all kinds"], ...kinds.map(([name, n]) => [name, `${name.replaceAll("_", " ")} (${n})`])]) as Record<string, string>;
  return (
    <div class="page">
      <Panel
        title="Changes"
        aside={
          <>
            <Choice label="Kind" value={kind} options={[...new Set(["", ...kinds.map(([name]) => name), kind])]} names={names} choose={(value) => setUrl({ kind: value || null })} />
            {changes.data ? <Cut shown={rows.length} total={changes.data.length} isExact={changes.data.length < LIMIT} word="changes" /> : null}
          </>
        }
      >
        {changes.error ? <ErrorNote error={changes.error} retry={() => void changes.refetch()} /> : null}
        {changes.isPending ? <Skeleton lines={6} /> : null}
        {changes.data && !rows.length ? (
          <Empty title={kind ? "No change of this kind in this range" : "Nothing changed in this range"}>
            New models, prompt versions, indexes and service versions are seen in the telemetry; deploys can be told through POST /api/v1/changes.
          </Empty>
        ) : null}
        <ol class="change-log">
          {rows.map((change) => (
            <ChangeRow key={change.change_id} change={change} />
          ))}
        </ol>
        {changes.data?.length === LIMIT ? <p class="cut">The newest {LIMIT} are shown; choose a shorter range for older ones.</p> : null}
      </Panel>
    </div>
  );
}

function ChangeRow({ change }: { change: Change }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <li>
      <div class="change-line">
        <time class="quiet-text">{moment(change.time_ms)}</time>
        <span>
          <span class="tag">{change.kind.replaceAll("_", " ")}</span>
        </span>
        <span class="change-title">
          {change.title}
          {change.before || change.after ? (
            <span class="change-values">
              <code>{change.before || "—"}</code> → <code>{change.after || "—"}</code>
            </span>
          ) : null}
        </span>
        <span class="quiet-text">
          {change.share == null ? "" : `${change.share_before == null ? "" : `${percent(change.share_before)} → `}${percent(change.share)} of traffic · `}
          {change.source}
        </span>
        <span class="row">
          {hasQuery(change.query) ? (
            <button type="button" class="link-button" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
              Evidence
            </button>
          ) : null}
          <Link to="/" set={{ ...windowAround(change.time_ms, Date.now() / 1000), filter: null, explain: "1" }}>
            Explain around it
          </Link>
        </span>
      </div>
      {isOpen && hasQuery(change.query) ? <EvidenceQuery query={change.query} onsetMs={change.time_ms} /> : null}
    </li>
  );
}
