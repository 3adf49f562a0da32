"""Bodies: closed, described, and within bounds."""

from __future__ import annotations

import inspect

import pytest
from pydantic import ValidationError

from lupus_provider import wire

BODIES = [
    cls for _, cls in inspect.getmembers(wire, inspect.isclass) if issubclass(cls, wire.Wire) and cls is not wire.Wire
]


@pytest.mark.parametrize("body", BODIES, ids=lambda cls: cls.__name__)
def test_every_body_has_a_docstring_and_refuses_what_it_does_not_know(body):
    assert (body.__doc__ or "").strip().endswith(".")
    assert body.model_config["extra"] == "forbid"
    with pytest.raises(ValidationError, match="nosuch"):
        body.model_validate({"nosuch": 1})


@pytest.mark.parametrize("body", BODIES, ids=lambda cls: cls.__name__)
def test_every_body_survives_json(body):
    assert body.model_json_schema()["additionalProperties"] is False


@pytest.mark.parametrize(
    "wrong",
    [{"ids": []}, {"ids": ["a"] * 51}, {"ids": ["a"], "max_points": 9}, {"ids": ["a"], "max_points": 20_001}, {"ids": ["a"], "start": 2**62},
     {"ids": ["a"], "end": -(2**62)}],
)  # fmt: skip
def test_a_batch_has_bounds(wrong):
    with pytest.raises(ValidationError):
        wire.BatchRequest.model_validate(wrong)


def test_a_batch_needs_nothing_but_ids():
    body = wire.BatchRequest(ids=["a"] * 50)
    assert (body.start, body.end, body.max_points, body.band) == (None, None, 400, False)


def test_an_error_among_bodies_is_that_of_rfc_9457():
    assert set(wire.Problem.model_fields) == {"type", "title", "status", "detail"}
