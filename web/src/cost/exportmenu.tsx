// The numbers of this screen as files.

import { apiUrl } from "../api/client";
import { useFilter, useRange, useUrl } from "../url";

const TABLES = [
  { name: "spend", what: "Spend", note: "grouped as the table is" },
  { name: "ledger", what: "Ledger", note: "one line a call" },
  { name: "traces", what: "Traces", note: "one line a request" },
  { name: "sessions", what: "Sessions", note: "one line a conversation" },
];

/** Tables of the range and filter of the page, as CSV or Parquet. */
export function ExportMenu() {
  const range = useRange();
  const filter = useFilter();
  const [params] = useUrl();
  const by = [params.get("rows") ?? "model", params.get("columns") ?? "team"].join(",");
  const address = (name: string, form: string) => apiUrl(`/export/${name}.${form}`, { from: range.fromS, to: range.toS, filter, by: name === "spend" ? by : null });
  return (
    <details class="dropdown export">
      <summary class="button">Export</summary>
      <div class="menu export-menu">
        {TABLES.map((table) => (
          <div class="export-line" key={table.name}>
            <span>
              {table.what} <span class="quiet-text">{table.note}</span>
            </span>
            <a class="button small" href={address(table.name, "csv")} download aria-label={`${table.what} as CSV`}>
              CSV
            </a>
            <a class="button small" href={address(table.name, "parquet")} download aria-label={`${table.what} as Parquet`}>
              Parquet
            </a>
          </div>
        ))}
        <p class="quiet-text">Of the range and filter of the page.</p>
      </div>
    </details>
  );
}
