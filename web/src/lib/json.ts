// A JSON value as flat lines that fold; drawn by a virtual list, so size does not matter.

export interface JsonLine {
  depth: number;
  key: string;
  text: string;
  path: string;
  /** Children of an object or list; 0 for plain values. */
  size: number;
  isOpen: boolean;
  kind: "string" | "number" | "boolean" | "null" | "object" | "list" | "end";
}

const LINE_LIMIT = 400;

/** Lines of a value; `folded` holds the paths that are flipped from their default state. */
export function jsonLines(value: unknown, folded: ReadonlySet<string>, openDepth = 3): JsonLine[] {
  const lines: JsonLine[] = [];
  const stack: { key: string; value: unknown; depth: number; path: string; end?: string }[] = [
    { key: "", value, depth: 0, path: "$" },
  ];
  while (stack.length) {
    const item = stack.pop();
    if (!item) break;
    if (item.end) {
      lines.push({ depth: item.depth, key: "", text: item.end, path: `${item.path}#`, size: 0, isOpen: false, kind: "end" });
      continue;
    }
    const isBranch = item.value !== null && typeof item.value === "object";
    if (!isBranch) {
      lines.push(plainLine(item.key, item.value, item.depth, item.path));
      continue;
    }
    const isList = Array.isArray(item.value);
    const children = Object.entries(item.value as object);
    const isOpen = children.length > 0 && (item.depth < openDepth && children.length <= 1000) !== folded.has(item.path);
    const [left, right] = isList ? ["[", "]"] : ["{", "}"];
    const text = children.length === 0 ? left + right : isOpen ? left : `${left} … ${right}`;
    lines.push({
      depth: item.depth, key: item.key, text, path: item.path, size: children.length, isOpen, kind: isList ? "list" : "object",
    });
    if (!isOpen) continue;
    stack.push({ key: "", value: null, depth: item.depth, path: item.path, end: right });
    for (let at = children.length - 1; at >= 0; at--) {
      const [key, child] = children[at] as [string, unknown];
      stack.push({ key, value: child, depth: item.depth + 1, path: `${item.path}/${key}` });
    }
  }
  return lines;
}

function plainLine(key: string, value: unknown, depth: number, path: string): JsonLine {
  const kind = value === null || value === undefined ? "null" : (typeof value as "string" | "number" | "boolean");
  const full = JSON.stringify(value) ?? "null";
  const text = full.length > LINE_LIMIT ? `${full.slice(0, LINE_LIMIT)}… (${full.length.toLocaleString("en-US")} characters)` : full;
  return { depth, key, text, path, size: 0, isOpen: false, kind };
}

/** A text read as JSON when it looks like an object or a list, else the text itself. */
export function maybeJson(text: unknown): unknown {
  if (typeof text !== "string" || !/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
