// Objectives: what is left of their budgets, and the past judged again for any target.

import "../styles/objectives.css";
import { ObjectiveDetail } from "../watch/objectivedetail";
import { ObjectiveList } from "../watch/objectivelist";

/** The list, or one objective. */
export function Slos({ id }: { id?: string }) {
  return id ? <ObjectiveDetail id={decodeURIComponent(id)} /> : <ObjectiveList />;
}
