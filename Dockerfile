# Images of docker-compose.yaml. Hive and S3 are made by the recipes that the tests use (tests/servers), so they are what is tested;
# `airflow`, the last one, has Lupus in it, and is Spark's too: a driver and its executors need the same Python.
FROM node:24.11.1-bookworm-slim AS page
WORKDIR /src
COPY lupus_provider/ui/package.json lupus_provider/ui/package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund
COPY lupus_provider/ui/ ./
RUN npm run build

FROM maven:3.9.11-eclipse-temurin-17 AS hive
ENV LUPUS_CACHE=/opt/lupus/cache
COPY tests/servers /opt/lupus/servers
RUN bash /opt/lupus/servers/hive.sh install \
    && mkdir -p /opt/lupus/jars/spark \
    && HERE=/opt/lupus/servers bash -c '. "$HERE/fetch.sh" && fetch_jars "$HERE/locks/spark-s3a.txt" /opt/lupus/jars/spark' \
    && ln -s "$(echo "$LUPUS_CACHE"/servers/hive-*/)" /opt/lupus/jars/hive \
    && useradd --create-home lupus && mkdir /data && chown lupus /data
USER lupus
ENTRYPOINT ["bash", "/opt/lupus/servers/hive.sh"]

FROM golang:1.25.3-bookworm AS s3
ENV LUPUS_CACHE=/opt/lupus/cache
COPY tests/servers /opt/lupus/servers
RUN bash /opt/lupus/servers/minio.sh install && useradd --create-home lupus && mkdir /data && chown lupus /data
USER lupus
ENTRYPOINT ["bash", "/opt/lupus/servers/minio.sh"]

FROM apache/airflow:3.3.2-python3.11 AS airflow
COPY --chown=airflow:0 setup.cfg pyproject.toml README.md LICENSE MANIFEST.in* /opt/lupus/
COPY --chown=airflow:0 requirements/all.lock /opt/lupus/requirements/
COPY --chown=airflow:0 lupus_provider /opt/lupus/lupus_provider
COPY --from=page --chown=airflow:0 /src/dist /opt/lupus/lupus_provider/ui/dist
COPY --from=hive --chown=airflow:0 /opt/lupus/jars/spark /opt/lupus/jars/spark
COPY --from=hive --chown=airflow:0 /opt/lupus/jars/hive/ /opt/lupus/jars/hive/
RUN pip install --no-cache-dir --constraint /opt/lupus/requirements/all.lock "apache-airflow==3.3.2" "/opt/lupus[all]" \
    # A new volume takes the owner of the folder that it is mounted on.
    && mkdir -p /opt/airflow/lupus /opt/airflow/data /opt/airflow/include/projects
