// The total in one line: what is known and where that is from, and what is not known.

import { usePageSlice } from "../api/queries";
import { termFor } from "../lib/filter";
import { count, money, percent } from "../lib/format";
import { ErrorNote, Skeleton } from "../ui/states";
import { Link } from "../url";

const WORDS: Record<string, string> = {
  computed: "computed from tokens and prices",
  reported: "reported by the telemetry",
  none: "not charged",
};
const TONES: Record<string, string> = { computed: "series-1", reported: "series-3", none: "quiet" };

/** Known cost by source, and beside it always the share of calls that nobody can price. */
export function KnownAndUnknown() {
  const cost = usePageSlice("cost", { by: ["cost_source"], withSteps: false });
  const share = usePageSlice("unknown_cost_share", { by: ["model"], withSteps: false, limit: 50 });
  const error = cost.error ?? share.error;
  if (error) return <ErrorNote error={error} />;
  if (!cost.data || !share.data) return <Skeleton lines={2} />;
  const all = share.data.series.reduce((sum, series) => sum + (series.total.denominator ?? series.total.n), 0);
  const bad = share.data.series.filter((series) => (series.total.numerator ?? 0) > 0);
  const unknown = bad.reduce((sum, series) => sum + (series.total.numerator ?? 0), 0);
  const sources = cost.data.series.filter((series) => series.key[0] !== "unknown" && series.total.n > 0);
  const known = sources.reduce((sum, series) => sum + (series.total.value ?? 0), 0);
  return (
    <section class="panel cost-total" aria-label="Total">
      <div class="cost-total-sum">
        <span class="cost-total-value number">{sources.length ? money(known) : <span class="unknown">unknown</span>}</span>
        <span class={unknown ? "cost-total-unknown" : "quiet-text"}>
          {unknown ? `+ ${count(unknown)} of ${count(all)} calls (${percent(unknown / (all || 1))}) of unknown cost` : all ? `every one of ${count(all)} calls has a known cost` : "no billable calls in this range"}
        </span>
      </div>
      <div class="cost-total-parts">
        {all ? (
          <span class="parts-bar" role="img" aria-label={`Calls by source of their cost: ${sources.map((series) => `${series.key[0]} ${count(series.total.n)}`).join(", ")}, unknown ${count(unknown)}`}>
            {sources.map((series) => (
              <span key={series.key[0]} style={{ width: `${(series.total.n / all) * 100}%`, background: `var(--${TONES[series.key[0] ?? ""] ?? "series-8"})` }} />
            ))}
            {unknown ? <span class="is-unknown" style={{ width: `${(unknown / all) * 100}%` }} /> : null}
          </span>
        ) : null}
        <ul class="parts-words">
          {sources.map((series) => (
            <li key={series.key[0]}>
              <span class="swatch" style={{ background: `var(--${TONES[series.key[0] ?? ""] ?? "series-8"})` }} /> <span class="number">{money(series.total.value)}</span> {WORDS[series.key[0] ?? ""] ?? series.key[0]}{" "}
              <span class="certainty">{count(series.total.n)} calls</span>
            </li>
          ))}
          {unknown ? (
            <li>
              <span class="swatch is-unknown" /> <strong>unknown</strong>, in no sum here:{" "}
              {bad.slice(0, 4).map((series, at) => (
                <span key={at}>
                  {at > 0 ? ", " : ""}
                  <Link to="/traces" set={{ filter: termFor("model", series.key[0] ?? "") }}>
                    {series.key[0] || "(no model said)"}
                  </Link>{" "}
                  <span class="certainty">{count(series.total.numerator)}</span>
                </span>
              ))}
              {bad.length > 4 ? ` and ${count(bad.length - 4)} more models` : ""} ·{" "}
              <Link to="/cost" set={{ view: "prices" }} class="link-button">
                why, and what to do
              </Link>
            </li>
          ) : null}
        </ul>
      </div>
    </section>
  );
}
