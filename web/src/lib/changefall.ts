// A change of spend as a waterfall: where each part begins and ends, and on which axis.

import type { ExplainPart } from "../api/spend";

export interface Step {
  factor: string;
  words: string;
  usd: number;
  share: number | null;
  /** Where the bar begins and ends, as shares of the axis from 0 to 1; `left` <= `right`. */
  left: number;
  right: number;
}

export interface Fall {
  steps: Step[];
  /** Factors that added nothing that shows. */
  still: string[];
  before: number;
  after: number;
  /** The amount where the axis begins; above 0 it is cut, and the totals have no true length. */
  lowUsd: number;
  highUsd: number;
  isCut: boolean;
}

/** Below this share of the largest part a part is no bar, only a name. */
const LEAST_SHARE = 0.001;
/** When all that moves fits in this share of the whole, the axis does not begin at 0. */
const CUT_BELOW = 0.25;

/** Place the parts, the largest first, between the amount before and the amount after. */
export function fallOf(beforeUsd: number, afterUsd: number, parts: ExplainPart[]): Fall {
  const largest = Math.max(0, ...parts.map((part) => Math.abs(part.usd)));
  const moved = parts.filter((part) => largest > 0 && Math.abs(part.usd) >= largest * LEAST_SHARE);
  const sorted = [...moved].sort((a, b) => Math.abs(b.usd) - Math.abs(a.usd));
  let atUsd = beforeUsd;
  const spans = sorted.map((part) => {
    const fromUsd = atUsd;
    atUsd += part.usd;
    return { part, fromUsd, toUsd: atUsd };
  });
  const reached = [beforeUsd, afterUsd, ...spans.map((span) => span.toUsd)];
  const highest = Math.max(...reached);
  const lowest = Math.min(...reached);
  const isCut = lowest > 0 && highest > 0 && (highest - lowest) / highest < CUT_BELOW && highest > lowest;
  const lowUsd = isCut ? Math.max(0, lowest - (highest - lowest) * 0.6) : Math.min(0, lowest);
  const highUsd = highest === lowUsd ? lowUsd + 1 : highest;
  const at = (usd: number) => (usd - lowUsd) / (highUsd - lowUsd);
  return {
    steps: spans.map(({ part, fromUsd, toUsd }) => ({
      factor: part.factor,
      words: part.words,
      usd: part.usd,
      share: part.share,
      left: at(Math.min(fromUsd, toUsd)),
      right: at(Math.max(fromUsd, toUsd)),
    })),
    still: parts.filter((part) => !moved.includes(part)).map((part) => part.factor),
    before: at(beforeUsd),
    after: at(afterUsd),
    lowUsd,
    highUsd,
    isCut,
  };
}
