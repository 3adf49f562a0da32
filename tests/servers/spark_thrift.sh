#!/usr/bin/env bash
# Spark Thrift Server (HiveServer2's protocol) out of the installed PySpark, metastore in Derby; Java 17 or newer (JAVA_HOME).
#   spark_thrift.sh install           fetch the jars of s3a (15 MB)
#   spark_thrift.sh run DATA PORT     run in the foreground on 127.0.0.1; SASL PLAIN that checks nothing
# LUPUS_HEAP is its heap (1g). LUPUS_S3_ENDPOINT names an S3 server for s3a:// locations; its keys come as AWS_ACCESS_KEY_ID and
# AWS_SECRET_ACCESS_KEY. LUPUS_PYTHON is the Python that has PySpark.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/fetch.sh"
JARS=$CACHE/spark-s3a-$(content_key "$HERE/locks/spark-s3a.txt")

fetch() { fetch_jars "$HERE/locks/spark-s3a.txt" "$1"; }

settings() {
    cat <<SETTINGS
spark.ui.enabled=false
spark.driver.bindAddress=127.0.0.1
spark.driver.host=127.0.0.1
spark.driver.extraClassPath=$JARS/*
spark.driver.extraJavaOptions=-Dderby.system.home=$DATA -Djava.io.tmpdir=$DATA/tmp
spark.local.dir=$DATA/tmp
spark.log.level=ERROR
spark.sql.catalogImplementation=hive
spark.sql.session.timeZone=UTC
spark.sql.shuffle.partitions=4
spark.sql.warehouse.dir=$DATA/warehouse
spark.hadoop.javax.jdo.option.ConnectionURL=jdbc:derby:;databaseName=$DATA/metastore_db;create=true
spark.hadoop.hive.exec.scratchdir=$DATA/scratch
spark.hadoop.hive.exec.dynamic.partition.mode=nonstrict
spark.hadoop.fs.s3a.endpoint=${LUPUS_S3_ENDPOINT:-http://127.0.0.1:9}
spark.hadoop.fs.s3a.endpoint.region=us-east-1
spark.hadoop.fs.s3a.path.style.access=true
spark.hadoop.fs.s3a.aws.credentials.provider=software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider
SETTINGS
}

make_once "$JARS" fetch
[ "${1:-}" = install ] && exit
listen_arguments "$@"
SPARK_HOME=$("$PYTHON" -c 'import pathlib, pyspark; print(pathlib.Path(pyspark.__file__).parent)')
export SPARK_HOME SPARK_LOCAL_IP=127.0.0.1
mkdir -p "$DATA/tmp"
cd "$DATA"
OPTIONS=()
while read -r setting; do OPTIONS+=(--conf "$setting"); done < <(settings)
exec "$SPARK_HOME/bin/spark-submit" --master 'local[2]' --driver-memory "${LUPUS_HEAP:-1g}" \
    --class org.apache.spark.sql.hive.thriftserver.HiveThriftServer2 "${OPTIONS[@]}" spark-internal \
    --hiveconf hive.server2.thrift.bind.host=127.0.0.1 --hiveconf hive.server2.thrift.port="$PORT" \
    --hiveconf hive.server2.authentication=NONE
