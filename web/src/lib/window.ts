// Two stretches of time to compare, as words of the URL.

export interface Window {
  fromS: number;
  toS: number;
}

/** The stretch that a URL word means, or nothing. */
export function readWindow(word: string | null): Window | null {
  const match = /^(\d{9,11})-(\d{9,11})$/.exec(word ?? "");
  if (!match) return null;
  const fromS = Number(match[1]);
  const toS = Number(match[2]);
  return toS > fromS ? { fromS, toS } : null;
}

/** The URL word of a stretch. */
export function writeWindow(window: Window): string {
  return `${window.fromS}-${window.toS}`;
}

/** The stretch of the same length that ends where this one begins. */
export function windowBefore(window: Window): Window {
  return { fromS: window.fromS - (window.toS - window.fromS), toS: window.fromS };
}
