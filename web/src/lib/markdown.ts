// A small Markdown reader for runbooks: headings, lists, code, emphasis. It returns data, never
// HTML, so nothing in a document can become markup.

export type Inline = { kind: "text" | "code" | "strong" | "em"; text: string };

export type Block =
  | { kind: "heading"; level: number; inline: Inline[] }
  | { kind: "paragraph"; inline: Inline[] }
  | { kind: "list"; isOrdered: boolean; items: Inline[][] }
  | { kind: "code"; text: string }
  | { kind: "rule" };

const ITEM = /^\s*(?:([-*+])|(\d+)[.)])\s+(.*)$/;

/** The blocks of a Markdown text. */
export function blocksOf(markdown: string): Block[] {
  const lines = markdown.replaceAll("\r\n", "\n").split("\n");
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    if (/^\s*```/.test(line)) {
      const end = findFence(lines, at + 1);
      blocks.push({ kind: "code", text: lines.slice(at + 1, end).join("\n") });
      at = end + 1;
    } else if (/^#{1,6}\s/.test(line)) {
      const level = line.indexOf(" ");
      blocks.push({ kind: "heading", level, inline: inlineOf(line.slice(level + 1).trim()) });
      at++;
    } else if (/^\s*(-{3,}|\*{3,})\s*$/.test(line)) {
      blocks.push({ kind: "rule" });
      at++;
    } else if (ITEM.test(line)) {
      at = readList(lines, at, blocks);
    } else if (line.trim() === "") {
      at++;
    } else {
      at = readParagraph(lines, at, blocks);
    }
  }
  return blocks;
}

function findFence(lines: string[], from: number): number {
  for (let at = from; at < lines.length; at++) if (/^\s*```/.test(lines[at] ?? "")) return at;
  return lines.length;
}

function readList(lines: string[], from: number, blocks: Block[]): number {
  const isOrdered = ITEM.exec(lines[from] ?? "")?.[2] !== undefined;
  const items: string[] = [];
  let at = from;
  for (; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const match = ITEM.exec(line);
    if (match && (match[2] !== undefined) === isOrdered) items.push(match[3] ?? "");
    else if (!match && /^\s{2,}\S/.test(line) && items.length) items[items.length - 1] += ` ${line.trim()}`;
    else break;
  }
  blocks.push({ kind: "list", isOrdered, items: items.map(inlineOf) });
  return at;
}

function readParagraph(lines: string[], from: number, blocks: Block[]): number {
  const words: string[] = [];
  let at = from;
  for (; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (line.trim() === "" || /^(#{1,6}\s|\s*```)/.test(line) || (at > from && ITEM.test(line))) break;
    words.push(line.trim());
  }
  blocks.push({ kind: "paragraph", inline: inlineOf(words.join(" ")) });
  return at;
}

/** The runs of one line: code, strong, emphasis and plain text. */
export function inlineOf(text: string): Inline[] {
  const runs: Inline[] = [];
  const pattern = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*/g;
  let last = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > last) runs.push({ kind: "text", text: plain(text.slice(last, match.index)) });
    if (match[1] !== undefined) runs.push({ kind: "code", text: match[1] });
    else if (match[2] !== undefined) runs.push({ kind: "strong", text: match[2] });
    else runs.push({ kind: "em", text: match[3] ?? "" });
    last = match.index + match[0].length;
  }
  if (last < text.length) runs.push({ kind: "text", text: plain(text.slice(last)) });
  return runs;
}

/** Text without the backslashes that keep a sign from being markup. */
function plain(text: string): string {
  return text.replace(/\\([!-/:-@[-`{-~])/g, "$1");
}
