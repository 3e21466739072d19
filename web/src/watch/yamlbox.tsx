// A declaration as a file: read it, copy it, change it, apply it.

import { useEffect, useState } from "preact/hooks";
import { callText, call } from "../api/client";
import { useInvalidate } from "../api/queries";
import { CopyButton } from "../ui/copy";
import { useAction } from "../ui/form";
import { ErrorNote } from "../ui/states";

interface Applied {
  created: string[];
  updated: string[];
}

/** The text of everything at `path`, to edit and to apply. */
export function YamlBox({ path, refresh, name, hint }: { path: string; refresh: string; name: string; hint: string }) {
  const [text, setText] = useState<string | null>(null);
  const [applied, setApplied] = useState<Applied | null>(null);
  const action = useAction();
  const invalidate = useInvalidate();
  useEffect(() => {
    void action.run(async () => setText(await callText(path)));
  }, [path]);
  const apply = () =>
    void action.run(async () => {
      setApplied(await call<Applied>(path, { method: "PUT", file: new Blob([text ?? ""]) }));
      await invalidate(refresh);
    });
  return (
    <div class="sheet">
      <p class="quiet-text">{hint}</p>
      <textarea class="code-input" rows={14} aria-label={name} spellcheck={false} value={text ?? ""} disabled={text === null} onInput={(event) => setText(event.currentTarget.value)} />
      {action.error ? <ErrorNote error={action.error} /> : null}
      {applied && !action.error ? (
        <div class="note note-good" role="status">
          Applied: {applied.created.length} made, {applied.updated.length} replaced.
        </div>
      ) : null}
      <div class="row">
        <button type="button" class="button primary" disabled={text === null || action.isBusy} onClick={apply}>
          Apply
        </button>
        <CopyButton text={text ?? ""} />
      </div>
    </div>
  );
}
