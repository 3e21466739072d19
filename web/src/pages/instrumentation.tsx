// Instrumentation: what the telemetry of each service says, what it leaves out, and how to mend it.

import { useState } from "preact/hooks";
import { useGet } from "../api/queries";
import type { Report, Sender, Service, Share } from "../api/instrumentation";
import { termFor } from "../lib/filter";
import { compact, count, duration, percent, phrase, visible } from "../lib/format";
import { CopyBlock } from "../ui/copy";
import { Bar } from "../ui/sparkline";
import { Cut, Empty, ErrorNote, Panel, Skeleton } from "../ui/states";
import { Link, useRange } from "../url";

const SHARES: [string, string, string][] = [
  ["model", "Model", "calls"],
  ["tokens", "Tokens", "calls"],
  ["cost", "Cost", "calls"],
  ["prompt_version", "Prompt version", "calls"],
  ["messages", "Input and output", "requests"],
  ["session", "Session", "requests"],
  ["user", "User", "requests"],
];
const GRADE_TONES: Record<string, string> = { A: "good", B: "good", C: "warn", D: "warn", E: "bad", F: "bad" };
const ENOUGH = 0.9;
const POOR = 0.5;

/** The instrumentation screen. */
export function Instrumentation() {
  const range = useRange();
  const report = useGet<Report>("/instrumentation", { from: range.fromS, to: range.toS }, { staleMs: 30_000 });
  const services = report.data?.services ?? [];
  return (
    <div class="page">
      <header class="page-title">
        <h1>Instrumentation</h1>
        <span class="quiet-text">How much of what Vagus needs each service says. A number that nobody sends is unknown everywhere else.</span>
        {report.data?.more ? <Cut shown={services.length} total={services.length + report.data.more} word="services" /> : null}
      </header>
      {report.error ? <ErrorNote error={report.error} retry={() => void report.refetch()} /> : null}
      {report.isPending ? <Skeleton lines={12} /> : null}
      {report.data && !services.length ? (
        <Panel>
          <Empty title="No telemetry in this time range">Widen the range, or send a first span: Health shows the lines.</Empty>
        </Panel>
      ) : null}
      {services.map((service) => (
        <ServicePanel key={service.service} service={service} />
      ))}
    </div>
  );
}

function ServicePanel({ service }: { service: Service }) {
  return (
    <section class="panel service" aria-label={`Service ${service.service}`}>
      <header class="service-head">
        <span class={`grade ${GRADE_TONES[service.grade] ?? "quiet"}`} title={service.score == null ? "too little data for a grade" : `score ${percent(service.score)}`}>
          {service.grade || "–"}
        </span>
        <div>
          <h2>
            <Link to="/traces" set={{ filter: termFor("service", service.service) }}>
              {visible(service.service || "(no service name)")}
            </Link>
          </h2>
          <p class="quiet-text">
            {count(service.requests)} requests · {count(service.calls)} model calls · {compact(service.spans)} spans
          </p>
        </div>
        <Troubles service={service} />
      </header>
      <div class="service-body">
        <div class="shares">
          {SHARES.map(([name, label, of]) => {
            const share = service.shares[name];
            return share ? <ShareLine key={name} label={label} of={of} share={share} /> : null;
          })}
        </div>
        <div class="advice">
          <h3>{service.advice.length ? "What would help most" : "Nothing is missing"}</h3>
          {service.advice.map((advice, at) => (
            <article key={at}>
              <p>
                <strong>{phrase(advice.what)}.</strong> <span class="quiet-text">{phrase(advice.why)}</span>
              </p>
              {advice.line ? <CopyBlock text={advice.line} /> : null}
            </article>
          ))}
        </div>
      </div>
      <UnknownCosts service={service} />
      <Senders senders={service.senders} />
    </section>
  );
}

/** A share with its n and interval; what is below enough is marked by a sign, too. */
function ShareLine({ label, of, share }: { label: string; of: string; share: Share }) {
  const tone = share.value == null ? "quiet" : share.value >= ENOUGH ? "good" : share.value >= POOR ? "warn" : "bad";
  return (
    <div class="share-line" title={`${label}: said by ${share.value == null ? "unknown" : percent(share.value)} of ${count(share.n)} ${of}`}>
      <span class="share-label">
        <span class={`share-sign ${tone}`} aria-hidden="true">
          {tone === "good" ? "✓" : tone === "quiet" ? "…" : tone === "warn" ? "◐" : "✕"}
        </span>
        {label}
      </span>
      <span class="share-track">
        <Bar share={share.value ?? 0} tone={tone} />
        {share.n ? <span class="share-range" style={{ left: `${share.low * 100}%`, width: `${Math.max(0, share.high - share.low) * 100}%` }} /> : null}
      </span>
      <span class="number">{share.value == null ? <span class="unknown">unknown</span> : percent(share.value)}</span>
      <span class="certainty">
        n {compact(share.n)} {of}
        {share.n ? ` · ${percent(share.low)} – ${percent(share.high)}` : ""}
      </span>
    </div>
  );
}

function Troubles({ service }: { service: Service }) {
  const rate = (name: string, share: Share, of: string) => (
    <div key={name}>
      <dt>{name}</dt>
      <dd class={share.value ? "warn-text" : ""} title={`n ${count(share.n)} ${of}, ${percent(share.low)} – ${percent(share.high)}`}>
        {share.value == null ? <span class="unknown">unknown</span> : percent(share.value)} <span class="certainty">n {compact(share.n)}</span>
      </dd>
    </div>
  );
  return (
    <dl class="facts facts-band service-facts">
      {rate("Orphan spans", service.orphans, "spans")}
      {rate("Clock skew", service.clock_skew, "requests")}
      {rate("Sent twice", service.duplicates, "requests")}
      <div>
        <dt>Usage reported again</dt>
        <dd title="Spans that repeat the usage of a span below them; their tokens are charged once.">
          {count(service.repeated_usage)} {service.repeated_usage ? <span class="certainty">charged once</span> : null}
        </dd>
      </div>
      <div>
        <dt>Arrives after</dt>
        <dd title="Median time from the end of a span to its arrival">{service.lag_ms == null ? <span class="unknown">unknown</span> : duration(service.lag_ms)}</dd>
      </div>
    </dl>
  );
}

function UnknownCosts({ service }: { service: Service }) {
  if (!service.unknown_models.length) return null;
  return (
    <p class="service-unknown">
      <strong>Calls that nobody can price:</strong>{" "}
      {service.unknown_models.slice(0, 8).map((row, at) => (
        <span key={at}>
          {at > 0 ? ", " : ""}
          {visible(row.model || "(no model said)")} <span class="certainty">{count(row.calls)}</span>
        </span>
      ))}
      {service.unknown_models.length > 8 ? ` and ${count(service.unknown_models.length - 8)} more` : ""} ·{" "}
      <Link to="/cost" set={{ view: "prices" }} class="link-button">
        why, and set a price
      </Link>
    </p>
  );
}

const SENDER_SHARES = ["model", "tokens", "messages", "session", "user", "prompt_version"];

function Senders({ senders }: { senders: Sender[] }) {
  const [isWhole, setIsWhole] = useState(false);
  const shown = isWhole ? senders : senders.slice(0, 5);
  if (!senders.length) return null;
  return (
    <div class="table-scroll">
      <table class="table pivot senders">
        <thead>
          <tr>
            <th scope="col">Sender</th>
            <th scope="col">Convention</th>
            <th scope="col" class="right">
              Spans
            </th>
            <th scope="col" class="right">
              Calls
            </th>
            {SENDER_SHARES.map((name) => (
              <th scope="col" class="right" key={name}>
                {name.replaceAll("_", " ")}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((sender, at) => (
            <tr key={at}>
              <th scope="row">
                {sender.sdk ? visible(sender.sdk) : <span class="unknown">SDK not said</span>} <span class="quiet-text">{visible(sender.sdk_version)}</span>
              </th>
              <td>{sender.convention ? <span class="tag">{sender.convention}</span> : <span class="unknown">none known</span>}</td>
              <td class="number right">{compact(sender.spans)}</td>
              <td class="number right">{compact(sender.calls)}</td>
              {SENDER_SHARES.map((name) => (
                <SenderShare key={name} share={sender.shares[name]} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {senders.length > 5 ? (
        <button type="button" class="link-button" onClick={() => setIsWhole(!isWhole)}>
          {isWhole ? "Show fewer" : `5 of ${count(senders.length)} senders · show all`}
        </button>
      ) : null}
      <p class="quiet-text">Of calls whose own span says it; a session or a user that only the root names counts above, not here.</p>
    </div>
  );
}

function SenderShare({ share }: { share: Share | undefined }) {
  if (!share?.n || share.value == null) {
    return (
      <td class="right">
        <span class="quiet-text">–</span>
      </td>
    );
  }
  return (
    <td class="number right" title={`n ${count(share.n)} calls, ${percent(share.low)} – ${percent(share.high)}`}>
      {percent(share.value)}
    </td>
  );
}
