"""Reads detectors that stand alone, in a file or on a command line, by the models and with the errors of project files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError

from lupus_provider.config.dialect import dump_yaml, parse_yaml
from lupus_provider.config.explain import problems_of
from lupus_provider.config.metric_set import AnyDetector
from lupus_provider.config.parts import Model
from lupus_provider.errors import ProjectFileError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from lupus_provider.detectors import Detector


class _DetectorFile(Model):
    detect: Annotated[tuple[AnyDetector, ...], Field(min_length=1)]


def load_detectors(path: str | os.PathLike[str]) -> tuple[Detector, ...]:
    """Read a YAML file of detectors: a list, or a mapping whose `detect` is one, as in a metric set.

    Raises
    ------
    ProjectFileError
        With all problems of the file, each with line, column and key.
    FileNotFoundError
        If the file is not there.
    """
    return _parse(Path(path).read_bytes(), str(path))


def make_detector(name: str, parameters: Mapping[str, Any]) -> Detector:
    """Return a detector of the shelf with parameters from a command line.

    Raises
    ------
    ProjectFileError
        With all that is wrong with them.
    """
    text = dump_yaml([{"detector": name, **parameters}])
    return _parse(text.encode(), f"detector {name}")[0]


def _parse(raw: bytes, name: str) -> tuple[Detector, ...]:
    node, value, problems = parse_yaml(raw, name)
    if problems or node is None:
        raise ProjectFileError(problems)
    try:
        return _DetectorFile.model_validate({"detect": value} if isinstance(value, list) else value).detect
    except ValidationError as err:
        raise ProjectFileError(problems_of(err, node, name, _DetectorFile)) from None
