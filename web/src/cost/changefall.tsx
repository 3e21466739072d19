// A change of spend drawn as a waterfall of parts that add up, and the segments behind it.

import { useMemo } from "preact/hooks";
import type { Explained, ExplainSegment } from "../api/spend";
import { fallOf, type Step } from "../lib/changefall";
import { termFor, withTerm } from "../lib/filter";
import { count, money, percent, visible } from "../lib/format";
import { Empty } from "../ui/states";
import { useFilter, Link } from "../url";
import { said } from "./dimensions";

/** A factor in words: by itself, when it added to the cost, and when it took from it. */
const NAMES: Record<string, [string, string, string]> = {
  volume: ["Number of requests", "More requests", "Fewer requests"],
  mix: ["Mix of features and models", "Costlier features and models", "Cheaper features and models"],
  loop: ["Calls per request", "More calls per request", "Fewer calls per request"],
  retries: ["Retries", "More retries", "Fewer retries"],
  input: ["Input length", "Longer input", "Shorter input"],
  output: ["Output length", "Longer output", "Shorter output"],
  cache: ["Caches", "Caches used less", "Caches used more"],
  price: ["Prices", "Higher prices", "Lower prices"],
  extras: ["Audio, images, fees", "More for audio, images, fees", "Less for audio, images, fees"],
};

function nameOf(factor: string, usd = 0): string {
  return NAMES[factor]?.[usd > 0 ? 1 : usd < 0 ? 2 : 0] ?? factor;
}

/** An amount with its sign. */
export function signed(usd: number): string {
  return usd > 0 ? `+${money(usd)}` : money(usd);
}

/** Before, the parts, after; each part in words. */
export function ChangeFall({ found, by }: { found: Explained; by: string }) {
  const fall = useMemo(() => fallOf(found.before_usd, found.after_usd, found.parts), [found]);
  if (!found.before_usd && !found.after_usd) return <Empty title="No known cost in either stretch">Drag over another part of the chart, or choose a wider time range.</Empty>;
  const change = found.before_usd ? found.change_usd / found.before_usd : null;
  return (
    <>
      <p class="fall-summary">
        Known cost went from <strong class="number">{money(found.before_usd)}</strong> to <strong class="number">{money(found.after_usd)}</strong>:{" "}
        <strong class={`number ${found.change_usd > 0 ? "bad-text" : found.change_usd < 0 ? "good-text" : ""}`}>
          {signed(found.change_usd)}
          {change == null ? "" : ` (${change > 0 ? "+" : ""}${percent(change).replace("-", "−")})`}
        </strong>
        .{fall.steps[0] ? ` The largest part is ${nameOf(fall.steps[0].factor, fall.steps[0].usd).toLowerCase()}.` : ""}
      </p>
      <UnknownBeside found={found} />
      <ol class="fall">
        <li class="fall-row is-head" aria-hidden="true">
          <span>Part</span>
          <span />
          <span class="fall-usd">USD, share of the change</span>
          <span>What moved</span>
        </li>
        <Total name="Before" usd={found.before_usd} at={fall.before} isCut={fall.isCut} />
        {fall.steps.map((step) => (
          <Part key={step.factor} step={step} />
        ))}
        <Total name="After" usd={found.after_usd} at={fall.after} isCut={fall.isCut} />
      </ol>
      <p class="quiet-text">
        {fall.still.length ? `Not part of it: ${fall.still.map((name) => nameOf(name).toLowerCase()).join("; ")}. ` : ""}
        {fall.isCut ? `The axis begins at ${money(fall.lowUsd)}, not at 0. ` : ""}
        {found.method}.
      </p>
      <Segments found={found} by={by} />
    </>
  );
}

function UnknownBeside({ found }: { found: Explained }) {
  const { before_calls: before, after_calls: after } = found.unknown;
  if (!before && !after) return null;
  return (
    <p class="note note-warn">
      <span>
        Calls of unknown cost are in no amount here: {count(before)} before, {count(after)} after.
      </span>
    </p>
  );
}

function Total({ name, usd, at, isCut }: { name: string; usd: number; at: number; isCut: boolean }) {
  return (
    <li class="fall-row is-total">
      <span class="fall-name">{name}</span>
      <span class="fall-track">
        <span class={`fall-bar is-total ${isCut ? "is-cut" : ""}`} style={{ left: "0%", width: `${Math.max(at, 0) * 100}%` }} />
      </span>
      <span class="fall-usd number">{money(usd)}</span>
      <span class="fall-words" />
    </li>
  );
}

function Part({ step }: { step: Step }) {
  const isUp = step.usd > 0;
  return (
    <li class="fall-row">
      <span class="fall-name">{nameOf(step.factor, step.usd)}</span>
      <span class="fall-track">
        <span class={`fall-bar ${isUp ? "is-up" : "is-down"}`} style={{ left: `${step.left * 100}%`, width: `max(2px, ${(step.right - step.left) * 100}%)` }} />
      </span>
      <span class={`fall-usd number ${isUp ? "bad-text" : "good-text"}`}>
        {isUp ? "▲" : "▼"} {signed(step.usd)}
        {step.share == null ? null : <span class="quiet-text"> {percent(step.share).replace("-", "−")}</span>}
      </span>
      <span class="fall-words">{visible(step.words)}</span>
    </li>
  );
}

function Segments({ found, by }: { found: Explained; by: string }) {
  const shown = found.segments.filter((segment) => segment.before_usd || segment.after_usd);
  const rest = found.segments.length - shown.length;
  if (!shown.length) return null;
  return (
    <div class="table-scroll">
      <table class="table pivot fall-segments">
        <thead>
          <tr>
            <th scope="col">{by.replaceAll("_", " ")}</th>
            <th scope="col">Model</th>
            <th scope="col" class="right">
              Before
            </th>
            <th scope="col" class="right">
              After
            </th>
            <th scope="col" class="right">
              Change
            </th>
            <th scope="col">Mostly</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((segment, at) => (
            <SegmentLine key={at} segment={segment} by={by} />
          ))}
        </tbody>
      </table>
      {rest ? <p class="cut">{count(rest)} more without any known cost in either stretch.</p> : null}
      {found.segments_left_out ? <p class="cut">{count(found.segments_left_out)} small segments were put together before the split.</p> : null}
    </div>
  );
}

function SegmentLine({ segment, by }: { segment: ExplainSegment; by: string }) {
  const filter = useFilter();
  const [factor, usd] = Object.entries(segment.parts).reduce((top, part) => (Math.abs(part[1]) > Math.abs(top[1]) ? part : top), ["", 0] as [string, number]);
  const terms = withTerm(withTerm(filter, termFor(by, segment.group)), termFor("model", segment.model));
  return (
    <tr class={segment.is_other ? "is-rest" : ""}>
      <th scope="row">
        {segment.is_other ? (
          "All others together"
        ) : (
          <Link to="/traces" set={{ filter: terms, sort: "cost" }} title="The traces behind it">
            {visible(said(segment.group))}
          </Link>
        )}
      </th>
      <td>
        {segment.is_other ? "" : visible(said(segment.model))} {segment.service_tier ? <span class="tag">{visible(segment.service_tier)}</span> : null}
      </td>
      <td class="number right">{money(segment.before_usd)}</td>
      <td class="number right">{money(segment.after_usd)}</td>
      <td class={`number right ${segment.change_usd > 0 ? "bad-text" : segment.change_usd < 0 ? "good-text" : ""}`}>{signed(segment.change_usd)}</td>
      <td>
        {factor && usd ? (
          <>
            {nameOf(factor, usd).toLowerCase()} <span class="certainty">{signed(usd)}</span>
          </>
        ) : (
          <span class="quiet-text">–</span>
        )}
      </td>
    </tr>
  );
}
