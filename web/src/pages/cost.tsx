// Cost: what is spent, on what, by whom, why it changed; and how much of it is not known.

import { ExportMenu } from "../cost/exportmenu";
import { SpendTab } from "../cost/spendtab";
import { lazy } from "../ui/lazy";
import { hrefTo, useUrl } from "../url";
import { useLocation } from "wouter";

const Explain = lazy(() => import("../cost/explaintab").then((tab) => tab.ExplainTab));
const Budgets = lazy(() => import("../cost/budgets").then((tab) => tab.Budgets));
const Prices = lazy(() => import("../cost/prices").then((tab) => tab.Prices));
const Attribution = lazy(() => import("../cost/attribution").then((tab) => tab.Attribution));
const Bills = lazy(() => import("../cost/bills").then((tab) => tab.Bills));
const Allocation = lazy(() => import("../cost/allocation").then((tab) => tab.Allocation));

const VIEWS = [
  { id: "spend", name: "Spend", body: SpendTab },
  { id: "why", name: "Why it changed", body: Explain },
  { id: "budgets", name: "Budgets", body: Budgets },
  { id: "prices", name: "Prices", body: Prices },
  { id: "owners", name: "Attribution", body: Attribution },
  { id: "shared", name: "Shared costs", body: Allocation },
  { id: "bills", name: "Bills", body: Bills },
];

/** The cost screen; the URL says which of its views is open. */
export function Cost() {
  const [params] = useUrl();
  const [, navigate] = useLocation();
  const view = VIEWS.find((item) => item.id === params.get("view")) ?? VIEWS[0];
  const Body = view?.body ?? SpendTab;
  return (
    <div class="page cost-page">
      <div class="cost-head">
        <div class="tabs" role="tablist" aria-label="Views of cost">
          {VIEWS.map((item) => (
            <button type="button" role="tab" key={item.id} aria-selected={item === view} onClick={() => navigate(hrefTo("/cost", { view: item.id === "spend" ? null : item.id }))}>
              {item.name}
            </button>
          ))}
        </div>
        <ExportMenu />
      </div>
      <Body key={view?.id} />
    </div>
  );
}
