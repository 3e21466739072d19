// What something cost, with what is not known of it.

import { money } from "../lib/format";

interface Props {
  usd: number | null | undefined;
  isKnown: boolean | undefined;
  source?: string | undefined;
}

/** Where an amount comes from, said on the amount; a computed one is the rule and says nothing. */
const SOURCES: Record<string, string> = {
  reported: "reported by the program",
  mixed: "partly reported by the program, partly computed",
  computed: "computed from tokens and prices",
};

/** An amount; where some calls have no known cost it is said to be partial, and where none has, unknown. */
export function KnownCost({ usd, isKnown, source = "" }: Props) {
  if (usd == null || (usd === 0 && !isKnown)) return <span class="unknown">unknown</span>;
  return (
    <>
      <span title={SOURCES[source]}>{money(usd)}</span>
      {source === "reported" || source === "mixed" ? <span class="quiet-text"> {source}</span> : null}
      {isKnown ? null : <span class="unknown"> + unknown</span>}
    </>
  );
}
