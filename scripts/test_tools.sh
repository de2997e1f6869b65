#!/usr/bin/env bash
# What the tests need beyond pip: Chromium with its driver, and from npm Azurite, axe-core and the SARIF validator.
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

sarif=node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool
if [ ! -e node_modules/azurite/package.json ] || [ ! -e node_modules/axe-core/axe.min.js ] || [ ! -e $sarif ]; then
  if command -v npm >/dev/null; then
    npm install --no-audit --no-fund --no-package-lock --loglevel=error >&2
  fi
fi
[ -e node_modules/azurite/package.json ] ||
  missing "Azurite" "classic storage logging is not read from a real server (npm install azurite)"
[ -e node_modules/axe-core/axe.min.js ] ||
  missing "axe-core" "the HTML report is not checked for accessibility (npm install axe-core)"
[ ! -e $sarif ] || chmod u+x $sarif  # npm may not run the script of the package that does it
[ -x $sarif ] ||
  missing "the SARIF validator" "SARIF is checked by its schema alone (npm install @microsoft/sarif-multitool-linux)"
exit 0
