// What something cost, with what is not known of it.

import { money } from "../lib/format";

/** An amount; where some calls have no known cost it is said to be partial, and where none has, unknown. */
export function KnownCost({ usd, isKnown }: { usd: number | null | undefined; isKnown: boolean | undefined }) {
  if (usd == null || (usd === 0 && !isKnown)) return <span class="unknown">unknown</span>;
  return (
    <>
      {money(usd)}
      {isKnown ? null : <span class="unknown"> + unknown</span>}
    </>
  );
}
