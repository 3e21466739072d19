// The story of an incident; each sentence opens the query it stands on.

import { useState } from "preact/hooks";
import type { Finding } from "../api/types";
import { moment } from "../lib/format";
import { EvidenceQuery, hasQuery } from "./evidence";
import { Icon } from "./icons";
import { Panel } from "./states";

/** Sentences that open; one without a query is plain text. */
export function Narrative({ finding }: { finding: Finding }) {
  const [open, setOpen] = useState(-1);
  return (
    <Panel title="What happened" aside={<span class="quiet-text">diagnosed {moment(finding.made_at_ms, Date.now(), false)} · every sentence opens its evidence</span>}>
      {finding.narrative.length ? null : <p class="lead">{finding.summary}</p>}
      <ol class="narrative">
        {finding.narrative.map((sentence, at) => (
          <li key={at} class={at === open ? "is-open" : ""}>
            {hasQuery(sentence.query) ? (
              <>
                <button type="button" class="sentence" aria-expanded={at === open} onClick={() => setOpen(at === open ? -1 : at)}>
                  <Icon name={at === open ? "down" : "right"} size={12} />
                  <span>{sentence.text}</span>
                </button>
                {at === open ? <EvidenceQuery query={sentence.query} onsetMs={finding.onset_ms} /> : null}
              </>
            ) : (
              <p class="sentence is-plain">{sentence.text}</p>
            )}
          </li>
        ))}
      </ol>
    </Panel>
  );
}
