// One objective: its past with the line to drag, what the line would have meant, and its parts.

import { useState } from "preact/hooks";
import { useLocation } from "wouter";
import { call } from "../api/client";
import { declared, type Judged, type ObjectiveDetail as Detail, useJudgement } from "../api/objectives";
import { useGet, useInvalidate } from "../api/queries";
import { count, percent, visible } from "../lib/format";
import { coarser, ladder, rulesOf, targetText, windowText } from "../lib/objective";
import { Choice, SureButton, useAction } from "../ui/form";
import { Bar } from "../ui/sparkline";
import { Badge, Empty, ErrorNote, Panel, Skeleton } from "../ui/states";
import { hrefTo, Link, useUrl } from "../url";
import { Burns, Policies } from "./objectiveparts";
import { ObjectiveForm } from "./objectiveform";
import { TargetLine } from "./targetline";

/** The page of one objective. */
export function ObjectiveDetail({ id }: { id: string }) {
  const path = `/slos/${encodeURIComponent(id)}`;
  const slo = useGet<Detail>(path, {}, { refetchMs: 30_000 });
  const [params, setUrl] = useUrl();
  const [, navigate] = useLocation();
  const invalidate = useInvalidate();
  const action = useAction();
  if (slo.error) return <ErrorNote error={slo.error} retry={() => void slo.refetch()} />;
  const found = slo.data;
  if (!found) return <Skeleton tall />;
  const isEdited = params.get("view") === "edit";
  const remove = () =>
    void action.run(async () => {
      await call(path, { method: "DELETE" });
      await invalidate("/slos");
      navigate(hrefTo("/slos"));
    });
  return (
    <div class="page">
      <Panel
        title={
          <>
            <Link to="/slos">Objectives</Link> › {visible(found.name)}
          </>
        }
        aside={
          <>
            {found.budget ? <Badge state={found.budget.state} /> : null}
            <button type="button" class="button" aria-expanded={isEdited} onClick={() => setUrl({ view: isEdited ? null : "edit" })}>
              Edit
            </button>
            <SureButton label="Delete" sure="Really delete?" act={remove} isBusy={action.isBusy} />
          </>
        }
      >
        {action.error ? <ErrorNote error={action.error} /> : null}
        <p class="quiet-text objective-facts">
          {found.measure.replaceAll("_", " ")}
          {found.filter ? ` where ${visible(found.filter)}` : ""} · {targetText(found.target)} over {windowText(found)}
          {found.slice_target === null ? " · counts events" : ` · counts slices of ${found.slice_min} min that are at least ${targetText(found.slice_target)} good`} · severity {found.severity}
        </p>
        {found.error ? <ErrorNote error={new Error(found.error)} /> : null}
        {isEdited ? <ObjectiveForm objective={found} taken={[]} cancel={() => setUrl({ view: null })} /> : <p class="objective-sentence">{found.budget?.sentence ?? <span class="unknown">The budget is unknown.</span>}</p>}
      </Panel>
      <Past key={found.target} slo={found} path={path} />
      <div class="objective-pair">
        <Burns budget={found.budget} />
        <Policies slo={found} />
      </div>
    </div>
  );
}

const DAYS = { "1": "last day", "7": "last 7 days", "30": "last 30 days", "90": "last 90 days" };

function Past({ slo, path }: { slo: Detail; path: string }) {
  const [params, setUrl] = useUrl();
  const days = Number(params.get("days") ?? "30") || 30;
  const [target, setTarget] = useState(slo.target);
  const [typed, setTyped] = useState<number[]>([]);
  const rungs = ladder([slo.target, ...typed]);
  const judgement = useJudgement(declared(slo), days, rungs);
  const invalidate = useInvalidate();
  const action = useAction();
  const data = judgement.data;
  const judged = data?.targets.find((item) => Math.abs(item.target - target) < 1e-9);
  const isMoved = Math.abs(target - slo.target) > 1e-9;
  const save = () =>
    void action.run(async () => {
      await call(path, { method: "PUT", body: { ...declared(slo), target } });
      await invalidate("/slos");
      await invalidate(path);
    });
  const type = (text: string) => {
    const share = Math.round(Number(text) * 1e4) / 1e6;
    if (!(share > 0 && share < 1)) return;
    setTyped([share]);
    setTarget(share);
  };
  const shown = data ? coarser(data.points, data.start_s, data.step_s, data.end_s - data.start_s) : null;
  return (
    <Panel
      title="What the target would have meant"
      aside={<Choice label="" value={String(days)} options={Object.keys(DAYS)} names={DAYS} choose={(value) => setUrl({ days: value === "30" ? null : value })} />}
    >
      <p class="quiet-text">Drag the line, or use the arrow keys on it. What hangs below it spends the budget. Nothing changes until you save.</p>
      {judgement.error ? <ErrorNote error={judgement.error} retry={() => void judgement.refetch()} /> : null}
      <div class="objective-past">
        <div>
          {data && shown ? (
            data.points.length ? (
              <TargetLine points={shown.points} stepS={shown.stepS} startS={data.start_s} endS={data.end_s} target={target} stored={slo.target} rungs={rungs} rules={rulesOf([data.judged, ...data.targets])} alerts={judged?.alerts ?? []} move={setTarget} />
            ) : (
              <Empty title="Nothing was counted">There were no events of this measure and filter in this stretch.</Empty>
            )
          ) : judgement.error ? null : (
            <Skeleton tall />
          )}
        </div>
        <div class="objective-verdict">
          <label class="field">
            <span class="field-name">Target, %</span>
            <input type="number" min="0.0001" max="99.9999" step="any" value={Number((target * 100).toFixed(4))} onChange={(event) => type(event.currentTarget.value)} />
          </label>
          <Verdict judged={judged} />
          {action.error ? <ErrorNote error={action.error} /> : null}
          <div class="row">
            <button type="button" class="button primary" disabled={!isMoved || action.isBusy} onClick={save}>
              Save {targetText(target)}
            </button>
            <button type="button" class="button" disabled={!isMoved} onClick={() => setTarget(slo.target)}>
              Back to {targetText(slo.target)}
            </button>
          </div>
        </div>
      </div>
    </Panel>
  );
}

function Verdict({ judged }: { judged: Judged | undefined }) {
  if (!judged) {
    return (
      <div class="verdict" aria-live="polite">
        <span class="quiet-text">judging…</span>
      </div>
    );
  }
  const { budget, alerts } = judged;
  const pages = alerts.filter((alert) => alert.severity === "page").length;
  const left = budget.spent === null ? null : 1 - budget.spent;
  return (
    <div class="verdict" aria-live="polite">
      <span class="quiet-text">Budget left</span>
      <strong class={`verdict-value ${left !== null && left < 0 ? "bad-text" : ""}`}>{left === null ? <span class="unknown">unknown</span> : left < 0 ? `${percent(-left)} over` : percent(left)}</strong>
      <Bar share={Math.max(0, left ?? 0)} tone={left !== null && left < 0 ? "bad" : "good"} />
      <span class="certainty">{budget.low === null || budget.high === null ? "" : `${percent(1 - budget.high)} – ${percent(1 - budget.low)}`}</span>
      <span class="certainty">
        n {count(Math.round(budget.judged))}
        {budget.total > budget.judged * 1.001 ? ` judged of about ${count(Math.round(budget.total))}` : ""}
      </span>
      <Badge state={budget.state} />
      {budget.state === "insufficient_data" ? <span class="quiet-text">{count(budget.floor)} are needed to prove this target</span> : null}
      <span class="verdict-alerts">
        <b class="number">{pages}</b> {pages === 1 ? "page" : "pages"} and <b class="number">{alerts.length - pages}</b> {alerts.length - pages === 1 ? "ticket" : "tickets"} would have fired
      </span>
      <span class="quiet-text verdict-problems">{judged.problems.length ? `⚠ ${judged.problems.length} classic alert${judged.problems.length > 1 ? "s" : ""} can never fire at this target` : ""}</span>
    </div>
  );
}
