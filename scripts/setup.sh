#!/bin/sh
# Makes .venv with the locked dependencies and Vagus itself; does nothing when nothing has changed.
set -eu
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "Vagus needs Python 3.11 or newer; '$python' is $("$python" --version 2>&1 || echo missing)." >&2
  echo "Install one, or name it: make PYTHON=python3.12 ..." >&2
  exit 1
fi

wanted=$(cat requirements.lock pyproject.toml hatch_build.py $(find web -type f -not -path '*/node_modules/*' | sort) | cksum)
if [ -x .venv/bin/vagus ] && [ "$(cat .venv/.made-from 2>/dev/null)" = "$wanted" ] && [ -e src/vagus/static/index.html ]; then
  exit 0
fi

[ -x .venv/bin/python ] || "$python" -m venv .venv
echo "Installing the locked dependencies into .venv (a few minutes the first time) ..."
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
echo "Building the web UI and installing Vagus ..."
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
printf '%s' "$wanted" > .venv/.made-from
