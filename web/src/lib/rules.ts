// Attribution rules between the editor and the API: what a rule sets, as one line of text.

import { parseTerm, quote, splitTerms } from "./filter";

/** The dimensions that a rule may set. */
export const TARGETS = ["team", "feature", "tenant", "user", "session", "env", "region", "prompt", "prompt_version"];

/** What a rule sets as text, such as `team:payments env:production`. */
export function setText(set: Record<string, string>): string {
  return Object.entries(set)
    .map(([name, value]) => `${name}:${quote(value)}`)
    .join(" ");
}

/** The text read back; a sentence instead when it cannot be read. */
export function readSet(text: string): Record<string, string> | string {
  const set: Record<string, string> = {};
  for (const raw of splitTerms(text)) {
    const term = parseTerm(raw);
    if (term.operator !== ":") return `“${raw}” is not written as dimension:value.`;
    if (!TARGETS.includes(term.dimension)) return `A rule cannot set “${term.dimension}”; it sets ${TARGETS.join(", ")}.`;
    if (!term.value) return `“${term.dimension}” has no value.`;
    set[term.dimension] = term.value;
  }
  return Object.keys(set).length ? set : "Say what it sets, such as team:payments.";
}
