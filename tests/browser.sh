#!/bin/sh
# Makes sure that a Chromium is there for the browser tests; installs Debian's where none is found and we may.
set -e
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && exit 0
done
if [ -n "$CHROMIUM" ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "No Chromium found: the browser tests will fail. Install chromium, or set CHROMIUM to its path."
    exit 0
fi
echo "Installing Debian's chromium for the browser tests …"
(apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium) >/dev/null 2>&1
