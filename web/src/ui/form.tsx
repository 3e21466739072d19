// The parts of forms that change something: one running action, a second click where it matters.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

export interface Action {
  error: unknown;
  isBusy: boolean;
  /** Run it; true when it succeeded, else the error is kept for the screen. */
  run: (work: () => Promise<unknown>) => Promise<boolean>;
  clear: () => void;
}

/** One thing at a time that may fail. */
export function useAction(): Action {
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const run = async (work: () => Promise<unknown>) => {
    setIsBusy(true);
    try {
      await work();
      setError(null);
      return true;
    } catch (failure) {
      setError(failure);
      return false;
    } finally {
      setIsBusy(false);
    }
  };
  return { error, isBusy, run, clear: () => setError(null) };
}

const ASKING_MS = 4_000;

/** A button that does its work only when it is pressed a second time. */
export function SureButton({ label, sure, act, isBusy = false, tone = "danger", title }: { label: string; sure: string; act: () => void; isBusy?: boolean; tone?: string; title?: string }) {
  const [isAsking, setIsAsking] = useState(false);
  useEffect(() => {
    if (!isAsking) return;
    const timer = window.setTimeout(() => setIsAsking(false), ASKING_MS);
    return () => window.clearTimeout(timer);
  }, [isAsking]);
  const press = () => {
    if (isAsking) act();
    setIsAsking(!isAsking);
  };
  return (
    <button type="button" class={`button small ${tone}`} disabled={isBusy} onClick={press} aria-live="polite" {...(title ? { title } : {})}>
      {isAsking ? sure : label}
    </button>
  );
}

/** A labelled field of a form, with a hint or an error below it. */
export function Field({ label, hint, error, children, class: extra = "" }: { label: string; hint?: ComponentChildren; error?: string | undefined; children: ComponentChildren; class?: string }) {
  return (
    <label class={`field ${extra}`}>
      <span class="field-name">{label}</span>
      {children}
      {error ? (
        <span class="bad-text" role="alert">
          {error}
        </span>
      ) : hint ? (
        <span class="quiet-text">{hint}</span>
      ) : null}
    </label>
  );
}

/** One of several words. */
export function Choice({ label, value, options, choose, names = {} }: { label: string; value: string; options: readonly string[]; choose: (value: string) => void; names?: Record<string, string> }) {
  return (
    <label class="choice">
      {label}
      <select value={value} onChange={(event) => choose(event.currentTarget.value)}>
        {options.map((name) => (
          <option key={name} value={name}>
            {names[name] ?? name.replaceAll("_", " ")}
          </option>
        ))}
      </select>
    </label>
  );
}
