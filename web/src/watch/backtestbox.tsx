// What a monitor would have said of the last days, beside the incidents that there were.

import { useState } from "preact/hooks";
import { type Backtest, backtest, type KnownIncident, type MonitorSpec, type WouldBe } from "../api/monitors";
import { useMeasures, useSlice } from "../api/queries";
import { ago, count, duration, moment, percent, visible } from "../lib/format";
import { groupText } from "../lib/monitor";
import { rangeOf } from "../lib/time";
import { Chart, type Marker, type Shade } from "../ui/chart";
import { Choice, useAction } from "../ui/form";
import { Badge, ErrorNote, Skeleton } from "../ui/states";
import { Link } from "../url";

const DAYS = ["1", "3", "7", "14", "30"];
const SHOWN = 200;

/** The button, and once it was pressed what would have been; nothing is kept and nobody is told. */
export function BacktestBox({ spec }: { spec: MonitorSpec }) {
  const [days, setDays] = useState("7");
  const [found, setFound] = useState<{ answer: Backtest; spec: MonitorSpec } | null>(null);
  const action = useAction();
  const run = () => void action.run(async () => setFound({ answer: await backtest(spec, Number(days)), spec }));
  const isOld = found !== null && JSON.stringify(found.spec) !== JSON.stringify(spec);
  return (
    <section class="backtest" aria-label="Back-test">
      <div class="row">
        <h3>Back-test</h3>
        <Choice label="over the last" value={days} options={DAYS} names={Object.fromEntries(DAYS.map((n) => [n, `${n} d`]))} choose={setDays} />
        <button type="button" class="button" disabled={action.isBusy} onClick={run}>
          {action.isBusy ? "Replaying…" : "Run the back-test"}
        </button>
        <span class="quiet-text">{isOld ? "The declaration has changed since." : "What would have fired; nothing is kept and nobody is told."}</span>
      </div>
      {action.error ? <ErrorNote error={action.error} /> : null}
      {action.isBusy && !found ? <Skeleton lines={4} /> : null}
      {found ? <Outcome answer={found.answer} spec={found.spec} /> : null}
    </section>
  );
}

function Outcome({ answer, spec }: { answer: Backtest; spec: MonitorSpec }) {
  const { episodes, incidents } = answer;
  const foundN = incidents.filter((incident) => incident.detected_ms !== null).length;
  return (
    <>
      <p class="backtest-sum" role="status">
        <strong class="number">{count(episodes.length)}</strong> {episodes.length === 1 ? "alarm" : "alarms"} would have fired, <strong class="number">{count(episodes.filter((episode) => episode.severity === "page").length)}</strong> of them pages ·{" "}
        {incidents.length ? (
          <>
            <strong class="number">{foundN}</strong> of {count(incidents.length)} known {incidents.length === 1 ? "incident" : "incidents"} found, <strong class="number">{incidents.length - foundN}</strong> missed
          </>
        ) : (
          "no incident is known in that time"
        )}
      </p>
      <Past answer={answer} spec={spec} />
      {incidents.length ? <Known incidents={incidents} /> : null}
      {episodes.length ? <Episodes episodes={episodes} /> : null}
    </>
  );
}

function Past({ answer, spec }: { answer: Backtest; spec: MonitorSpec }) {
  const measures = useMeasures();
  const info = measures.data?.find((measure) => measure.id === spec.measure);
  const range = rangeOf(String(answer.from), String(answer.to), answer.to);
  const slice = useSlice({ measure: spec.measure, from: range.fromS, to: range.toS, filter: spec.filter, step: range.stepS, by: [], limit: 1 });
  if (slice.error) return <ErrorNote error={slice.error} />;
  const points = slice.data?.series[0]?.points ?? [];
  const shades: Shade[] = answer.episodes.map((episode) => ({ fromS: episode.onset_ms / 1000, toS: (episode.resolved_ms ?? answer.to * 1000) / 1000, label: "", tone: episode.severity === "page" ? "bad" : "warn" }));
  const markers: Marker[] = answer.incidents.map((incident) => ({ timeMs: incident.occurred_ms, kind: "incident", label: `#${incident.number} ${incident.title}` }));
  if (!points.length) return slice.isPending ? <div class="backtest-chart"><Skeleton tall /></div> : <p class="quiet-text backtest-chart">The measure has no data in that time.</p>;
  return (
    <div class="backtest-chart">
      <Chart
        times={points.map((point) => point.t)}
        lines={[{ label: info?.name ?? spec.measure, values: points.map((point) => point.value), low: points.map((point) => point.low), high: points.map((point) => point.high) }]}
        unit={slice.data?.unit ?? ""}
        kind={slice.data?.kind ?? ""}
        height={190}
        shades={shades}
        markers={markers}
        span={[range.fromS, range.toS]}
        label="The measure with what would have fired"
        syncKey="backtest"
      />
    </div>
  );
}

function Known({ incidents }: { incidents: KnownIncident[] }) {
  return (
    <table class="table">
      <thead>
        <tr>
          <th scope="col">Known incident</th>
          <th scope="col">Began</th>
          <th scope="col">Back-test</th>
        </tr>
      </thead>
      <tbody>
        {incidents.map((incident) => (
          <tr key={incident.id}>
            <th scope="row">
              <Link to={`/incidents/${incident.id}`}>
                #{incident.number} {visible(incident.title)}
              </Link>
            </th>
            <td class="number">{moment(incident.occurred_ms)}</td>
            <td>{incident.detected_ms === null ? <Badge state="error" label="missed" /> : <Badge state="ok" label={`found ${duration(Math.max(0, incident.detected_ms - incident.occurred_ms))} after it began`} />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Episodes({ episodes }: { episodes: WouldBe[] }) {
  return (
    <div class="table-scroll backtest-episodes">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Would have fired</th>
            <th scope="col">Group</th>
            <th scope="col">Class</th>
            <th scope="col">Began</th>
            <th scope="col">Ended</th>
            <th scope="col">Evidence</th>
          </tr>
        </thead>
        <tbody>
          {episodes.slice(0, SHOWN).map((episode) => (
            <tr key={`${episode.detected_ms}${JSON.stringify(episode.group)}`}>
              <th scope="row" class="number" title={ago(episode.detected_ms)}>
                {moment(episode.detected_ms)}
              </th>
              <td>{visible(groupText(episode.group))}</td>
              <td class="number">
                {episode.class} {episode.class === "undecided" ? null : <span class="certainty">{percent(episode.class === "transient" ? 1 - episode.systematic_probability : episode.systematic_probability)} sure</span>}
              </td>
              <td class="number">{moment(episode.onset_ms)}</td>
              <td class="number">{episode.resolved_ms === null ? "still open" : moment(episode.resolved_ms)}</td>
              <td class="wrap quiet-text">{visible(episode.evidence)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {episodes.length > SHOWN ? <span class="cut">{SHOWN} of {count(episodes.length)} alarms</span> : null}
    </div>
  );
}
