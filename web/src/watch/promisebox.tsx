// What a monitor promises beforehand: how often it is wrong, and the smallest change it would find.

import { type MonitorSpec, usePreview } from "../api/monitors";
import { useMeasures } from "../api/queries";
import { compact, percent } from "../lib/format";

/** The promise of the draft, asked again when it changes. */
export function PromiseBox({ spec }: { spec: MonitorSpec }) {
  const preview = usePreview(spec);
  const measures = useMeasures();
  const isAbsence = spec.rule["type"] === "absence";
  const isShare = measures.data?.find((measure) => measure.id === spec.measure)?.kind === "ratio";
  const found = preview.error ? undefined : preview.data;
  const what = isAbsence ? "Missed" : isShare || spec.rule["type"] === "drift" ? "Bad share found" : "Change found";
  const change = (value: number | null | undefined) => {
    if (value == null) return <span class="unknown">not promised</span>;
    if (isAbsence) return "silence of everything";
    return `from ${isShare || spec.rule["type"] === "drift" ? percent(value) : compact(value)}`;
  };
  const rate = found?.promise.false_alarms_per_30d;
  return (
    <aside class="promise" aria-label="Promise" aria-busy={preview.isFetching}>
      <h3>What it promises</h3>
      <dl class="facts">
        <div>
          <dt>False alarms in 30 days, at most</dt>
          <dd>{rate == null ? <span class="unknown">not stated</span> : compact(rate)}</dd>
        </div>
        <div>
          <dt>{what} within an hour</dt>
          <dd>{change(found?.promise.smallest_change_hour)}</dd>
        </div>
        <div>
          <dt>{what} within a day</dt>
          <dd>{change(found?.promise.smallest_change_day)}</dd>
        </div>
      </dl>
      <div class="promise-words" aria-live="polite">
        {preview.error ? (
          <p class="bad-text" role="alert">
            {preview.error.message}
          </p>
        ) : null}
        {(found?.warnings ?? []).map((warning) => (
          <p key={warning} class={warning.startsWith("unfireable") ? "bad-text" : "quiet-text"}>
            ⚠ {warning}
          </p>
        ))}
      </div>
      <p class="quiet-text">For one group, by its evidence alone; all groups of a project share a budget of false alarms beside it.</p>
    </aside>
  );
}
