// Where an incident goes next.

import type { Incident } from "../api/types";
import { phrase } from "../lib/format";
import { nextPhases } from "../lib/phases";
import { ErrorNote } from "../ui/states";
import { useActing } from "./acting";

/** The phase and the ways out of it. */
export function Phases({ incident }: { incident: Incident }) {
  const acting = useActing(incident.id);
  const next = nextPhases(incident.phase);
  return (
    <>
      <label class="choice">
        Phase
        <select value={incident.phase} disabled={acting.isBusy || !next.length} onChange={(event) => void acting.act("POST", "/phase", { phase: event.currentTarget.value, note: "" })}>
          {[incident.phase, ...next].map((phase) => (
            <option key={phase} value={phase}>
              {phrase(phase)}
            </option>
          ))}
        </select>
      </label>
      {acting.error ? <ErrorNote error={acting.error} /> : null}
    </>
  );
}
