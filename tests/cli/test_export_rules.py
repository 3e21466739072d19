"""`vagus export prometheus` writes the rules of a running server."""

from __future__ import annotations

import pytest
import yaml

from vagus.cli.main import main


def test_the_rules_of_a_project_are_written(server, tmp_path, monkeypatch):
    tenant = server.tenant("rules-of-mine")
    monkeypatch.setenv("VAGUS_API_KEY", tenant.api_key)

    status = main(["export", "prometheus", str(tmp_path), "--url", server.url])

    rules = yaml.safe_load((tmp_path / "vagus-rules.yaml").read_text())
    tests = yaml.safe_load((tmp_path / "vagus-rules-test.yaml").read_text())
    assert status == 0
    assert rules["groups"][-1]["name"] == "vagus-monitors-rules-of-mine"
    assert tests["rule_files"] == ["vagus-rules.yaml"]


@pytest.mark.parametrize("key", ["", "nonsense"])
def test_without_a_good_key_nothing_is_written(server, tmp_path, monkeypatch, key, capsys):
    monkeypatch.setenv("VAGUS_API_KEY", key)

    assert main(["export", "prometheus", str(tmp_path / "out"), "--url", server.url]) == 1
    assert not (tmp_path / "out").exists()
    assert "VAGUS_API_KEY" in capsys.readouterr().err
