// A list of rows of one height, of which only the visible ones exist.

import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

const OVERSCAN = 12;

interface Props {
  count: number;
  rowHeight: number;
  row: (index: number) => ComponentChildren;
  class?: string;
  label: string;
  role?: "list" | "grid" | "treegrid";
  /** A row to keep in view; changing it scrolls. */
  focusRow?: number;
  onEnd?: () => void;
  header?: ComponentChildren;
}

/** Draw the rows between the top and the bottom of the scrolled box. */
export function VirtualList({ count, rowHeight, row, class: extra = "", label, role = "list", focusRow, onEnd, header }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const read = () => setView({ top: element.scrollTop, height: element.clientHeight });
    const watcher = new ResizeObserver(read);
    watcher.observe(element);
    read();
    return () => watcher.disconnect();
  }, []);

  useEffect(() => {
    const element = box.current;
    if (!element || focusRow === undefined || focusRow < 0) return;
    const top = focusRow * rowHeight;
    const margin = rowHeight * 2;
    if (top < element.scrollTop + margin) element.scrollTop = Math.max(0, top - element.clientHeight / 3);
    else if (top > element.scrollTop + element.clientHeight - margin * 1.5) element.scrollTop = top - element.clientHeight / 2;
  }, [focusRow, rowHeight]);

  const onScroll = () => {
    const element = box.current;
    if (!element) return;
    setView({ top: element.scrollTop, height: element.clientHeight });
    if (onEnd && element.scrollTop + element.clientHeight > element.scrollHeight - rowHeight * 20) onEnd();
  };

  const first = Math.max(0, Math.floor(view.top / rowHeight) - OVERSCAN);
  const last = Math.min(count, Math.ceil((view.top + view.height) / rowHeight) + OVERSCAN);
  const rows: ComponentChildren[] = [];
  for (let at = first; at < last; at++) rows.push(row(at));
  return (
    <div ref={box} class={`virtual ${extra}`} onScroll={onScroll} role={role} aria-label={label} aria-rowcount={role === "grid" || role === "treegrid" ? count : undefined} tabIndex={-1}>
      {header}
      <div class="virtual-space" style={{ height: `${count * rowHeight}px` }}>
        <div class="virtual-window" style={{ transform: `translateY(${first * rowHeight}px)` }}>
          {rows}
        </div>
      </div>
    </div>
  );
}
