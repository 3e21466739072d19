// Numbers, times and durations as people read them. Pure functions, no DOM.

export const UNKNOWN = "unknown";

const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** A whole number with thousands separators. */
export function count(value: number | null | undefined): string {
  return value == null ? UNKNOWN : WHOLE.format(value);
}

/** A number in at most three significant digits, with k, M and G. */
export function compact(value: number | null | undefined): string {
  if (value == null || Number.isNaN(value)) return UNKNOWN;
  const size = Math.abs(value);
  if (size >= 1e9) return `${significant(value / 1e9)}G`;
  if (size >= 1e6) return `${significant(value / 1e6)}M`;
  if (size >= 1e4) return `${significant(value / 1e3)}k`;
  if (size >= 1000) return WHOLE.format(value);
  return significant(value);
}

function significant(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (Number.isInteger(value) && size < 1000) return String(value);
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return trim(value.toFixed(1));
  if (size >= 1) return trim(value.toFixed(2));
  return trim(value.toPrecision(2));
}

function trim(text: string): string {
  return text.includes(".") && !text.includes("e") ? text.replace(/\.?0+$/, "") : text;
}

/** A share of one as a percentage; small shares keep their digits. */
export function percent(value: number | null | undefined): string {
  if (value == null || Number.isNaN(value)) return UNKNOWN;
  const scaled = value * 100;
  const size = Math.abs(scaled);
  if (size === 0) return "0%";
  if (size < 0.01) return "<0.01%";
  if (size < 1) return `${trim(scaled.toFixed(2))}%`;
  if (size < 99.95 || size >= 100.05) return `${trim(scaled.toFixed(1))}%`;
  return `${trim(scaled.toFixed(2))}%`;
}

/** A duration given in milliseconds. */
export function duration(ms: number | null | undefined): string {
  if (ms == null || Number.isNaN(ms)) return UNKNOWN;
  const size = Math.abs(ms);
  if (size === 0) return "0 ms";
  if (size < 1) return `${Math.round(ms * 1000)} µs`;
  if (size < 10) return `${trim(ms.toFixed(1))} ms`;
  if (size < 1000) return `${Math.round(ms)} ms`;
  if (size < 10_000) return `${trim((ms / 1000).toFixed(2))} s`;
  if (size < 60_000) return `${trim((ms / 1000).toFixed(1))} s`;
  if (size < 3_600_000) return twoUnits(Math.round(ms / 1000), 60, "min", "s");
  if (size < 86_400_000) return twoUnits(Math.round(ms / 60_000), 60, "h", "min");
  return twoUnits(Math.round(ms / 3_600_000), 24, "d", "h");
}

function twoUnits(total: number, per: number, large: string, small: string): string {
  const rest = total % per;
  return `${Math.floor(total / per)} ${large}${rest ? ` ${rest} ${small}` : ""}`;
}

/** An amount of US dollars; small amounts keep two significant digits. */
export function money(usd: number | null | undefined): string {
  if (usd == null || Number.isNaN(usd)) return UNKNOWN;
  const size = Math.abs(usd);
  const sign = usd < 0 ? "−" : "";
  if (size === 0) return "$0";
  if (size < 0.000001) return `${sign}<$0.000001`;
  if (size < 0.01) return `${sign}$${size.toFixed(Math.min(8, 1 - Math.floor(Math.log10(size))))}`;
  if (size < 1) return `${sign}$${size.toFixed(3)}`;
  if (size < 1000) return `${sign}$${size.toFixed(2)}`;
  if (size < 1e6) return `${sign}$${WHOLE.format(size)}`;
  return `${sign}$${compact(size)}`;
}

/** A value of a measure, by its unit and kind. */
export function measured(value: number | null | undefined, unit: string, kind = ""): string {
  if (value == null) return UNKNOWN;
  const word = unit.toLowerCase();
  if (kind === "ratio" || word === "ratio" || word === "share" || word === "%") return percent(value);
  if (word === "ms" || word === "milliseconds") return duration(value);
  if (word === "s" || word === "seconds") return duration(value * 1000);
  if (word === "usd" || word === "$") return money(value);
  if (word === "days") return `${compact(value)} d`;
  return compact(value);
}

/** A value of a measure on an axis, where trailing zeros only take room. */
export function axisLabel(value: number, unit: string, kind = ""): string {
  return measured(value, unit, kind).replace(/(\.\d*?)0+(?=\D*$)/, (_, digits: string) => (digits === "." ? "" : digits));
}

/** An interval as `low – high`, or an empty string where there is none. */
export function interval(low: number | null, high: number | null, unit: string, kind = ""): string {
  if (low == null || high == null) return "";
  return `${measured(low, unit, kind)} – ${measured(high, unit, kind)}`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** The clock time of a moment, local. */
export function clock(ms: number, withSeconds = true): string {
  const date = new Date(ms);
  const base = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return withSeconds ? `${base}:${two(date.getSeconds())}` : base;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** The day and clock time of a moment, local; the year only when it is not this one. */
export function moment(ms: number, nowMs = Date.now(), withSeconds = true): string {
  const date = new Date(ms);
  const now = new Date(nowMs);
  const time = clock(ms, withSeconds);
  if (date.toDateString() === now.toDateString()) return time;
  const day = `${date.getDate()} ${MONTHS[date.getMonth()]}`;
  return date.getFullYear() === now.getFullYear() ? `${day} ${time}` : `${day} ${date.getFullYear()} ${time}`;
}

/** How long ago a moment was. */
export function ago(ms: number, nowMs = Date.now()): string {
  const seconds = Math.round((nowMs - ms) / 1000);
  if (seconds < 5) return "now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

/** A size in bytes. */
export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  if (value < 1024 ** 2) return `${(value / 1024).toFixed(0)} kB`;
  if (value < 1024 ** 3) return `${(value / 1024 ** 2).toFixed(1)} MB`;
  return `${(value / 1024 ** 3).toFixed(1)} GB`;
}

const INVISIBLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** Content with control, zero-width and direction characters made visible as their code. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (char) => `⟨${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

/** A snake_case word as a phrase. */
export function phrase(word: string): string {
  const text = word.replaceAll("_", " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
