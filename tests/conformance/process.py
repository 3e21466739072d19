"""Runs a client's script as its own process and keeps every line it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from conformance.client import Client
from conformance.environment import KEPT, is_node, program

TIMEOUT_S = 120.0
_COLOUR = re.compile("\x1b\\[[0-9;]*m")
#: The script runs as it is. Before it, logging is set up, for without a handler many libraries
#: keep their warnings to themselves.
_RUN = """
import logging, runpy, sys
logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
runpy.run_path(sys.argv[1], run_name="__main__")
"""


def run_client(client: Client, places: dict[str, str], folder: Path) -> list[str]:
    """Run it in an empty home, and give what is wrong with how it ended and what it said."""
    command = program(client.environment)
    if is_node(client.environment):
        # Node looks for packages beside the script.
        script = Path(shutil.copy(client.script, KEPT / client.environment))
    else:
        command, script = [*command, "-c", _RUN], client.script
    environ = {name: text.format(**places) for name, text in client.environ.items()}
    done = subprocess.run(
        [*command, str(script)],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            # Whatever would leave this machine ends here.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1,localhost",
            **environ,
        },
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    wrong = [f"it ended with {done.returncode}"] if done.returncode else []
    return wrong + complaints(client, done.stdout + done.stderr)


def complaints(client: Client, output: str) -> list[str]:
    """The lines that the client was not expected to say."""
    return [
        f"it said: {line}"
        for line in _COLOUR.sub("", output).splitlines()
        if line.strip() and not any(re.search(pattern, line) for pattern in client.says)
    ]
