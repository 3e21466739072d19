// Spend: the total with its unknown part, over time, by any two dimensions, by whom.

import { MeasureChart } from "../ui/measurechart";
import { Tile } from "../ui/tile";
import { useUrl } from "../url";
import { useCostDimensions } from "./dimensions";
import { CostTable } from "./pivottable";
import { KnownAndUnknown } from "./sources";
import { TopSpenders } from "./topspend";
import { UntaggedShares } from "./untagged";
import { Waste } from "./waste";

/** The first view of the cost screen. */
export function SpendTab() {
  const [params] = useUrl();
  const dimensions = useCostDimensions();
  const pick = (name: string, fallback: string) => (dimensions.includes(params.get(name) ?? "") ? (params.get(name) as string) : fallback);
  const rows = pick("rows", "model");
  const wanted = pick("columns", "team");
  const columns = wanted === rows ? (rows === "team" ? "model" : "team") : wanted;
  return (
    <>
      <KnownAndUnknown />
      <div class="tiles is-six">
        <Tile measure="cost" name="Known cost" behind={{ sort: "cost" }} />
        <Tile measure="cost_per_request" name="Cost per request" behind={{ sort: "cost" }} />
        <Tile measure="unknown_cost_share" name="Calls of unknown cost" tone="warn" />
        <Tile measure="tokens_per_request" name="Tokens per request" behind={{ sort: "tokens" }} />
        <Tile measure="cache_hit_share" name="Cached input share" tone="good" />
        <Tile measure="retry_share" name="Retries" tone="bad" />
      </div>
      <MeasureChart title={`Cost over time, by ${rows.replaceAll("_", " ")}`} measures={[{ id: "cost", label: "cost" }]} by={[rows]} isStacked isBars height={220} limit={8} />
      <CostTable rows={rows} columns={columns} dimensions={dimensions} />
      <div class="split">
        <TopSpenders dimensions={dimensions} />
        <div class="stack">
          <Waste />
          <UntaggedShares />
        </div>
      </div>
    </>
  );
}
