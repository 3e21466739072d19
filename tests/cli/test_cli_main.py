"""The command line itself: it starts fast, says what is missing, and its page is in step."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vagus.cli.main import build_parser, main
from vagus.cli.serve import flags_of, settings_table
from vagus.config import options

DOCS = Path(__file__).parents[2] / "docs"

# Makes every package of the server extra look as if it were not installed.
WITHOUT_SERVER = """
import importlib.abc, sys

SERVER = {"chdb", "fastapi", "uvicorn", "starlette", "sqlalchemy", "msgspec", "numpy", "rich",
          "grpc", "sqlglot", "pydantic", "alembic", "httpx", "onnxruntime", "zstandard", "yaml"}

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in SERVER:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from vagus.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def light(*words):
    """The command as with `pip install vagus` alone."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("VAGUS_")}
    environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_SERVER, *words],
        capture_output=True,
        text=True,
        env=environ,
        check=False,
    )


@pytest.mark.parametrize("words", [["serve"], ["demo"], ["sql", "SELECT 1", "--data", "x"]])
def test_a_missing_server_is_one_sentence_that_says_what_to_install(words, tmp_path):
    if "--data" in words:
        (tmp_path / "engine").mkdir()
        words = [*words[:-1], str(tmp_path)]
    done = light(*words)

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"`vagus {words[0]}` needs the server" in done.stderr
    assert "pip install 'vagus[server]'" in done.stderr


def test_version_and_help_need_no_server():
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*|unpackaged", light("version").stdout.strip())
    assert "serve" in light("--help").stdout
    assert "--grpc-port" in light("serve", "--help").stdout
    assert light("doctor", "--url", "http://127.0.0.1:9").returncode == 1


def test_a_wrong_setting_is_one_sentence(tmp_path, capsys, monkeypatch):
    file = tmp_path / "vagus.toml"
    file.write_text("[server]\nprot = 1\n")

    assert main(["serve", "--port", "x"]) == 1
    assert main(["serve", "--no-auth", "--host", "0.0.0.0"]) == 1
    assert main(["serve", "--config", str(file)]) == 1

    errors = capsys.readouterr().err.splitlines()
    assert "server.port in flags must be a int" in errors[0]
    assert "listen on 127.0.0.1" in errors[1]
    assert "unknown setting 'server.prot'" in errors[2]


def test_no_command_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        main([])

    assert stopped.value.code == 2


def commands():
    """Every command with its parser."""
    (sub,) = (
        action
        for action in build_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return sub.choices


def test_every_setting_is_a_flag_of_serve():
    flags = {flag for action in commands()["serve"]._actions for flag in action.option_strings}

    for row in options():
        assert set(flags_of(row)) <= flags


def test_the_page_names_every_command_and_every_option():
    page = (DOCS / "cli.md").read_text()

    for name, parser in commands().items():
        assert f"## vagus {name}" in page
        section = page.split(f"## vagus {name}\n", 1)[1].split("\n## ", 1)[0]
        for action in parser._actions:
            for flag in action.option_strings:
                if flag not in ("-h", "--help"):
                    assert f"`{flag}`" in section, (name, flag)


def test_the_page_shows_the_settings_as_they_are():
    page = (DOCS / "cli.md").read_text()

    # When this fails: print settings_table() and put it into the page.
    assert settings_table() in page
    known = {row.env for row in options()} | {"VAGUS_URL", "VAGUS_API_KEY"}
    assert set(re.findall(r"VAGUS_[A-Z_]+", page)) <= known
