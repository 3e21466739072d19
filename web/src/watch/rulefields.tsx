// The parameters of a rule, each with what it means.

import type { Rule } from "../api/monitors";
import { KINDS, meant, type Parameter, shown } from "../lib/monitor";
import { Field } from "../ui/form";

interface Props {
  rule: Rule;
  change: (rule: Rule) => void;
  said: (name: string) => string | undefined;
}

/** The fields of the rule's kind; rarely used ones fold away. */
export function RuleFields({ rule, change, said }: Props) {
  const parameters = KINDS[String(rule["type"])]?.parameters ?? [];
  const field = (parameter: Parameter) => <ParameterField key={`${String(rule["type"])}.${parameter.name}`} parameter={parameter} value={rule[parameter.name]} set={(value) => change({ ...rule, [parameter.name]: value })} error={said(parameter.name)} />;
  const advanced = parameters.filter((parameter) => parameter.isAdvanced);
  return (
    <fieldset class="sheet-group">
      <legend>Rule</legend>
      <div class="sheet-grid">{parameters.filter((parameter) => !parameter.isAdvanced).map(field)}</div>
      {advanced.length ? (
        <details class="editor-more">
          <summary>More</summary>
          <div class="sheet-grid">{advanced.map(field)}</div>
        </details>
      ) : null}
    </fieldset>
  );
}

function ParameterField({ parameter, value, set, error }: { parameter: Parameter; value: unknown; set: (value: unknown) => void; error: string | undefined }) {
  const { label, help, type, choices = [], isOptional } = parameter;
  if (type === "flag") {
    return (
      <label class="check" title={help}>
        <input type="checkbox" checked={value === true} onChange={(event) => set(event.currentTarget.checked)} /> {label}: {help}
      </label>
    );
  }
  return (
    <Field label={label} hint={help} error={error}>
      {type === "choice" ? (
        <select value={String(value ?? choices[0])} onChange={(event) => set(event.currentTarget.value)}>
          {choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : type === "number" || type === "share" ? (
        <input type="number" step="any" required={!isOptional} value={shown(parameter, value)} onChange={(event) => set(meant(parameter, event.currentTarget.value))} />
      ) : (
        <input required={!isOptional && type !== "days"} value={shown(parameter, value)} onChange={(event) => set(meant(parameter, event.currentTarget.value))} />
      )}
    </Field>
  );
}
