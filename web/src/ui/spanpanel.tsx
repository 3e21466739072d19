// The selected span: its content beside the evidence. Fetched when it is opened, not before.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useGet } from "../api/queries";
import type { Message, ScoreRow, SpanDetail, TraceColumns } from "../api/types";
import { compact, count, duration, money, visible } from "../lib/format";
import { useUrl } from "../url";
import { Documents } from "./documents";
import { Icon } from "./icons";
import { Messages } from "./messages";
import { Attributes, EventsAndLogs, ScoreList } from "./spanparts";
import { ChargeTags, hasUsage, SpanUsage, StepCost } from "./spanusage";
import { Empty, ErrorNote, Skeleton } from "./states";
import { JsonView } from "./text";
import { KIND_TAGS } from "./waterfall";

interface Props {
  traceId: string;
  spanId: string;
  columns: TraceColumns;
  row: number;
  traceScores: ScoreRow[];
  close: () => void;
  focus: () => void;
}

interface Tab {
  id: string;
  name: string;
  n: number;
}

function tabsOf(detail: SpanDetail | undefined, scores: ScoreRow[]): Tab[] {
  if (!detail) return [];
  const all: Tab[] = [
    { id: "messages", name: "Messages", n: detail.input.length + detail.output.length },
    { id: "documents", name: "Documents", n: detail.documents.length + detail.documents_in.length },
    { id: "usage", name: "Tokens and cost", n: hasUsage(detail) ? 1 : 0 },
    { id: "scores", name: "Scores", n: scores.length },
    { id: "tools", name: "Tools", n: detail.tools.length },
    { id: "prompt", name: "Prompt", n: detail.prompt ? 1 : 0 },
    { id: "attributes", name: "Attributes", n: detail.attributes.length + detail.resource.length },
    { id: "events", name: "Events and logs", n: detail.events.length + detail.logs.length + detail.links.length },
    { id: "json", name: "JSON", n: 1 },
  ];
  return all.filter((tab) => tab.n > 0);
}

/** The panel at the right of the waterfall. */
export function SpanPanel({ traceId, spanId, columns, row, traceScores, close, focus }: Props) {
  const [params, setUrl] = useUrl();
  const [isFull, setIsFull] = useState(false);
  const detail = useGet<SpanDetail>(`/traces/${encodeURIComponent(traceId)}/spans/${encodeURIComponent(spanId)}`, { full: isFull ? 1 : null }, { staleMs: 60_000 });
  const isHere = detail.data && !detail.isPlaceholderData ? detail.data : undefined;
  const own = traceScores.filter((score) => score.span_id === spanId || (!score.span_id && row === 0));
  const tabs = tabsOf(isHere, own);
  const tab = tabs.find((item) => item.id === params.get("tab")) ?? tabs[0];
  useEffect(() => setIsFull(false), [spanId]);
  const kind = columns.kind[row] || "other";
  return (
    <aside class="panel span-panel" aria-label="Selected span">
      <header class="span-panel-head">
        <span class={`kind kind-${kind}`}>{KIND_TAGS[kind] ?? kind.slice(0, 5).toUpperCase()}</span>
        <h2>{visible(columns.name[row] || "(no name)")}</h2>
        <button type="button" class="icon-button" aria-label="Focus this subtree" title="Focus this subtree" onClick={focus}>
          <Icon name="focus" size={14} />
        </button>
        <button type="button" class="icon-button" aria-label="Close" title="Close (Esc)" onClick={close}>
          <Icon name="close" size={14} />
        </button>
      </header>
      <dl class="facts facts-band">
        <Fact name="Duration" value={duration(columns.duration_ms[row])} />
        <Fact name="Starts at" value={duration(columns.start_ms[row])} />
        {columns.model[row] ? <Fact name="Model" value={visible(columns.model[row] ?? "")} /> : null}
        {columns.tokens[row] ? <Fact name="Tokens" value={compact(columns.tokens[row])} /> : null}
        {columns.is_billable[row] ? <Fact name="Cost" value={isHere?.step ? <StepCost step={isHere.step} /> : money(columns.cost_usd[row])} /> : null}
        {columns.status[row] === "error" ? <Fact name="Error" value={(columns.error_class[row] || "error").replaceAll("_", " ")} isBad /> : null}
      </dl>
      {detail.error ? <ErrorNote error={detail.error} retry={() => void detail.refetch()} /> : null}
      {isHere ? <StatusMessage span={isHere.span} /> : null}
      {isHere?.step ? (
        <div class="row span-charge">
          <ChargeTags detail={isHere} />
        </div>
      ) : null}
      {!isHere && !detail.error ? <Skeleton lines={10} /> : null}
      {isHere ? (
        <>
          <div class="tabs" role="tablist" aria-label="Parts of the span">
            {tabs.map((item) => (
              <button type="button" role="tab" key={item.id} aria-selected={item === tab} onClick={() => setUrl({ tab: item.id }, false)}>
                {item.name} {item.id === "json" || item.id === "usage" ? null : <span class="tab-n">{count(item.n)}</span>}
              </button>
            ))}
          </div>
          <div class="span-panel-body" role="tabpanel">
            {tab?.id === "messages" ? <Messages input={isHere.input} output={isHere.output} scores={own} loadAll={() => setIsFull(true)} /> : null}
            {tab?.id === "documents" ? <BothDocuments detail={isHere} loadAll={() => setIsFull(true)} /> : null}
            {tab?.id === "usage" ? <SpanUsage detail={isHere} /> : null}
            {tab?.id === "scores" ? <ScoreList scores={own} answer={answerOf(isHere.output)} /> : null}
            {tab?.id === "tools" ? <JsonView value={isHere.tools} isTall /> : null}
            {tab?.id === "prompt" ? <JsonView value={isHere.prompt} isTall /> : null}
            {tab?.id === "attributes" ? <Attributes attributes={isHere.attributes} resource={isHere.resource} /> : null}
            {tab?.id === "events" ? <EventsAndLogs detail={isHere} /> : null}
            {tab?.id === "json" ? <JsonView value={isHere} isTall /> : null}
            {tab ? null : <Empty title="This span says nothing more" />}
          </div>
        </>
      ) : null}
    </aside>
  );
}

/** What a rerank was given stands before what it gave. */
function BothDocuments({ detail, loadAll }: { detail: SpanDetail; loadAll: () => void }) {
  const { documents, documents_in: given, query, query_cut: cut } = detail;
  const asked = cut ? `${query}…` : query;
  if (!given.length) return <Documents documents={documents} query={asked} loadAll={loadAll} />;
  return (
    <>
      <h3 class="messages-turn">Given, {count(given.length)}</h3>
      <Documents documents={given} query={asked} loadAll={loadAll} />
      <h3 class="messages-turn">Chosen, {count(documents.length)}</h3>
      {documents.length ? <Documents documents={documents} query="" loadAll={loadAll} /> : <p class="quiet-text">The span does not say what it chose.</p>}
    </>
  );
}

/** The text that scores give offsets into: all text of the output, as the evaluators read it. */
function answerOf(output: Message[]): string {
  const texts = output.flatMap((message) => message.parts.filter((part) => part.type === "text").map((part) => part.content ?? ""));
  return texts.join("\n");
}

function StatusMessage({ span }: { span: Record<string, unknown> }) {
  const message = [span["status_message"], span["error_message"], span["exception_message"]].find((value) => typeof value === "string" && value !== "") as string | undefined;
  return message ? <p class="note note-bad">{visible(message)}</p> : null;
}

function Fact({ name, value, isBad = false }: { name: string; value: ComponentChildren; isBad?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={isBad ? "bad-text" : ""}>{value}</dd>
    </div>
  );
}
