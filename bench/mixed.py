"""Durable ingest of every convention in equal shares until every span is visible."""

from __future__ import annotations

import argparse
import os

from bench.conventions import mixed
from bench.ingest import measure_vagus
from bench.record import save
from bench.traffic import Requests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=200_000)
    args = parser.parse_args()
    load_average = round(os.getloadavg()[0], 1)
    figures = measure_vagus(Requests(dress=mixed), args.spans)
    save(
        "mixed",
        "eight conventions in equal shares, durable until visible, 250 spans a request, "
        "4 connections, 2 cores: >= 20,000 spans/s",
        {"vagus": figures, "load_average": load_average},
        met=figures["visible_per_s"] >= 20_000,
    )


if __name__ == "__main__":
    main()
