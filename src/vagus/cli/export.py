"""`vagus export`: files for Prometheus and Grafana."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vagus.cli.asker import DEFAULT_URL, Remote
from vagus.errors import BadInput

_RULES, _TESTS = "vagus-rules.yaml", "vagus-rules-test.yaml"


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("export", help="write files for Prometheus or Grafana")
    kinds = parser.add_subparsers(required=True, metavar="WHAT")
    prometheus = kinds.add_parser(
        "prometheus",
        help="recording and alert rules of a project, and their tests",
        description=(
            "Write the rules of a project's objectives and monitors, and unit tests for them. "
            "The API key comes from VAGUS_API_KEY."
        ),
    )
    prometheus.add_argument("directory", type=Path, help="where the files go")
    prometheus.add_argument(
        "--url",
        default=os.environ.get("VAGUS_URL", DEFAULT_URL),
        help=f"address of the server [VAGUS_URL; default: {DEFAULT_URL}]",
    )
    prometheus.add_argument("--project", default="", help="the project; by default that of the key")
    prometheus.set_defaults(run=run_prometheus)
    grafana = kinds.add_parser(
        "grafana", help="data sources, dashboards and alert rules to provision"
    )
    grafana.add_argument("directory", type=Path, help="where the files go")
    grafana.add_argument("--prometheus-url", default="http://127.0.0.1:9090", help="for Grafana")
    grafana.add_argument("--vagus-url", default=DEFAULT_URL, help="for Grafana's Jaeger source")
    grafana.add_argument(
        "--dashboards",
        default="/var/lib/grafana/dashboards/vagus",
        help="where Grafana will find the dashboards",
    )
    grafana.set_defaults(run=run_grafana)


def run_prometheus(arguments: argparse.Namespace) -> int:
    """Fetch the rules of a running server and write them."""
    remote = Remote(arguments.url, os.environ.get("VAGUS_API_KEY", ""), arguments.project)
    _write(
        arguments.directory,
        {
            _RULES: remote.text("/api/v1/prometheus/rules.yaml"),
            _TESTS: remote.text("/api/v1/prometheus/rules-test.yaml"),
        },
    )
    return 0


def run_grafana(arguments: argparse.Namespace) -> int:
    """Write what Grafana reads at its start."""
    from vagus.measures.catalogue import load_catalogue
    from vagus.present.export.grafana import grafana_files

    files = grafana_files(
        load_catalogue(),
        prometheus_url=arguments.prometheus_url,
        vagus_url=arguments.vagus_url,
        folder=arguments.dashboards,
    )
    _write(arguments.directory, files)
    return 0


def _write(directory: Path, files: Mapping[str, str]) -> None:
    try:
        for name, text in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(path)
    except OSError as e:
        raise BadInput(f"cannot write into {directory}: {e.strerror}", field="directory") from e
