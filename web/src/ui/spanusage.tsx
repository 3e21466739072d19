// What a call used and what that cost: every class of tokens, the parts of the cost, its source.

import type { ComponentChildren } from "preact";
import type { SpanDetail } from "../api/types";
import { count, money, percent, visible } from "../lib/format";
import { Link } from "../url";
import { Bar } from "./sparkline";

type Row = Record<string, unknown>;

const CLASSES: [string, string][] = [
  ["input_tokens", "Input, cached ones included"],
  ["cache_read_tokens", "of it read from the cache"],
  ["cache_write_tokens", "of it written to the cache"],
  ["cache_write_5m_tokens", "for 5 minutes"],
  ["cache_write_1h_tokens", "for an hour"],
  ["audio_input_tokens", "of it sound"],
  ["audio_cache_read_tokens", "sound read from the cache"],
  ["image_input_tokens", "of it images"],
  ["output_tokens", "Output"],
  ["reasoning_tokens", "of it reasoning"],
  ["audio_output_tokens", "of it sound"],
  ["image_output_tokens", "of it images"],
  ["web_search_requests", "Web searches"],
];
const ALWAYS = new Set(["input_tokens", "output_tokens"]);
const MAIN = new Set(["input_tokens", "output_tokens", "web_search_requests"]);

const PARTS: [string, string][] = [
  ["cost_input_usd", "Plain input"],
  ["cost_cache_read_usd", "Cache reads"],
  ["cost_cache_write_usd", "Cache writes"],
  ["cost_output_usd", "Output"],
  ["cost_audio_usd", "Sound"],
  ["cost_image_usd", "Images"],
  ["cost_request_usd", "Searches, requests, machines"],
];

const PRICES: Record<string, string> = { list: "the list that Vagus brings", contract: "a price of your own", gpu_hour: "machines by the hour", reported: "the telemetry" };

function numberOf(row: Row | null, name: string): number | null {
  const value = row?.[name];
  return typeof value === "number" ? value : null;
}

function wordOf(row: Row | null, name: string): string {
  const value = row?.[name];
  return typeof value === "string" ? value : "";
}

/** Whether there is anything to say about usage. */
export function hasUsage(detail: SpanDetail): boolean {
  return detail.step?.["is_billable"] === true || CLASSES.some(([name]) => numberOf(detail.span, name) !== null);
}

/** What kind of charge it was, in tags beside the cost. */
export function ChargeTags({ detail }: { detail: SpanDetail }) {
  const { step, span } = detail;
  const tier = wordOf(step, "service_tier") || wordOf(span, "service_tier");
  return (
    <>
      {step?.["is_local_cache"] === true ? <span class="tag good">answered by the app's own cache, nothing charged</span> : null}
      {step?.["is_cut_off"] === true ? <span class="tag warn">stream cut off</span> : null}
      {step?.["is_retry"] === true ? <span class="tag warn">repeats a failed call</span> : null}
      {tier && tier !== "default" ? <span class="tag">tier {visible(tier)}</span> : null}
      {wordOf(span, "is_streaming") === "true" ? <span class="tag">streamed</span> : null}
    </>
  );
}

/** The cost of a call in short, with its source. */
export function StepCost({ step }: { step: Row | null }) {
  const usd = numberOf(step, "cost_usd");
  const source = wordOf(step, "cost_source");
  if (source === "none") return <>nothing charged</>;
  if (usd === null) return <span class="unknown">unknown</span>;
  return (
    <>
      {money(usd)} <span class="quiet-text">{source}</span>
    </>
  );
}

/** The tab. */
export function SpanUsage({ detail }: { detail: SpanDetail }) {
  const { span, step } = detail;
  const known = CLASSES.filter(([name]) => ALWAYS.has(name) || numberOf(span, name) !== null);
  const accounting = wordOf(span, "cache_accounting");
  return (
    <div class="usage">
      <h3>Tokens</h3>
      <table class="table usage-table">
        <tbody>
          {known.map(([name, label]) => (
            <Line key={name} label={label} isPart={!MAIN.has(name)}>
              {numberOf(span, name) === null ? <span class="unknown">unknown</span> : count(numberOf(span, name))}
            </Line>
          ))}
        </tbody>
      </table>
      {accounting ? <p class="quiet-text">The sender counts cached tokens {accounting === "inclusive" ? "inside its input" : "beside its input; they are added here"}.</p> : null}
      {step?.["is_billable"] === true ? <Cost step={step} /> : <p class="quiet-text">This span is not charged; what it reports again is charged at another span.</p>}
    </div>
  );
}

function Line({ label, isPart, children }: { label: string; isPart: boolean; children: ComponentChildren }) {
  return (
    <tr>
      <th scope="row" class={isPart ? "is-part" : ""}>
        {label}
      </th>
      <td class="number right">{children}</td>
    </tr>
  );
}

function Cost({ step }: { step: Row }) {
  const usd = numberOf(step, "cost_usd");
  const parts = PARTS.filter(([name]) => (numberOf(step, name) ?? 0) > 0);
  const reported = numberOf(step, "reported_cost_usd");
  const computed = numberOf(step, "computed_cost_usd");
  const price = wordOf(step, "price_source");
  const whole = parts.reduce((sum, [name]) => sum + (numberOf(step, name) ?? 0), 0);
  return (
    <>
      <h3>Cost</h3>
      <table class="table usage-table">
        <tbody>
          {wordOf(step, "cost_source") === "reported"
            ? null
            : parts.map(([name, label]) => (
                <tr key={name}>
                  <th scope="row" class="is-part">
                    {label}
                  </th>
                  <td>
                    <Bar share={(numberOf(step, name) ?? 0) / (whole || 1)} /> <span class="quiet-text">{percent((numberOf(step, name) ?? 0) / (whole || 1))}</span>
                  </td>
                  <td class="number right">{money(numberOf(step, name))}</td>
                </tr>
              ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Cost</th>
            <td>
              <span class="tag">{wordOf(step, "cost_source") || "unknown"}</span> {price && price !== "reported" ? <span class="quiet-text">by {PRICES[price] ?? price}</span> : null} {wordOf(step, "price_id") ? <code class="quiet-text">{visible(wordOf(step, "price_id"))}</code> : null}
            </td>
            <td class="number right">{usd === null ? <span class="unknown">unknown</span> : money(usd)}</td>
          </tr>
        </tfoot>
      </table>
      {usd === null ? (
        <p class="quiet-text">
          Nobody can price this call: its model has no price, or it does not say its tokens.{" "}
          <Link to="/cost" set={{ view: "prices" }} class="link-button">
            Calls of unknown cost
          </Link>
        </p>
      ) : null}
      {reported !== null && computed !== null ? (
        <p class="quiet-text">
          The telemetry reports {money(reported)}; by its tokens and prices it is {money(computed)}.
        </p>
      ) : null}
    </>
  );
}
