// Keys: made, shown once, revoked.

import { useState } from "preact/hooks";
import { call } from "../api/client";
import { useGet, useInvalidate } from "../api/queries";
import { ago, moment } from "../lib/format";
import { CopyBlock } from "./copy";
import { Badge, Empty, ErrorNote, Panel, Skeleton } from "./states";

interface Key {
  id: string;
  name: string;
  created_by: string;
  kind: string;
  created_ms: number;
  last_used_ms: number | null;
  revoked_ms: number | null;
}

/** The keys of the project. */
export function Keys() {
  const keys = useGet<Key[]>("/keys");
  const invalidate = useInvalidate();
  const [error, setError] = useState<unknown>(null);
  const revoke = async (key: Key) => {
    if (!window.confirm(`Revoke the key ${key.name || key.id}? Programs that use it are refused from now on.`)) return;
    try {
      await call(`/keys/${encodeURIComponent(key.id)}`, { method: "DELETE" });
      setError(null);
      await invalidate("/keys");
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <Panel title="Keys">
      <p class="lead">An ingest key may only send telemetry; an API key may read and change this project.</p>
      <NewKey done={() => void invalidate("/keys")} />
      {error ? <ErrorNote error={error} /> : null}
      {keys.error ? <ErrorNote error={keys.error} /> : null}
      {keys.isPending ? <Skeleton lines={4} /> : null}
      {keys.data && !keys.data.length ? <Empty title="No keys yet" /> : null}
      {keys.data?.length ? (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Key</th>
              <th scope="col">Kind</th>
              <th scope="col">Made</th>
              <th scope="col">Last used</th>
              <th scope="col">State</th>
              <th scope="col" />
            </tr>
          </thead>
          <tbody>
            {keys.data.map((key) => (
              <tr key={key.id}>
                <th scope="row">
                  {key.name ? <div>{key.name}</div> : null}
                  <code class="quiet-text">{key.id}</code>
                </th>
                <td>
                  <span class="tag">{key.kind}</span>
                </td>
                <td title={moment(key.created_ms)}>{ago(key.created_ms)}</td>
                <td>{key.last_used_ms ? ago(key.last_used_ms) : "never"}</td>
                <td>{key.revoked_ms ? <Badge state="disabled" label="revoked" /> : <Badge state="ok" label="in use" />}</td>
                <td class="right">
                  {key.revoked_ms ? null : (
                    <button type="button" class="button small danger" onClick={() => void revoke(key)}>
                      Revoke
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
    </Panel>
  );
}

function NewKey({ done }: { done: () => void }) {
  const [kind, setKind] = useState("ingest");
  const [name, setName] = useState("");
  const [secret, setSecret] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const create = async (event: SubmitEvent) => {
    event.preventDefault();
    try {
      const made = await call<{ text: string }>("/keys", { method: "POST", body: { kind, name } });
      setSecret(made.text);
      setError(null);
      setName("");
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
          <input value={name} onInput={(event) => setName(event.currentTarget.value)} required placeholder="what uses it" />
        </label>
        <label>
          Kind
          <select value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
            <option value="ingest">ingest</option>
            <option value="api">api</option>
          </select>
        </label>
        <button type="submit" class="button primary">
          Create a key
        </button>
      </form>
      {error ? <ErrorNote error={error} /> : null}
      {secret ? (
        <div class="note note-good secret" role="status">
          <p>This is the only time the key is shown. Keep it with your other secrets.</p>
          <CopyBlock text={secret} />
        </div>
      ) : null}
    </>
  );
}
