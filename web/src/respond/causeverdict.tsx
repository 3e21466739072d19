// A person's verdict on a cause: accepted or rejected, with the reason, kept in the audit log.

import { useState } from "preact/hooks";
import type { Incident } from "../api/types";
import { ErrorNote } from "../ui/states";
import { useActing } from "./acting";

/** What people said of a cause, and the way to say it. */
export function CauseVerdict({ incident, cause }: { incident: Incident; cause: string }) {
  const [reason, setReason] = useState("");
  const acting = useActing(incident.id);
  const said = incident.accepted_cause === cause ? "accepted" : incident.rejected_causes.includes(cause) ? "rejected" : "";
  const judge = async (verdict: string) => {
    if (await acting.act("POST", "/cause", { cause, verdict, reason: reason.trim() })) setReason("");
  };
  return (
    <div class="cause-verdict">
      <span class={`tag ${said === "accepted" ? "good" : said === "rejected" ? "bad" : ""}`}>{said ? `${said} by a person` : "not judged by a person"}</span>
      <input type="text" maxLength={2000} value={reason} aria-label={`Reason for the verdict on ${cause}`} placeholder="Why?" onInput={(event) => setReason(event.currentTarget.value)} />
      <button type="button" class="button small" disabled={acting.isBusy || !reason.trim() || said === "accepted"} onClick={() => void judge("accepted")}>
        Accept
      </button>
      <button type="button" class="button small" disabled={acting.isBusy || !reason.trim() || said === "rejected"} onClick={() => void judge("rejected")}>
        Reject
      </button>
      {acting.error ? <ErrorNote error={acting.error} /> : null}
    </div>
  );
}
