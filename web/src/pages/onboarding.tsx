// What an empty project shows: the exact lines that send the first span.

import { useState } from "preact/hooks";
import { call } from "../api/client";
import { CopyBlock } from "../ui/copy";
import { ErrorNote, Panel } from "../ui/states";

const LANGUAGES = ["Python", "Node.js", "curl"] as const;
type Language = (typeof LANGUAGES)[number];

function linesFor(language: Language, endpoint: string, key: string): string {
  const env = [`export OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}`, `export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`, `export OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer ${key}"`, `export OTEL_SERVICE_NAME=my-app`];
  if (language === "Python") {
    return [...env, "", "pip install opentelemetry-distro opentelemetry-exporter-otlp-proto-http \\", "  opentelemetry-instrumentation-openai-v2", "opentelemetry-instrument python app.py"].join("\n");
  }
  if (language === "Node.js") {
    return [...env, "", "npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node", "node --require @opentelemetry/auto-instrumentations-node/register app.js"].join("\n");
  }
  const body = `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"my-app"}}]},
"scopeSpans":[{"spans":[{"traceId":"'$(openssl rand -hex 16)'","spanId":"'$(openssl rand -hex 8)'","name":"chat","kind":3,
"startTimeUnixNano":"'$(date +%s)000000000'","endTimeUnixNano":"'$(date +%s)500000000'",
"attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},
{"key":"gen_ai.request.model","value":{"stringValue":"gpt-4o"}},
{"key":"gen_ai.usage.input_tokens","value":{"intValue":"120"}}]}]}]}]}`;
  return [`curl ${endpoint}/v1/traces \\`, `  -H "authorization: Bearer ${key}" \\`, `  -H "content-type: application/json" \\`, `  -d '${body}'`].join("\n");
}

/** The first screen of an empty project; it goes away when the first span arrives. */
export function Onboarding() {
  const [language, setLanguage] = useState<Language>("Python");
  const [key, setKey] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const create = async () => {
    try {
      const made = await call<{ text: string }>("/keys", { method: "POST", body: { name: "First ingest key", kind: "ingest" } });
      setKey(made.text);
      setError(null);
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <div class="page onboarding">
      <Panel title="Send the first span">
        <p class="lead">
          Vagus speaks OpenTelemetry. Point any OTLP exporter here and the first trace appears on this page some seconds later; this page is watching for it.
        </p>
        <div class="tabs" role="tablist" aria-label="Language">
          {LANGUAGES.map((name) => (
            <button type="button" role="tab" key={name} aria-selected={name === language} onClick={() => setLanguage(name)}>
              {name}
            </button>
          ))}
        </div>
        <CopyBlock text={linesFor(language, window.location.origin, key ?? "<ingest key>")} />
        <div class="row">
          {key ? (
            <p class="note note-good">The key stands in the lines above. It is shown this once; keep it with your other secrets.</p>
          ) : (
            <>
              <button type="button" class="button primary" onClick={() => void create()}>
                Create an ingest key
              </button>
              <span class="quiet-text">or use one that you have. An app on this machine with no endpoint configured already reaches Vagus on its default port.</span>
            </>
          )}
        </div>
        {error ? <ErrorNote error={error} /> : null}
        <p class="waiting" role="status">
          <span class="live-dot is-on" aria-hidden="true" /> Waiting for the first span
        </p>
      </Panel>
    </div>
  );
}
