// The past of an objective with its target as a line that is dragged, or moved by the arrow keys.

import { useRef } from "preact/hooks";
import type { Alert, Counted } from "../api/objectives";
import { count, moment, percent } from "../lib/format";
import { byRule, nearest, placeOf, stepped, targetText } from "../lib/objective";

const GRID = [0.5, 0.1, 0.01, 0.001, 0.0001];
const KEYS: Record<string, number> = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 5, PageDown: -5, Home: -999, End: 999 };

interface Props {
  points: Counted[];
  stepS: number;
  startS: number;
  endS: number;
  target: number;
  stored: number;
  rungs: number[];
  rules: string[];
  alerts: Alert[];
  move: (target: number) => void;
}

/** Each step of time as its bad share; steps beyond the line are what spends the budget. */
export function TargetLine({ points, stepS, startS, endS, target, stored, rungs, rules, alerts, move }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const x = (timeS: number) => `${((timeS - startS) / (endS - startS)) * 100}%`;
  const drag = (event: PointerEvent) => {
    const element = box.current;
    if (!element || !(event.currentTarget as HTMLElement).hasPointerCapture(event.pointerId)) return;
    const area = element.getBoundingClientRect();
    move(nearest(rungs, (event.clientY - area.top) / area.height));
  };
  const press = (event: PointerEvent) => {
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    event.preventDefault();
    (event.currentTarget as HTMLElement).focus();
  };
  const key = (event: KeyboardEvent) => {
    const by = KEYS[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move(stepped(rungs, target, by));
  };
  const line = `${placeOf(1 - target) * 100}%`;
  const over = points.filter((point) => point.bad / point.total > 1 - target).length;
  return (
    <div class="past">
      <div class="past-axis" aria-hidden="true">
        {GRID.map((bad) => (
          <span key={bad} style={{ top: `${placeOf(bad) * 100}%` }}>
            {targetText(1 - bad)}
          </span>
        ))}
      </div>
      <div class="past-plot" ref={box}>
        <div class="past-bars" role="img" aria-label={`Share of good events over time: ${over} of ${points.length} steps are worse than the target`}>
          {GRID.map((bad) => (
            <span class="past-grid" key={bad} style={{ top: `${placeOf(bad) * 100}%` }} />
          ))}
          {points.map((point) => {
            const bad = point.bad / point.total;
            const place = placeOf(bad) * 100;
            const said = `${moment(point.t_s * 1000, Date.now(), false)}: ${percent(1 - bad)} good, n ${count(Math.round(point.judged))}${point.total > point.judged * 1.001 ? ` judged of about ${count(Math.round(point.total))}` : ""}`;
            return <span key={point.t_s} title={said} class={`past-bar ${bad > 1 - target ? "is-over" : ""}`} style={{ left: x(point.t_s), width: `max(2px, calc(${(stepS / (endS - startS)) * 100}% - 1px))`, height: `max(3px, ${place}%)` }} />;
          })}
        </div>
        {Math.abs(stored - target) > 1e-9 ? <span class="past-stored" style={{ top: `${placeOf(1 - stored) * 100}%` }} title={`kept: ${targetText(stored)}`} /> : null}
        <div
          class="past-line"
          style={{ top: line }}
          role="slider"
          tabIndex={0}
          aria-label="Target"
          aria-orientation="vertical"
          aria-valuemin={(rungs[0] ?? 0) * 100}
          aria-valuemax={(rungs[rungs.length - 1] ?? 1) * 100}
          aria-valuenow={target * 100}
          aria-valuetext={targetText(target)}
          onPointerDown={press}
          onPointerMove={drag}
          onKeyDown={key}
        >
          <span class="past-grip">⇅ {targetText(target)}</span>
        </div>
      </div>
      <Lanes rules={rules} alerts={alerts} x={x} endS={endS} />
      <span />
      <div class="past-times" aria-hidden="true">
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <span key={share}>{moment((startS + (endS - startS) * share) * 1000, Date.now(), false)}</span>
        ))}
      </div>
    </div>
  );
}

function Lanes({ rules, alerts, x, endS }: { rules: string[]; alerts: Alert[]; x: (timeS: number) => string; endS: number }) {
  const found = byRule(alerts);
  return (
    <>
      {rules.map((rule) => {
        const lane = found.find((item) => item.rule === rule);
        return (
          <>
            <span class="past-rule">{rule}</span>
            <div class="past-lane" role="img" aria-label={`${rule}: would have fired ${lane?.alerts.length ?? 0} times`}>
              {(lane?.alerts ?? []).map((alert) => (
                <span
                  key={alert.fired_s}
                  class={`past-alert ${alert.severity === "page" ? "is-page" : ""}`}
                  title={`${alert.severity} at ${moment(alert.fired_s * 1000)}, ${alert.cleared_s ? `cleared at ${moment(alert.cleared_s * 1000)}` : "not cleared yet"}`}
                  style={{ left: x(alert.fired_s), width: `max(3px, calc(${x(alert.cleared_s ?? endS)} - ${x(alert.fired_s)}))` }}
                />
              ))}
            </div>
          </>
        );
      })}
    </>
  );
}
