"""The app as it is made: what it costs, and that the page's description of it is true."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

MAKER = "lupus_provider/ui/scripts/make_openapi.py"


def test_making_the_app_opens_nothing_and_reads_nothing(tmp_path):
    code = """
import sys
def audit(event, args):
    if event == "open" and isinstance(args[0], str) and args[0].endswith((".db", ".yaml", ".parquet")):
        opened.append(args[0])
    if event in ("sqlite3.connect", "socket.connect"):
        opened.append(str(args))
import lupus_provider.server.app as module
opened = []
sys.addaudithook(audit)
module.create_app()
print(opened, [name for name in ("duckdb", "pandas", "pyspark", "prophet") if name in sys.modules])
"""
    env = {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__UNIT_TEST_MODE": "True", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[] []"


@pytest.fixture(scope="module")
def committed(root):
    return json.loads((root / "lupus_provider/ui/openapi.json").read_text(encoding="utf-8"))


def routes(app):
    return [route for route in app.routes if isinstance(route, APIRoute) and not route.path.endswith(".csv")]


def test_the_committed_description_is_what_its_maker_makes(root):
    done = subprocess.run([sys.executable, MAKER, "--check"], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run python {MAKER}, and npm run types in lupus_provider/ui"


def test_the_description_names_the_routes_that_there_are(committed, lupus_app):
    real = {(route.path.removeprefix("/api/v1"), verb.lower()) for route in routes(lupus_app) for verb in route.methods}
    assert {(path, verb) for path, verbs in committed["paths"].items() for verb in verbs} == real


def test_the_description_says_of_every_body_what_the_server_does(committed, lupus_app):
    real = get_openapi(title="", version="", routes=lupus_app.routes)
    schemas = real["components"]["schemas"]

    def body(operation, *keys):
        for key in keys:
            operation = operation.get(key, {})
        return operation.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref")

    for path, verbs in committed["paths"].items():
        for verb, said in verbs.items():
            does = real["paths"]["/api/v1" + path][verb]
            assert body(said, "responses", "200") == body(does, "responses", "200"), path
            assert body(said, "requestBody") == body(does, "requestBody"), path
    for name, schema in committed["components"]["schemas"].items():
        if name in schemas:
            assert set(schema.get("properties", {})) == set(schemas[name].get("properties", {})), name
