// The audit log: who did what, when. Entries are only ever added.

import { useGet } from "../api/queries";
import { moment, visible } from "../lib/format";
import { Cut, Empty, ErrorNote, Panel, Skeleton } from "./states";

interface Entry {
  id: number;
  time_ms: number;
  actor: string;
  action: string;
  object: string;
  project: string;
  detail: unknown;
}

/** The newest entries. */
export function AuditLog() {
  const audit = useGet<Entry[] | { rows: Entry[]; total?: number }>("/audit", {}, { refetchMs: 15_000 });
  const rows = Array.isArray(audit.data) ? audit.data : (audit.data?.rows ?? []);
  const total = Array.isArray(audit.data) ? rows.length : (audit.data?.total ?? rows.length);
  return (
    <Panel title="Audit" aside={<Cut shown={rows.length} total={total} word="entries" />}>
      {audit.error ? <ErrorNote error={audit.error} /> : null}
      {audit.isPending ? <Skeleton lines={8} /> : null}
      {audit.data && !rows.length ? <Empty title="Nothing recorded yet" /> : null}
      {rows.length ? (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Actor</th>
              <th scope="col">Action</th>
              <th scope="col">Object</th>
              <th scope="col">Detail</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.id}>
                <td class="number">{moment(row.time_ms)}</td>
                <td>{visible(row.actor)}</td>
                <td>
                  <span class="tag">{row.action.replaceAll("_", " ")}</span>
                </td>
                <td>
                  <code>{visible(row.object)}</code>
                </td>
                <td class="wrap quiet-text">{detailText(row.detail)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
    </Panel>
  );
}

function detailText(detail: unknown): string {
  if (detail === null || detail === undefined || detail === "") return "";
  const text = typeof detail === "string" ? detail : JSON.stringify(detail);
  return text === "{}" ? "" : visible(text);
}
