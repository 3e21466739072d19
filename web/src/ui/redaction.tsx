// Redaction: what is taken out of telemetry before it is stored.

import { useState } from "preact/hooks";
import { ApiError, call, currentProject } from "../api/client";
import { useGet, useInvalidate } from "../api/queries";
import { phrase, visible } from "../lib/format";
import { useAction } from "./form";
import { Empty, ErrorNote, Panel, Skeleton } from "./states";

interface Pattern {
  name: string;
  pattern: string;
}

interface RedactionRules {
  secrets: boolean;
  personal: string[];
  patterns: Pattern[];
  reversible: string[];
  recognisers: string[];
}

const NAMES: Record<string, string> = { email: "Email address", phone: "Phone number", card: "Card number", iban: "IBAN", us_ssn: "US social security number", ip_address: "IP address" };

/** The rules of the project. */
export function Redaction() {
  const rules = useGet<RedactionRules>("/redaction", {}, { staleMs: 60_000 });
  return (
    <>
      <Panel title="Redaction">
        <p class="lead">What these rules find is taken out when telemetry arrives, before anything is stored. They hold from now on; what is stored already stays as it is.</p>
        {rules.error ? <ErrorNote error={rules.error} retry={() => void rules.refetch()} /> : null}
        {rules.isPending ? <Skeleton lines={6} /> : null}
        {rules.data ? <Editor key={currentProject()} rules={rules.data} /> : null}
      </Panel>
      <OpenSealed />
    </>
  );
}

function flipped(names: string[], name: string, isIn: boolean): string[] {
  return isIn ? [...names.filter((other) => other !== name), name] : names.filter((other) => other !== name);
}

function Editor({ rules }: { rules: RedactionRules }) {
  const [draft, setDraft] = useState(rules);
  const [isSaved, setIsSaved] = useState(false);
  const invalidate = useInvalidate();
  const action = useAction();
  const change = (part: Partial<RedactionRules>) => {
    setDraft({ ...draft, ...part });
    setIsSaved(false);
  };
  const found = [...draft.personal, ...draft.patterns.map((pattern) => pattern.name)];
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const body = { secrets: draft.secrets, personal: draft.personal, patterns: draft.patterns, reversible: draft.reversible.filter((name) => found.includes(name)) };
    void action.run(() => call("/redaction", { method: "PUT", body })).then((ok) => {
      if (!ok) return;
      setIsSaved(true);
      void invalidate("/redaction");
    });
  };
  const error = action.error instanceof ApiError ? action.error : null;
  const badRow = error?.field?.startsWith("patterns") ? rowOf(draft.patterns, error.message) : -1;
  const sealed = (name: string) => (
    <label class="check">
      <input type="checkbox" checked={draft.reversible.includes(name)} onChange={(event) => change({ reversible: flipped(draft.reversible, name, event.currentTarget.checked) })} /> sealed, not dropped
    </label>
  );
  return (
    <form class="redaction" onSubmit={save}>
      <div class="row">
        <button type="button" class="switch" role="switch" aria-checked={draft.secrets} aria-label="Secrets" onClick={() => change({ secrets: !draft.secrets })}>
          {draft.secrets ? "on" : "off"}
        </button>
        <strong>Secrets</strong>
        <span class="quiet-text">Keys, tokens and passwords of known shapes. They are dropped for ever and never sealed.</span>
      </div>
      {draft.secrets ? null : <p class="note note-warn">Secrets in prompts will be stored and can be read by everyone in this project.</p>}
      <h3>Personal data</h3>
      <ul class="recognisers">
        {draft.recognisers.map((name) => (
          <li key={name}>
            <label class="check">
              <input type="checkbox" checked={draft.personal.includes(name)} onChange={(event) => change({ personal: flipped(draft.personal, name, event.currentTarget.checked) })} /> <strong>{NAMES[name] ?? phrase(name)}</strong>
            </label>
            {draft.personal.includes(name) ? sealed(name) : null}
          </li>
        ))}
      </ul>
      <h3>Own patterns</h3>
      {draft.patterns.length ? null : <p class="quiet-text">None yet. A pattern is a regular expression of RE2; where it has a group, the group is taken out.</p>}
      <ul class="patterns">
        {draft.patterns.map((pattern, at) => (
          <li key={at}>
            <input aria-label={`Name of pattern ${at + 1}`} value={pattern.name} required maxLength={40} placeholder="customer_number" onInput={(event) => change({ patterns: replaced(draft.patterns, at, { ...pattern, name: event.currentTarget.value }) })} />
            <input aria-label={`Pattern ${at + 1}`} class="code-input" aria-invalid={badRow === at} value={pattern.pattern} required maxLength={500} spellcheck={false} placeholder="C-[0-9]{8}" onInput={(event) => change({ patterns: replaced(draft.patterns, at, { ...pattern, pattern: event.currentTarget.value }) })} />
            {pattern.name ? sealed(pattern.name) : <span />}
            <button type="button" class="button small danger" onClick={() => change({ patterns: draft.patterns.filter((_, place) => place !== at) })}>
              Remove
            </button>
            {badRow === at ? (
              <p class="bad-text" role="alert">
                {visible(error?.message ?? "")}
              </p>
            ) : null}
          </li>
        ))}
      </ul>
      <div class="row">
        <button type="button" class="button small" onClick={() => change({ patterns: [...draft.patterns, { name: "", pattern: "" }] })}>
          Add a pattern
        </button>
      </div>
      <p class="quiet-text">What is sealed is encrypted in its place, so that an administrator can open it below; the rest is gone for ever.</p>
      {action.error && badRow < 0 ? <ErrorNote error={action.error} /> : null}
      <div class="row">
        <button type="submit" class="button primary" disabled={action.isBusy}>
          Save the rules
        </button>
        {isSaved ? (
          <span class="good-text" role="status">
            ✓ Saved; they hold for what arrives from now on.
          </span>
        ) : null}
      </div>
    </form>
  );
}

function replaced(patterns: Pattern[], at: number, pattern: Pattern): Pattern[] {
  return patterns.map((old, place) => (place === at ? pattern : old));
}

/** The pattern that a refusal is about: the one it names, else the only one. */
function rowOf(patterns: Pattern[], message: string): number {
  const named = patterns.findIndex((pattern) => pattern.name !== "" && message.includes(`'${pattern.name}'`));
  return named >= 0 ? named : patterns.length === 1 ? 0 : -1;
}

function OpenSealed() {
  const [text, setText] = useState("");
  const [opened, setOpened] = useState<string | null>(null);
  const action = useAction();
  const open = (event: SubmitEvent) => {
    event.preventDefault();
    setOpened(null);
    void action.run(async () => setOpened((await call<{ text: string }>("/redaction/open", { method: "POST", body: { text } })).text));
  };
  return (
    <Panel title="Open sealed values">
      <p class="lead">Paste text with sealed values. Only administrators may; the audit log keeps who did it.</p>
      <form class="redaction" onSubmit={open}>
        <textarea rows={3} required aria-label="Text with sealed values" value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <div class="row">
          <button type="submit" class="button" disabled={action.isBusy}>
            Open
          </button>
        </div>
      </form>
      {action.error ? <ErrorNote error={action.error} /> : null}
      {opened === null ? null : opened === text ? <Empty title="There is no sealed value of this project in the text" /> : <div class="content opened">{visible(opened)}</div>}
    </Panel>
  );
}
