"""Deliveries of GitHub and GitLab become changes, once each, and only when they are signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.house import NOW_MS
from vagus.present.api.webhooks import MAX_BYTES
from vagus.present.deploys import read_event
from vagus.store.meta import state

SHA = "a10867b14bb761a232cd80139fbd4c0d33264240"
REPOSITORY = {"id": 186853002, "full_name": "Codertocat/Hello-World", "default_branch": "main"}
DEPLOYMENT = {
    "id": 145988746,
    "sha": SHA,
    "ref": "main",
    "task": "deploy",
    "environment": "production",
    "created_at": "2026-05-15T15:20:53Z",
}
GITHUB = {
    "deployment": {"action": "created", "deployment": DEPLOYMENT, "repository": REPOSITORY},
    "deployment_status": {
        "action": "created",
        "deployment_status": {
            "id": 209916254,
            "state": "success",
            "environment": "production",
            "created_at": "2026-05-15T15:25:53Z",
        },
        "deployment": DEPLOYMENT,
        "repository": REPOSITORY,
    },
    "push": {
        "ref": "refs/heads/main",
        "before": "6113728f27ae82c7b1a177c8d03f9e96e0adf246",
        "after": SHA,
        "deleted": False,
        "repository": REPOSITORY | {"pushed_at": 1778858753},
        "head_commit": {"id": SHA, "timestamp": "2026-05-01T00:00:00Z"},
    },
    "release": {
        "action": "published",
        "release": {
            "id": 17372790,
            "tag_name": "0.0.1",
            "published_at": "2026-05-15T15:19:28Z",
        },
        "repository": REPOSITORY,
    },
}
PROJECT = {
    "id": 30,
    "path_with_namespace": "root/test-deployment-webhooks",
    "default_branch": "main",
}
GITLAB = {
    "Deployment Hook": {
        "object_kind": "deployment",
        "status": "success",
        "status_changed_at": "2026-04-28 21:50:00 +0200",
        "deployment_id": 15,
        "deployable_id": 796,
        "environment": "staging",
        "project": PROJECT,
        "short_sha": "279484c0",
        "ref": "main",
    },
    "Push Hook": {
        "object_kind": "push",
        "before": "95790bf891e76fee5e1747ab589903a6a1f80f22",
        "after": "da1560886d4f094c3e6c9ef40349f7d38b5d27d7",
        "ref": "refs/heads/main",
        "project": PROJECT,
    },
    "Tag Push Hook": {
        "object_kind": "tag_push",
        "before": "0" * 40,
        "after": "82b3d5ae55f7080f1e6022629cdb57bfae7cccc7",
        "ref": "refs/tags/v1.0.0",
        "project": PROJECT,
    },
    "Release Hook": {
        "object_kind": "release",
        "action": "create",
        "id": 1,
        "tag": "v1.1",
        "released_at": "2026-05-02 12:55:12 UTC",
        "project": PROJECT,
    },
}


@pytest.fixture
def hooked(house, desk):
    """A project with both webhooks set up, and their secrets."""
    owner = house.owner()
    secrets = {}
    for source in ("github", "gitlab"):
        answer = owner.put(f"/api/v1/webhooks/{source}?project={desk.project}", json={})
        assert answer.status_code == 200, answer.text
        secrets[source] = answer.json()["secret"]
    return desk, secrets


def deliver(desk, secret, event, payload, **more):
    """A delivery as GitHub makes it."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": f"sha256={digest}",
        **more,
    }
    path = f"/api/v1/webhooks/github?project={desk.project}&service=bot"
    return desk.house.client().post(path, content=body, headers=headers)


def hook(desk, event, payload, **headers):
    """A delivery as GitLab makes it."""
    path = f"/api/v1/webhooks/gitlab?project={desk.project}"
    body = json.dumps(payload).encode()
    known = {"Content-Type": "application/json", "X-Gitlab-Event": event}
    return desk.house.client().post(path, content=body, headers=known | headers)


def kept(desk, **asked):
    """The changes of the project."""
    return desk.get("/api/v1/changes", **{"from": "-365d", **asked})


@pytest.mark.parametrize(
    ("event", "kind", "time_ms", "after"),
    [
        ("deployment", "deploy", 1778858453000, SHA[:12]),
        ("deployment_status", "deploy", 1778858753000, SHA[:12]),
        ("push", "commit", 1778858753000, SHA[:12]),
        ("release", "deploy", 1778858368000, "0.0.1"),
    ],
)
def test_a_delivery_of_github_is_one_change_however_often_it_comes(
    hooked, event, kind, time_ms, after
):
    desk, secrets = hooked

    answers = [deliver(desk, secrets["github"], event, GITHUB[event]).json() for _ in range(3)]
    other_id = {"X-GitHub-Delivery": "another"}
    answers.append(deliver(desk, secrets["github"], event, GITHUB[event], **other_id).json())

    assert [answer["is_new"] for answer in answers] == [True, False, False, False]
    (change,) = kept(desk)
    assert change["change_id"] == answers[0]["change_id"]
    assert (change["kind"], change["time_ms"], change["after"]) == (kind, time_ms, after)
    assert change["scope"]["service"] == "bot"
    assert (change["source"], "Hello-World" in change["title"]) == ("github", True)


@pytest.mark.parametrize(
    ("event", "kind", "time_ms"),
    [
        ("Deployment Hook", "deploy", 1777405800000),
        ("Push Hook", "commit", NOW_MS),
        ("Tag Push Hook", "commit", NOW_MS),
        ("Release Hook", "deploy", 1777726512000),
    ],
)
def test_a_delivery_of_gitlab_is_one_change(hooked, event, kind, time_ms):
    desk, secrets = hooked
    token = {"X-Gitlab-Token": secrets["gitlab"]}

    answers = [hook(desk, event, GITLAB[event], **token).json() for _ in range(2)]

    assert [answer["is_new"] for answer in answers] == [True, False]
    (change,) = kept(desk)
    assert (change["kind"], change["time_ms"], change["source"]) == (kind, time_ms, "gitlab")


def test_a_signing_token_of_gitlab_lets_in_while_it_is_fresh(hooked):
    desk, secrets = hooked
    payload = GITLAB["Release Hook"]
    key = base64.b64decode(secrets["gitlab"].removeprefix("whsec_"))

    def signed(stamp, key=key):
        message = f"id-1.{stamp}.".encode() + json.dumps(payload).encode()
        digest = base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()
        headers = {"webhook-id": "id-1", "webhook-timestamp": str(stamp)}
        return hook(
            desk, "Release Hook", payload, **headers, **{"webhook-signature": f"v1,{digest}"}
        )

    now_s = NOW_MS // 1000
    statuses = [signed(s).status_code for s in (now_s - 301, now_s + 301, "x", now_s)]
    statuses.append(signed(now_s, b"other").status_code)

    assert statuses == [401, 401, 401, 200, 401]


def test_what_tells_of_no_change_is_taken_and_kept_nowhere(hooked):
    desk, secrets = hooked
    other = GITHUB["push"] | {"ref": "refs/heads/feature"}
    pending = GITHUB["deployment_status"] | {"deployment_status": {"state": "pending"}}
    gone = GITHUB["push"] | {"after": "0" * 40}
    for event, payload in (
        ("ping", {"zen": "x"}), ("push", other), ("push", gone), ("deployment_status", pending),
        ("release", {"action": "edited", "release": {}}), ("issues", {}), ("deployment", {}),
    ):  # fmt: skip
        answer = deliver(desk, secrets["github"], event, payload)
        assert (answer.status_code, answer.json()["change_id"]) == (200, None), event
    assert kept(desk) == []


def test_nobody_without_the_secret_is_let_in_and_nothing_is_told(hooked, house):
    desk, secrets = hooked
    payload = GITHUB["push"]
    answers = [
        deliver(desk, "guess", "push", payload),
        deliver(desk, secrets["gitlab"], "push", payload),
        deliver(desk, secrets["github"], "push", payload, **{"X-Hub-Signature-256": ""}),
        deliver(
            desk, secrets["github"], "push", payload, **{"X-Hub-Signature-256": b"sha256=\xe9"}
        ),
        desk.client.post(f"/api/v1/webhooks/github?project={desk.project}", json=payload),
        hook(desk, "Push Hook", GITLAB["Push Hook"]),
        hook(desk, "Push Hook", GITLAB["Push Hook"], **{"X-Gitlab-Token": "guess"}),
        house.client().post("/api/v1/webhooks/github?project=no-such", json=payload),
        house.client().post("/api/v1/webhooks/gitlab", json=payload),
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert kept(desk) == []


def test_a_changed_body_is_refused_and_a_large_one_too(hooked):
    desk, secrets = hooked
    digest = hmac.new(secrets["github"].encode(), b"{}", hashlib.sha256).hexdigest()
    forged = {"X-Hub-Signature-256": f"sha256={digest}"}

    assert deliver(desk, secrets["github"], "push", GITHUB["push"], **forged).status_code == 401
    assert deliver(desk, secrets["github"], "push", b" " * (MAX_BYTES + 1)).status_code == 413
    assert deliver(desk, secrets["github"], "push", b"[1]").status_code == 400
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert deliver(desk, secrets["github"], "push", b"payload=", **form).status_code == 415


def test_a_secret_is_sealed_shown_once_and_can_be_forgotten(hooked, house):
    desk, secrets = hooked
    stored = json.dumps(state.get(house.meta, f"webhook:{desk.project}:github"))
    listed = desk.get("/api/v1/webhooks")

    owner = house.owner()
    owner.delete(f"/api/v1/webhooks/github?project={desk.project}")

    assert secrets["github"] not in stored
    assert [h["source"] for h in listed] == ["github", "gitlab"]
    assert all(secret not in json.dumps(listed) for secret in secrets.values())
    assert deliver(desk, secrets["github"], "push", GITHUB["push"]).status_code == 401
    assert [h["source"] for h in desk.get("/api/v1/webhooks")] == ["gitlab"]


def test_only_an_administrator_sets_one_up(desk):
    assert desk.client.put("/api/v1/webhooks/github", json={}).status_code == 403
    assert desk.client.delete("/api/v1/webhooks/gitlab").status_code == 403


def test_changes_are_narrowed_by_kind_source_and_service(hooked):
    desk, secrets = hooked
    for event in ("push", "release"):
        deliver(desk, secrets["github"], event, GITHUB[event])
    hook(desk, "Release Hook", GITLAB["Release Hook"], **{"X-Gitlab-Token": secrets["gitlab"]})
    desk.post("/api/v1/changes", {"kind": "config", "scope": {"service": "other"}})

    def found(**asked):
        return sorted((c["kind"], c["source"]) for c in kept(desk, **asked))

    assert found(kind="deploy") == [("deploy", "github"), ("deploy", "gitlab")]
    assert found(kind="commit,config") == [("commit", "github"), ("config", "told")]
    assert found(source="gitlab") == [("deploy", "gitlab")]
    assert found(service="other") == [("config", "told"), ("deploy", "gitlab")]


@given(
    st.sampled_from([("github", name) for name in GITHUB] + [("gitlab", name) for name in GITLAB]),
    st.data(),
)
def test_no_payload_breaks_the_reading(named, data):
    source, name = named
    payload = dict((GITHUB if source == "github" else GITLAB)[name])
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=30),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
        max_leaves=4,
    )
    for key in data.draw(st.lists(st.sampled_from(sorted(payload)), max_size=3)):
        payload[key] = data.draw(anything)

    event = read_event(source, name, payload)

    assert event is None or event.kind in ("deploy", "commit")
