"""Targets: checked when saved, their secret bound to their URL, every change on record."""

from __future__ import annotations

import pytest

from vagus.audit.log import Audit
from vagus.errors import BadInput, NotFound
from vagus.respond.channels.webhook import secret_bytes
from vagus.respond.targets import Targets
from vagus.store.meta.db import Meta


@pytest.fixture
def targets(meta: Meta) -> Targets:
    return Targets(meta, Audit(meta))


def test_made_target_is_listed_without_its_secret(targets: Targets) -> None:
    target, secret = targets.create("p", "On call", "https://a.example/x", actor="u", now_ms=1)

    assert targets.of_project("p") == [target]
    assert targets.of_project("q") == []
    assert secret.startswith("whsec_")
    assert len(secret_bytes(secret)) == 32
    assert secret not in repr(targets.of_project("p"))


def test_new_url_gets_a_new_secret_and_the_same_url_keeps_it(targets: Targets) -> None:
    target, secret = targets.create("p", "n", "https://a.example/", actor="u", now_ms=1)
    common = {"name": "m", "enabled": False, "actor": "u", "now_ms": 2}

    assert targets.update("p", target.id, url="https://a.example/", **common) is None
    fresh = targets.update("p", target.id, url="https://evil.example/", **common)
    assert fresh is not None
    assert fresh != secret
    assert [(t.name, t.url, t.enabled) for t in targets.of_project("p")] == [
        ("m", "https://evil.example/", False)
    ]


@pytest.mark.parametrize("url", ["", "ftp://a.example", "http://127.1/", "http://u@a.example/"])
def test_unusable_url_is_refused_when_saved(targets: Targets, url: str) -> None:
    with pytest.raises(BadInput):
        targets.create("p", "n", url, actor="u", now_ms=1)


def test_target_of_another_project_is_out_of_reach(targets: Targets) -> None:
    target, _ = targets.create("p", "n", "https://a.example/", actor="u", now_ms=1)

    with pytest.raises(NotFound):
        targets.delete("q", target.id, actor="u", now_ms=2)
    with pytest.raises(NotFound):
        targets.update("q", target.id, name="n", url=target.url, enabled=True, actor="u", now_ms=2)
    targets.delete("p", target.id, actor="u", now_ms=2)
    assert targets.of_project("p") == []


def test_every_change_is_audited_without_the_secret(targets: Targets, meta: Meta) -> None:
    url = "https://a.example/a-password"
    target, secret = targets.create("p", "n", url, actor="u", now_ms=1)
    targets.update(
        "p", target.id, name="n", url="https://b.example/", enabled=True, actor="u", now_ms=2
    )
    targets.delete("p", target.id, actor="u", now_ms=3)

    rows = Audit(meta).read("p")
    assert [row.action for row in rows] == ["target.delete", "target.update", "target.create"]
    assert {row.object for row in rows} == {f"target:{target.id}"}
    assert secret not in repr(rows)
    assert [row.detail.get("host") for row in rows] == [None, "b.example", "a.example"]
    assert "a-password" not in repr(rows)
