#!/usr/bin/env bash
# Real PostgreSQL out of the programs that zonky.io puts into a jar; libc is all that it needs.
#   postgres.sh install           fetch (15 MB) and unpack
#   postgres.sh run DATA PORT     run in the foreground on 127.0.0.1; user and database `lupus`, any password is right
# Texts sort as in American English, like those of PostgreSQL's own images, and unlike those of SQLite. Nothing is forced to the
# disk: the tests kill the server, not the machine.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/fetch.sh"
POSTGRES=$CACHE/postgres-17.7-$(content_key "$0" "$HERE/locks/postgres.txt")

lay_out() {
    local part=$1
    fetch_jars "$HERE/locks/postgres.txt" "$part/jar"
    "$PYTHON" - "$part"/jar/*.jar "$part" <<'PYTHON'
import io, sys, tarfile, zipfile
with zipfile.ZipFile(sys.argv[1]) as jar:
    (name,) = (name for name in jar.namelist() if name.endswith(".txz"))
    with tarfile.open(fileobj=io.BytesIO(jar.read(name))) as programs:
        programs.extractall(sys.argv[2], filter="data")
PYTHON
    rm -r "$part/jar"
}

# PostgreSQL refuses root, which may do everything. As `nobody` it may still read and write the files of this user, so that neither
# the cache nor the folder of the data needs another owner; a change of user forgets that the server dies with who started it.
as_nobody() {
    if [ "$(id -u)" != 0 ]; then exec "$@"; fi
    command -v setpriv > /dev/null || debian_package util-linux "setpriv is missing, by which root starts PostgreSQL as another user"
    exec setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all,+dac_override --inh-caps=-all,+dac_override \
        --ambient-caps=-all,+dac_override --securebits=+no_setuid_fixup --pdeathsig="$DIES_WITH_PARENT" "$@"
}

make_cluster() {  # whole or not at all
    rm -rf "$1.part"
    (
        DIES_WITH_PARENT=clear
        as_nobody "$POSTGRES/bin/initdb" --pgdata="$1.part" --username=lupus --auth=trust --no-sync --encoding=UTF8 \
            --locale=C --locale-provider=icu --icu-locale=en-US
    )
    echo 'CREATE DATABASE lupus' | (
        DIES_WITH_PARENT=clear
        as_nobody "$POSTGRES/bin/postgres" --single -D "$1.part" postgres > /dev/null
    )
    mv "$1.part" "$1"
}

make_once "$POSTGRES" lay_out
[ "${1:-}" = install ] && exit
listen_arguments "$@"
[ -d "$DATA/cluster" ] || make_cluster "$DATA/cluster"
DIES_WITH_PARENT=KILL
as_nobody "$POSTGRES/bin/postgres" -D "$DATA/cluster" -p "$PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c fsync=off -c full_page_writes=off -c shared_buffers=32MB -c max_connections=60 -c timezone=UTC
