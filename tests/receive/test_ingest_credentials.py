from __future__ import annotations

import base64

import pytest

from vagus.receive.credentials import find_key


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"authorization": "Bearer k"}, "k"),
        ({"authorization": "bearer  k "}, "k"),
        ({"authorization": _basic("pk:sk")}, "sk"),
        ({"authorization": _basic("api:k")}, "k"),
        ({"authorization": _basic("k:")}, "k"),
        ({"authorization": _basic("k")}, "k"),
        ({"authorization": "k"}, "k"),
        ({"authorization": "Token k"}, "k"),
        ({"authorization": "ApiKey k"}, "k"),
        ({"x-vagus-key": "k"}, "k"),
        ({"x-api-key": "k", "langsmith-project": "p"}, "k"),
        ({"api-key": "k"}, "k"),
        ({"api_key": "k", "space_id": "s"}, "k"),
        ({"dd-api-key": "k"}, "k"),
        ({"x-honeycomb-team": "k"}, "k"),
        ({"helicone-auth": "Bearer k"}, "k"),
        ({"x-vagus-key": "own", "authorization": "Bearer other"}, "own"),
        ({"authorization": "Bearer k", "x-api-key": "other"}, "k"),
        ({"authorization": "Digest nonsense", "x-api-key": "k"}, "k"),
        ({"x-langfuse-public-key": "pk"}, None),
        ({"authorization": "Bearer"}, None),
        ({"authorization": "Bearer "}, None),
        ({"authorization": "Basic ???"}, None),
        ({"authorization": _basic(":")}, None),
        ({"authorization": ""}, None),
        ({}, None),
    ],
)
def test_the_key_is_found_where_sdks_put_it(headers: dict[str, str], key: str | None) -> None:
    assert find_key(headers) == key
