// A runbook drawn from the blocks of our own small Markdown reader; there is no HTML in it.

import { useMemo } from "preact/hooks";
import { blocksOf, type Inline } from "../lib/markdown";
import { CopyBlock } from "./copy";

function Runs({ inline }: { inline: Inline[] }) {
  return (
    <>
      {inline.map((run, at) => {
        if (run.kind === "code") return <code key={at}>{run.text}</code>;
        if (run.kind === "strong") return <strong key={at}>{run.text}</strong>;
        if (run.kind === "em") return <em key={at}>{run.text}</em>;
        return run.text;
      })}
    </>
  );
}

/** A Markdown text as elements. */
export function Markdown({ text }: { text: string }) {
  const blocks = useMemo(() => blocksOf(text), [text]);
  return (
    <div class="markdown">
      {blocks.map((block, at) => {
        if (block.kind === "heading") {
          return block.level <= 2 ? (
            <h3 key={at}>
              <Runs inline={block.inline} />
            </h3>
          ) : (
            <h4 key={at}>
              <Runs inline={block.inline} />
            </h4>
          );
        }
        if (block.kind === "code") return <CopyBlock key={at} text={block.text} />;
        if (block.kind === "rule") return <hr key={at} />;
        if (block.kind === "paragraph") {
          return (
            <p key={at}>
              <Runs inline={block.inline} />
            </p>
          );
        }
        const items = block.items.map((item, place) => (
          <li key={place}>
            <Runs inline={item} />
          </li>
        ));
        return block.isOrdered ? <ol key={at}>{items}</ol> : <ul key={at}>{items}</ul>;
      })}
    </div>
  );
}
