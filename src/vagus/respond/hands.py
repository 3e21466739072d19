"""The hands of runbooks: one webhook or one command, done once, with bounded time and output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from typing import Any

import anyio

from vagus.config import RespondSettings
from vagus.errors import BadInput, Unavailable
from vagus.respond.egress import Egress

COMMAND_TIMEOUT_S = 60.0
_OUTPUT_BYTES = 4_096
_CHUNK_BYTES = 65_536
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#: How a call ended (done, failed, or unknown when it may have happened), and what came back.
Ending = tuple[str, dict[str, Any]]


class Hands:
    """Does the calls of actions; commands only where the operator allowed them."""

    def __init__(
        self,
        egress: Egress,
        *,
        allow_commands: bool = False,
        command_timeout_s: float = COMMAND_TIMEOUT_S,
    ) -> None:
        self._egress = egress
        self._allow_commands = allow_commands
        self._command_timeout_s = command_timeout_s

    def do(self, call: Mapping[str, Any], key: str) -> Ending:
        """Does one call; `key` names it to a webhook, so that a receiver may know it again."""
        if "command" in call:
            return self._run(list(call["command"]))
        return self._post(str(call["webhook"]), call.get("body"), key)

    def _post(self, url: str, body: Any, key: str) -> Ending:
        headers = {
            "content-type": "application/json",
            "idempotency-key": key,
            "user-agent": "vagus",
        }
        try:
            answer = anyio.run(self._egress.post, url, json.dumps(body).encode(), headers)
        except BadInput as e:
            return "failed", {"error": str(e)}
        except Unavailable as e:
            # The request may have arrived though no answer came back.
            return "unknown", {"error": str(e)}
        is_done = 200 <= answer.status < 300
        return "done" if is_done else "failed", {"status": answer.status}

    def _run(self, arguments: list[str]) -> Ending:
        if not self._allow_commands:
            return "failed", {"error": "commands are off: respond.allow_commands"}
        try:
            process = subprocess.Popen(  # noqa: S603 - a list, no shell, and off by default
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={"PATH": _PATH},
                start_new_session=True,
            )
        except (OSError, ValueError) as e:
            return "failed", {"error": f"{arguments[0]} does not start: {e}"}
        is_late = threading.Event()

        def end() -> None:
            is_late.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(self._command_timeout_s, end)
        timer.start()
        with process:
            output = _read_bounded(process)
            code = process.wait()
        timer.cancel()
        found = {"exit": code, "output": output.decode("utf-8", "replace")}
        if is_late.is_set():
            return "unknown", found | {"error": f"ended after {self._command_timeout_s:g} s"}
        return "done" if code == 0 else "failed", found


def hands_of(settings: RespondSettings) -> Hands:
    """The hands that the settings describe."""
    ranges = [part.strip() for part in settings.allow_private.split(",") if part.strip()]
    return Hands(Egress(allow_private=ranges), allow_commands=settings.allow_commands)


def _read_bounded(process: subprocess.Popen[bytes]) -> bytes:
    """The first bytes of what a command says; the rest is read and dropped."""
    if process.stdout is None:
        return b""
    kept = process.stdout.read(_OUTPUT_BYTES)
    while process.stdout.read(_CHUNK_BYTES):
        pass
    return kept
