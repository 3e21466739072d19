// The monitors that fired, each with its class and the signs behind it.

import { useState } from "preact/hooks";
import type { Episode, Incident, Sign } from "../api/types";
import { moment } from "../lib/format";
import { EvidenceQuery, hasQuery } from "../ui/evidence";
import { Icon } from "../ui/icons";
import { Badge, Panel } from "../ui/states";

const SHOWN = 20;

/** The episodes of an incident. */
export function Episodes({ incident }: { incident: Incident }) {
  if (!incident.episodes.length) return null;
  return (
    <Panel title="Monitors that fired" aside={<span class="cut">{incident.episodes.length}</span>}>
      <ul class="episodes">
        {incident.episodes.slice(0, SHOWN).map((episode) => (
          <EpisodeView key={episode.episode_id} episode={episode} />
        ))}
      </ul>
      {incident.episodes.length > SHOWN ? <p class="cut">{`${SHOWN} of ${incident.episodes.length}`}</p> : null}
    </Panel>
  );
}

function EpisodeView({ episode }: { episode: Episode }) {
  return (
    <li>
      <div class="row">
        <Badge state={episode.state} />
        <Badge state={episode.classification} />
        <strong>{episode.monitor}</strong>
      </div>
      <div class="quiet-text">
        {Object.entries(episode.group).map(([name, value]) => (
          <span key={name} class="tag">
            {name} {value || "(not said)"}
          </span>
        ))}{" "}
        {moment(episode.fired_ms)}
      </div>
      {episode.evidence ? <p class="quiet-text">{episode.evidence}</p> : null}
      {episode.signs.length ? (
        <details>
          <summary>Why {episode.classification}</summary>
          <ul class="signs">
            {episode.signs.map((sign, at) => (
              <SignView key={at} sign={sign} onsetMs={episode.onset_ms} />
            ))}
          </ul>
        </details>
      ) : null}
    </li>
  );
}

function SignView({ sign, onsetMs }: { sign: Sign; onsetMs: number }) {
  const [isOpen, setIsOpen] = useState(false);
  const canOpen = hasQuery(sign.query);
  return (
    <li>
      <button type="button" class="evidence-item" disabled={!canOpen} aria-expanded={canOpen ? isOpen : undefined} onClick={() => setIsOpen(!isOpen)}>
        {canOpen ? <Icon name={isOpen ? "down" : "right"} size={11} /> : <span class="icon-space" />}
        <span class="evidence-statement">{sign.statement}</span>
        <span class="number" title={`Points to ${sign.points_to}; above 0 speaks for systematic`}>
          {sign.weight >= 0 ? "+" : "−"}
          {Math.abs(sign.weight).toFixed(1)}
        </span>
      </button>
      {isOpen && hasQuery(sign.query) ? <EvidenceQuery query={sign.query} onsetMs={onsetMs} /> : null}
    </li>
  );
}
