// The filter language as the screens edit it: terms joined by spaces, each a chip.

export interface Term {
  raw: string;
  dimension: string;
  operator: string;
  value: string;
}

const TERM = /^([A-Za-z_][\w.]*)(:|!=|>=|<=|>|<)(.*)$/s;

/** Split a filter text into raw terms; quotes keep spaces together. */
export function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let current = "";
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (isQuoted && char === "\\" && at + 1 < text.length) {
      current += char + text[++at];
    } else if (char === '"') {
      isQuoted = !isQuoted;
      current += char;
    } else if (/\s/.test(char) && !isQuoted) {
      if (current) terms.push(current);
      current = "";
    } else {
      current += char;
    }
  }
  if (current) terms.push(isQuoted ? `${current}"` : current);
  return terms;
}

/** Read one raw term; a bare word has no dimension. */
export function parseTerm(raw: string): Term {
  const match = TERM.exec(raw);
  if (!match) return { raw, dimension: "", operator: "", value: unquote(raw) };
  return { raw, dimension: match[1] ?? "", operator: match[2] ?? "", value: unquote(match[3] ?? "") };
}

function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  return text.replace(/^"|"$/g, "").replace(/\\(.)/gs, "$1");
}

/** A value as it must be written in a term. */
export function quote(value: string): string {
  if (value !== "" && /^[^\s",:<>=!\\()]+$/.test(value)) return value;
  return `"${value.replace(/[\\"]/g, "\\$&")}"`;
}

/** A term for a dimension's value, or for everything but it. */
export function termFor(dimension: string, value: string, isExcluded = false): string {
  return `${dimension}${isExcluded ? "!=" : ":"}${quote(value)}`;
}

/** The filter with one more term; a second value for the same dimension replaces the first. */
export function withTerm(filter: string, term: string): string {
  const added = parseTerm(term);
  const kept = splitTerms(filter).filter((raw) => {
    const old = parseTerm(raw);
    if (raw === term) return false;
    return !(added.operator === ":" && old.dimension === added.dimension && added.dimension !== "");
  });
  return [...kept, term].join(" ");
}

/** The filter without one term. */
export function withoutTerm(filter: string, term: string): string {
  const terms = splitTerms(filter);
  const at = terms.indexOf(term);
  if (at >= 0) terms.splice(at, 1);
  return terms.join(" ");
}
