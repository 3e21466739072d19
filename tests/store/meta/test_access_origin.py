"""Requests that another site made a browser send are refused."""

from __future__ import annotations

import pytest

from vagus.errors import Forbidden
from vagus.store.meta.access.origin import check_loopback_host, check_same_origin

_HOST = {"host": "vagus.example:4318"}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://vagus.example:4318"},
        {"origin": "https://VAGUS.example:4318", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-origin"},
        {"origin": "https://vagus.public"},
    ],
)
def test_request_of_our_own_page_passes(headers: dict[str, str]) -> None:
    check_same_origin("POST", _HOST | headers, "https://vagus.public/")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "delete", "BREW"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "https://evil.example"},
        {"origin": "http://vagus.example"},
        {"origin": "http://vagus.example:4319"},
        {"origin": "http://vagus.example:4318.evil.example"},
        {"origin": "http://user@vagus.example:4318"},
        {"origin": "http://["},
        {"origin": "ftp://vagus.example:4318"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://vagus.example:4318"},
        {"sec-fetch-site": "none"},
    ],
)
def test_request_of_another_site_is_refused(method: str, headers: dict[str, str]) -> None:
    with pytest.raises(Forbidden):
        check_same_origin(method, _HOST | headers, "https://vagus.public")


def test_reading_needs_no_origin() -> None:
    for method in ("GET", "HEAD", "OPTIONS", "get"):
        check_same_origin(method, {"host": "h", "sec-fetch-site": "cross-site"})


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:4318", "127.0.0.1:4318", "[::1]:4318", "app.localhost:1"]
)
def test_localhost_is_answered_without_sign_in(host: str) -> None:
    check_loopback_host({"host": host})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": ""},
        {"host": "evil.example:4318"},
        {"host": "localhost.evil.example"},
        {"host": "evil-localhost"},
        {"host": "[::1"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "localhost@evil.example"},
    ],
)
def test_foreign_name_for_loopback_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Forbidden):
        check_loopback_host(headers)
