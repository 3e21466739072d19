"""The finding in plain sentences, each with its query; the same finding reads the same."""

from __future__ import annotations

from collections.abc import Sequence

from vagus.diagnose.case import Case
from vagus.diagnose.causes import NONE, NOT_IDENTIFIABLE, Causes
from vagus.diagnose.changes import Seen
from vagus.diagnose.contrast import Contrast
from vagus.diagnose.evidence import describe_change
from vagus.diagnose.observe import Moved
from vagus.diagnose.phrase import clock, levels, number, target_levels, where
from vagus.model.finding import Hypothesis, Sentence, StageShift

#: Dimensions by which traffic moves; a version that replaces another is a change, not a mix.
_TRAFFIC = ("team", "feature", "tenant", "env", "region", "service", "model", "provider")


def narrate(
    case: Case,
    causes: Causes,
    verdict: str,
    hypotheses: Sequence[Hypothesis],
) -> list[Sentence]:
    """What happened, since when, where it began, who is hit, and why."""
    text = f"{target_levels(case.target, case.within)}{_since(case)}."
    sentences = [Sentence(text=text, query=case.target.query)]
    if verdict == NONE:
        return [*sentences, Sentence(text=_cause_text(causes, NONE, case))]
    sentences += _stage_sentence(case.stages, case)
    sentences += _segment_sentence((*case.places[:1], *case.contrasts))
    sentences += _mix_sentence(case)
    sentences += [
        Sentence(text=f"{describe_change(seen)}.", query=seen.query) for seen in _near(case.changes)
    ]
    return sentences + _verdict_sentences(verdict, hypotheses, causes, case)


def summarise(verdict: str, hypotheses: Sequence[Hypothesis], case: Case) -> str:
    """The finding in one sentence."""
    happened = f"{target_levels(case.target, case.within)}{_since(case)}"
    if verdict == NONE:
        has_moved = case.target.moved in (Moved.UP, Moved.DOWN)
        said = "nothing got worse" if has_moved else "nothing changed"
        return f"{happened}: {said} beyond noise."
    first = hypotheses[0]
    if verdict == NOT_IDENTIFIABLE:
        return f"{happened}; the cause is not identifiable."
    share = number(first.probability, "share")
    return f"{first.title} ({share}): {happened[0].lower()}{happened[1:]}."


def _since(case: Case) -> str:
    return (
        f" around {clock(case.windows.onset_ms)}"
        if case.target.moved in (Moved.UP, Moved.DOWN)
        else ""
    )


def _cause_text(causes: Causes, cause: str, case: Case) -> str:
    name = case.measure.name
    return causes.by_id[cause].narrative.replace("{measure}", f"{name[0].lower()}{name[1:]}")


def _stage_sentence(stages: Sequence[StageShift], case: Case) -> list[Sentence]:
    moved = [s for s in stages if s.moved and s.onset_ms is not None]
    if not moved:
        return []
    first = moved[0]
    observation = case.observations[first.measure]
    text = f"The {first.stage} stage moved first, around {clock(first.onset_ms or 0)}: "
    moved_so = levels(observation)
    return [Sentence(text=f"{text}{moved_so[0].lower()}{moved_so[1:]}.", query=first.query)]


def _segment_sentence(contrasts: Sequence[Contrast]) -> list[Sentence]:
    if not contrasts or contrasts[0].explained < 0.3:
        return []
    found = contrasts[0]
    share = number(min(1.0, found.explained), "share")
    place = where(found.segment.where)
    text = (
        f"{place[0].upper()}{place[1:]}, with {number(found.segment.share_after, 'share')} of the "
        f"traffic, accounts for {share} of what got worse."
    )
    return [Sentence(text=text, query=found.query)]


def _mix_sentence(case: Case) -> list[Sentence]:
    rows = [(by, s) for by, s in case.splits.items() if by in _TRAFFIC and abs(s.mix) + abs(s.rate)]
    if not rows:
        return []
    by, row = max(rows, key=lambda r: (r[1].mix_share, r[0]))
    share = row.mix_share
    if share < 0.3:
        text = "The change is one of rates: traffic moved little between segments."
    else:
        text = (
            f"Traffic that moved between values of {by.replace('_', ' ')} is "
            f"{number(share, 'share')} of the movement."
        )
    query = next((c.query for c in case.cells if c.dimension == by), {})
    return [Sentence(text=text, query=query)]


def _near(changes: Sequence[Seen]) -> list[Seen]:
    return [seen for seen in changes if seen.proximity > 0.15][:3]


def _verdict_sentences(
    verdict: str, hypotheses: Sequence[Hypothesis], causes: Causes, case: Case
) -> list[Sentence]:
    named = [h for h in hypotheses if h.cause not in (NONE, NOT_IDENTIFIABLE)]
    if verdict == NOT_IDENTIFIABLE:
        options = " or ".join(f"“{h.title}”" for h in named[:2] if h.probability > 0.1)
        text = _cause_text(causes, NOT_IDENTIFIABLE, case)
        more = f" It could be {options}." if options else ""
        return [Sentence(text=f"{text}{more}")]
    first = named[0]
    query = first.evidence[0].query if first.evidence else {}
    share = number(first.probability, "share")
    said = [
        Sentence(text=_cause_text(causes, first.cause, case), query=query),
        Sentence(text=f"The likeliest cause is “{first.title}”, at {share}.", query=query),
    ]
    if first.against:
        worst = first.against[0]
        said.append(Sentence(text=f"Against it speaks: {worst.statement}", query=worst.query))
    return said
