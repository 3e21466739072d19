// A price of one's own between the form and the API.

import type { PriceSpec } from "../api/spend";

export type Kind = "per_million" | "list_factor" | "gpu";

export const CLASSES = ["input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning", "audio_input", "audio_output", "audio_cache_read", "image_input", "image_output"];
export const FEES = ["web_search", "request"];
export const TIERS = ["batch", "flex", "priority", "fast", "us", "batch_us"];
export const WAYS = ["equals", "starts_with", "ends_with", "contains", "regex"];
export const GPU = ["usd_per_hour", "gpus", "concurrency", "input_tokens_per_s", "output_tokens_per_s"];

/** What the form holds: texts, so that a field may be empty. */
export interface Draft {
  name: string;
  provider: string;
  way: string;
  model: string;
  kind: Kind;
  perMillion: Record<string, string>;
  each: Record<string, string>;
  tiers: Record<string, string>;
  gpu: Record<string, string>;
  factor: string;
  from: string;
  to: string;
  isEvery: boolean;
}

const EMPTY: Draft = { name: "", provider: "", way: "equals", model: "", kind: "per_million", perMillion: {}, each: {}, tiers: {}, gpu: {}, factor: "", from: "", to: "", isEvery: false };

/** An empty form for a model. */
export function newDraft(model = "", provider = ""): Draft {
  return { ...EMPTY, model, provider };
}

/** A stored price as the form shows it. */
export function draftOf(price: PriceSpec): Draft {
  const [way = "equals", model = ""] = Object.entries(price.model)[0] ?? [];
  const kind: Kind = price.gpu ? "gpu" : price.list_factor != null ? "list_factor" : "per_million";
  const day = (ms: number | null) => (ms ? new Date(ms).toISOString().slice(0, 16) : "");
  return {
    name: price.name, provider: price.provider, way, model, kind,
    perMillion: texts(price.per_million), each: texts(price.each), tiers: texts(price.tiers), gpu: texts(price.gpu ?? {}),
    factor: price.list_factor == null ? "" : String(price.list_factor),
    from: day(price.valid_from_ms), to: day(price.valid_to_ms), isEvery: price.every_project,
  };
}

/** What the API is sent; fields that were left empty are left out. `old` keeps what the form does not show. */
export function specOf(draft: Draft, old?: PriceSpec): Partial<PriceSpec> {
  const isList = draft.kind === "per_million";
  return {
    name: draft.name,
    provider: draft.provider.trim(),
    model: { [draft.way]: draft.model },
    ...(isList ? { per_million: numbers(draft.perMillion), each: numbers(draft.each), tiers: numbers(draft.tiers), above: old?.above ?? [] } : {}),
    ...(draft.kind === "list_factor" ? { list_factor: Number(draft.factor) } : {}),
    ...(draft.kind === "gpu" ? { gpu: numbers(draft.gpu) } : {}),
    valid_from_ms: momentOf(draft.from) ?? 0,
    valid_to_ms: momentOf(draft.to),
    every_project: draft.isEvery,
  };
}

/** A UTC moment of a form field. */
function momentOf(text: string): number | null {
  const ms = text ? Date.parse(`${text}Z`) : NaN;
  return Number.isNaN(ms) ? null : ms;
}

function texts(values: Record<string, number>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

function numbers(values: Record<string, string>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).filter(([, text]) => text.trim() !== "").map(([name, text]) => [name, Number(text)]));
}
