"""Python's `repr` of plain values read as data, without evaluating anything.

Some SDKs put `str(value)` into an attribute where JSON belongs: `{'cache_read': 3}`.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

MAX_CHARACTERS = 1_000_000

_TOKEN = re.compile(
    r"""\s+|(?P<text>[bu]?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))"""
    r"""|(?P<word>[A-Za-z_]+)|(?P<number>-?\d[\d.eE+_-]*)|(?P<mark>[{}\[\](),:])""",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\n|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "a": "\a",
            "0": "\0", "\n": ""}  # fmt: skip
_WORDS = {"None": "null", "True": "true", "False": "false", "nan": "null", "inf": "null"}
_MARKS = {"(": "[", ")": "]"}
_CLOSERS = frozenset("}])")


def read_repr(text: str) -> Any:
    """The dict, list or tuple that a `repr` shows; None when it is anything else."""
    if len(text) > MAX_CHARACTERS or not text.startswith(("{", "[", "(")):
        return None
    written = _as_json(text)
    if written is None:
        return None
    try:
        return msgspec.json.decode(written.encode("utf-8", "surrogatepass"))
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None


def _as_json(text: str) -> str | None:
    """The same value in JSON's words; None at the first thing that has none, like an object."""
    written: list[str] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return None
        at = token.end()
        kind, found = token.lastgroup, token.group()
        if kind == "text":
            written.append(msgspec.json.encode(_unescaped(found)).decode())
        elif kind == "word":
            if found not in _WORDS:
                return None
            written.append(_WORDS[found])
        elif kind == "number":
            written.append(found)
        elif kind == "mark":
            if found in _CLOSERS and written and written[-1] == ",":
                written.pop()
            written.append(_MARKS.get(found, found))
    return "".join(written)


def _unescaped(literal: str) -> str:
    body = literal[literal.index(literal[-1]) + 1 : -1]
    text = _ESCAPE.sub(_character, body) if "\\" in body else body
    return text.encode("utf-8", "replace").decode()


def _character(found: re.Match[str]) -> str:
    code = found.group(1)
    if code[0] in "xuU" and len(code) > 1:
        number = int(code[1:], 16)
        return chr(number) if number < 0x110000 else "\ufffd"
    return _ESCAPES.get(code, code)
