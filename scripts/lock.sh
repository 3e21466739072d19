#!/bin/sh
# Writes requirements.lock: every dependency of the server and of development, pinned with hashes.
set -eu
cd "$(dirname "$0")/.."
uv pip compile pyproject.toml --extra server --group dev --universal --python-version 3.11 \
  --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
  --output-file requirements.lock "$@"
