// What money bought nothing: repeats, failures, streams that were cut off, input that no cache held.

import type { ComponentChildren } from "preact";
import { usePageSlice } from "../api/queries";
import type { Slice } from "../api/types";
import { count, interval, money, percent } from "../lib/format";
import { Bar } from "../ui/sparkline";
import { Panel } from "../ui/states";

/** Waste, as far as measures know it. */
export function Waste() {
  const options = { withSteps: false };
  const cost = usePageSlice("cost", options);
  const wasted = usePageSlice("wasted_cost", options);
  const retries = usePageSlice("retry_cost", options);
  const aborted = usePageSlice("aborted_share", options);
  const cached = usePageSlice("cache_hit_share", options);
  const local = usePageSlice("local_cache_share", options);
  const whole = cost.data?.series[0]?.total.value ?? null;
  return (
    <Panel title="Waste">
      <table class="table waste">
        <tbody>
          <Money name="Failed, cut off or repeated" note="of the known cost" slice={wasted.data} whole={whole} />
          <Money name="of it repeats of failed calls" note="of the known cost" slice={retries.data} whole={whole} isPart />
          <Rate name="Streams cut off" note="of calls" slice={aborted.data} tone="bad" />
          <Rate name="Input that missed the provider's cache" note="of input tokens" slice={cached.data} tone="warn" isMissed />
          <Rate name="Answered by the app's own cache" note="of calls, at no cost" slice={local.data} tone="good" />
        </tbody>
      </table>
    </Panel>
  );
}

function Line({ name, note, share, value, certainty, tone, isPart = false }: { name: string; note: string; share: number | null; value: ComponentChildren; certainty: string; tone: string; isPart?: boolean }) {
  return (
    <tr>
      <th scope="row" class={isPart ? "is-part" : ""}>
        {name}
        <div class="quiet-text">{note}</div>
      </th>
      <td class="share-cell">
        <Bar share={share ?? 0} tone={tone} />
      </td>
      <td class="right">
        {value}
        <div class="certainty">{certainty}</div>
      </td>
    </tr>
  );
}

function Money({ name, note, slice, whole, isPart = false }: { name: string; note: string; slice: Slice | undefined; whole: number | null; isPart?: boolean }) {
  const value = slice?.series[0]?.total.value ?? null;
  const share = value != null && whole ? value / whole : null;
  const shown = value == null ? <span class="unknown">unknown</span> : <span class="number">{money(value)}</span>;
  return <Line name={name} note={note} share={share} value={shown} certainty={share == null ? "" : percent(share)} tone="bad" isPart={isPart} />;
}

function Rate({ name, note, slice, tone, isMissed = false }: { name: string; note: string; slice: Slice | undefined; tone: string; isMissed?: boolean }) {
  const point = slice?.series[0]?.total;
  const turn = (share: number | null | undefined): number | null => (share == null ? null : isMissed ? 1 - share : share);
  const value = turn(point?.value);
  const [low, high] = isMissed ? [turn(point?.high), turn(point?.low)] : [turn(point?.low), turn(point?.high)];
  const range = interval(low, high, "share", "ratio");
  const shown = value == null ? <span class="unknown">unknown</span> : <span class="number">{percent(value)}</span>;
  return <Line name={name} note={note} share={value} value={shown} certainty={point ? `n ${count(Math.round(point.n))}${range ? ` · ${range}` : ""}` : ""} tone={tone} />;
}
