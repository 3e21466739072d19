// History priced again: first only looked at, then done.

import { useState } from "preact/hooks";
import { call } from "../api/client";
import { useGet, useInvalidate } from "../api/queries";
import type { Repriced, RepriceJob } from "../api/spend";
import { ago, count, moment, money, visible } from "../lib/format";
import { SureButton, useAction } from "../ui/form";
import { Badge, Cut, ErrorNote, Panel, Skeleton } from "../ui/states";
import { Link, useRange } from "../url";
import { signed } from "./changefall";

const POLL_MS = 1_000;
const SHOWN = 50;

/** The panel that starts and shows jobs. */
export function Reprice() {
  const range = useRange();
  const invalidate = useInvalidate();
  const action = useAction();
  const [why, setWhy] = useState("");
  const [opened, setOpened] = useState<string | null>(null);
  const jobs = useGet<RepriceJob[]>("/prices/reprice", {}, { refetchMs: 5_000 });
  const start = (dryRun: boolean) =>
    void action.run(async () => {
      const job = await call<RepriceJob>("/prices/reprice", { method: "POST", body: { from: String(range.fromS), to: String(range.toS), dry_run: dryRun, why } });
      setOpened(job.id);
      await invalidate("/prices/reprice");
    });
  const job = jobs.data?.find((item) => item.id === opened);
  return (
    <Panel title="Price history again">
      <p class="lead">
        The calls from {moment(range.fromS * 1000, Date.now(), false)} to {moment(range.toS * 1000, Date.now(), false)} are priced by the prices and rules of now. Look first; what was shown before is kept.
      </p>
      <form class="row form" onSubmit={(event) => (event.preventDefault(), start(true))}>
        <label class="grow">
          Why
          <input value={why} maxLength={500} onInput={(event) => setWhy(event.currentTarget.value)} placeholder="new contract price" />
        </label>
        <button type="submit" class="button primary" disabled={action.isBusy}>
          Look what would change
        </button>
      </form>
      {action.error ? <ErrorNote error={action.error} /> : null}
      {jobs.error ? <ErrorNote error={jobs.error} retry={() => void jobs.refetch()} /> : null}
      {opened ? <Job id={opened} known={job} apply={() => start(false)} isBusy={action.isBusy} /> : null}
      {jobs.data?.length ? <Jobs jobs={jobs.data} opened={opened} open={setOpened} /> : null}
    </Panel>
  );
}

function Job({ id, known, apply, isBusy }: { id: string; known: RepriceJob | undefined; apply: () => void; isBusy: boolean }) {
  const isRunning = known === undefined || known.state === "running";
  const asked = useGet<RepriceJob>(`/prices/reprice/${encodeURIComponent(id)}`, {}, { refetchMs: isRunning ? POLL_MS : 60_000 });
  const job = asked.data && asked.data.id === id ? asked.data : known;
  if (asked.error) return <ErrorNote error={asked.error} />;
  if (!job) return <Skeleton lines={2} />;
  const isDone = job.state === "done";
  return (
    <div class="reprice-job" role="status">
      <p>
        <Badge state={isDone ? "ok" : "pending"} label={isDone ? (job.dry_run ? "looked at, nothing changed yet" : "done") : "running"} /> {count(job.calls)} calls of {count(job.traces)} traces read; <strong>{count(job.changed)}</strong> {job.dry_run ? "would change" : "changed"}: <span class="number">{money(job.before_usd)}</span> → <span class="number">{money(job.after_usd)}</span>{" "}
        <strong class="number">({signed(job.after_usd - job.before_usd)})</strong>; of unknown cost {count(job.unknown_before)} → {count(job.unknown_after)}.
      </p>
      {isDone && job.changed ? <Changes job={job} /> : null}
      {isDone && job.dry_run && job.changed ? <SureButton label="Price again now" sure="Really change the costs?" act={apply} isBusy={isBusy} tone="primary" /> : null}
    </div>
  );
}

function Changes({ job }: { job: RepriceJob }) {
  const changes = useGet<Repriced[]>(`/prices/reprice/${encodeURIComponent(job.id)}/changes`, { limit: SHOWN });
  if (changes.error) return <ErrorNote error={changes.error} />;
  if (!changes.data?.length) return null;
  return (
    <details>
      <summary>
        What {job.dry_run ? "would change" : "changed"} <Cut shown={changes.data.length} total={Math.max(job.changed, changes.data.length)} word="rows" />
      </summary>
      <table class="table pivot">
        <tbody>
          {changes.data.map((row) => (
            <tr key={row.trace_id + row.span_id}>
              <td>
                <Link to={`/traces/${row.trace_id}`} set={row.span_id ? { span: row.span_id } : {}}>
                  <code>{row.trace_id.slice(0, 12)}…</code>
                </Link>{" "}
                {row.span_id ? "" : <span class="tag">trace</span>}
              </td>
              <td>{visible(row.model)}</td>
              <td class="number right">{row.before_usd == null ? <span class="unknown">unknown</span> : money(row.before_usd)}</td>
              <td class="number right">→ {row.after_usd == null ? <span class="unknown">unknown</span> : money(row.after_usd)}</td>
              <td class="quiet-text">
                {Object.keys(row.after_dimensions).map((name) => (
                  <span key={name}>
                    {name}: {visible(row.before_dimensions[name] || "(not said)")} → {visible(row.after_dimensions[name] ?? "")}{" "}
                  </span>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

function Jobs({ jobs, opened, open }: { jobs: RepriceJob[]; opened: string | null; open: (id: string) => void }) {
  return (
    <table class="table pivot">
      <thead>
        <tr>
          <th scope="col">Earlier</th>
          <th scope="col">Of</th>
          <th scope="col">Why</th>
          <th scope="col" class="right">
            Changed
          </th>
          <th scope="col" class="right">
            By
          </th>
          <th scope="col" />
        </tr>
      </thead>
      <tbody>
        {jobs.slice(0, 10).map((job) => (
          <tr key={job.id} class={job.id === opened ? "is-open" : ""}>
            <th scope="row">
              {ago(job.created_ms)} <span class="tag">{job.dry_run ? "look" : "change"}</span>
            </th>
            <td>
              {moment(job.start_s * 1000, Date.now(), false)} – {moment(job.end_s * 1000, Date.now(), false)}
            </td>
            <td>
              {visible(job.why) || <span class="quiet-text">–</span>} <span class="quiet-text">{visible(job.actor)}</span>
            </td>
            <td class="number right">{count(job.changed)}</td>
            <td class="number right">{signed(job.after_usd - job.before_usd)}</td>
            <td class="right">
              <button type="button" class="button small" onClick={() => open(job.id)}>
                Show
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
