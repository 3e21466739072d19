"""The weight of the UI's first load: what index.html names, compressed."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from bench.record import save

STATIC = Path(__file__).parents[1] / "src" / "vagus" / "static"


def main() -> None:
    index = (STATIC / "index.html").read_bytes()
    names = re.findall(rb'(?:src|href)="\.?/?(assets/[^"]+)"', index)
    sizes = {
        name.decode(): len(gzip.compress((STATIC / name.decode()).read_bytes(), 6))
        for name in names
    }
    total = sum(sizes.values()) + len(gzip.compress(index, 6))
    save(
        "weight",
        "first load of the UI <= 150 kB gzip",
        {"first_load_kb": round(total / 1000, 1), **sizes},
        met=total <= 150_000,
    )


if __name__ == "__main__":
    main()
