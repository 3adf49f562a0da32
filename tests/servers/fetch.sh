# Functions that the recipes share; sourced, needs $HERE (this folder).
# Everything that is downloaded lies under $LUPUS_CACHE (default ~/.cache/lupus), in folders whose names follow from the pinned
# versions and the recipe itself, made whole or not at all, by one process at a time.
CACHE=${LUPUS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lupus}/servers
JAVA=${LUPUS_JAVA:-${JAVA_HOME:+$JAVA_HOME/bin/java}}; JAVA=${JAVA:-java}
PYTHON=${LUPUS_PYTHON:-python3}

fail() { echo "error: $*" >&2; exit 1; }

# content_key FILE...: a short name for what a recipe makes out of these files
content_key() { cat "$@" | sha256sum | cut -c1-12; }

# make_once FOLDER COMMAND...: run COMMAND with an empty folder as its last argument, which becomes FOLDER when it succeeds
make_once() {
    local folder=$1; shift
    [ -d "$folder" ] && return
    mkdir -p "$CACHE"
    (
        flock 9
        [ -d "$folder" ] && exit
        rm -rf "$folder.part"; mkdir -p "$folder.part"
        "$@" "$folder.part"
        mv "$folder.part" "$folder"
    ) 9> "$CACHE/.lock-${folder##*/}"
}

# debian_package PACKAGE REASON: install it where that is allowed, else say what to do
debian_package() {
    if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then fail "$2. Install it (Debian: apt-get install $1)"; fi
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >&2
}

# fetch_jars LOCK FOLDER: exactly the jars that LOCK names, each checked; no dependency is resolved, no other pom is read.
# A line of LOCK: group:artifact:version[:classifier] sha256
fetch_jars() {
    local lock=$1 folder=$2 coordinates sum group artifact version classifier work
    command -v mvn > /dev/null || debian_package maven "Maven is missing, which fetches the servers' jars"
    work=$(mktemp -d)
    {
        echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        echo '<groupId>x</groupId><artifactId>x</artifactId><version>1</version><packaging>pom</packaging><build><plugins><plugin>'
        echo '<groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId>'
        echo '<version>3.6.1</version><configuration><artifactItems>'
        while read -r coordinates sum; do
            case "$coordinates" in '' | '#'*) continue ;; esac
            IFS=: read -r group artifact version classifier <<< "$coordinates"
            echo "<artifactItem><groupId>$group</groupId><artifactId>$artifact</artifactId><version>$version</version>"
            echo "${classifier:+<classifier>$classifier</classifier>}</artifactItem>"
            echo "$sum  $artifact-$version${classifier:+-$classifier}.jar" >> "$work/sums"
        done < "$lock"
        echo '</artifactItems></configuration></plugin></plugins></build></project>'
    } > "$work/pom.xml"
    mvn --batch-mode --quiet --strict-checksums -Dstyle.color=never -f "$work/pom.xml" dependency:copy -DoutputDirectory="$folder" >&2
    (cd "$folder" && sha256sum --check --quiet --strict "$work/sums" >&2) || fail "a jar is not the one that $lock names"
    rm -rf "$work"
}

# listen_arguments ARGUMENT...: read `run DATA PORT`
listen_arguments() {
    [ $# = 3 ] || fail "usage: $0 install | $0 run DATA PORT"
    mkdir -p "$2"
    DATA=$(cd "$2" && pwd); PORT=$3
}

# hadoop_xml: an Hadoop configuration of the lines `name value` on standard input
hadoop_xml() {
    local name value
    echo '<configuration>'
    while read -r name value; do
        [ -z "$name" ] || echo "<property><name>$name</name><value>$value</value></property>"
    done
    echo '</configuration>'
}
