// Retrieved documents in rank order: score, age, content.

import { useMemo } from "preact/hooks";
import type { DocumentRow } from "../api/types";
import { ago, bytes, compact, count, visible } from "../lib/format";
import { Bar } from "./sparkline";
import { JsonView, LongText } from "./text";

const AGE_KEYS = ["updated_at", "last_modified", "modified_at", "updated", "indexed_at", "timestamp", "published_at", "created_at", "date", "last_updated", "mtime"];

function ageOf(metadata: Record<string, unknown>): string {
  if (typeof metadata["age_days"] === "number") return `${compact(metadata["age_days"])} d old`;
  for (const key of AGE_KEYS) {
    const value = metadata[key];
    const ms = typeof value === "string" ? Date.parse(value) : typeof value === "number" ? (value > 1e11 ? value : value * 1000) : NaN;
    if (Number.isFinite(ms)) return ago(ms).replace(" ago", " old");
  }
  return "age unknown";
}

/** The documents of a retrieval or rerank. */
export function Documents({ documents, query, loadAll }: { documents: DocumentRow[]; query: string; loadAll: () => void }) {
  const top = useMemo(() => Math.max(...documents.map((document) => document.score ?? 0), 0), [documents]);
  return (
    <>
      {query ? (
        <p class="content document-query">
          <span class="quiet-text">Asked for</span> {visible(query)}
        </p>
      ) : null}
    <ol class="documents">
      {documents.map((document, at) => {
        const metadata = document.metadata ?? {};
        return (
          <li key={at} class="document">
            <header>
              <span class="document-rank">{count(document.rank + 1)}</span>
              <code class="document-id">{visible(document.id || "(no id)")}</code>
              <span class="quiet-text">{ageOf(metadata)}</span>
              <span class="document-score">
                {document.score == null ? (
                  <span class="unknown">score unknown</span>
                ) : (
                  <>
                    <Bar share={top > 0 ? document.score / top : 0} /> <span class="number">{compact(document.score)}</span>
                  </>
                )}
              </span>
            </header>
            {document.content ? <LongText text={document.content} /> : <p class="quiet-text">No content was sent.</p>}
            {document.cut ? (
              <button type="button" class="button small" onClick={loadAll}>
                {bytes(document.cut)} more are left out · load all
              </button>
            ) : null}
            {Object.keys(metadata).length ? (
              <details>
                <summary>Metadata</summary>
                <JsonView value={metadata} />
              </details>
            ) : null}
          </li>
        );
      })}
    </ol>
    </>
  );
}
