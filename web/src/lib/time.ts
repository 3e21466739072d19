// Time ranges: relative ones stay relative in the URL and are resolved against one shared now.

export interface Range {
  fromS: number;
  toS: number;
  stepS: number;
  isRelative: boolean;
}

export const PRESETS: { from: string; label: string }[] = [
  { from: "-15m", label: "15 minutes" },
  { from: "-1h", label: "1 hour" },
  { from: "-3h", label: "3 hours" },
  { from: "-6h", label: "6 hours" },
  { from: "-12h", label: "12 hours" },
  { from: "-24h", label: "24 hours" },
  { from: "-3d", label: "3 days" },
  { from: "-7d", label: "7 days" },
  { from: "-30d", label: "30 days" },
];

export const DEFAULT_FROM = "-6h";
const UNIT_S: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };
const STEPS_S = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];

/** Seconds of a time word: `now`, `-6h`, or epoch seconds; null when it is none of these. */
export function resolve(word: string, nowS: number): number | null {
  if (word === "now") return nowS;
  const match = /^-(\d+)([smhdw])$/.exec(word);
  if (match) return nowS - Number(match[1]) * (UNIT_S[match[2] ?? "s"] ?? 1);
  return /^\d{9,11}$/.test(word) ? Number(word) : null;
}

/** The step that gives at most about a hundred points. */
export function stepFor(spanS: number): number {
  return STEPS_S.find((step) => spanS / step <= 100) ?? 86400;
}

/** The range that two URL words mean, aligned to whole minutes so that rollups can answer. */
export function rangeOf(from: string | null, to: string | null, nowS: number): Range {
  const fromWord = from ?? DEFAULT_FROM;
  const toWord = to ?? "now";
  const end = resolve(toWord, nowS) ?? nowS;
  const start = resolve(fromWord, nowS) ?? end - 6 * 3600;
  const low = Math.min(start, end - 60);
  const stepS = stepFor(end - low);
  return {
    fromS: Math.floor(low / stepS) * stepS,
    toS: Math.ceil(end / 60) * 60,
    stepS,
    isRelative: fromWord.startsWith("-") || toWord === "now",
  };
}

/** The words of the range moved by a share of its own length. */
export function shifted(range: Range, share: number, nowS: number): { from: string; to: string } {
  const spanS = range.toS - range.fromS;
  const moveS = Math.round((spanS * share) / 60) * 60;
  const toS = Math.min(range.toS + moveS, Math.ceil(nowS / 60) * 60);
  return { from: String(toS - spanS), to: String(toS) };
}
