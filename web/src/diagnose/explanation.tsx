// Why a measure moved in the window that is on screen; the address holds all of the question.

import { useQuery } from "@tanstack/react-query";
import { call, currentProject } from "../api/client";
import { useMeasures } from "../api/queries";
import type { Finding } from "../api/types";
import { moment, phrase } from "../lib/format";
import { DEFAULT_FROM } from "../lib/time";
import { Conditionings, InfrastructureCandidates } from "../ui/candidates";
import { Changes, Decompositions, Examples, Segments, Stages } from "../ui/findingparts";
import { Hypotheses } from "../ui/hypotheses";
import { Icon } from "../ui/icons";
import { useKeys } from "../ui/keys";
import { Narrative } from "../ui/narrative";
import { ErrorNote, Skeleton } from "../ui/states";
import { useUrl } from "../url";
import "../styles/respond.css";

/** The side panel with the diagnosis of the page's window. */
export function Explanation() {
  const [params, setUrl] = useUrl();
  const measures = useMeasures();
  const measure = params.get("measure") ?? "";
  const question = { from: params.get("from") ?? DEFAULT_FROM, to: params.get("to") ?? "now", filter: params.get("filter") ?? "", measure: measure || null };
  const answer = useQuery<Finding>({
    queryKey: [currentProject(), "diagnose", question],
    queryFn: ({ signal }) => call<Finding>("/diagnose", { method: "POST", body: question, signal }),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const close = () => setUrl({ explain: null, measure: null });
  useKeys({ Escape: close });
  return (
    <aside class="explanation" aria-label="Explanation of the window">
      <header class="panel-head">
        <h2>Explain this window</h2>
        <div class="panel-aside">
          <label class="choice">
            Measure
            <select value={measure} onChange={(event) => setUrl({ measure: event.currentTarget.value || null })}>
              <option value="">the one that moved most</option>
              {(measures.data ?? []).map((item) => (
                <option key={item.id} value={item.id}>
                  {phrase(item.id)}
                </option>
              ))}
            </select>
          </label>
          <button type="button" class="icon-button" aria-label="Close the explanation" onClick={close}>
            <Icon name="close" size={14} />
          </button>
        </div>
      </header>
      {answer.error ? <ErrorNote error={answer.error} retry={() => void answer.refetch()} /> : null}
      {answer.isPending ? <Skeleton lines={8} /> : null}
      {answer.data ? <FindingView finding={answer.data} /> : null}
    </aside>
  );
}

function FindingView({ finding }: { finding: Finding }) {
  return (
    <>
      <p class="quiet-text">
        {phrase(finding.measure)}, {moment(finding.window[0])} – {moment(finding.window[1])}, against {moment(finding.reference[0])} – {moment(finding.reference[1])}
      </p>
      <p class="verdict">
        <strong>{phrase(finding.verdict)}</strong>
      </p>
      <Narrative finding={finding} />
      <Hypotheses finding={finding} />
      <Stages finding={finding} />
      <Conditionings finding={finding} />
      <Segments finding={finding} />
      <InfrastructureCandidates finding={finding} />
      <Decompositions finding={finding} />
      <Changes finding={finding} />
      <Examples finding={finding} />
    </>
  );
}
