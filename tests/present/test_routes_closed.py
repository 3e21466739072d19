"""Nobody gets in without a credential, and no credential reaches another project."""

from __future__ import annotations

import pytest
from fastapi.routing import APIRoute

from vagus.present.api.body import MAX_BYTES
from vagus.present.api.build import SUBJECTS

OPEN = {"/healthz", "/readyz", "/sign-in"}
# No key lets these in, only a signature over the body: `test_webhooks_api.py` tries them.
OPEN |= {"/api/v1/webhooks/github", "/api/v1/webhooks/gitlab"}
SAMPLES = {"trace_id": "ab" * 16, "span_id": "ab" * 8}
SCOPES = {"api", "read", "write", "scores", "admin"}


def routes(house):
    """Every operation that the API describes: method and a path that could be asked for."""
    found = []
    for path, operations in house.app.openapi()["paths"].items():
        asked = path
        for part in path.split("/"):
            if part.startswith("{"):
                asked = asked.replace(part, SAMPLES.get(part.strip("{}"), "x"))
        found += [(method.upper(), path, asked) for method in operations]
    return found


def walk(app):
    """Every route that is served, with its whole path."""
    for router in (app, *(subject.router for subject in SUBJECTS)):
        for route in router.routes:
            if isinstance(route, APIRoute):
                yield route.path.replace(":path", ""), route


def test_every_route_is_described_and_names_its_scope(house):
    described = {(method, path) for method, path, _ in routes(house)}
    served = list(walk(house.app))

    assert described == {(method, path) for path, route in served for method in route.methods}
    for path, route in served:
        scopes = {getattr(needed.call, "scope", None) for needed in route.dependant.dependencies}
        assert path in OPEN or SCOPES & scopes, path


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer vg_api_000000000000_" + "0" * 43 + "_000000"},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Cookie": "vagus_session=nonsense"},
        {"Cookie": "vagus_session="},
        {"X-Api-Key": "nonsense"},
    ],
)
def test_no_route_answers_without_a_good_credential(house, headers):
    client = house.client(**headers)

    for method, path, asked in routes(house):
        if path in OPEN:
            continue
        answer = client.request(method, asked, json={})
        assert answer.status_code == 401, (method, path, answer.text)
        assert answer.headers["www-authenticate"] == "Bearer"


def test_no_route_answers_a_key_in_a_project_that_is_not_its_own(house, desk):
    house.key("somebody-elses")
    bodies = {"/api/v1/slice": {"measure": "requests"}, "/api/v1/sql": {"query": "SELECT 1 AS a"}}

    for method, path, asked in routes(house):
        if path in OPEN:
            continue
        for project in ("somebody-elses", "never-made", "../x", "a' OR 1=1"):
            answer = desk.client.request(
                method, asked, params={"project": project}, json=bodies.get(path, {})
            )
            assert answer.status_code == 404, (method, path, project, answer.text)


def test_an_ingest_key_may_send_scores_and_nothing_else(house, desk):
    client = house.client(house.key(desk.project, "ingest"))

    answered = {
        (method, path)
        for method, path, asked in routes(house)
        if path not in OPEN and client.request(method, asked, json={}).status_code != 403
    }

    assert answered == {("POST", "/api/v1/scores")}
    body = {"trace_id": "ab" * 16, "name": "thumbs", "passed": True}
    assert client.post("/api/v1/scores", json=body).status_code == 202


def test_an_api_key_does_not_administer(desk):
    for path in ("keys", "targets", "audit"):
        assert desk.client.get(f"/api/v1/{path}").status_code == 403


def test_foreign_objects_are_not_found(house, desk):
    owner = house.owner()
    made = owner.post("/api/v1/keys?project=default", json={"name": "k"}).json()

    foreign = owner.delete(f"/api/v1/keys/{made['id']}?project={desk.project}")
    own = owner.delete(f"/api/v1/keys/{made['id']}?project=default")

    assert (foreign.status_code, own.status_code) == (404, 200)


def test_a_cookie_alone_does_not_change_anything_from_another_site(house):
    owner = house.owner()
    change = {"kind": "deploy", "title": "x"}

    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://127.0.0.1:99"},
    ):
        answer = owner.post("/api/v1/changes", json=change, headers=headers)
        assert answer.status_code == 403, headers
    assert owner.post("/api/v1/changes", json=change).status_code == 201
    assert owner.get("/api/v1/me", headers={"Origin": "http://evil.example"}).status_code == 200


def test_signing_in_works_once_and_signing_out_ends_it(house):
    user = house.access.people.ensure_owner(1)
    token = house.access.people.new_link(user.id, actor="test", now_ms=1_795_000_000_000)
    client = house.client(Origin="http://127.0.0.1")

    first = client.get(f"/sign-in?token={token}")
    again = house.client().get(f"/sign-in?token={token}")
    me = client.get("/api/v1/me").json()
    session = client.cookies["vagus_session"]
    out = client.post("/api/v1/sign-out")

    assert first.headers["location"] == "/"
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert again.status_code == 401
    assert (me["role"], me["project"]) == ("owner", "default")
    assert out.status_code == 200
    late = house.client(Cookie=f"vagus_session={session}").get("/api/v1/me")
    assert late.status_code == 401


def test_content_is_never_stored_and_never_run(desk):
    for answer in (desk.client.get("/api/v1/me"), desk.client.get("/api/v1/nothing")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_openapi_is_complete_and_needs_a_credential(house, desk):
    schema = desk.get("/api/v1/openapi.json")

    assert house.client().get("/api/v1/openapi.json").status_code == 401
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            good = [code for code in operation["responses"] if code.startswith(("2", "3"))]
            assert good, (method, path)
            for code in good:
                content = operation["responses"][code].get("content", {})
                schemas = [body.get("schema") for body in content.values()]
                assert code == "303" or all(schemas), (method, path)


def test_a_large_body_is_refused_before_anybody_is_known(house):
    anybody = house.client()
    told = anybody.post("/api/v1/slice", content=b"x" * (MAX_BYTES + 1))

    def endless():
        for _ in range(MAX_BYTES // 2**20 + 2):
            yield b" " * 2**20

    untold = anybody.post(
        "/api/v1/slice", content=endless(), headers={"Content-Type": "application/json"}
    )

    assert (told.status_code, untold.status_code) == (413, 413)
    assert "too large" in told.json()["error"]["message"]


def test_what_the_engine_says_stays_in_the_log(house, desk, caplog):
    house.engine.execute("RENAME TABLE scores TO scores_away")
    try:
        answer = desk.client.get("/api/v1/scores")
    finally:
        house.engine.execute("RENAME TABLE scores_away TO scores")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "scores" not in answer.json()["error"]["message"]
    assert "Unknown table" in caplog.text
