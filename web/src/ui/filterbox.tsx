// The filter: chips for its terms, a text field that suggests dimensions and their values.

import { useMemo, useRef, useState } from "preact/hooks";
import { useGet, useMeasures } from "../api/queries";
import type { Facets } from "../api/types";
import { parseTerm, splitTerms, termFor, withoutTerm, withTerm } from "../lib/filter";
import { count } from "../lib/format";
import { useFilter, useRange, useUrl } from "../url";
import { Icon } from "./icons";

interface Suggestion {
  text: string;
  note: string;
  isFinal: boolean;
}

const OFTEN = ["team", "feature", "model", "status", "error_class", "env", "service", "user", "session", "tenant", "prompt_version", "index_version"];

/** Dimensions that are asked for often first, the rest by name. */
function byUse(names: Set<string>): string[] {
  const often = OFTEN.filter((name) => names.has(name));
  return [...often, ...[...names].filter((name) => !OFTEN.includes(name)).sort()];
}

function useSuggestions(draft: string, isOpen: boolean): Suggestion[] {
  const measures = useMeasures();
  const range = useRange();
  const term = /^([A-Za-z_]\w*)(:|!=)(.*)$/.exec(draft);
  const dimension = term?.[1] ?? "";
  const facets = useGet<Facets>("/facets", { from: range.fromS, to: range.toS, dims: dimension }, { enabled: isOpen && dimension !== "" });
  const dimensions = useMemo(() => byUse(new Set((measures.data ?? []).flatMap((measure) => measure.dimensions))), [measures.data]);
  if (!isOpen) return [];
  if (term) {
    const typed = (term[3] ?? "").replaceAll('"', "").toLowerCase();
    return (facets.data?.[dimension] ?? [])
      .filter((facet) => facet.value !== "" && facet.value.toLowerCase().includes(typed))
      .slice(0, 10)
      .map((facet) => ({ text: termFor(dimension, facet.value, term[2] === "!="), note: count(facet.count), isFinal: true }));
  }
  const typed = draft.toLowerCase();
  return dimensions.filter((name) => name.startsWith(typed)).slice(0, 12).map((name) => ({ text: `${name}:`, note: "", isFinal: false }));
}

/** The filter box of the top bar; `/` focuses it. */
export function FilterBox() {
  const filter = useFilter();
  const [, setUrl] = useUrl();
  const [draft, setDraft] = useState("");
  const [isOpen, setIsOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const suggestions = useSuggestions(draft, isOpen);
  const terms = splitTerms(filter);

  const setFilter = (next: string) => setUrl({ filter: next, cursor: null });
  const add = (text: string) => {
    let next = filter;
    for (const raw of splitTerms(text)) next = withTerm(next, raw);
    setFilter(next);
    setDraft("");
    setChosen(-1);
    setIsOpen(false);
  };
  const take = (suggestion: Suggestion) => {
    if (suggestion.isFinal) add(suggestion.text);
    else {
      setDraft(suggestion.text);
      setIsOpen(true);
    }
    setChosen(-1);
    input.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setChosen((chosen + step + suggestions.length + 1) % (suggestions.length + 1));
    } else if (event.key === "Tab" && suggestions.length && draft) {
      event.preventDefault();
      take(suggestions[Math.max(chosen, 0)] as Suggestion);
    } else if (event.key === "Enter") {
      const suggestion = suggestions[chosen];
      if (suggestion) take(suggestion);
      else if (draft.trim()) add(draft.trim());
    } else if (event.key === "Backspace" && draft === "" && terms.length) {
      setFilter(withoutTerm(filter, terms[terms.length - 1] as string));
    } else if (event.key === "Escape") {
      event.stopPropagation();
      setIsOpen(false);
      input.current?.blur();
    }
  };

  return (
    <div class="filterbox" onFocusOut={(event) => event.currentTarget.contains(event.relatedTarget as Node) || setIsOpen(false)}>
      <Icon name="search" size={14} />
      <ul class="chips" aria-label="Filter terms">
        {terms.map((raw) => (
          <Chip key={raw} raw={raw} remove={() => setFilter(withoutTerm(filter, raw))} />
        ))}
      </ul>
      <input
        id="filter-input"
        ref={input}
        value={draft}
        onInput={(event) => {
          setDraft(event.currentTarget.value);
          setIsOpen(true);
          setChosen(-1);
        }}
        onFocus={() => setIsOpen(true)}
        onKeyDown={onKeyDown}
        placeholder={terms.length ? "" : "Filter: team:billing  model!=gpt-4o  duration_ms>2000  …"}
        aria-label="Filter"
        role="combobox"
        aria-expanded={isOpen && suggestions.length > 0}
        aria-controls="filter-suggestions"
        aria-autocomplete="list"
        autocomplete="off"
        spellcheck={false}
      />
      {terms.length ? (
        <button type="button" class="icon-button" aria-label="Clear the filter" onClick={() => setFilter("")}>
          <Icon name="close" size={14} />
        </button>
      ) : (
        <kbd>/</kbd>
      )}
      {isOpen && suggestions.length ? (
        <ul class="menu filter-menu" id="filter-suggestions" role="listbox">
          {suggestions.map((suggestion, at) => (
            <li key={suggestion.text} role="option" aria-selected={at === chosen}>
              <button type="button" tabIndex={-1} class={at === chosen ? "is-chosen" : ""} onMouseDown={(event) => event.preventDefault()} onClick={() => take(suggestion)}>
                <span>{suggestion.text}</span>
                <span class="certainty">{suggestion.note}</span>
              </button>
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}

function Chip({ raw, remove }: { raw: string; remove: () => void }) {
  const term = parseTerm(raw);
  return (
    <li class={`chip ${term.operator === "!=" ? "is-excluded" : ""}`}>
      {term.dimension ? (
        <>
          <span class="chip-name">{term.dimension}</span>
          <span class="chip-operator">{term.operator === ":" ? "is" : term.operator === "!=" ? "is not" : term.operator}</span>
          <span class="chip-value">{term.value || "(not said)"}</span>
        </>
      ) : (
        <>
          <span class="chip-operator">contains</span>
          <span class="chip-value">{term.value}</span>
        </>
      )}
      <button type="button" aria-label={`Remove ${raw}`} onClick={remove}>
        <Icon name="close" size={12} />
      </button>
    </li>
  );
}
