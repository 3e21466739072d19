// The post-mortem as the server writes it: read, copied, downloaded.

import { useState } from "preact/hooks";
import { apiUrl, callText } from "../api/client";
import { CopyButton } from "../ui/copy";
import { useAction } from "../ui/form";
import { Markdown } from "../ui/markdown";
import { ErrorNote, Panel } from "../ui/states";

/** Written when it is asked for, since it tells what is known at that moment. */
export function PostMortem({ id }: { id: string }) {
  const [text, setText] = useState<string | null>(null);
  const action = useAction();
  const path = `/incidents/${encodeURIComponent(id)}/postmortem.md`;
  const write = () => void action.run(async () => setText(await callText(path)));
  return (
    <Panel
      title="Post-mortem"
      aside={
        <>
          {text === null ? null : <CopyButton text={text} />}
          <a class="button small" href={apiUrl(path)} download={`incident-${id}.md`}>
            Download
          </a>
          <button type="button" class="button small" disabled={action.isBusy} onClick={write}>
            {text === null ? "Write it" : "Write it again"}
          </button>
        </>
      }
    >
      {action.error ? <ErrorNote error={action.error} /> : null}
      {text === null ? <p class="quiet-text">What was known when, numbers with intervals, causes and actions, as Markdown.</p> : <Markdown text={text} />}
    </Panel>
  );
}
