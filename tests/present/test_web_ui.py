"""How the bundle is served: headers, caching, fallbacks and what happens without one."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from vagus.present.web import POLICY, web_ui

PAGE = "<!doctype html><div id=app></div>"
SCRIPT = "console.log(1);" * 200


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A small bundle on disk, and a file beside it that must never be served."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "assets" / "index-abc.js").write_text(SCRIPT)
    (folder / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
def client(bundle: Path) -> TestClient:
    return TestClient(web_ui(bundle))


@pytest.mark.parametrize("path", ["/", "/traces/0af7", "/settings/keys", "/no/such/page"])
def test_every_page_address_gives_the_index(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["cache-control"] == "no-cache"


def test_pages_bring_the_policy_and_the_security_headers(client: TestClient) -> None:
    headers = client.get("/").headers

    assert headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


def test_hashed_assets_are_kept_for_ever(client: TestClient) -> None:
    answer = client.get("/assets/index-abc.js")

    assert answer.text == SCRIPT
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/javascript")


def test_assets_are_packed_only_for_those_who_can_unpack(client: TestClient) -> None:
    packed = client.get("/assets/index-abc.js", headers={"accept-encoding": "gzip"})
    plain = client.get("/assets/index-abc.js", headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(SCRIPT)
    assert packed.text == SCRIPT == plain.text
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize(
    "path",
    ["/assets/none.js", "/assets/../../secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/assets/"],
)
def test_nothing_outside_the_bundle_is_served(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert "secret" not in answer.text
    assert answer.status_code in (200, 404)


def test_a_new_build_is_noticed_without_a_restart(client: TestClient, bundle: Path) -> None:
    client.get("/")
    (bundle / "index.html").write_text(PAGE + "<!-- second build -->")

    assert "second build" in client.get("/").text


def test_other_methods_are_refused(client: TestClient) -> None:
    answer = client.post("/", content=b"x")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_head_says_the_length_and_sends_nothing(client: TestClient) -> None:
    answer = client.head("/")

    assert answer.status_code == 200
    assert answer.content == b""


def test_a_missing_bundle_says_how_to_build_it(tmp_path: Path) -> None:
    answer = TestClient(web_ui(tmp_path)).get("/")

    assert answer.status_code == 503
    assert "VAGUS_UI=skip" in answer.text


def test_the_packed_form_does_not_depend_on_the_clock(client: TestClient) -> None:
    with client.stream("GET", "/assets/index-abc.js", headers={"accept-encoding": "gzip"}) as one:
        raw = b"".join(one.iter_raw())

    assert gzip.decompress(raw).decode() == SCRIPT
    assert raw[4:8] == b"\0\0\0\0"
