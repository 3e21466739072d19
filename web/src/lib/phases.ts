// The phases of an incident and where each leads; the server has the last word.

const ACTIVE = ["investigating", "mitigating", "monitoring"];

/** The phases that people may choose next. */
export function nextPhases(phase: string): string[] {
  if (phase === "triage" || ACTIVE.includes(phase)) return [...ACTIVE.filter((other) => other !== phase), "resolved", "declined"];
  if (phase === "resolved") return ["review", "closed"];
  return phase === "review" ? ["closed"] : [];
}
