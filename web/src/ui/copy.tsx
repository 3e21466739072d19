// Text to be copied.

import { useState } from "preact/hooks";

/** A button that copies a text and says that it did. */
export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [isDone, setIsDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setIsDone(true);
    window.setTimeout(() => setIsDone(false), 1500);
  };
  return (
    <button type="button" class="button small" onClick={() => void copy()}>
      {isDone ? "Copied" : label}
    </button>
  );
}

/** A block of lines with a copy button. */
export function CopyBlock({ text }: { text: string }) {
  return (
    <div class="copy-block">
      <pre>{text}</pre>
      <CopyButton text={text} />
    </div>
  );
}
