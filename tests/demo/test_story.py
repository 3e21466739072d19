import itertools
import re
from collections import Counter

import pytest

from vagus.demo.application import Outcome
from vagus.demo.feature import FEATURES, HELP_INDEX, VERSION_BEFORE, VERSIONS
from vagus.demo.knowledge import articles, products, words_of
from vagus.demo.run import handle
from vagus.demo.step import Step
from vagus.demo.story import Plan, Story, Visit, busyness

NOW_MS = 1_795_000_000_000
Sent = list[tuple[Visit, Outcome]]


def history(seed: int = 7) -> Sent:
    plan = Plan(NOW_MS)
    story = Story(plan, seed)
    visits = itertools.takewhile(lambda v: v.at_ms < NOW_MS, story.visits(plan.start_ms))
    return [(visit, handle(story, visit)) for visit in visits]


@pytest.fixture(scope="module")
def sent() -> Sent:
    return history()


def steps(sent: Sent, kind: str) -> list[Step]:
    return [step for _, outcome in sent for step in outcome.root.walk() if step.kind == kind]


def is_affected(visit: Visit) -> bool:
    return visit.feature.index == HELP_INDEX


def contained_share(outcome: Outcome) -> float:
    """The share of the answer's telling words that the reranked passages hold."""
    (order,) = [step for step in outcome.root.children if step.kind == "rerank"]
    assert order.search is not None
    held = {word for hit in order.search.hits for word in words_of(hit.passage.text)}
    answer = words_of(outcome.root.output)
    return sum(word in held for word in answer) / max(1, len(answer))


def test_the_history_has_the_promised_shape(sent: Sent) -> None:
    visits = [visit for visit, _ in sent]

    assert 3500 < len(sent) < 5500
    assert len({visit.feature.team for visit in visits}) == 4
    assert len({visit.feature.name for visit in visits}) == len(FEATURES) == 7
    assert {visit.env for visit in visits} == {"production", "staging"}
    assert len({visit.user for visit in visits}) > 200
    assert {visit.feature.dialect for visit in visits} == {"genai", "openinference", "openllmetry"}
    models = {visit.feature.model for visit in visits}
    assert len(models) == 3
    assert {model.provider for model in models} == {"openai", "anthropic"}
    assert visits == sorted(visits, key=lambda visit: visit.at_ms)


def test_every_kind_of_step_occurs(sent: Sent) -> None:
    kinds = Counter(step.kind for _, outcome in sent for step in outcome.root.walk())

    assert set(kinds) == {
        "chain", "agent", "llm", "embedding", "retrieval", "rerank", "tool", "guardrail",
    }  # fmt: skip
    assert sum(kinds.values()) > 20_000


def test_the_same_seed_tells_the_same_story(sent: Sent) -> None:
    assert [repr(item) for item in history()[:200]] == [repr(item) for item in sent[:200]]
    assert [repr(item) for item in history(8)[:200]] != [repr(item) for item in sent[:200]]


def test_only_the_help_index_turns_stale_and_only_after_the_onset(sent: Sent) -> None:
    onset_ms = Plan(NOW_MS).onset_ms
    versions: dict[tuple[str, bool], set[str]] = {}
    for visit, outcome in sent:
        for step in outcome.root.walk():
            if step.search is not None:
                key = (step.search.index, visit.at_ms >= onset_ms)
                versions.setdefault(key, set()).add(step.search.version)

    assert all(len(found) == 1 for found in versions.values())
    assert versions[HELP_INDEX, False] != versions[HELP_INDEX, True]
    assert versions["product-catalogue", False] == versions["product-catalogue", True]
    assert max(versions[HELP_INDEX, True]) < max(versions[HELP_INDEX, False])


def test_answers_stop_standing_in_their_passages_at_the_onset(sent: Sent) -> None:
    onset_ms = Plan(NOW_MS).onset_ms
    shares: dict[bool, list[float]] = {False: [], True: []}
    for visit, outcome in sent:
        if is_affected(visit) and not outcome.root.failure:
            shares[visit.at_ms >= onset_ms].append(contained_share(outcome))

    mostly = {after: sum(s > 0.7 for s in found) / len(found) for after, found in shares.items()}
    assert mostly[False] > 0.95
    assert mostly[True] < 0.45


def test_the_other_features_answer_as_before(sent: Sent) -> None:
    onset_ms = Plan(NOW_MS).onset_ms
    shares = [
        contained_share(outcome)
        for visit, outcome in sent
        if visit.feature.name == "product-advisor" and visit.at_ms >= onset_ms
        if not outcome.root.failure
    ]

    assert min(shares) > 0.7


def test_the_regression_is_silent(sent: Sent) -> None:
    onset_ms = Plan(NOW_MS).onset_ms
    failed: dict[bool, list[bool]] = {False: [], True: []}
    lasted: dict[bool, list[float]] = {False: [], True: []}
    for visit, outcome in sent:
        if is_affected(visit):
            failed[visit.at_ms >= onset_ms].append(outcome.root.failure is not None)
            lasted[visit.at_ms >= onset_ms].append(outcome.root.duration_ms)

    rates = {after: sum(found) / len(found) for after, found in failed.items()}
    medians = {after: sorted(found)[len(found) // 2] for after, found in lasted.items()}
    assert rates[True] < 0.02
    assert rates[False] < 0.02
    assert 0.8 < medians[True] / medians[False] < 1.25


def test_passages_get_older_and_match_less_when_the_index_is_stale(sent: Sent) -> None:
    onset_ms = Plan(NOW_MS).onset_ms
    ages: dict[bool, list[float]] = {False: [], True: []}
    tops: dict[bool, list[float]] = {False: [], True: []}
    for visit, outcome in sent:
        for step in outcome.root.children:
            if is_affected(visit) and step.kind == "retrieval" and step.search is not None:
                hits = step.search.hits
                after = visit.at_ms >= onset_ms
                ages[after] += [NOW_MS / 1000 - hit.passage.updated_s for hit in hits]
                tops[after].append(max(hit.score for hit in hits))

    assert sum(ages[True]) / len(ages[True]) > 1.3 * sum(ages[False]) / len(ages[False])
    assert sum(tops[True]) / len(tops[True]) < sum(tops[False]) / len(tops[False])


def test_the_deploy_is_a_decoy_long_before_the_onset(sent: Sent) -> None:
    plan = Plan(NOW_MS)
    versions = {
        (visit.version, visit.at_ms >= plan.deploy_ms)
        for visit, _ in sent
        if visit.feature.service == "support-api"
    }

    assert versions == {(VERSION_BEFORE, False), (VERSIONS["support-api"], True)}
    assert plan.onset_ms - plan.deploy_ms > 90 * 60_000


def test_refused_calls_are_repeated_and_mostly_succeed(sent: Sent) -> None:
    refused = [step for step in steps(sent, "llm") if step.failure and step.failure.http_status]
    repeated = [step for step in steps(sent, "llm") if step.call and step.call.attempt > 1]

    assert len(refused) > 40
    assert len(repeated) >= len(refused)
    assert sum(step.failure is None for step in repeated) > 0.9 * len(refused)


def test_children_lie_inside_their_parents(sent: Sent) -> None:
    for _, outcome in sent:
        root = outcome.root
        ends = [0.0]
        for child in root.children:
            assert child.start_ms >= ends[-1]
            ends.append(child.end_ms)
        assert root.end_ms >= ends[-1]


def test_thumbs_go_down_after_the_onset(sent: Sent) -> None:
    onset_ms = Plan(NOW_MS).onset_ms
    down: dict[bool, list[bool]] = {False: [], True: []}
    for visit, outcome in sent:
        if is_affected(visit) and outcome.thumb is not None:
            down[visit.at_ms >= onset_ms].append(not outcome.thumb)

    assert sum(down[True]) / len(down[True]) > 2 * sum(down[False]) / len(down[False])


def test_the_day_has_a_shape_with_mean_one() -> None:
    hours = [busyness(hour * 3_600_000) for hour in range(24)]

    assert sum(hours) / 24 == pytest.approx(1.0)
    assert max(hours) > 1.5 * min(hours)


def test_the_knowledge_is_well_written() -> None:
    known = [*articles(), *products()]

    assert len({article.id for article in known}) == len(known)
    assert 60 <= len(articles()) <= 80
    changed = sum(bool(article.was) for article in articles())
    new = sum(article.since_days is not None for article in articles())
    assert changed / len(articles()) > 0.25
    assert new / len(articles()) > 0.2
    assert all(len(article.questions) == 2 for article in known)
    assert all(re.fullmatch(r"[^ ].*\.", article.text) for article in known)
