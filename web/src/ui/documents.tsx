// Retrieved documents in rank order: score, age, content.

import { useMemo } from "preact/hooks";
import type { DocumentRow } from "../api/types";
import { ago, compact, count, visible } from "../lib/format";
import { maybeJson } from "../lib/json";
import { Bar } from "./sparkline";
import { JsonView, LongText } from "./text";

const AGE_KEYS = ["updated_at", "last_modified", "modified", "indexed_at", "created_at", "timestamp", "date"];

function metadataOf(document: DocumentRow): Record<string, unknown> {
  const value = maybeJson(document.metadata);
  return value && typeof value === "object" ? (value as Record<string, unknown>) : {};
}

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
export function Documents({ documents }: { documents: DocumentRow[] }) {
  const top = useMemo(() => Math.max(...documents.map((document) => document.score ?? 0), 0), [documents]);
  return (
    <ol class="documents">
      {documents.map((document, at) => {
        const metadata = metadataOf(document);
        return (
          <li key={at} class="document">
            <header>
              <span class="document-rank">{count(document.rank ?? at + 1)}</span>
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
  );
}
