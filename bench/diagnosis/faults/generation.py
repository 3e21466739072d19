"""Faults of prompts, parameters and what models answer."""

from __future__ import annotations

import numpy as np

from bench.diagnosis.faults.fault import behaves
from bench.diagnosis.organisation import FEATURES
from bench.diagnosis.scene import Scene, Told


def next_version(version: str) -> str:
    """The version after one like v7."""
    return f"v{int(version.removeprefix('v')) + 1}"


def new_prompt(s: Scene) -> str:
    """Give the feature in scope the next version of its prompt; the name of that version."""
    number = [f.name for f in FEATURES].index(s.scope["feature"])
    version = next_version(s.org.prompt_versions[number])
    s.put("prompt_version", s.words.code(version))
    return version


def new_service(s: Scene, rows: np.ndarray | None = None) -> str:
    """Deploy the next version of the service in scope."""
    service = s.scope.get("service") or next(
        f.service for f in FEATURES if f.name == s.scope["feature"]
    )
    major, minor, _ = s.org.service_versions[service].split(".")
    version = f"{major}.{int(minor) + 1}.0"
    reached = (s.values("service") == service) & (s.r.at_s >= s.onset_s)
    s.put("service_version", s.words.code(version), reached if rows is None else rows)
    return version


@behaves("prompt_regression", "evaluation_pass_rate", "groundedness", "format_error_share")
def prompt_regression(s: Scene) -> None:
    """A new version of a prompt is worse: answers are less grounded, and miss their format."""
    s.limit(("feature",))
    new_prompt(s)
    s.shift_logit("p_grounded", -s.dice.between(1.0, 2.6))
    is_json = s.features(lambda f: f.is_json)  # type: ignore[attr-defined]
    s.strength = np.where(is_json, s.strength, 0.0)
    s.toward("p_bad_format", s.dice.between(0.08, 0.35))


@behaves("sampling_changed", "evaluation_pass_rate", "groundedness", "format_error_share")
def sampling_changed(s: Scene) -> None:
    """A configuration raises the temperature: answers scatter, some leave the ground."""
    s.limit(("feature", "service", ""))
    s.toward("temperature", s.dice.pick((0.9, 1.0, 1.2, 1.4)))
    s.shift_logit("p_grounded", -s.dice.between(0.6, 1.6))
    s.toward("p_bad_format", s.k.p_bad_format * s.dice.between(3, 12))
    s.times("answer_tokens", s.dice.between(0.95, 1.25))


@behaves("context_truncation", "evaluation_pass_rate", "groundedness")
def context_truncation(s: Scene) -> None:
    """A limit on the prompt bites: inputs pile up at a ceiling, and instructions at the end go."""
    long = s.features(lambda f: f.has_retrieval or f.name == "summary")  # type: ignore[attr-defined]
    s.limit(("feature",), long)
    usual = s.k.system_tokens + s.k.question_tokens + s.k.top_k * s.k.chunk_tokens * s.features(
        lambda f: f.has_retrieval  # type: ignore[attr-defined]
    )  # fmt: skip
    in_scope = s.strength > 0
    middle = float(np.median(usual[in_scope])) if in_scope.any() else 2000.0
    ceiling = np.round(middle * s.dice.between(0.45, 0.8) / 64) * 64
    s.k.input_cap = np.where(in_scope, ceiling, s.k.input_cap)
    s.shift_logit("p_grounded", -s.dice.between(0.3, 1.0))
    s.shift_logit("p_bad_format", s.dice.between(0.5, 2.5))


@behaves("output_truncation", "output_truncated_share", "format_error_share")
def output_truncation(s: Scene) -> None:
    """The limit on the answer is set too low: answers end in the middle."""
    s.limit(("feature", "service", "model"))
    share = s.dice.between(0.35, 1.0)
    s.k.max_tokens = np.where(
        s.strength > 0, np.round(s.k.answer_tokens * share), s.k.max_tokens
    )  # fmt: skip


@behaves("schema_break", "format_error_share", "evaluation_pass_rate")
def schema_break(s: Scene) -> None:
    """Structured answers no longer parse: after a change of the prompt, model or library."""
    is_json = s.features(lambda f: f.is_json)  # type: ignore[attr-defined]
    s.limit(("feature", "feature", "service"), is_json)
    way = s.dice.pick(("prompt", "service", "none"))
    if way == "prompt" and "feature" in s.scope:
        new_prompt(s)
    elif way == "service":
        new_service(s)
    s.toward("p_bad_format", s.dice.between(0.2, 0.8))
    s.toward("p_asked_again", s.dice.between(0.1, 0.5))
    if s.dice.chance(0.3):
        s.told.append(Told(s.onset_s, "deploy", "new response schema"))


@behaves("over_refusal", "refusal_share", "evaluation_pass_rate")
def over_refusal(s: Scene) -> None:
    """The model declines what it used to answer: short, polite and of no use."""
    s.limit(("model", "feature", "feature"))
    if "feature" in s.scope and s.dice.chance(0.6):
        new_prompt(s)
    s.toward("p_refused", s.dice.between(0.12, 0.55))


@behaves("hallucination_rise", "groundedness", "evaluation_pass_rate", gradual=0.3)
def hallucination_rise(s: Scene) -> None:
    """Answers leave their documents although the right ones are found."""
    grounded = s.features(lambda f: f.has_retrieval)  # type: ignore[attr-defined]
    s.limit(("feature", "model", ""), grounded)
    s.shift_logit("p_grounded", -s.dice.between(1.4, 3.0))


@behaves("unsafe_output", "unsafe_output_share", "evaluation_pass_rate")
def unsafe_output(s: Scene) -> None:
    """Answers become toxic or unsafe: for one kind of question, or with one model."""
    s.limit(("model", "feature", "feature"))
    s.toward("p_toxic", s.dice.between(0.05, 0.3))
    s.toward("p_content_filter", s.dice.between(0.003, 0.02))


@behaves("pii_leak", "pii_leak_share", "evaluation_pass_rate")
def pii_leak(s: Scene) -> None:
    """Answers carry personal data: a tool or a tenant's documents let it through."""
    s.limit(("tenant", "feature", "feature"))
    s.toward("p_pii", s.dice.between(0.06, 0.4))
