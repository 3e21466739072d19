// The time range: presets, or two moments typed by hand.

import { useRef, useState } from "preact/hooks";
import { moment } from "../lib/format";
import { DEFAULT_FROM, PRESETS } from "../lib/time";
import { refreshNow, useRange, useUrl } from "../url";
import { Icon } from "./icons";

function localInput(seconds: number): string {
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The range button with its menu, the live switch and refresh. */
export function RangePicker() {
  const [params, setUrl] = useUrl();
  const range = useRange();
  const menu = useRef<HTMLDetailsElement>(null);
  const from = params.get("from") ?? DEFAULT_FROM;
  const preset = params.get("to") === null ? PRESETS.find((item) => item.from === from) : undefined;
  const isLive = range.isRelative && params.get("live") !== "0";
  const label = preset ? `Last ${preset.label}` : `${moment(range.fromS * 1000, Date.now(), false)} – ${moment(range.toS * 1000, Date.now(), false)}`;
  const close = () => menu.current?.removeAttribute("open");
  return (
    <div class="range">
      <details class="dropdown" ref={menu} onFocusOut={(event) => event.currentTarget.contains(event.relatedTarget as Node) || close()}>
        <summary class="button" aria-label={`Time range: ${label}`}>
          <Icon name="clock" size={14} />
          <span>{label}</span>
          <Icon name="down" size={12} />
        </summary>
        <div class="menu range-menu">
          <div class="range-presets">
            {PRESETS.map((item) => (
              <button
                type="button"
                key={item.from}
                class={item === preset ? "is-chosen" : ""}
                onClick={() => {
                  setUrl({ from: item.from === DEFAULT_FROM ? null : item.from, to: null, cursor: null });
                  refreshNow();
                  close();
                }}
              >
                Last {item.label}
              </button>
            ))}
          </div>
          <CustomRange key={`${range.fromS}-${range.toS}`} fromS={range.fromS} toS={range.toS} apply={(a, b) => (setUrl({ from: String(a), to: String(b), cursor: null }), close())} />
        </div>
      </details>
      <button
        type="button"
        class={`button live ${isLive ? "is-on" : ""}`}
        aria-pressed={isLive}
        disabled={!range.isRelative}
        title={range.isRelative ? "Refresh every 10 seconds" : "A fixed range does not move"}
        onClick={() => setUrl({ live: isLive ? "0" : null }, false)}
      >
        <span class="live-dot" aria-hidden="true" /> Live
      </button>
      <button type="button" class="button icon-only" aria-label="Refresh" title="Refresh" onClick={refreshNow}>
        <Icon name="refresh" size={14} />
      </button>
    </div>
  );
}

function CustomRange({ fromS, toS, apply }: { fromS: number; toS: number; apply: (fromS: number, toS: number) => void }) {
  const [from, setFrom] = useState(localInput(fromS));
  const [to, setTo] = useState(localInput(toS));
  const a = new Date(from).getTime() / 1000;
  const b = new Date(to).getTime() / 1000;
  const isGood = Number.isFinite(a) && Number.isFinite(b) && a < b;
  return (
    <div class="range-custom">
      <label>
        From
        <input type="datetime-local" value={from} onInput={(event) => setFrom(event.currentTarget.value)} />
      </label>
      <label>
        To
        <input type="datetime-local" value={to} onInput={(event) => setTo(event.currentTarget.value)} />
      </label>
      <button type="button" class="button primary" disabled={!isGood} onClick={() => apply(a, b)}>
        Apply
      </button>
      {isGood ? null : <p class="hint">“From” must be before “To”.</p>}
    </div>
  );
}
