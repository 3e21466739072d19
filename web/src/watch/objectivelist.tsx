// The objectives of the project, each with what is left of its budget.

import type { Objective } from "../api/objectives";
import { useGet } from "../api/queries";
import { compact, visible } from "../lib/format";
import { exhaustionText, targetText, windowText } from "../lib/objective";
import { Bar } from "../ui/sparkline";
import { Badge, Empty, ErrorNote, Panel, Skeleton } from "../ui/states";
import { Link, useUrl } from "../url";
import { ObjectiveForm } from "./objectiveform";
import { YamlBox } from "./yamlbox";

/** The list with its ways to make an objective: by hand, or from OpenSLO. */
export function ObjectiveList() {
  const [params, setUrl] = useUrl();
  const slos = useGet<Objective[]>("/slos", {}, { refetchMs: 30_000 });
  const view = params.get("view");
  const rows = slos.data ?? [];
  const turn = (name: string) => setUrl({ view: view === name ? null : name });
  return (
    <div class="page">
      <Panel
        title="Objectives"
        aside={
          <>
            <button type="button" class="button" aria-expanded={view === "yaml"} onClick={() => turn("yaml")}>
              OpenSLO
            </button>
            <button type="button" class="button primary" aria-expanded={view === "new"} onClick={() => turn("new")}>
              New objective
            </button>
          </>
        }
      >
        {view === "new" ? <ObjectiveForm taken={rows.map((row) => row.id)} cancel={() => setUrl({ view: null })} /> : null}
        {view === "yaml" ? <YamlBox path="/slos.yaml" refresh="/slos" name="OpenSLO" hint="All objectives as OpenSLO v1. Applying makes or replaces what the text names: all of it, or nothing." /> : null}
        {slos.error ? <ErrorNote error={slos.error} retry={() => void slos.refetch()} /> : null}
        {slos.isPending ? <Skeleton lines={6} /> : null}
        {slos.data && !rows.length ? <Empty title="No objectives">An objective says which share of events is good over a window, and shows what is left of the rest: the error budget.</Empty> : null}
        {rows.length ? (
          <div class="table-scroll">
            <table class="table objectives">
              <thead>
                <tr>
                  <th scope="col">Objective</th>
                  <th scope="col">Target</th>
                  <th scope="col">Budget</th>
                  <th scope="col">Burning now</th>
                  <th scope="col">Gone in</th>
                  <th scope="col">State</th>
                </tr>
              </thead>
              <tbody>
                {rows.map((slo) => (
                  <Row key={slo.id} slo={slo} />
                ))}
              </tbody>
            </table>
          </div>
        ) : null}
      </Panel>
    </div>
  );
}

function Row({ slo }: { slo: Objective }) {
  const budget = slo.budget;
  const burn = budget?.burns[0]?.long.value ?? null;
  return (
    <tr>
      <th scope="row" class="wrap">
        <Link to={`/slos/${encodeURIComponent(slo.id)}`} class="objective-name">
          {visible(slo.name)}
        </Link>
        <div class="quiet-text">
          {slo.measure.replaceAll("_", " ")}
          {slo.filter ? ` where ${visible(slo.filter)}` : ""}
        </div>
        {slo.problems.length ? <div class="quiet-text">⚠ {slo.problems.length === 1 ? "one classic alert" : `${slo.problems.length} classic alerts`} can never fire</div> : null}
        {slo.error ? <ErrorNote error={new Error(slo.error)} /> : null}
      </th>
      <td class="number">
        {targetText(slo.target)}
        <div class="quiet-text">{windowText(slo)}</div>
      </td>
      <td class="wrap">
        <span class="pair budget-cell">
          <Bar share={budget?.spent ?? 0} tone={budget?.state === "insufficient_data" ? "quiet" : (budget?.spent ?? 0) >= 1 ? "bad" : "accent"} />
          {budget?.spent == null ? <span class="unknown">unknown: {budget?.sentence ?? "it could not be judged"}</span> : <span>{budget.sentence}</span>}
        </span>
      </td>
      <td class="number">{burn === null ? <span class="unknown">unknown</span> : `${compact(burn)}×`}</td>
      <td class="quiet-text">{exhaustionText(budget?.exhaustion ?? null)}</td>
      <td>{budget ? <Badge state={budget.state} /> : null}</td>
    </tr>
  );
}
