// The waterfall: a virtual list of spans, name at the left, bar on the time axis at the right.

import type { TraceColumns } from "../api/types";
import { compact, count, duration, money, visible } from "../lib/format";
import { ancestors, branchOf, INDENT_LIMIT, ticks, type Tree } from "../lib/waterfall";
import { Link } from "../url";
import { Icon } from "./icons";
import { VirtualList } from "./virtual";

const ROW_PX = 26;
/** Smaller amounts are shown in full in the panel of the span. */
const SHORTEST_USD = 0.0001;

export const KIND_TAGS: Record<string, string> = {
  llm: "LLM", embedding: "EMB", retrieval: "RET", rerank: "RANK", tool: "TOOL", agent: "AGENT", workflow: "FLOW", chain: "CHAIN",
  guardrail: "GUARD", memory: "MEM", evaluator: "EVAL", mcp: "MCP", decision: "DEC", prompt: "PRMT", http: "HTTP",
};

/** A label further right than this share of the axis would be cut. */
const LAST_TICK = 0.88;

/** Words that mark what stands out, not what is wrong. */
const STANDS_OUT = new Set(["slowest", "costliest"]);

interface Props {
  columns: TraceColumns;
  tree: Tree;
  rows: Int32Array;
  collapsed: ReadonlySet<number>;
  zoom: [number, number];
  selected: number;
  root: number;
  select: (row: number) => void;
  fold: (row: number, isFolded: boolean) => void;
  focus: (row: number) => void;
}

/** The waterfall with its axis and, in a subtree, the way back up. */
export function Waterfall(props: Props) {
  const { columns, rows, selected, zoom, root, focus } = props;
  const at = selected < 0 ? -1 : rows.indexOf(selected);
  return (
    <>
      {root >= 0 ? (
        <nav class="crumbs" aria-label="Ancestors">
          <button type="button" class="link-button" onClick={() => focus(-1)}>
            Whole trace
          </button>
          {[...ancestors(columns, root), root].slice(-6).map((row) => (
            <span key={row}>
              ›{" "}
              <button type="button" class="link-button" onClick={() => focus(row)}>
                {visible(columns.name[row] ?? "")}
              </button>
            </span>
          ))}
        </nav>
      ) : null}
      <div class="waterfall-head">
        <span class="w-name">Span</span>
        <span class="w-tokens">Tokens</span>
        <span class="w-cost">Cost</span>
        <span class="w-bars">
          {ticks(zoom[0], zoom[1], 5).filter((tick) => tick <= zoom[0] + (zoom[1] - zoom[0]) * LAST_TICK).map((tick) => (
            <span key={tick} class="tick" style={{ left: `${((tick - zoom[0]) / (zoom[1] - zoom[0])) * 100}%` }}>
              {duration(tick)}
            </span>
          ))}
        </span>
      </div>
      <VirtualList class="waterfall" label="Spans" role="treegrid" count={rows.length} rowHeight={ROW_PX} focusRow={at} row={(index) => <SpanRow key={rows[index]} {...props} row={rows[index] as number} />} />
    </>
  );
}

function SpanRow({ columns, tree, row, collapsed, zoom, selected, root, select, fold, focus }: Props & { row: number }) {
  const depth = (columns.depth[row] ?? 0) - (root >= 0 ? (columns.depth[root] ?? 0) : 0);
  const isParent = (tree.end[row] as number) > row + 1;
  const isFolded = collapsed.has(row);
  const kind = columns.kind[row] || "other";
  const isBad = columns.status[row] === "error";
  const problems = columns.problems[row] ?? [];
  const cost = columns.cost_usd[row];
  const classes = ["span-row", row === selected ? "is-selected" : "", isBad ? "is-bad" : "", columns.on_critical_path[row] ? "is-critical" : ""];
  return (
    <div class={classes.join(" ")} role="row" aria-level={depth + 1} aria-selected={row === selected} aria-expanded={isParent ? !isFolded : undefined} onClick={() => select(row)} onDblClick={() => isParent && focus(row)}>
      <span class="w-name" role="gridcell">
        <span class="indent" style={{ width: `calc(${Math.min(depth, INDENT_LIMIT)} * var(--indent))` }} />
        {depth > INDENT_LIMIT ? <span class="depth-mark" title={`Depth ${depth}`}>›{depth}</span> : null}
        {isParent ? (
          <button
            type="button"
            class="fold"
            aria-label={isFolded ? "Unfold" : "Fold"}
            onClick={(event) => {
              event.stopPropagation();
              fold(row, !isFolded);
            }}
          >
            <Icon name={isFolded ? "right" : "down"} size={12} />
          </button>
        ) : (
          <span class="fold" />
        )}
        <span class={`kind kind-${kind}`}>{KIND_TAGS[kind] ?? kind.slice(0, 5).toUpperCase()}</span>
        <span class="span-name">{visible(columns.name[row] || "(no name)")}</span>
        {isBad ? <span class="tag bad">✕ {(columns.error_class[row] || "error").replaceAll("_", " ")}</span> : null}
        {columns.is_orphan[row] ? <span class="tag warn">⚠ orphan</span> : null}
        <Problems words={problems.filter((word) => word !== "error" && word !== "orphan")} />
        {columns.hidden[row] ? (
          <Link to={window.location.pathname} set={{ root: columns.span_id[row] ?? null }} class="tag accent" title="Show this subtree alone">
            {count(columns.hidden[row])} more below
          </Link>
        ) : null}
        {isFolded ? <FoldedNote columns={columns} tree={tree} row={row} /> : columns.model[row] ? <span class="span-model">{visible(columns.model[row] ?? "")}</span> : null}
      </span>
      <span class="w-tokens number" role="gridcell">
        {columns.tokens[row] ? compact(columns.tokens[row]) : ""}
      </span>
      <span class="w-cost number" role="gridcell">
        {columns.is_billable[row] ? cost == null ? <span class="unknown">unknown</span> : cost < SHORTEST_USD ? "<$0.0001" : money(cost) : ""}
      </span>
      <span class="w-bars" role="gridcell">
        <SpanBar startMs={columns.start_ms[row] ?? 0} durationMs={columns.duration_ms[row] ?? 0} zoom={zoom} kind={kind} />
      </span>
    </div>
  );
}

/** The first word in full, the rest as a number that says them when pointed at. */
function Problems({ words }: { words: string[] }) {
  const [first, ...rest] = words.map((word) => word.replaceAll("_", " "));
  if (!first) return null;
  const isWarning = !STANDS_OUT.has(words[0] ?? "");
  return (
    <span class={`tag ${isWarning ? "warn" : ""}`} title={[first, ...rest].join(", ")}>
      {isWarning ? "⚠" : "▸"} {first}
      {rest.length ? ` +${rest.length}` : ""}
    </span>
  );
}

function FoldedNote({ columns, tree, row }: { columns: TraceColumns; tree: Tree; row: number }) {
  const branch = branchOf(columns, tree, row);
  const parts = [`+${count(branch.spans - 1)} spans`];
  if (branch.errors) parts.push(`${count(branch.errors)} errors`);
  if (branch.costUsd) parts.push(money(branch.costUsd));
  if (branch.costUsd == null) parts.push("cost unknown");
  return <span class="tag">{parts.join(" · ")}</span>;
}

function SpanBar({ startMs, durationMs, zoom, kind }: { startMs: number; durationMs: number; zoom: [number, number]; kind: string }) {
  const reach = zoom[1] - zoom[0];
  const left = (startMs - zoom[0]) / reach;
  const right = (startMs + durationMs - zoom[0]) / reach;
  if (right < 0) return <span class="off-axis">‹ {duration(durationMs)}</span>;
  if (left > 1) return <span class="off-axis is-right">{duration(durationMs)} ›</span>;
  const from = Math.max(0, left);
  const size = Math.min(1, right) - from;
  const isLabelLeft = from + size > 0.82 && from > 0.12;
  const isLabelIn = from + size > 0.82 && !isLabelLeft;
  const place = isLabelLeft ? { right: `calc(${(1 - from) * 100}% + 5px)` } : { left: isLabelIn ? `calc(${from * 100}% + 5px)` : `calc(${(from + size) * 100}% + 5px)` };
  return (
    <>
      <span class={`span-bar kind-fill kind-${kind}`} style={{ left: `${from * 100}%`, width: `max(2px, ${size * 100}%)` }} />
      <span class={`span-time ${isLabelIn ? "is-in" : ""}`} style={place}>
        {duration(durationMs)}
      </span>
    </>
  );
}
