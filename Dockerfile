# Airflow with Lupus in it: the page is built by Node, the package is installed into Airflow's own image.
FROM node:24.11.1-bookworm-slim AS page
WORKDIR /src
COPY lupus_provider/ui/package.json lupus_provider/ui/package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund
COPY lupus_provider/ui/ ./
RUN npm run build

FROM apache/airflow:3.3.2-python3.11
COPY --chown=airflow:0 setup.cfg pyproject.toml README.md LICENSE MANIFEST.in* /opt/lupus/
COPY --chown=airflow:0 lupus_provider /opt/lupus/lupus_provider
COPY --from=page --chown=airflow:0 /src/dist /opt/lupus/lupus_provider/ui/dist
RUN pip install --no-cache-dir "apache-airflow==3.3.2" "/opt/lupus[demo]" \
    # A new volume takes the owner of the folder that it is mounted on.
    && mkdir -p /opt/airflow/lupus /opt/airflow/data /opt/airflow/include/projects
