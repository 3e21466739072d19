// The URL is the only store for range, filter, sort and selection. This module reads and writes it.

import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { useLocation, useSearch } from "wouter";
import { rangeOf, type Range } from "./lib/time";

/** Parameters that stay when one moves from screen to screen. */
const GLOBAL = ["project", "from", "to", "filter", "live"];
const REFRESH_MS = 10_000;

type Changes = Record<string, string | null | undefined>;

/** The search parameters and a way to change some of them. */
export function useUrl(): [URLSearchParams, (changes: Changes, isNewEntry?: boolean) => void] {
  const search = useSearch();
  const [path, navigate] = useLocation();
  const params = useMemo(() => new URLSearchParams(search), [search]);
  const change = useCallback(
    (changes: Changes, isNewEntry = true) => {
      const next = changed(new URLSearchParams(window.location.search), changes);
      navigate(path + next, { replace: !isNewEntry });
    },
    [path, navigate],
  );
  return [params, change];
}

function changed(params: URLSearchParams, changes: Changes): string {
  for (const [name, value] of Object.entries(changes)) {
    if (value == null || value === "") params.delete(name);
    else params.set(name, value);
  }
  const text = params.toString();
  return text ? `?${text}` : "";
}

/** The address of a screen with the global parameters kept and some changed. */
export function hrefTo(path: string, changes: Changes = {}): string {
  const old = new URLSearchParams(window.location.search);
  const kept = new URLSearchParams();
  for (const name of GLOBAL) {
    const value = old.get(name);
    if (value) kept.set(name, value);
  }
  return path + changed(kept, changes);
}

interface LinkProps {
  to: string;
  set?: Changes | undefined;
  class?: string;
  title?: string;
  "aria-label"?: string;
  "aria-busy"?: boolean;
  "aria-current"?: "page" | undefined;
  children?: ComponentChildren;
}

/** A link inside the application that keeps project, range and filter. */
export function Link({ to, set = {}, children, ...rest }: LinkProps) {
  useSearch();
  const [, navigate] = useLocation();
  const href = hrefTo(to, set);
  const onClick = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    navigate(href);
  };
  return (
    <a {...rest} href={href} onClick={onClick}>
      {children}
    </a>
  );
}

let tickMs = Date.now();
const listeners = new Set<() => void>();

/** Move the shared now, so that every relative range is read again. */
export function refreshNow(): void {
  tickMs = Date.now();
  for (const listener of listeners) listener();
}

function useTick(): number {
  const [value, set] = useState(tickMs);
  useEffect(() => {
    const listener = () => set(tickMs);
    listeners.add(listener);
    listener();
    return () => void listeners.delete(listener);
  }, []);
  return value;
}

/** Keep the shared now moving while the page is live and visible. */
export function useLiveClock(isLive: boolean): void {
  useEffect(() => {
    if (!isLive) return;
    const beat = () => document.visibilityState === "visible" && refreshNow();
    const timer = window.setInterval(beat, REFRESH_MS);
    document.addEventListener("visibilitychange", beat);
    return () => {
      window.clearInterval(timer);
      document.removeEventListener("visibilitychange", beat);
    };
  }, [isLive]);
}

/** The time range of the page; `tick` changes with every refresh. */
export function useRange(): Range & { tick: number } {
  const [params] = useUrl();
  const tick = useTick();
  const from = params.get("from");
  const to = params.get("to");
  return useMemo(() => ({ ...rangeOf(from, to, tick / 1000), tick }), [from, to, tick]);
}

/** The filter text of the page. */
export function useFilter(): string {
  return useUrl()[0].get("filter") ?? "";
}
