// Where notifications go: webhooks, signed.

import { useState } from "preact/hooks";
import { call } from "../api/client";
import { useGet, useInvalidate } from "../api/queries";
import { ago } from "../lib/format";
import { CopyBlock } from "./copy";
import { Badge, Empty, ErrorNote, Panel, Skeleton } from "./states";

interface Target {
  id: string;
  name: string;
  url: string;
  enabled: boolean;
  created_ms: number;
}

/** The webhook targets of the project. */
export function Targets() {
  const targets = useGet<Target[]>("/targets");
  const invalidate = useInvalidate();
  const [error, setError] = useState<unknown>(null);
  const remove = async (target: Target) => {
    if (!window.confirm(`Remove the target ${target.name}?`)) return;
    try {
      await call(`/targets/${encodeURIComponent(target.id)}`, { method: "DELETE" });
      setError(null);
      await invalidate("/targets");
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <Panel title="Notifications">
      <p class="lead">Each incident that opens, changes or resolves is posted to these webhooks, signed, and tried again until it is taken.</p>
      <NewTarget done={() => void invalidate("/targets")} />
      {error ? <ErrorNote error={error} /> : null}
      {targets.error ? <ErrorNote error={targets.error} /> : null}
      {targets.isPending ? <Skeleton lines={3} /> : null}
      {targets.data && !targets.data.length ? <Empty title="No targets yet">Incidents are still opened and shown here.</Empty> : null}
      {targets.data?.length ? (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Target</th>
              <th scope="col">Address</th>
              <th scope="col">Made</th>
              <th scope="col">State</th>
              <th scope="col" />
            </tr>
          </thead>
          <tbody>
            {targets.data.map((target) => (
              <tr key={target.id}>
                <th scope="row">{target.name}</th>
                <td>
                  <code>{target.url}</code>
                </td>
                <td>{ago(target.created_ms)}</td>
                <td>{target.enabled === false ? <Badge state="disabled" /> : <Badge state="ok" label="on" />}</td>
                <td class="right">
                  <button type="button" class="button small danger" onClick={() => void remove(target)}>
                    Remove
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
    </Panel>
  );
}

function NewTarget({ done }: { done: () => void }) {
  const [name, setName] = useState("");
  const [url, setUrl] = useState("");
  const [secret, setSecret] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const create = async (event: SubmitEvent) => {
    event.preventDefault();
    try {
      const made = await call<{ secret: string }>("/targets", { method: "POST", body: { name, url } });
      setSecret(made.secret);
      setError(null);
      setName("");
      setUrl("");
      done();
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <>
      <form class="row form" onSubmit={(event) => void create(event)}>
        <label>
          Name
          <input value={name} onInput={(event) => setName(event.currentTarget.value)} required placeholder="on-call" />
        </label>
        <label class="grow">
          Address
          <input type="url" value={url} onInput={(event) => setUrl(event.currentTarget.value)} required placeholder="https://…" />
        </label>
        <button type="submit" class="button primary">
          Add a webhook
        </button>
      </form>
      {error ? <ErrorNote error={error} /> : null}
      {secret ? (
        <div class="note note-good secret" role="status">
          <p>The signing secret, shown this once:</p>
          <CopyBlock text={secret} />
        </div>
      ) : null}
    </>
  );
}
