// Monitors: what is watched, what is said about it now, and what a rule would have said.

import "../styles/monitors.css";
import { MonitorDetail } from "../watch/monitordetail";
import { MonitorList } from "../watch/monitorlist";

/** The list, or one monitor. */
export function Monitors({ id }: { id?: string }) {
  return id ? <MonitorDetail id={decodeURIComponent(id)} /> : <MonitorList />;
}
