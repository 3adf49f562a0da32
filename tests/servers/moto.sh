#!/usr/bin/env bash
# moto, a light S3 server in memory: it takes any key, and forgets everything when it stops. For unit tests; else take MinIO.
#   moto.sh install           a Python environment of its own
#   moto.sh run DATA PORT     run in the foreground on 127.0.0.1
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/fetch.sh"
MOTO=$CACHE/moto-$(content_key "$HERE/locks/moto.txt")

environment() {
    "$PYTHON" -m venv "$1"
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$HERE/locks/moto.txt" >&2
}

make_once "$MOTO" environment
[ "${1:-}" = install ] && exit
listen_arguments "$@"
exec "$MOTO/bin/python" -m moto.server -H 127.0.0.1 -p "$PORT"
