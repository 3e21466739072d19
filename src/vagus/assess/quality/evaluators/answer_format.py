"""Checks that need no model: did it answer at all, and in the form that was asked for."""

from __future__ import annotations

import functools
import re
from typing import Any

import msgspec
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from vagus.assess.quality.evaluators.base import Example, Verdict
from vagus.assess.quality.evaluators.refusal import find_refusal
from vagus.assess.quality.language import words_of
from vagus.meaning.messages import message_text

_CUT_OFF = frozenset({"length", "max_tokens", "max_output_tokens", "model_length"})
_FILTERED = frozenset({"content_filter", "safety", "refusal"})
_REPEATED_RUN = 4
_REPEATED_WORDS = 40
_DISTINCT_SHARE = 0.35
_LANGUAGE_CHARACTERS = 40
_LANGUAGE_SURE = 0.98
_LANGUAGES = (
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu",
    "id", "it", "ja", "ko", "ms", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sv", "ta", "th", "tr",
    "uk", "ur", "vi", "zh",
)  # fmt: skip
_FENCED = re.compile(r"^\s*```(?:json)?\s*\n(.*?)\n?```\s*$", re.DOTALL)
# Asked for, another language is no fault.
_LANGUAGE_NAMED = re.compile(
    r"""translat|übersetz|traduc|traduis|tradui|翻译|翻訳|\b(?:in|into|to|auf|en|em)\s+(?:english|german|french
    |spanish|portuguese|italian|dutch|polish|russian|chinese|japanese|korean|hindi|arabic|turkish
    |deutsch|englisch|französisch|inglés|español|anglais|français)|\blanguage\b|answer\s+in\b
    |respond\s+in\b|reply\s+in\b""",
    re.IGNORECASE | re.VERBOSE,
)

_EXPLANATIONS = {
    "ok": "",
    "empty": "The answer is empty.",
    "truncated": "The model stopped at its length limit, so the answer ends early.",
    "invalid_json": "JSON was asked for, and the answer is not valid JSON",
    "repetitive": "The answer repeats itself",
    "wrong_language": "The answer is in another language than the question",
}


class AnswerFormat:
    """Two verdicts: `refusal` (fails when the model did not answer) and `format`."""

    name = "answer_format"
    version = "1"

    def evaluate(self, example: Example) -> list[Verdict]:
        """`format` for every answer, `refusal` for every one that says something."""
        if example.calls_tools and not example.answer.strip():
            return []
        problem, note = find_problem(example)
        verdicts = [_format(problem, note)]
        if example.answer.strip() or example.finish_reason in _FILTERED:
            verdicts.append(_refusal(example))
        return verdicts


def _format(problem: str, note: str) -> Verdict:
    explanation = _EXPLANATIONS[problem]
    return Verdict(
        name="format",
        value=1.0 if problem == "ok" else 0.0,
        passed=problem == "ok",
        label=problem,
        explanation=f"{explanation}: {note}."
        if note
        else explanation.removesuffix(".") + "."
        if explanation
        else "",
    )


def _refusal(example: Example) -> Verdict:
    label = find_refusal(example.answer)
    if not label and example.finish_reason in _FILTERED:
        label = "refused"
    explanations = {
        "": "",
        "refused": "The model refused to help.",
        "no_answer": "The model said that it does not know.",
    }
    return Verdict(
        name="refusal",
        value=0.0 if label else 1.0,
        passed=not label,
        label=label or "answered",
        explanation=explanations[label],
    )


def find_problem(example: Example) -> tuple[str, str]:
    """The first fault of form with a note, or `ok`."""
    answer = example.answer
    if not answer.strip():
        return ("ok", "") if example.finish_reason in _FILTERED else ("empty", "")
    if example.finish_reason in _CUT_OFF:
        return "truncated", ""
    if example.wants_json:
        fault = json_fault(answer)
        return ("invalid_json", fault) if fault else ("ok", "")
    repeated = find_repetition(answer)
    if repeated:
        return "repetitive", f"“{repeated}” comes again and again"
    spoken = language_mismatch(example)
    return ("wrong_language", f"{spoken[1]} instead of {spoken[0]}") if spoken else ("ok", "")


def json_fault(answer: str) -> str:
    """What is wrong with an answer that must be JSON; '' when nothing is."""
    try:
        msgspec.json.decode(answer.encode(errors="replace"))
    except (msgspec.DecodeError, RecursionError) as e:
        if _FENCED.match(answer):
            return "it lies inside a code fence"
        return str(e)[:120].rstrip(".")
    return ""


def find_repetition(answer: str) -> str:
    """A run of words that makes up most of a long answer; '' when there is none."""
    words = [word.lower() for word in words_of(answer[:20_000])]
    if len(words) < _REPEATED_WORDS:
        return ""
    starts = range(len(words) - _REPEATED_RUN + 1)
    runs = [tuple(words[start : start + _REPEATED_RUN]) for start in starts]
    counts: dict[tuple[str, ...], int] = {}
    for run in runs:
        counts[run] = counts.get(run, 0) + 1
    if len(counts) / len(runs) >= _DISTINCT_SHARE:
        return ""
    most = max(counts.items(), key=lambda item: item[1])
    return " ".join(most[0])


def language_mismatch(example: Example) -> tuple[str, str] | None:
    """The languages of question and answer when both are sure, differ, and none was asked for."""
    question, answer = example.question[:1_000], example.answer[:1_000]
    if min(len(question), len(answer)) < _LANGUAGE_CHARACTERS or "```" in answer:
        return None
    asked, sure_asked = _identifier().classify(question)
    spoken, sure_spoken = _identifier().classify(answer)
    if asked == spoken or min(sure_asked, sure_spoken) < _LANGUAGE_SURE:
        return None
    told = [message_text(m)[:4_000] for m in example.messages if m.role == "system"]
    if any(_LANGUAGE_NAMED.search(text) for text in (question, *told)):
        return None
    return str(asked), str(spoken)


@functools.cache
def _identifier() -> Any:
    full = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    full.set_languages(_LANGUAGES)
    # Made anew from the restricted tables, the identifier lets 20 MB of the others go.
    return LanguageIdentifier(
        full.nb_ptc,
        full.nb_pc,
        full.nb_classes,
        full.tk_nextmove,
        full.tk_output,
        norm_probs=True,
        tk_row=full.tk_row,
    )
