// Whose call it is: rules for what telemetry does not say, and the spend that still has no name.

import { useState } from "preact/hooks";
import { call, currentProject } from "../api/client";
import { useGet, useInvalidate } from "../api/queries";
import type { Rule, Rules } from "../api/spend";
import { ago, count } from "../lib/format";
import { readSet, setText } from "../lib/rules";
import { useAction } from "../ui/form";
import { Empty, ErrorNote, Panel, Skeleton } from "../ui/states";
import { Link } from "../url";
import { UntaggedShares } from "./untagged";

interface Line {
  key: number;
  name: string;
  when: string;
  set: string;
  override: boolean;
}

let lastKey = 0;

function lineOf(rule: Rule): Line {
  return { key: ++lastKey, name: rule.name, when: rule.when, set: setText(rule.set), override: rule.override };
}

/** The view of attribution. */
export function Attribution() {
  const rules = useGet<Rules>("/attribution", {}, { staleMs: 60_000 });
  return (
    <>
      <Panel title="Attribution rules" aside={rules.data?.updated_ms ? <span class="quiet-text">changed {ago(rules.data.updated_ms)}</span> : null}>
        <p class="lead">A call that fits “when” gets the values of “set” where its telemetry says nothing; with “always”, whatever it says. The first rule that sets a dimension decides it.</p>
        {rules.error ? <ErrorNote error={rules.error} retry={() => void rules.refetch()} /> : null}
        {rules.isPending ? <Skeleton lines={4} /> : null}
        {rules.data ? <Editor key={currentProject()} rules={rules.data.rules} /> : null}
      </Panel>
      <UntaggedShares hasRules />
    </>
  );
}

function Editor({ rules }: { rules: Rule[] }) {
  const [lines, setLines] = useState<Line[]>(() => rules.map(lineOf));
  const [isSaved, setIsSaved] = useState(false);
  const [problem, setProblem] = useState<{ key: number; words: string } | null>(null);
  const invalidate = useInvalidate();
  const action = useAction();
  const edit = (next: Line[]) => {
    setLines(next);
    setIsSaved(false);
    setProblem(null);
  };
  const change = (key: number, part: Partial<Line>) => edit(lines.map((line) => (line.key === key ? { ...line, ...part } : line)));
  const move = (at: number) => edit(lines.map((line, place) => (place === at - 1 ? (lines[at] as Line) : place === at ? (lines[at - 1] as Line) : line)));
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const body: Rule[] = [];
    for (const line of lines) {
      const set = readSet(line.set);
      if (typeof set === "string") return setProblem({ key: line.key, words: set });
      body.push({ name: line.name, when: line.when, set, override: line.override });
    }
    void action
      .run(() => call("/attribution", { method: "PUT", body: { rules: body } }))
      .then((ok) => {
        if (!ok) return;
        setIsSaved(true);
        void invalidate("/attribution");
      });
  };
  return (
    <form onSubmit={save} class="rules">
      {lines.length ? null : <Empty title="No rules yet">A rule names the owner of calls whose telemetry does not, such as everything of one service.</Empty>}
      {lines.length ? (
        <table class="table rules-table">
          <thead>
            <tr>
              <th scope="col" aria-label="Order" />
              <th scope="col">Name</th>
              <th scope="col">When</th>
              <th scope="col">Set</th>
              <th scope="col">Always</th>
              <th scope="col" />
            </tr>
          </thead>
          <tbody>
            {lines.map((line, at) => (
              <tr key={line.key}>
                <td class="number">
                  {count(at + 1)}{" "}
                  <button type="button" class="icon-button" disabled={at === 0} aria-label={`Move rule ${at + 1} up`} title="Move up" onClick={() => move(at)}>
                    ↑
                  </button>
                </td>
                <td>
                  <input aria-label={`Name of rule ${at + 1}`} value={line.name} maxLength={200} onInput={(event) => change(line.key, { name: event.currentTarget.value })} placeholder="optional" />
                </td>
                <td>
                  <input aria-label={`When of rule ${at + 1}`} class="code-input" value={line.when} maxLength={4000} spellcheck={false} onInput={(event) => change(line.key, { when: event.currentTarget.value })} placeholder="service:checkout" />
                </td>
                <td>
                  <input aria-label={`Set of rule ${at + 1}`} class="code-input" value={line.set} spellcheck={false} onInput={(event) => change(line.key, { set: event.currentTarget.value })} placeholder="team:payments" />
                  {problem?.key === line.key ? (
                    <p class="bad-text" role="alert">
                      {problem.words}
                    </p>
                  ) : null}
                </td>
                <td>
                  <input type="checkbox" aria-label={`Rule ${at + 1} holds whatever the telemetry says`} checked={line.override} onChange={(event) => change(line.key, { override: event.currentTarget.checked })} />
                </td>
                <td class="right">
                  <button type="button" class="button small danger" onClick={() => edit(lines.filter((other) => other !== line))}>
                    Remove
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
      {action.error ? <ErrorNote error={action.error} /> : null}
      <div class="row rules-foot">
        <button type="button" class="button" onClick={() => edit([...lines, { key: ++lastKey, name: "", when: "", set: "", override: false }])}>
          Add a rule
        </button>
        <button type="submit" class="button primary" disabled={action.isBusy}>
          Save the rules
        </button>
        {isSaved ? (
          <span class="good-text" role="status">
            ✓ Saved; they hold for what comes from now on. <Link to="/cost" set={{ view: "prices" }} class="link-button">Price history again</Link> to apply them to the past.
          </span>
        ) : null}
      </div>
    </form>
  );
}
