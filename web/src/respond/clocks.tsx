// The clocks of an incident side by side.

import type { Incident } from "../api/types";
import { clockRows } from "../lib/clocks";
import { duration, moment } from "../lib/format";
import { Panel } from "../ui/states";

/** When it occurred, was detected, was known, was mitigated, was resolved. */
export function Clocks({ incident }: { incident: Incident }) {
  return (
    <Panel title="Clocks" aside={<span class="quiet-text">after the onset</span>}>
      <table class="table clocks">
        <tbody>
          {clockRows(incident.clocks).map((row) => (
            <tr key={row.name}>
              <th scope="row" title={row.meaning}>
                {row.name}
              </th>
              <td>{row.ms === null ? <span class="unknown">not yet</span> : moment(row.ms)}</td>
              <td class="number right">{row.afterMs ? `${row.afterMs < 0 ? "−" : "+"}${duration(Math.abs(row.afterMs))}` : ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
