// Content as text: folded when long, in virtual lines when very long, never as markup.

import { useMemo, useState } from "preact/hooks";
import { count, visible } from "../lib/format";
import type { Mark } from "../lib/highlights";
import { runsOf } from "../lib/highlights";
import { jsonLines, maybeJson } from "../lib/json";
import { Icon } from "./icons";
import { VirtualList } from "./virtual";

const FOLDED_CHARACTERS = 1_600;
const VIRTUAL_CHARACTERS = 20_000;
const LINE_CHARACTERS = 140;

/** A text of any length. */
export function LongText({ text, marks = [] }: { text: string; marks?: Mark[] }) {
  const [isOpen, setIsOpen] = useState(false);
  if (text.length > VIRTUAL_CHARACTERS && isOpen) return <VirtualText text={text} />;
  const isCut = text.length > FOLDED_CHARACTERS && !isOpen;
  const shown = isCut ? text.slice(0, FOLDED_CHARACTERS) : text;
  const runs = runsOf(shown, marks.filter((mark) => mark.end <= shown.length));
  return (
    <>
      <div class="content">
        {runs.map((run, at) =>
          run.tone ? (
            <mark key={at} class={`mark ${run.tone}`} title={run.note}>
              <span class="mark-sign" aria-label={run.tone === "bad" ? "not supported" : "supported"}>
                {run.tone === "bad" ? "✕" : "✓"}
              </span>
              {visible(run.text)}
            </mark>
          ) : (
            visible(run.text)
          ),
        )}
        {isCut ? "…" : ""}
      </div>
      {isCut ? (
        <button type="button" class="link-button" onClick={() => setIsOpen(true)}>
          {count(FOLDED_CHARACTERS)} of {count(text.length)} characters · show all
        </button>
      ) : null}
    </>
  );
}

function VirtualText({ text }: { text: string }) {
  const lines = useMemo(() => {
    const found: string[] = [];
    for (const line of text.split("\n")) {
      for (let at = 0; at < Math.max(line.length, 1); at += LINE_CHARACTERS) found.push(line.slice(at, at + LINE_CHARACTERS));
    }
    return found;
  }, [text]);
  return <VirtualList class="virtual-text" label="Text" count={lines.length} rowHeight={18} row={(at) => <div key={at} class="text-line">{visible(lines[at] ?? "") || " "}</div>} />;
}

/** A JSON value in lines that fold. */
export function JsonView({ value, isTall = false }: { value: unknown; isTall?: boolean }) {
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const lines = useMemo(() => jsonLines(value, folded), [value, folded]);
  const flip = (path: string) => {
    const next = new Set(folded);
    if (!next.delete(path)) next.add(path);
    setFolded(next);
  };
  const height = isTall ? undefined : `${Math.min(lines.length, 18) * 19 + 8}px`;
  return (
    <div class={`json ${isTall ? "is-tall" : ""}`} style={height ? { height } : {}}>
      <VirtualList
        label="JSON"
        count={lines.length}
        rowHeight={19}
        row={(at) => {
          const line = lines[at];
          if (!line) return null;
          return (
            <div key={line.path} class="json-line" style={{ paddingLeft: `${line.depth * 14 + 18}px` }}>
              {line.size > 0 ? (
                <button type="button" class="json-fold" aria-label={line.isOpen ? "Fold" : "Unfold"} onClick={() => flip(line.path)}>
                  <Icon name={line.isOpen ? "down" : "right"} size={11} />
                </button>
              ) : null}
              {line.key !== "" ? <span class="json-key">{visible(line.key)}: </span> : null}
              <span class={`json-${line.kind}`}>{visible(line.text)}</span>
              {line.size > 0 && !line.isOpen ? <span class="cut"> {count(line.size)} items</span> : null}
            </div>
          );
        }}
      />
    </div>
  );
}

/** A value that may be text, JSON in a text, or JSON. */
export function AnyValue({ value, marks = [] }: { value: unknown; marks?: Mark[] }) {
  const read = useMemo(() => maybeJson(value), [value]);
  if (read === null || read === undefined) return <span class="quiet-text">(nothing)</span>;
  if (typeof read === "string") return <LongText text={read} marks={marks} />;
  if (typeof read === "object") return <JsonView value={read} />;
  return <span class="number">{String(read)}</span>;
}
