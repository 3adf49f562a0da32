"""Write openapi.json of the HTTP API from the bodies in lupus_provider/wire.py.

The page's TypeScript types are generated from it, so a body that changes breaks the type check and not the page.
`--check` writes nothing and exits 1 if the committed file is old.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pydantic.json_schema import models_json_schema

from lupus_provider import wire

TARGET = Path(__file__).resolve().parent.parent / "openapi.json"
ROUTES: list[tuple[str, str, type[wire.Wire] | None, type[wire.Wire]]] = [
    ("get", "/me", None, wire.Me),
    ("get", "/catalog/search", None, wire.CatalogPage),
    ("post", "/series/batch", wire.BatchRequest, wire.BatchResponse),
    ("get", "/series/{series_id}", None, wire.SeriesDetail),
    ("get", "/anomalies", None, wire.AnomalyPage),
    ("post", "/projects/{project}/metric_sets/{metric_set}/points", wire.PushRequest, wire.PushResponse),
]


def _content(model: type[wire.Wire]) -> dict[str, object]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}}


def _operation(body: type[wire.Wire] | None, answer: type[wire.Wire]) -> dict[str, object]:
    responses = {"200": {"description": "OK", **_content(answer)}, "default": {"description": "Problem", **_content(wire.Problem)}}
    return {"responses": responses} | ({"requestBody": _content(body)} if body else {})


def document() -> dict[str, object]:
    """Return the OpenAPI document: bodies as the server reads them, answers as it writes them."""
    paths: dict[str, dict[str, object]] = {}
    models: list[tuple[type[wire.Wire], str]] = [(wire.Problem, "serialization")]
    for method, path, body, answer in ROUTES:
        paths.setdefault(path, {})[method] = _operation(body, answer)
        models += [(body, "validation")] if body else []
        models.append((answer, "serialization"))
    _, schema = models_json_schema(models, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lupus", "version": "1"},
        "paths": paths,
        "components": {"schemas": schema["$defs"]},
    }


def main() -> int:
    """Write the file, or compare it."""
    text = json.dumps(document(), indent=1, ensure_ascii=False) + "\n"
    if "--check" in sys.argv:
        return int(TARGET.read_text(encoding="utf-8") != text)
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
