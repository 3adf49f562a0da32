"""No Docker engine is asked: what can be known of docker-compose.yaml without one. Where the `docker` command is, it is asked too."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yaml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]

SHELL = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
CONDITION = {"enum": ["service_started", "service_healthy", "service_completed_successfully"]}
DURATION = {"type": "string", "pattern": r"^\d+(ms|s|m)$"}
SERVICE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["image", "restart"],
    "properties": {
        "image": {"type": "string"},
        "build": {
            "type": "object",
            "additionalProperties": False,
            "required": ["context", "target"],
            "properties": {"context": {"const": "."}, "target": {"type": "string"}},
        },
        "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
        "command": SHELL,
        "entrypoint": SHELL,
        "environment": {"type": "object", "additionalProperties": {"type": "string"}},
        "volumes": {"type": "array", "items": {"type": "string", "pattern": r"^(\./)?[\w./-]+:/[\w./-]+(:ro)?$"}},
        "ports": {"type": "array", "items": {"type": "string", "pattern": r"^127\.0\.0\.1:\d+:\d+$"}},
        "depends_on": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["condition"],
                "properties": {"condition": CONDITION},
            },
        },
        "healthcheck": {
            "type": "object",
            "additionalProperties": False,
            "required": ["test"],
            "properties": {
                "test": {"type": "array", "prefixItems": [{"enum": ["CMD", "CMD-SHELL"]}], "minItems": 2},
                "interval": DURATION,
                "timeout": DURATION,
                "start_period": DURATION,
                "retries": {"type": "integer", "minimum": 1},
            },
        },
    },
}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "patternProperties": {"^x-": True},
    "required": ["services"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
        "services": {"type": "object", "minProperties": 1, "additionalProperties": SERVICE},
        "volumes": {"type": "object", "additionalProperties": {"type": "null"}},
    },
}


def environments():
    return [(name, *item) for name, service in SERVICES.items() for item in service.get("environment", {}).items()]


def test_it_is_a_compose_file_that_publishes_on_this_machine_only():
    jsonschema.validate(COMPOSE, SCHEMA)


def test_every_image_is_pinned():
    images = [service["image"] for service in SERVICES.values()]
    images += re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert images
    for image in images:
        assert re.search(r":\d+\.\d+", image), image


def test_whatever_stays_up_has_a_health_check():
    assert {name for name, service in SERVICES.items() if "healthcheck" not in service} == {"init"}


def test_what_is_waited_for_exists_and_can_become_what_is_waited_for():
    for service in SERVICES.values():
        for name, how in service.get("depends_on", {}).items():
            assert (how["condition"] == "service_healthy") == ("healthcheck" in SERVICES[name])
            assert (how["condition"] == "service_completed_successfully") == (SERVICES[name]["restart"] == "no")


def test_volumes_are_declared_and_used():
    used = {mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])}
    assert {name for name in used if not name.startswith("./")} == set(COMPOSE["volumes"])
    assert all((ROOT / name).is_dir() for name in used if name.startswith("./"))


@pytest.mark.parametrize(("service", "name", "value"), environments())
def test_secrets_come_from_outside_and_have_no_default(service, name, value):
    if re.search("PASSWORD$|KEY$|SECRET$|SQL_ALCHEMY_CONN", name):
        assert re.search(r"\$\{LUPUS_\w+:\?[^}]+\}", value), name
    assert ":-" not in value


def test_the_script_makes_every_secret_that_is_asked_for(tmp_path, capsys):
    script = runpy.run_path(str(ROOT / "scripts" / "compose_env.py"))
    target = tmp_path / "compose.env"
    script["main"](target)
    first = target.read_text()
    assert {line.split("=")[0] for line in first.splitlines()} == set(re.findall(r"\$\{(LUPUS_\w+)", TEXT))
    assert target.stat().st_mode & 0o777 == 0o600
    script["main"](target)
    assert target.read_text() == first


CONNECTIONS = {
    name.removeprefix("AIRFLOW_CONN_").lower(): re.sub(r"\$\{\w+:\?[^}]+\}", "s3cret", value)
    for service, name, value in environments()
    if service == "scheduler" and name.startswith("AIRFLOW_CONN_")
}


@pytest.fixture
def connections(monkeypatch):
    for name, value in CONNECTIONS.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", value)


def test_every_host_of_a_connection_is_a_service_that_airflow_waits_for():
    waited = set(SERVICES["scheduler"]["depends_on"])
    named = set(
        re.findall(
            r"(?<=[/\"@])(" + "|".join(map(re.escape, SERVICES)) + r")(?=[:/\"])", " ".join(CONNECTIONS.values())
        )
    )
    assert {"s3", "hive", "elasticsearch", "postgres"} <= named & waited
    assert named - waited == {
        "metastore",
        "spark-master",
        "scheduler",
        "chat",
    }  # hive waits for one; nobody needs the others to start


@pytest.mark.usefixtures("connections")
def test_the_connections_are_what_the_hooks_want():
    from lupus_provider.hooks.channels import webhook_url
    from lupus_provider.hooks.spark import SparkConnections
    from lupus_provider.hooks.stores import STORE_KINDS, LupusHook

    stores = LupusHook()
    addresses = {kind: stores.url(kind) for kind in STORE_KINDS}
    assert addresses == {
        "stage": "s3://lupus/stage",
        "history": "s3://lupus/history",
        "index": "http://elasticsearch:9200/lupus",
        "ledger": "postgresql+psycopg://airflow:s3cret@postgres/lupus",
    }
    s3 = stores.access("stage")
    assert (s3.access_key, s3.secret_key, s3.endpoint_url, s3.path_style) == ("lupus", "s3cret", "http://s3:9000", True)
    assert stores.access("index").login == "elastic"
    assert stores.history.catalog is not None
    assert webhook_url(stores.get_connection("lupus_chat")) == "http://chat:8065/services/lupus"
    assert not SparkConnections().submits_spark


def test_spark_talks_to_the_metastore_in_its_own_version():
    extra = json.loads(CONNECTIONS["lupus_spark"])["extra"]
    assert extra["spark.sql.hive.metastore.version"] == SERVICES["metastore"]["image"].split(":")[1]
    folders = [extra["spark.sql.hive.metastore.jars.path"], extra["spark.driver.extraClassPath"]]
    copied = re.findall(r"^COPY --from=hive .* (/opt/\S+?)/?$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert {str(Path(folder.removeprefix("file://")).parent) for folder in folders} == set(copied)


def test_every_target_that_is_built_is_in_the_dockerfile():
    targets = set(re.findall(r"^FROM \S+ AS (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    assert {service["build"]["target"] for service in SERVICES.values() if "build" in service} <= targets


def test_airflow_knows_every_setting():
    import airflow

    from lupus_provider.get_provider_info import get_provider_info

    known = yaml.safe_load((Path(airflow.__path__[0]) / "config_templates" / "config.yml").read_text())
    known |= get_provider_info()["config"]
    settings = [name.split("__")[1:] for _, name, _ in environments() if name.startswith("AIRFLOW__")]
    assert settings
    for section, option in settings:
        assert option.lower() in known[section.lower()]["options"], (section, option)


def test_the_bundle_is_ours():
    from lupus_provider.dag_factory.bundle import LupusDagBundle

    (bundle,) = json.loads(SERVICES["dag-processor"]["environment"]["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])
    assert bundle["classpath"] == f"{LupusDagBundle.__module__}.{LupusDagBundle.__name__}"


def test_docker_agrees_where_it_is(tmp_path):
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        return  # nothing to ask; the tests above stand alone
    env_file = tmp_path / "compose.env"
    runpy.run_path(str(ROOT / "scripts" / "compose_env.py"))["main"](env_file)
    command = [
        docker,
        "compose",
        "--env-file",
        str(env_file),
        "-f",
        str(ROOT / "docker-compose.yaml"),
        "config",
        "--quiet",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
