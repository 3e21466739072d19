// Prices: models that nobody can price, prices of one's own, and pricing history again.

import { useState } from "preact/hooks";
import { call } from "../api/client";
import { useGet, useInvalidate } from "../api/queries";
import type { OwnPrice, UnknownPrice } from "../api/spend";
import { termFor, withTerm } from "../lib/filter";
import { ago, compact, count, moment, visible } from "../lib/format";
import { draftOf, newDraft, type Draft } from "../lib/price";
import { SureButton, useAction } from "../ui/form";
import { Cut, Empty, ErrorNote, Panel, Skeleton } from "../ui/states";
import { Link, useFilter, useRange } from "../url";
import { PriceForm } from "./priceform";
import { Reprice } from "./reprice";

const REASONS: Record<string, string> = {
  no_price: "no price is known for this model",
  no_usage: "the calls report no tokens",
  partial_usage: "the calls report only some of their tokens",
  no_model: "the calls do not say their model",
  cut_off: "the stream was cut off before its tokens came",
};

interface Editing {
  draft: Draft;
  price?: OwnPrice;
}

/** The view of prices. */
export function Prices() {
  const [editing, setEditing] = useState<Editing | null>(null);
  const prices = useGet<OwnPrice[]>("/prices");
  const invalidate = useInvalidate();
  const done = () => {
    setEditing(null);
    void invalidate("/prices");
    void invalidate("/prices/unknown");
  };
  return (
    <>
      {editing ? (
        <Panel title={editing.price ? "Change a price" : "New price"}>
          <PriceForm key={editing.price?.id ?? editing.draft.model} {...editing} taken={(prices.data ?? []).map((price) => price.id)} done={done} cancel={() => setEditing(null)} />
        </Panel>
      ) : null}
      <Unknown set={(row) => setEditing({ draft: newDraft(row.model, row.provider) })} />
      <Panel
        title="Prices of your own"
        aside={
          <button type="button" class="button primary" onClick={() => setEditing({ draft: newDraft() })}>
            New price
          </button>
        }
      >
        <p class="lead">They go before the list that Vagus brings. A price holds for calls of its stretch of time; what was priced before keeps its cost until history is priced again.</p>
        {prices.error ? <ErrorNote error={prices.error} retry={() => void prices.refetch()} /> : null}
        {prices.isPending ? <Skeleton lines={3} /> : null}
        {prices.data && !prices.data.length ? <Empty title="No prices of your own">Add a contract price, a discount on the list, or machines that are paid by the hour.</Empty> : null}
        {prices.data?.length ? <PriceTable prices={prices.data} edit={(price) => setEditing({ price, draft: draftOf(price) })} done={done} /> : null}
      </Panel>
      <Reprice />
    </>
  );
}

function Unknown({ set }: { set: (row: UnknownPrice) => void }) {
  const range = useRange();
  const filter = useFilter();
  const unknown = useGet<UnknownPrice[]>("/prices/unknown", { from: range.fromS, to: range.toS });
  return (
    <Panel title="Calls of unknown cost" aside={unknown.data?.length ? <Cut shown={unknown.data.length} total={unknown.data.length} word="models and reasons" /> : null}>
      {unknown.error ? <ErrorNote error={unknown.error} retry={() => void unknown.refetch()} /> : null}
      {unknown.isPending ? <Skeleton lines={3} /> : null}
      {unknown.data && !unknown.data.length ? <Empty title="Every call of this range has a known cost" /> : null}
      {unknown.data?.length ? (
        <table class="table pivot">
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col">Provider</th>
              <th scope="col">Why it is unknown</th>
              <th scope="col" class="right">
                Calls
              </th>
              <th scope="col" class="right">
                Tokens in / out
              </th>
              <th scope="col" />
            </tr>
          </thead>
          <tbody>
            {unknown.data.map((row) => (
              <tr key={JSON.stringify([row.provider, row.model, row.reason])}>
                <th scope="row">{row.model ? visible(row.model) : <span class="unknown">not said</span>}</th>
                <td>{row.provider ? visible(row.provider) : <span class="unknown">not said</span>}</td>
                <td>{REASONS[row.reason] ?? row.reason.replaceAll("_", " ")}</td>
                <td class="number right">
                  <Link to="/traces" set={{ filter: withTerm(withTerm(filter, termFor("model", row.model)), "unknown_cost_calls>0") }} title="The traces behind it">
                    {count(row.calls)}
                  </Link>
                </td>
                <td class="number right">
                  {row.reason === "no_usage" || row.reason === "cut_off" ? <span class="unknown">unknown</span> : `${compact(row.input_tokens)} / ${compact(row.output_tokens)}`}
                </td>
                <td class="right">
                  {row.reason === "no_price" ? (
                    <button type="button" class="button small primary" onClick={() => set(row)}>
                      Set a price
                    </button>
                  ) : (
                    <Link to="/instrumentation" class="button small">
                      How to mend it
                    </Link>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
    </Panel>
  );
}

function PriceTable({ prices, edit, done }: { prices: OwnPrice[]; edit: (price: OwnPrice) => void; done: () => void }) {
  return (
    <div class="table-scroll">
      <table class="table pivot">
        <thead>
          <tr>
            <th scope="col">Price</th>
            <th scope="col">Models</th>
            <th scope="col">How much</th>
            <th scope="col">Holds</th>
            <th scope="col">Changed</th>
            <th scope="col" />
          </tr>
        </thead>
        <tbody>
          {prices.map((price) => (
            <PriceLine key={`${price.id}${price.every_project}`} price={price} edit={() => edit(price)} done={done} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A price in words. */
function amountOf(price: OwnPrice): string {
  if (price.gpu) return `$${price.gpu["usd_per_hour"] ?? "?"} an hour for a machine`;
  if (price.list_factor != null) return `${price.list_factor} × the list`;
  const tokens = Object.entries(price.per_million).map(([name, usd]) => `${name.replaceAll("_", " ")} $${usd}`);
  const fees = Object.entries(price.each).map(([name, usd]) => `each ${name.replaceAll("_", " ")} $${usd}`);
  const tiers = Object.entries(price.tiers).map(([name, factor]) => `${name} × ${factor}`);
  return [tokens.length ? `${tokens.join(", ")} a million tokens` : "", ...fees, ...tiers].filter(Boolean).join("; ");
}

function PriceLine({ price, edit, done }: { price: OwnPrice; edit: () => void; done: () => void }) {
  const action = useAction();
  const [way = "", model = ""] = Object.entries(price.model)[0] ?? [];
  const remove = () => void action.run(() => call(`/prices/${encodeURIComponent(price.id)}`, { method: "DELETE", query: { every_project: price.every_project || null } })).then((ok) => ok && done());
  const until = price.valid_to_ms ? ` until ${moment(price.valid_to_ms, Date.now(), false)}` : "";
  return (
    <tr>
      <th scope="row">
        {visible(price.name || price.id)} {price.every_project ? <span class="tag accent">every project</span> : null}
        {action.error ? <ErrorNote error={action.error} /> : null}
      </th>
      <td>
        {way === "equals" ? "" : `${way.replaceAll("_", " ")} `}
        <code>{visible(model)}</code> {price.provider ? <span class="quiet-text">of {visible(price.provider)}</span> : null}
      </td>
      <td class="wrap-cell">{amountOf(price)}</td>
      <td>{price.valid_from_ms || price.valid_to_ms ? `${price.valid_from_ms ? `from ${moment(price.valid_from_ms, Date.now(), false)}` : ""}${until}` : "always"}</td>
      <td title={moment(price.updated_ms)}>{ago(price.updated_ms)}</td>
      <td class="right">
        <span class="pair">
          <button type="button" class="button small" onClick={edit}>
            Edit
          </button>
          <SureButton label="Delete" sure="Really delete?" act={remove} isBusy={action.isBusy} />
        </span>
      </td>
    </tr>
  );
}
