// One price to set or change.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { call } from "../api/client";
import type { OwnPrice } from "../api/spend";
import { idOf } from "../lib/budget";
import { CLASSES, FEES, GPU, specOf, TIERS, WAYS, type Draft, type Kind } from "../lib/price";
import { Field, useAction } from "../ui/form";
import { ErrorNote } from "../ui/states";

const KINDS: Record<Kind, string> = { per_million: "USD a million tokens", list_factor: "a factor on the list", gpu: "machines by the hour" };
const FIRST_CLASSES = CLASSES.slice(0, 4);
const MACHINE: Record<string, string> = {
  usd_per_hour: "USD an hour, one machine",
  gpus: "Machines",
  concurrency: "Calls side by side",
  input_tokens_per_s: "Input tokens a second",
  output_tokens_per_s: "Output tokens a second",
};

interface Props {
  draft: Draft;
  price?: OwnPrice;
  taken: string[];
  done: () => void;
  cancel: () => void;
}

/** The form of a price. */
export function PriceForm({ draft: first, price, taken, done, cancel }: Props) {
  const [draft, setDraft] = useState(first);
  const action = useAction();
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const id = price?.id ?? idOf(`${draft.provider} ${draft.model}`, taken);
    void action.run(() => call(`/prices/${encodeURIComponent(id)}`, { method: "PUT", body: specOf(draft, price) })).then((ok) => ok && done());
  };
  return (
    <form class="sheet" onSubmit={save} aria-label="Price">
      <div class="sheet-grid">
        <Field label="Models whose name">
          <select value={draft.way} onChange={(event) => change({ way: event.currentTarget.value })}>
            {WAYS.map((way) => (
              <option key={way} value={way}>
                {way.replaceAll("_", " ")}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Model" class="is-wide">
          <input required maxLength={200} spellcheck={false} value={draft.model} onInput={(event) => change({ model: event.currentTarget.value })} placeholder="my-finetune-7b" />
        </Field>
        <Field label="Provider" hint="empty: any">
          <input maxLength={100} spellcheck={false} value={draft.provider} onInput={(event) => change({ provider: event.currentTarget.value })} />
        </Field>
        <Field label="Paid by">
          <select value={draft.kind} onChange={(event) => change({ kind: event.currentTarget.value as Kind })}>
            {Object.entries(KINDS).map(([kind, name]) => (
              <option key={kind} value={kind}>
                {name}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Note">
          <input maxLength={200} value={draft.name} onInput={(event) => change({ name: event.currentTarget.value })} placeholder="contract of 2026" />
        </Field>
      </div>
      {draft.kind === "per_million" ? <PerMillion draft={draft} change={change} /> : null}
      {draft.kind === "list_factor" ? (
        <Group title="Factor on the list, such as 0.85 for 15% off">
          <Amount name="factor" value={draft.factor} set={(factor) => change({ factor })} isRequired />
        </Group>
      ) : null}
      {draft.kind === "gpu" ? (
        <Group title="Machines">
          {GPU.map((name) => (
            <Amount key={name} name={MACHINE[name] ?? name} value={draft.gpu[name] ?? ""} set={(text) => change({ gpu: { ...draft.gpu, [name]: text } })} isRequired={name === "usd_per_hour"} />
          ))}
        </Group>
      ) : null}
      <Group title="Holds for calls">
        <Field label="From, UTC" hint="empty: always" class="is-wide">
          <input type="datetime-local" value={draft.from} onInput={(event) => change({ from: event.currentTarget.value })} />
        </Field>
        <Field label="Until before, UTC" hint="empty: open" class="is-wide">
          <input type="datetime-local" value={draft.to} onInput={(event) => change({ to: event.currentTarget.value })} />
        </Field>
        <label class="check">
          <input type="checkbox" checked={draft.isEvery} disabled={price !== undefined} onChange={(event) => change({ isEvery: event.currentTarget.checked })} /> in every project (owners only)
        </label>
      </Group>
      {price?.above.length ? <p class="quiet-text">This price also has steps for long inputs; they stay as they are.</p> : null}
      {action.error ? <ErrorNote error={action.error} /> : null}
      <div class="row">
        <button type="submit" class="button primary" disabled={action.isBusy}>
          {price ? "Save" : "Set the price"}
        </button>
        <button type="button" class="button" onClick={cancel}>
          Cancel
        </button>
        <span class="quiet-text">It holds for calls that come from now on; price history again below.</span>
      </div>
    </form>
  );
}

function PerMillion({ draft, change }: { draft: Draft; change: (part: Partial<Draft>) => void }) {
  const [isWhole, setIsWhole] = useState(CLASSES.slice(4).some((name) => draft.perMillion[name]) || Object.keys(draft.each).length + Object.keys(draft.tiers).length > 0);
  const classes = isWhole ? CLASSES : FIRST_CLASSES;
  return (
    <>
      <Group title="USD a million tokens; leave empty what is not priced apart">
        {classes.map((name) => (
          <Amount key={name} name={name.replaceAll("_", " ")} value={draft.perMillion[name] ?? ""} set={(text) => change({ perMillion: { ...draft.perMillion, [name]: text } })} isRequired={name === "input"} />
        ))}
        {isWhole ? null : (
          <button type="button" class="link-button" onClick={() => setIsWhole(true)}>
            sound, images, fees, tiers
          </button>
        )}
      </Group>
      {isWhole ? (
        <>
          <Group title="USD each">
            {FEES.map((name) => (
              <Amount key={name} name={name.replaceAll("_", " ")} value={draft.each[name] ?? ""} set={(text) => change({ each: { ...draft.each, [name]: text } })} />
            ))}
          </Group>
          <Group title="Factor on tokens of a tier">
            {TIERS.map((name) => (
              <Amount key={name} name={name.replaceAll("_", " ")} value={draft.tiers[name] ?? ""} set={(text) => change({ tiers: { ...draft.tiers, [name]: text } })} />
            ))}
          </Group>
        </>
      ) : null}
    </>
  );
}

function Group({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <fieldset class="sheet-group">
      <legend>{title}</legend>
      <div class="sheet-grid is-small">{children}</div>
    </fieldset>
  );
}

function Amount({ name, value, set, isRequired = false }: { name: string; value: string; set: (text: string) => void; isRequired?: boolean }) {
  return (
    <Field label={name}>
      <input type="number" min="0" step="any" required={isRequired} value={value} onInput={(event) => set(event.currentTarget.value)} />
    </Field>
  );
}
