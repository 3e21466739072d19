"""What is taken out of telemetry before it is stored, and what is left alone."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
from typing import Any

import detect_secrets.plugins
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from vagus.errors import BadInput
from vagus.receive.redact.kinds import PERSONAL
from vagus.receive.redact.redactor import Redactor
from vagus.receive.redact.rules import Pattern, Rules, check_rules, read_rules, write_rules
from vagus.receive.redact.seal import Sealer, key_at

KEY = bytes(range(64))
AWS = "AKIAIOSFODNN7EXAMPLE"
#: What detect-secrets looks for and we do not take for a secret: addresses of public servers.
NOT_SECRET = ("IPPublicDetector",)


def redactor(**rules: Any) -> Redactor:
    return Redactor(check_rules(Rules(**rules)), Sealer(KEY, "shop"))


def detectors() -> list[tuple[str, re.Pattern[str]]]:
    found = []
    for module in pkgutil.iter_modules(detect_secrets.plugins.__path__):
        names = vars(importlib.import_module(f"detect_secrets.plugins.{module.name}"))
        for name, detector in names.items():
            is_own = getattr(detector, "__module__", "").endswith(module.name)
            if is_own and isinstance(getattr(detector, "denylist", None), list | tuple):
                found += [(name, pattern) for pattern in detector.denylist]
    return [(name, pattern) for name, pattern in found if name not in NOT_SECRET]


def test_the_reference_has_its_patterns() -> None:
    assert len(detectors()) > 40


@pytest.mark.parametrize(("name", "pattern"), detectors())
def test_whatever_detect_secrets_finds_is_taken_out(name: str, pattern: re.Pattern[str]) -> None:
    own = redactor()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.from_regex(pattern, fullmatch=True))
    def holds(text: str) -> None:
        assume(text.isascii())
        secret = next((g for g in pattern.fullmatch(text).groups() if g and len(g) > 12), "")
        cleaned = own.clean_text(f'{{"x": "a", "y": "{text}"}}')
        assert "[redacted:" in cleaned, text
        assert not secret or secret not in cleaned

    if name not in ("JwtTokenDetector", "BasicAuthDetector", "NpmDetector"):
        holds()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln x", "[redacted:jwt] x"),
        ("postgres://app:hunter22@db/x", "postgres://app:[redacted:basic_auth]@db/x"),
        ("//registry.npmjs.org/:_authToken=npm_" + "a" * 36, "[redacted:npm]"),
        ("key sk-proj-" + "Ab1_" * 10, "key [redacted:openai]"),
        ("sk-ant-api03-" + "x" * 40, "[redacted:anthropic]"),
        ("hf_" + "a" * 34, "[redacted:hugging_face]"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY----- then",
            "[redacted:private_key] then",
        ),
    ],
)
def test_keys_of_today_are_taken_out(text: str, left: str) -> None:
    assert left in redactor().clean_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "the skeleton of task-manager-42 costs $10,000.00",
        "see https://example.com/a:b@c and 2026-11-23T10:20:30Z",
        "sk-" + "short",
        "commit 3f2a9c1d8e7b6a5f4e3d2c1b0a9f8e7d6c5b4a39",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert redactor().clean_text(text) == text


@pytest.mark.parametrize(
    ("kind", "text", "is_found"),
    [
        ("email", "write to ada.l+x@mail.example.org, please", True),
        ("phone", "call +44 20 7946 0958 now", True),
        ("phone", "order 1234567 of 2026", False),
        ("card", "pay with 4111 1111 1111 1111.", True),
        ("card", "number 4111 1111 1111 1112.", False),
        ("iban", "to DE89 3704 0044 0532 0130 00 today", True),
        ("iban", "to DE00 3704 0044 0532 0130 00 today", False),
        ("us_ssn", "SSN 078-05-1120", True),
        ("ip_address", "from 10.1.2.3:80", True),
    ],
)
def test_personal_data_is_told_from_look_alikes(kind: str, text: str, is_found: bool) -> None:
    assert (f"[redacted:{kind}]" in redactor(personal=(kind,)).clean_text(text)) is is_found
    assert redactor().clean_text(text) == text


def request(text: str) -> ExportTraceServiceRequest:
    """A request with the same text in every place that can hold one."""
    message = ExportTraceServiceRequest()
    holder = message.resource_spans.add()
    holder.resource.attributes.add(key="host").value.string_value = text
    group = holder.scope_spans.add()
    group.scope.name = text
    span = group.spans.add(trace_id=os.urandom(16), span_id=os.urandom(8), name=text)
    span.status.message = text
    span.attributes.add(key="input.value").value.string_value = text
    span.attributes.add(key=text).value.int_value = 1
    span.attributes.add(key="raw").value.bytes_value = text.encode()
    span.attributes.add(key="user.id").value.string_value = text
    nested = span.attributes.add(key="list").value.array_value.values.add().kvlist_value
    nested.values.add(key="deep").value.array_value.values.add().string_value = text
    span.events.add(name="e").attributes.add(key="a").value.string_value = text
    span.links.add(trace_id=os.urandom(16), span_id=os.urandom(8), trace_state=text)
    return message


def test_a_secret_is_taken_out_of_every_place_but_ids() -> None:
    message = request(f"before {AWS} after")
    cleaned = ExportTraceServiceRequest.FromString(
        redactor().clean_request("traces", message.SerializeToString())
    )
    span = cleaned.resource_spans[0].scope_spans[0].spans[0]
    assert cleaned.SerializeToString().count(AWS.encode()) == 1
    assert {a.key: a.value for a in span.attributes}["user.id"].string_value.endswith(
        f"{AWS} after"
    )
    assert span.name == "before [redacted:aws] after"
    sent = message.resource_spans[0].scope_spans[0].spans[0]
    assert (span.trace_id, span.span_id) == (sent.trace_id, sent.span_id)


def test_clean_traffic_is_not_even_decoded() -> None:
    body = request("nothing to see").SerializeToString()
    assert redactor().clean_request("traces", body) is body


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_secret_is_found_between_any_texts(before: str, after: str) -> None:
    token = "ghp_" + "Z9" * 18
    text = f"{before} {token} {after}"
    body = request(text).SerializeToString() if "\ud800" not in text else b""
    assert redactor().clean_request("traces", body).count(token.encode()) <= 1
    assert token not in redactor().clean_text(text)


@given(st.binary(max_size=300))
def test_any_bytes_pass(body: bytes) -> None:
    assert isinstance(redactor(personal=PERSONAL).clean_request("traces", body), bytes)


def test_a_projects_own_pattern_takes_its_group_out() -> None:
    own = redactor(patterns=(Pattern("ticket", r"ticket=(T-\d+)"), Pattern("start", r"^Dr\. \w+")))
    assert own.clean_text("Dr. Who ticket=T-77!") == "[redacted:start] ticket=[redacted:ticket]!"
    body = request("ticket=T-77").SerializeToString()
    assert b"T-77" not in own.clean_request("traces", body).replace(
        b"user.id\x12\r\n\x0bticket=T-77", b""
    )


def test_what_is_reversible_opens_again_in_its_own_project_only() -> None:
    own = redactor(personal=("email", "phone"), reversible=("email",))
    cleaned = own.clean_text("ada@example.com or +44 20 7946 0958")
    assert "ada" not in cleaned
    assert cleaned == own.clean_text("ada@example.com or +44 20 7946 0958")
    assert Sealer(KEY, "shop").open(cleaned) == "ada@example.com or [redacted:phone]"
    assert Sealer(KEY, "other").open(cleaned) == cleaned
    assert Sealer(bytes(64), "shop").open(cleaned) == cleaned


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        (Rules(personal=("shoe_size",)), "personal"),
        (Rules(patterns=(Pattern("x", "(["),)), "patterns"),
        (Rules(patterns=(Pattern("x", "a*"),)), "patterns"),
        (Rules(patterns=(Pattern("x", r"(?=a)b"),)), "patterns"),
        (Rules(patterns=(Pattern("X y", "a"),)), "patterns"),
        (Rules(patterns=(Pattern("x", "a" * 501),)), "patterns"),
        (Rules(patterns=(Pattern("x", "a"),) * 51), "patterns"),
        (Rules(reversible=("aws",)), "reversible"),
    ],
)
def test_rules_that_cannot_be_name_their_field(rules: Rules, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_rules(rules)
    assert caught.value.field == field


def test_rules_come_back_as_they_were_written() -> None:
    rules = Rules(secrets=False, personal=("email",), patterns=(Pattern("x", "a"),))
    assert read_rules(write_rules(rules)) == rules
    with pytest.raises(BadInput):
        read_rules('{"secret": true}')


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Any) -> None:
    path = tmp_path / "redaction.key"
    assert key_at(path) == key_at(path)
    assert path.stat().st_mode & 0o777 == 0o600
