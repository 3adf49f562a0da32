from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from lupus_provider.config import json_schema
from lupus_provider.config.dialect import parse_yaml
from lupus_provider.detectors import DETECTORS

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "include" / "lupus.schema.json").read_text())


def test_the_committed_schema_is_the_models_schema():
    assert json_schema() == SCHEMA, "run: lupus schema > include/lupus.schema.json"


def test_the_schema_takes_our_project_files_and_refuses_an_unknown_key():
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for path in (ROOT / "include" / "projects").glob("*.yaml"):
        value = json.loads(json.dumps(parse_yaml(path.read_bytes(), path.name)[1], default=str))
        assert list(validator.iter_errors(value)) == []
        assert list(validator.iter_errors({**value, "foo": 1}))


def test_every_detector_is_in_the_schema():
    tags = SCHEMA["properties"] and json.dumps(SCHEMA)
    assert [name for name in DETECTORS if f'"const": "{name}"' not in tags] == []
