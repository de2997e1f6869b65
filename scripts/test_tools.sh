#!/usr/bin/env bash
# What the tests need beyond pip: Chromium with its driver, and from npm Azurite and axe-core.
# Installs them where it can; where it cannot, it says so loudly and the tests that need them are skipped.
set -u
cd "$(dirname "$0")/.."

missing() {
  echo "!!! NOT INSTALLED: $1" >&2
  echo "!!! $2" >&2
  if [ "${CI:-}" = true ]; then exit 1; fi
}

if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    { apt-get update -q && apt-get install -y -q --no-install-recommends chromium chromium-driver; } >/dev/null 2>&1
  fi
fi
command -v chromium >/dev/null && command -v chromedriver >/dev/null ||
  missing "Chromium and chromedriver" "the HTML report is not opened in a browser (apt-get install chromium chromium-driver)"

if [ ! -e node_modules/azurite/package.json ] || [ ! -e node_modules/axe-core/axe.min.js ]; then
  if command -v npm >/dev/null; then
    npm install --no-audit --no-fund --no-package-lock --loglevel=error >&2
  fi
fi
[ -e node_modules/azurite/package.json ] ||
  missing "Azurite" "classic storage logging is not read from a real server (npm install azurite)"
[ -e node_modules/axe-core/axe.min.js ] ||
  missing "axe-core" "the HTML report is not checked for accessibility (npm install axe-core)"
exit 0
