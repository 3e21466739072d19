// Keyboard: one listener, the newest binding for a key wins, typing in a field is left alone.

import { useEffect, useRef } from "preact/hooks";

type Handler = (event: KeyboardEvent) => void;
type Bindings = Record<string, Handler>;

const stack: { current: Bindings }[] = [];

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

window.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target) && event.key !== "Escape") return;
  for (let at = stack.length - 1; at >= 0; at--) {
    const handler = stack[at]?.current[event.key];
    if (handler) {
      handler(event);
      return;
    }
  }
});

/** Bind keys while the component is on screen. */
export function useKeys(bindings: Bindings): void {
  const latest = useRef(bindings);
  latest.current = bindings;
  useEffect(() => {
    stack.push(latest);
    return () => void stack.splice(stack.indexOf(latest), 1);
  }, []);
}
