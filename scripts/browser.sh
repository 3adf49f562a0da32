#!/bin/sh
# Finds Chromium for the browser tests; installs it where that is allowed (root, Debian), else says what to do.
set -eu
for candidate in ${LUPUS_CHROMIUM:-} chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$candidate" >/dev/null 2>&1; then
        exit 0
    fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "setting up: chromium …"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
    exit 0
fi
echo "error: the browser tests need Chromium. Install it (Debian: apt-get install chromium fonts-dejavu-core), or name it: LUPUS_CHROMIUM=/path/to/chrome" >&2
exit 1
