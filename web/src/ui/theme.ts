// Light, dark, or as the system says; canvases read their colours from the same CSS variables.

import { useEffect, useState } from "preact/hooks";

export type Theme = "system" | "light" | "dark";

const KEY = "vagus.theme";
const listeners = new Set<() => void>();
let version = 0;

/** The theme that was chosen in this browser. */
export function chosenTheme(): Theme {
  const stored = window.localStorage.getItem(KEY);
  return stored === "light" || stored === "dark" ? stored : "system";
}

/** Choose a theme and keep it. */
export function chooseTheme(theme: Theme): void {
  if (theme === "system") window.localStorage.removeItem(KEY);
  else window.localStorage.setItem(KEY, theme);
  applyTheme();
}

/** Put the chosen theme on the document; called once before the first paint and on each change. */
export function applyTheme(): void {
  const theme = chosenTheme();
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  version += 1;
  for (const listener of listeners) listener();
}

window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);

/** A number that changes when colours do, for things drawn on canvas. */
export function useThemeVersion(): number {
  const [value, set] = useState(version);
  useEffect(() => {
    const listener = () => set(version);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return value;
}

/** The colours of the moment. */
export function palette() {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    font: "system-ui, sans-serif",
    muted: read("muted"),
    grid: read("grid"),
    panel: read("panel"),
    text: read("text"),
    bad: read("bad"),
    warn: read("warn"),
    accent: read("accent"),
    series: Array.from({ length: 8 }, (_, at) => read(`series-${at + 1}`)),
    tone: read,
  };
}
