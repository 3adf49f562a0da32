#!/usr/bin/env bash
# Installs Java 17, which Hive needs and no newer one can replace, where that is allowed; else says what to do.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/fetch.sh"
debian_package openjdk-17-jre-headless "Hive needs Java 17, and this machine has none"
