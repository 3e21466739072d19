// Why spend changed: two stretches of time, and the parts that add up to the difference.

import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { keepPreviousData } from "@tanstack/react-query";
import { useMemo } from "preact/hooks";
import { call, currentProject } from "../api/client";
import { useSlice } from "../api/queries";
import type { Explained } from "../api/spend";
import { duration, moment } from "../lib/format";
import { stepFor } from "../lib/time";
import { readWindow, windowBefore, writeWindow, type Window } from "../lib/window";
import { Chart } from "../ui/chart";
import { Choice } from "../ui/form";
import { linesOf } from "../ui/measurechart";
import { Empty, ErrorNote, Panel, Skeleton } from "../ui/states";
import { useFilter, useRange, useUrl } from "../url";
import { ChangeFall } from "./changefall";
import { useCostDimensions } from "./dimensions";

function useExplain(before: Window, after: Window, by: string): UseQueryResult<Explained> {
  const filter = useFilter();
  const body = { before: { from: before.fromS, to: before.toS }, after: { from: after.fromS, to: after.toS }, filter, by };
  return useQuery<Explained>({
    queryKey: [currentProject(), "explain", body],
    queryFn: ({ signal }) => call<Explained>("/spend/explain", { method: "POST", body, signal }),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  }) as UseQueryResult<Explained>;
}

/** The view that compares two windows; brushing the chart sets one of them. */
export function ExplainTab() {
  const [params, setUrl] = useUrl();
  const range = useRange();
  const dimensions = useCostDimensions();
  const chosen = readWindow(params.get("after"));
  const after = chosen ?? { fromS: range.fromS, toS: range.toS };
  const before = readWindow(params.get("before")) ?? windowBefore(after);
  const by = dimensions.includes(params.get("group") ?? "") ? (params.get("group") as string) : "feature";
  const sets = params.get("brush") === "before" ? "before" : "after";
  const found = useExplain(before, after, by);
  const isOwn = chosen !== null || params.get("before") !== null;
  return (
    <>
      <Panel
        title="The two stretches of time"
        aside={
          <>
            <div class="segmented" role="group" aria-label="Dragging sets">
              {["before", "after"].map((name) => (
                <button type="button" key={name} aria-pressed={sets === name} onClick={() => setUrl({ brush: name === "before" ? name : null }, false)}>
                  drag sets {name}
                </button>
              ))}
            </div>
            {isOwn ? (
              <button type="button" class="button small" onClick={() => setUrl({ before: null, after: null, brush: null })}>
                This range against the one before
              </button>
            ) : null}
          </>
        }
      >
        <WindowChart before={before} after={after} onBrush={(window) => setUrl(sets === "before" ? { before: writeWindow(window), after: writeWindow(after) } : { after: writeWindow(window) })} />
        <p class="window-words">
          <WindowWords name="Before" window={before} /> <WindowWords name="After" window={after} />
          {lengthOf(before) !== lengthOf(after) ? <span class="tag warn">The stretches differ in length; the difference counts as more or fewer requests.</span> : null}
        </p>
      </Panel>
      <Panel title="What the change is made of" aside={<Choice label="Requests grouped by" value={by} options={dimensions} choose={(value) => setUrl({ group: value }, false)} />}>
        {found.error ? <ErrorNote error={found.error} retry={() => void found.refetch()} /> : null}
        {found.isPending ? <Skeleton lines={9} /> : null}
        {found.data ? <ChangeFall found={found.data} by={by} /> : null}
      </Panel>
    </>
  );
}

function lengthOf(window: Window): number {
  return window.toS - window.fromS;
}

function WindowWords({ name, window }: { name: string; window: Window }) {
  return (
    <span class={`window-word is-${name.toLowerCase()}`}>
      <strong>{name}</strong> {moment(window.fromS * 1000, Date.now(), false)} – {moment(window.toS * 1000, Date.now(), false)} <span class="quiet-text">{duration(lengthOf(window) * 1000)}</span>
    </span>
  );
}

/** Cost over both stretches, with each of them shaded. */
function WindowChart({ before, after, onBrush }: { before: Window; after: Window; onBrush: (window: Window) => void }) {
  const filter = useFilter();
  const { tick } = useRange();
  const edge = { fromS: Math.min(before.fromS, after.fromS), toS: Math.max(before.toS, after.toS) };
  const step = stepFor(lengthOf(edge));
  const fromS = Math.floor(edge.fromS / step) * step;
  const slice = useSlice({ measure: "cost", from: fromS, to: edge.toS, by: [], filter, step, limit: 1 });
  const drawn = useMemo(() => (slice.data ? linesOf(slice.data, "known cost", tick / 1000) : null), [slice.data, tick]);
  if (slice.error) return <ErrorNote error={slice.error} />;
  if (!drawn || !slice.data) return <Skeleton lines={4} />;
  if (!drawn.lines.length) return <Empty title="No billable calls in either stretch">Choose a wider time range.</Empty>;
  const shades = [
    { fromS: before.fromS, toS: before.toS, label: "before", tone: "quiet" },
    { fromS: after.fromS, toS: after.toS, label: "after", tone: "accent" },
  ];
  return <Chart label="Known cost over both stretches" times={drawn.times} lines={drawn.lines} unit={slice.data.unit} kind={slice.data.kind} height={150} span={[fromS, edge.toS]} isBars shades={shades} syncKey="explain" onBrush={(from, to) => onBrush({ fromS: from, toS: to })} />;
}
