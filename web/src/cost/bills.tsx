// Providers' bills beside the ledger, by day and model.

import { useRef, useState } from "preact/hooks";
import { call } from "../api/client";
import { useGet, useInvalidate } from "../api/queries";
import type { Bill, BillDifference, BillRow } from "../api/spend";
import { ago, count, compact, money, percent, visible } from "../lib/format";
import { SureButton, useAction } from "../ui/form";
import { Badge, Empty, ErrorNote, Panel, Skeleton } from "../ui/states";
import { VirtualList } from "../ui/virtual";
import { useRange } from "../url";
import { signed } from "./changefall";

const ROW_PX = 30;
const MOST_PX = 480;

/** The view of bills. */
export function Bills() {
  return (
    <>
      <Imported />
      <Difference />
    </>
  );
}

function Imported() {
  const bills = useGet<Bill[]>("/bills");
  const invalidate = useInvalidate();
  const [provider, setProvider] = useState("");
  const [added, setAdded] = useState<Bill | null>(null);
  const file = useRef<HTMLInputElement>(null);
  const action = useAction();
  const changed = () => {
    void invalidate("/bills");
    void invalidate("/bills/difference");
  };
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    const chosen = file.current?.files?.[0];
    if (!chosen) return;
    void action
      .run(async () => setAdded(await call<Bill>("/bills", { method: "POST", query: { provider, name: chosen.name.slice(0, 200) }, file: chosen })))
      .then((ok) => {
        if (!ok) return;
        if (file.current) file.current.value = "";
        changed();
      });
  };
  return (
    <Panel title="Bills">
      <p class="lead">Add the export of a provider as it was downloaded: JSON, CSV, gzip or Parquet, from OpenAI, Anthropic or AWS.</p>
      <form class="row form" onSubmit={send}>
        <label>
          Provider
          <select value={provider} onChange={(event) => setProvider(event.currentTarget.value)}>
            <option value="">as the file says</option>
            <option value="openai">OpenAI</option>
            <option value="anthropic">Anthropic</option>
            <option value="aws">AWS</option>
          </select>
        </label>
        <label>
          File
          <input ref={file} type="file" required accept=".json,.csv,.gz,.parquet,.jsonl,.txt" />
        </label>
        <button type="submit" class="button primary" disabled={action.isBusy}>
          {action.isBusy ? "Reading…" : "Add the bill"}
        </button>
      </form>
      {action.error ? <ErrorNote error={action.error} /> : null}
      {added ? (
        <p class="note note-good" role="status">
          <span>
            {added.is_new ? "Added" : "Known already"}: {visible(added.name || added.id)}, {count(added.lines)} lines from {added.first_day} to {added.last_day}
            {added.skipped ? `; ${count(added.skipped)} lines were no usage and are left out` : ""}.
          </span>
        </p>
      ) : null}
      {bills.error ? <ErrorNote error={bills.error} retry={() => void bills.refetch()} /> : null}
      {bills.isPending ? <Skeleton lines={3} /> : null}
      {bills.data && !bills.data.length ? <Empty title="No bills yet">A bill shows what the ledger misses: calls that send no telemetry, wrong prices, other people's keys.</Empty> : null}
      {bills.data?.length ? (
        <table class="table pivot">
          <thead>
            <tr>
              <th scope="col">File</th>
              <th scope="col">Provider</th>
              <th scope="col">Days, UTC</th>
              <th scope="col" class="right">
                Lines
              </th>
              <th scope="col" class="right">
                Billed
              </th>
              <th scope="col">Added</th>
              <th scope="col" />
            </tr>
          </thead>
          <tbody>
            {bills.data.map((bill) => (
              <BillLine key={bill.id} bill={bill} changed={changed} />
            ))}
          </tbody>
        </table>
      ) : null}
    </Panel>
  );
}

function BillLine({ bill, changed }: { bill: Bill; changed: () => void }) {
  const action = useAction();
  return (
    <tr>
      <th scope="row" class="wrap-cell">
        {visible(bill.name || bill.id)}
        {action.error ? <ErrorNote error={action.error} /> : null}
      </th>
      <td>
        {bill.provider} <span class="tag">{bill.format}</span>
      </td>
      <td class="number">
        {bill.first_day} – {bill.last_day}
      </td>
      <td class="number right">
        {count(bill.lines)}
        {bill.skipped ? <span class="quiet-text"> {count(bill.skipped)} left out</span> : null}
      </td>
      <td class="number right">{bill.billed_usd == null ? <span class="unknown">unknown</span> : money(bill.billed_usd)}</td>
      <td>{ago(bill.imported_ms)}</td>
      <td class="right">
        <SureButton label="Forget" sure="Really forget?" isBusy={action.isBusy} act={() => void action.run(() => call(`/bills/${encodeURIComponent(bill.id)}`, { method: "DELETE" })).then((ok) => ok && changed())} />
      </td>
    </tr>
  );
}

const STATES: Record<string, [string, string]> = {
  matched: ["ok", "on both sides"],
  only_billed: ["error", "only billed"],
  only_ledger: ["pending", "only in ledger"],
};

function Difference() {
  const range = useRange();
  const found = useGet<BillDifference>("/bills/difference", { from: range.fromS, to: range.toS });
  const rows = found.data?.rows ?? [];
  return (
    <Panel title="Billed and in the ledger, by UTC day and model">
      {found.error ? <ErrorNote error={found.error} retry={() => void found.refetch()} /> : null}
      {found.isPending ? <Skeleton lines={4} /> : null}
      {found.data && !rows.length ? <Empty title="No day of this range is on a bill">Add a bill, or choose a range of time that one covers.</Empty> : null}
      {found.data && rows.length ? (
        <>
          <p class="fall-summary">
            Billed <strong class="number">{money(found.data.billed_usd)}</strong>, in the ledger <strong class="number">{money(found.data.ledger_usd)}</strong>: difference{" "}
            <strong class="number">{found.data.difference_usd == null ? "unknown" : signed(found.data.difference_usd)}</strong>
            {found.data.unknown_cost_calls ? `; ${count(found.data.unknown_cost_calls)} calls of unknown cost are in no amount of the ledger` : ""}.
            {found.data.superseded.length ? ` Of ${count(found.data.superseded.length)} bills some days do not count, because a newer bill covers them.` : ""}
          </p>
          <div class="bill-rows" style={{ height: `${Math.min(MOST_PX, (rows.length + 1) * ROW_PX + 2)}px` }}>
            <VirtualList label="Days and models" role="grid" count={rows.length} rowHeight={ROW_PX} header={<BillHead />} row={(at) => <DifferenceLine key={at} row={rows[at] as BillRow} />} />
          </div>
        </>
      ) : null}
    </Panel>
  );
}

function BillHead() {
  return (
    <div class="bill-row bill-head" role="row">
      {["Day", "Model", "State", "Billed", "Ledger", "Difference", "Requests", "Tokens in"].map((name, at) => (
        <span key={name} role="columnheader" class={at > 2 ? "right" : ""}>
          {name}
        </span>
      ))}
    </div>
  );
}

function DifferenceLine({ row }: { row: BillRow }) {
  const [state, word] = STATES[row.state] ?? ["disabled", row.state];
  const share = row.difference_usd != null && row.billed_usd ? row.difference_usd / row.billed_usd : null;
  const alias = row.ledger_models.filter((name) => name !== row.model);
  return (
    <div class="bill-row" role="row">
      <span role="gridcell" class="number">
        {row.day}
      </span>
      <span role="gridcell" title={alias.length ? `in the ledger: ${alias.map(visible).join(", ")}` : visible(row.model)}>
        {visible(row.model || "(not said)")} <span class="quiet-text">{visible(row.provider)}</span>
      </span>
      <span role="gridcell">
        <Badge state={state} label={word} />
      </span>
      <span role="gridcell" class="number right">
        {row.billed_usd == null ? <span class="quiet-text">–</span> : money(row.billed_usd)}
      </span>
      <span role="gridcell" class="number right" title={row.unknown_cost_calls ? `${count(row.unknown_cost_calls)} calls of unknown cost are not in it` : ""}>
        {row.ledger_usd == null ? row.ledger_calls ? <span class="unknown">unknown</span> : <span class="quiet-text">–</span> : money(row.ledger_usd)}
        {row.unknown_cost_calls && row.ledger_usd != null ? <span class="unknown"> + {compact(row.unknown_cost_calls)}</span> : null}
      </span>
      <span role="gridcell" class="number right">
        {row.difference_usd == null ? <span class="unknown">unknown</span> : signed(row.difference_usd)}
        {share == null ? null : <span class="quiet-text"> {percent(share).replace("-", "−")}</span>}
      </span>
      <span role="gridcell" class="number right">
        {row.billed_requests == null ? "–" : compact(row.billed_requests)} / {compact(row.ledger_calls)}
      </span>
      <span role="gridcell" class="number right">
        {row.billed_input_tokens == null ? "–" : compact(row.billed_input_tokens)} / {compact(row.ledger_input_tokens)}
      </span>
    </div>
  );
}
