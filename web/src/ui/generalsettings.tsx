// Every setting, its value, and where that came from.

import { useState } from "preact/hooks";
import { useGet } from "../api/queries";
import { count } from "../lib/format";
import { Cut, ErrorNote, Panel, Skeleton } from "./states";

interface Setting {
  key: string;
  value: unknown;
  source: string;
  help: string;
}

/** The settings table. */
export function GeneralSettings() {
  const settings = useGet<Setting[]>("/settings");
  const [search, setSearch] = useState("");
  const rows = settings.data ?? [];
  const wanted = search.toLowerCase();
  const shown = rows.filter((row) => `${row.key} ${row.help}`.toLowerCase().includes(wanted));
  return (
    <Panel title="General" aside={<Cut shown={shown.length} total={rows.length} word="settings" />}>
      <p class="lead">Settings are made where Vagus is started: a flag beats an environment variable, which beats the file, which beats the default.</p>
      <input type="search" value={search} onInput={(event) => setSearch(event.currentTarget.value)} placeholder="Search settings" aria-label="Search settings" />
      {settings.error ? <ErrorNote error={settings.error} /> : null}
      {settings.isPending ? <Skeleton lines={10} /> : null}
      {shown.length ? (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Setting</th>
              <th scope="col">Value</th>
              <th scope="col">From</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={row.key}>
                <th scope="row">
                  <code>{row.key}</code>
                  <div class="quiet-text">{row.help}</div>
                </th>
                <td class="setting-value">{valueText(row.value)}</td>
                <td>
                  <span class={`tag ${row.source === "default" ? "" : "accent"}`}>{row.source}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
    </Panel>
  );
}

function valueText(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? count(value) : String(value);
  if (value === null || value === "") return "(empty)";
  return typeof value === "string" ? value : JSON.stringify(value);
}
