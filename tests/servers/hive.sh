#!/usr/bin/env bash
# Real Apache Hive in one JVM: HiveServer2, its metastore (Derby) and Tez in local mode; Java 17, not newer.
#   hive.sh install                 fetch the jars (175 MB, those of S3 included)
#   hive.sh run DATA PORT           run in the foreground on 127.0.0.1; SASL PLAIN that checks nothing, as Airflow's hook expects
#   hive.sh metastore DATA PORT     run a metastore alone, which several servers share: Spark too
# LUPUS_HEAP is its heap (1g). LUPUS_S3_ENDPOINT names an S3 server for s3a:// locations; its keys come as AWS_ACCESS_KEY_ID and
# AWS_SECRET_ACCESS_KEY, because Hive hides keys of its configuration from the tasks of a query. LUPUS_HOST is where it listens,
# LUPUS_METASTORE the thrift:// address of a metastore that runs already.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/fetch.sh"
VERSION=4.0.1
JARS=$CACHE/hive-$VERSION-$(content_key "$HERE"/locks/hive{,-metastore,-s3a}.txt)

fetch() {
    fetch_jars "$HERE/locks/hive.txt" "$1"
    fetch_jars "$HERE/locks/hive-metastore.txt" "$1"
    fetch_jars "$HERE/locks/hive-s3a.txt" "$1"
}

configure() {
    mkdir -p "$DATA"/{conf,tmp,warehouse,external,scratch,logs}
    hadoop_xml > "$DATA/conf/hive-site.xml" <<SETTINGS
${LUPUS_METASTORE:+hive.metastore.uris $LUPUS_METASTORE}
javax.jdo.option.ConnectionURL jdbc:derby:;databaseName=$DATA/metastore_db;create=true
javax.jdo.option.ConnectionDriverName org.apache.derby.jdbc.EmbeddedDriver
datanucleus.schema.autoCreateAll true
hive.metastore.schema.verification false
hive.metastore.warehouse.dir file://$DATA/warehouse
hive.metastore.warehouse.external.dir file://$DATA/external
hive.metastore.event.db.notification.api.auth false
hive.exec.scratchdir file://$DATA/scratch
hive.exec.local.scratchdir $DATA/tmp
hive.downloaded.resources.dir $DATA/tmp/resources
hive.exec.dynamic.partition.mode nonstrict
hive.execution.engine tez
tez.local.mode true
tez.local.mode.without.network true
tez.runtime.optimize.local.fetch true
tez.ignore.lib.uris true
tez.staging-dir $DATA/tez
hive.server2.tez.initialize.default.sessions false
fs.defaultFS file:///
hive.server2.max.start.attempts 1
hive.server2.thrift.bind.host ${LUPUS_HOST:-127.0.0.1}
metastore.thrift.bind.host ${LUPUS_HOST:-127.0.0.1}
hive.server2.thrift.port $PORT
hive.server2.authentication NONE
hive.server2.enable.doAs false
hive.server2.webui.port 0
hive.server2.logging.operation.log.location $DATA/logs/operations
hive.support.concurrency false
hive.txn.manager org.apache.hadoop.hive.ql.lockmgr.DummyTxnManager
hive.stats.autogather false
hive.security.authorization.enabled false
fs.s3a.endpoint ${LUPUS_S3_ENDPOINT:-http://127.0.0.1:9}
fs.s3a.endpoint.region us-east-1
fs.s3a.path.style.access true
fs.s3a.aws.credentials.provider com.amazonaws.auth.EnvironmentVariableCredentialsProvider
SETTINGS
    tee "$DATA/conf/hive-log4j2.properties" > "$DATA/conf/hive-exec-log4j2.properties" <<'PROPERTIES'
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %-5p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
PROPERTIES
}

open_packages() {  # what Hive reaches into, and Java 17 keeps closed
    local package
    for package in java.lang java.lang.reflect java.io java.net java.nio java.util java.util.concurrent \
        java.util.concurrent.atomic java.util.regex java.time java.text sun.nio.ch sun.security.action sun.util.calendar; do
        echo "--add-opens=java.base/$package=ALL-UNNAMED"
    done
    echo "--add-opens=java.sql/java.sql=ALL-UNNAMED"
}

make_once "$JARS" fetch
[ "${1:-}" = install ] && exit
MAIN=(org.apache.hive.service.server.HiveServer2)
[ "${1:-}" != metastore ] || MAIN=(org.apache.hadoop.hive.metastore.HiveMetaStore -p "${3:-}")
listen_arguments "$@"
configure
mapfile -t OPENED < <(open_packages)
cd "$DATA"
export HADOOP_USER_NAME=${USER:-root}
exec "$JAVA" "-Xmx${LUPUS_HEAP:-1g}" -XX:+UseSerialGC "${OPENED[@]}" \
    -Duser.timezone=UTC -Dderby.system.home="$DATA" -Dderby.stream.error.file="$DATA/logs/derby.log" -Djava.io.tmpdir="$DATA/tmp" \
    -Dhive.log.dir="$DATA/logs" -Dlog4j.configurationFile="file:$DATA/conf/hive-log4j2.properties" \
    -cp "$DATA/conf:$JARS/*" "${MAIN[@]}"
