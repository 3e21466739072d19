// How severe an incident is, who does what, and when people knew.

import { useState } from "preact/hooks";
import { useGet } from "../api/queries";
import type { Incident } from "../api/types";
import { fromInput, localInput } from "../lib/clocks";
import { Field } from "../ui/form";
import { ErrorNote, Panel } from "../ui/states";
import { useActing } from "./acting";

interface Level {
  level: string;
  name: string;
  criteria: string[];
}

const ROLES = ["lead", "comms", "scribe"];
const TIMES = [
  ["aware_ms", "Aware since"],
  ["causal_link_ms", "Causal link since"],
  ["mitigated_ms", "Mitigated since"],
] as const;

/** The form; only what was changed is sent. */
export function Description({ incident }: { incident: Incident }) {
  const levels = useGet<Level[]>("/incident-levels", {}, { staleMs: 300_000 });
  const acting = useActing(incident.id);
  const [changes, setChanges] = useState<Record<string, unknown>>({});
  const set = (name: string, value: unknown) => setChanges({ ...changes, [name]: value });
  const roles = (changes["roles"] as Record<string, string> | undefined) ?? incident.roles;
  const level = String(changes["level"] ?? incident.level);
  const criteria = levels.data?.find((item) => item.level === level)?.criteria ?? [];
  const isChanged = Object.keys(changes).length > 0;
  const save = async (event: Event) => {
    event.preventDefault();
    if (await acting.act("PATCH", "", changes)) setChanges({});
  };
  return (
    <Panel title="Response">
      <form class="response-form" aria-label="Response" onSubmit={(event) => void save(event)}>
        <Field label="Severity" hint={criteria.length ? criteria.join("; or ") : "not said yet"}>
          <select value={level} onChange={(event) => set("level", event.currentTarget.value)}>
            <option value="">not said</option>
            {(levels.data ?? []).map((item) => (
              <option key={item.level} value={item.level}>
                {item.level} {item.name}
              </option>
            ))}
          </select>
        </Field>
        {ROLES.map((role) => (
          <Field key={role} label={role[0]?.toUpperCase() + role.slice(1)}>
            <input type="text" maxLength={200} value={roles[role] ?? ""} onInput={(event) => set("roles", { ...roles, [role]: event.currentTarget.value })} />
          </Field>
        ))}
        {TIMES.map(([name, label]) => (
          <Field key={name} label={label}>
            <input type="datetime-local" value={localInput(name in changes ? (changes[name] as number | null) : incident.clocks[name])} onInput={(event) => set(name, fromInput(event.currentTarget.value))} />
          </Field>
        ))}
        {levels.error ? <ErrorNote error={levels.error} /> : null}
        {acting.error ? <ErrorNote error={acting.error} /> : null}
        <button type="submit" class="button primary" disabled={!isChanged || acting.isBusy}>
          Save the response
        </button>
      </form>
    </Panel>
  );
}
