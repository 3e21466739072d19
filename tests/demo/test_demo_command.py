import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vagus.cli import demo
from vagus.demo.feature import FEATURES
from vagus.demo.knowledge import STALE_DAYS, articles, products
from vagus.demo.story import Plan
from vagus.errors import ConfigError, Unavailable

ROOT = Path(__file__).parents[2]


def test_a_port_in_use_gives_way_to_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert demo.free_port(port) != port
    assert demo.free_port(port) == port


def test_a_directory_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")

    with pytest.raises(ConfigError, match="is not empty"):
        demo.main(["--data", str(tmp_path)])
    assert (tmp_path / "mine").read_text() == "precious"


def test_a_server_that_dies_at_start_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAGUS_STORE_RETENTION_DAYS", "none")
    data = tmp_path / "data"

    with pytest.raises(Unavailable, match="stopped with status"):
        demo.start_server(data, 0, 0)


def test_the_whole_command_starts_feeds_and_stops(tmp_path: Path) -> None:
    """From nothing to a sign-in link, and to nothing again at Ctrl-C."""
    command = [sys.executable, "-m", "vagus.cli.main", "demo", "--history-hours", "0.1"]
    command += ["--port", "0", "--grpc-port", "0", "--onset-minutes", "2"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(tmp_path)}
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environ, stdout=out, stderr=subprocess.STDOUT)
    deadline_s = time.monotonic() + 90
    while "Ctrl-C" not in log.read_text() and time.monotonic() < deadline_s:
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    status = process.wait(60)
    said = log.read_text()

    assert status == 0, said
    assert re.search(r"http://127\.0\.0\.1:\d+/sign-in\?token=\S+", said)
    assert "4 teams" in said
    assert list(tmp_path.glob("vagus-demo-*")) == []


def test_the_page_says_what_the_command_can_do() -> None:
    page = (ROOT / "docs" / "demo.md").read_text()
    options = re.findall(r"^ +(--[a-z-]+)", demo.build_parser().format_help(), re.MULTILINE)

    assert len(options) == 8
    assert [option for option in options if f"`{option}`" not in page] == []


def test_the_page_tells_the_story_as_it_is() -> None:
    page = (ROOT / "docs" / "demo.md").read_text()
    plan = Plan(0)

    assert f"{len(articles())} articles and {len(products())} products" in page
    assert f"{sum(bool(article.was) for article in articles())} articles and lacks" in page
    assert f"lacks {sum(article.since_days is not None for article in articles())} that" in page
    assert f"{STALE_DAYS} days old" in page
    assert f"{plan.deploy_minutes:.0f} minutes before the start" in page
    assert f"{plan.prompt_minutes:.0f} minutes before" in page
    for feature in FEATURES:
        row = f"| {feature.name} | {feature.team} | {feature.service} |"
        assert row in page
        assert re.search(rf"\| {feature.name} .*\| {re.escape(feature.model.name)} \|", page)
