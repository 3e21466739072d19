// The conversation of a model call, whatever SDK sent it: the server made one content model.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { apiUrl } from "../api/client";
import type { Message, MessagePart, ScoreRow } from "../api/types";
import { bytes, visible } from "../lib/format";
import { marksOf } from "../lib/highlights";
import { AnyValue, LongText } from "./text";

/** Input and output messages, in order. */
export function Messages({ input, output, scores, loadAll }: { input: Message[]; output: Message[]; scores: ScoreRow[]; loadAll: () => void }) {
  return (
    <div class="messages">
      {input.map((message, at) => (
        <MessageView key={`i${at}`} message={message} scores={[]} loadAll={loadAll} />
      ))}
      {output.length ? <h3 class="messages-turn">Output</h3> : null}
      {output.map((message, at) => (
        <MessageView key={`o${at}`} message={message} scores={scores} loadAll={loadAll} />
      ))}
    </div>
  );
}

function MessageView({ message, scores, loadAll }: { message: Message; scores: ScoreRow[]; loadAll: () => void }) {
  return (
    <article class={`message role-${message.role}`}>
      <header>
        <span class="message-role">{message.role || "unknown role"}</span>
        {message.name ? <span class="quiet-text">{visible(message.name)}</span> : null}
        {message.finish_reason ? <span class={`tag ${message.finish_reason === "stop" ? "" : "warn"}`}>{message.finish_reason.replaceAll("_", " ")}</span> : null}
      </header>
      {message.parts.map((part, at) => (
        <PartView key={at} part={part} scores={scores} loadAll={loadAll} />
      ))}
    </article>
  );
}

function PartView({ part, scores, loadAll }: { part: MessagePart; scores: ScoreRow[]; loadAll: () => void }) {
  return (
    <div class={`part part-${part.type}`}>
      {bodyOf(part, scores)}
      {part.cut ? (
        <button type="button" class="button small" onClick={loadAll}>
          {bytes(part.cut)} more are left out · load all
        </button>
      ) : null}
    </div>
  );
}

function bodyOf(part: MessagePart, scores: ScoreRow[]): ComponentChildren {
  switch (part.type) {
    case "text": {
      const text = part.content ?? "";
      return <LongText text={text} marks={scores.flatMap((score) => marksOf(score.detail, text))} />;
    }
    case "reasoning":
      return (
        <details class="reasoning">
          <summary>Reasoning</summary>
          {part.content ? <LongText text={part.content} /> : <p class="quiet-text">The provider sent this thought encrypted.</p>}
        </details>
      );
    case "tool_call":
      return (
        <Labelled label={`calls ${part.name ?? "a tool"}`} id={part.id}>
          <AnyValue value={part.arguments} />
        </Labelled>
      );
    case "tool_call_response":
      return (
        <Labelled label={part.is_error ? "tool failed" : "tool answered"} id={part.id}>
          <AnyValue value={part.response} />
        </Labelled>
      );
    case "blob":
    case "uri":
    case "file":
      return <MediaPart part={part} />;
    default:
      return <AnyValue value={part.value ?? part} />;
  }
}

function Labelled({ label, id, children }: { label: string; id?: string | undefined; children: ComponentChildren }) {
  return (
    <div class="labelled">
      <div class="labelled-head">
        <span aria-hidden="true">⚙</span> {visible(label)} {id ? <code class="quiet-text">{visible(id)}</code> : null}
      </div>
      {children}
    </div>
  );
}

function MediaPart({ part }: { part: MessagePart }) {
  const [isGone, setIsGone] = useState(false);
  const where = part.uri || part.file_id;
  const source = isGone ? "" : thumbnailOf(part);
  const whole = part.sha256 ? apiUrl(`/blobs/${encodeURIComponent(part.sha256)}`) : "";
  const image = source ? <img class="media-thumbnail" src={source} alt={part.name ? visible(part.name) : "image of this message"} loading="lazy" onError={() => setIsGone(true)} /> : null;
  return (
    <div class="media">
      {image && whole ? (
        <a href={whole} target="_blank" rel="noreferrer" title="The whole image">
          {image}
        </a>
      ) : (
        image
      )}
      <span class="tag">{part.modality || part.mime_type || part.type}</span> {part.mime_type ? <code>{visible(part.mime_type)}</code> : null} {part.name ? visible(part.name) : null}{" "}
      {part.size_bytes == null ? <span class="unknown">size unknown</span> : bytes(part.size_bytes)} {isGone ? <span class="quiet-text">no picture of it can be shown</span> : null}{" "}
      {whole ? (
        <a class="link-button" href={whole} target="_blank" rel="noreferrer">
          open the whole content
        </a>
      ) : where ? (
        <code class="media-where">{visible(where)}</code>
      ) : (
        <span class="quiet-text">inside the message</span>
      )}
    </div>
  );
}

// Only what a browser shows without running anything: no SVG, and no address outside this server.
const SHOWN = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

function thumbnailOf(part: MessagePart): string {
  if (part.modality !== "image" || part.cut || !SHOWN.has(part.mime_type ?? "")) return "";
  if (part.sha256) return apiUrl(`/blobs/${encodeURIComponent(part.sha256)}`, { thumbnail: "1" });
  return part.type === "blob" && part.content ? `data:${part.mime_type};base64,${part.content}` : "";
}
