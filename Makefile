# Everything a newcomer or CI needs; each target does its own set-up.
.PHONY: setup check test demo bench bench-diagnosis format web conformance clean

PY := .venv/bin/python

setup:
	@sh scripts/setup.sh

check: setup
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m pytest tests/house
	@sh scripts/web.sh check

test: setup
	@sh scripts/chromium.sh
	@sh scripts/web.sh test
	$(PY) -m pytest

# Installs each published client in .conformance/ and writes what works to the page.
conformance: setup
	$(PY) -m pytest tests/conformance -m "" --matrix docs/compatibility.md

demo: setup
	.venv/bin/vagus demo

bench: setup
	$(PY) -m bench

SEEDS ?= 1
JOBS ?= 2

# Simulated applications, forty faults: how often the cause is found (docs/bench-diagnosis.md).
bench-diagnosis: setup
	$(PY) -m bench.diagnosis run --half reporting --seeds $(SEEDS) --jobs $(JOBS)
	$(PY) -m bench.diagnosis report

format: setup
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

web: setup
	@sh scripts/web.sh dev

lock:
	@sh scripts/lock.sh

clean:
	rm -rf .venv .conformance web/node_modules src/vagus/static
