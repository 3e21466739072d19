// The catalogue of measures.

import { useMeasures } from "../api/queries";
import { Cut, ErrorNote, Panel, Skeleton } from "./states";

/** What can be asked, in which unit, and which way is bad. */
export function MeasureList() {
  const measures = useMeasures();
  const rows = measures.data ?? [];
  return (
    <Panel title="Measures" aside={<Cut shown={rows.length} total={rows.length} word="measures" />}>
      {measures.error ? <ErrorNote error={measures.error} /> : null}
      {measures.isPending ? <Skeleton lines={10} /> : null}
      {rows.length ? (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Measure</th>
              <th scope="col">Kind</th>
              <th scope="col">Unit</th>
              <th scope="col">Good direction</th>
              <th scope="col">What it means</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.id}>
                <th scope="row">
                  {row.name}
                  <div>
                    <code class="quiet-text">{row.id}</code>
                  </div>
                </th>
                <td>{row.kind}</td>
                <td>{row.unit}</td>
                <td>{row.direction === "up_is_bad" ? "↓ lower" : row.direction === "down_is_bad" ? "↑ higher" : "neither"}</td>
                <td class="wrap">{row.help}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
    </Panel>
  );
}
