#!/bin/sh
# Installs the rivals that the ingest bench compares with, each in an environment of its own.
set -eu
cd "$(dirname "$0")/.envs" 2>/dev/null || { mkdir -p "$(dirname "$0")/.envs"; cd "$(dirname "$0")/.envs"; }
for pair in phoenix:arize-phoenix mlflow:mlflow; do
  name=${pair%%:*}
  [ -x "$name/bin/$name" ] || { python3 -m venv "$name"; "$name/bin/pip" install --quiet "${pair#*:}"; }
done
