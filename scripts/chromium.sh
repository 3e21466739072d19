#!/bin/sh
# Makes sure that a Chromium is there for the browser tests: found, from Debian, or Playwright's own.
set -eu
cd "$(dirname "$0")/.."

for name in chromium chromium-browser google-chrome google-chrome-stable; do
  if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if .venv/bin/python -c 'import os, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as p: sys.exit(not os.path.exists(p.chromium.executable_path))' 2>/dev/null; then
  exit 0
fi
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "Installing Chromium from Debian for the browser tests ..."
  if apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; then exit 0; fi
fi
echo "Installing Playwright's own Chromium for the browser tests ..."
if .venv/bin/python -m playwright install chromium; then exit 0; fi
echo "The browser tests need Chromium and none could be installed." >&2
echo "Install it (Debian: apt-get install chromium; or .venv/bin/python -m playwright install chromium) and run again." >&2
exit 1
