// Marks in an answer: which stretches of text a score supports or fails.

import { maybeJson } from "./json";

export interface Mark {
  start: number;
  end: number;
  tone: "good" | "bad";
  note: string;
}

export interface Run {
  text: string;
  tone: "" | "good" | "bad";
  note: string;
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function listIn(detail: unknown): unknown[] {
  const value = maybeJson(detail);
  if (Array.isArray(value)) return value;
  if (value && typeof value === "object") {
    for (const name of ["spans", "sentences", "claims"]) {
      const found = (value as Record<string, unknown>)[name];
      if (Array.isArray(found)) return found;
    }
  }
  return [];
}

function thresholdIn(detail: unknown): number {
  const value = maybeJson(detail);
  return value && typeof value === "object" ? (numberOf((value as Record<string, unknown>)["threshold"]) ?? 0.5) : 0.5;
}

/** The marks that a score's detail gives for a text: by offsets, or by the sentence itself. */
export function marksOf(detail: unknown, text: string): Mark[] {
  const marks: Mark[] = [];
  const threshold = thresholdIn(detail);
  for (const item of listIn(detail)) {
    if (!item || typeof item !== "object") continue;
    const row = item as Record<string, unknown>;
    const said = [row["text"], row["sentence"], row["claim"]].find((value) => typeof value === "string") as string | undefined;
    let start = numberOf(row["start"]);
    let end = numberOf(row["end"]);
    if ((start === null || end === null) && said) {
      start = text.indexOf(said);
      end = start + said.length;
    }
    if (start === null || end === null || start < 0 || end <= start || end > text.length) continue;
    marks.push({ start, end, tone: isSupported(row, threshold) ? "good" : "bad", note: noteOf(row) });
  }
  return marks.sort((a, b) => a.start - b.start);
}

function isSupported(row: Record<string, unknown>, threshold: number): boolean {
  if (typeof row["passed"] === "boolean") return row["passed"];
  const value = numberOf(row["value"]);
  return value === null ? false : value >= threshold;
}

function noteOf(row: Record<string, unknown>): string {
  const value = numberOf(row["value"]);
  const parts = value === null ? [] : [`support ${value.toFixed(2)}`];
  const missing = [...wordsIn(row["numbers"]), ...wordsIn(row["names"])];
  if (missing.length) parts.push(`in no passage: ${missing.join(", ")}`);
  if (typeof row["evidence"] === "string" && row["evidence"]) parts.push(`nearest passage: “${row["evidence"]}”`);
  return parts.join(" · ");
}

function wordsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((word) => typeof word === "string" || typeof word === "number").map(String) : [];
}

/** The text cut into runs, marked and not; overlapping marks keep the first. */
export function runsOf(text: string, marks: Mark[]): Run[] {
  const runs: Run[] = [];
  let at = 0;
  for (const mark of marks) {
    if (mark.start < at) continue;
    if (mark.start > at) runs.push({ text: text.slice(at, mark.start), tone: "", note: "" });
    runs.push({ text: text.slice(mark.start, mark.end), tone: mark.tone, note: mark.note });
    at = mark.end;
  }
  if (at < text.length) runs.push({ text: text.slice(at), tone: "", note: "" });
  return runs;
}
