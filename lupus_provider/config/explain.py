"""Turns what pydantic found wrong into sentences with a place: file, line, column, key path, nearest known word.

The union tag that pydantic puts into its path is no key of the file, so paths are walked along the file's own nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from lupus_provider.config.dialect import where_of
from lupus_provider.config.models import Project
from lupus_provider.config.processors import METRIC_SETS
from lupus_provider.config.source import REFERENCES
from lupus_provider.detectors import DETECTORS
from lupus_provider.errors import Problem, Where, did_you_mean

Path = tuple[str | int, ...]
_NAME_RULE = "use lower-case letters, digits and underscores, starting with a letter, at most 63 characters"


def problems_of(error: ValidationError, node: yaml.Node, path: str, root: type[BaseModel] = Project) -> list[Problem]:
    """Return one problem for each of pydantic's errors, in the order of the file; `root` is the model of the whole file."""
    problems = [_problem(item, node, path, root) for item in error.errors(include_url=False) if not _is_echo(item)]
    return sorted(set(problems), key=lambda problem: (problem.where.line or 0, problem.where.column or 0))


def locate(node: yaml.Node, keys: Sequence[str | int]) -> tuple[Path, yaml.Node]:
    """Return the longest part of `keys` that the file has, and the node there: a key's node, or a list's item.

    Parts of `keys` that the file does not have (union tags, pydantic's `[key]`) are passed over.
    """
    found: list[str | int] = []
    place = value = node
    for key in keys:
        step = _step(value, key)
        if step is not None:
            place, value = step
            found.append(key)
    return tuple(found), place


def where_is(node: yaml.Node, keys: Sequence[str | int], path: str) -> Where:
    """Return the place of the longest part of `keys` that the file has."""
    return where_of(locate(node, keys)[1], path)


def _step(node: yaml.Node, key: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key], node.value[key]
    if not isinstance(node, yaml.MappingNode):
        return None
    merged: list[yaml.Node] = []
    for name, value in node.value:
        if name.value == str(key):
            return name, value
        if name.tag.endswith(":merge"):
            merged.extend(value.value if isinstance(value, yaml.SequenceNode) else [value])
    return next(filter(None, (_step(part, key) for part in merged)), None)


def _is_echo(item: Mapping[str, Any]) -> bool:
    """Whether pydantic counts only the good items of a list: "too short" after each bad item has its own problem."""
    return item["type"] == "too_short" and len(item["input"]) >= item["ctx"]["min_length"]


def _problem(item: Mapping[str, Any], node: yaml.Node, path: str, root: type[BaseModel]) -> Problem:
    loc: Path = tuple(item["loc"])
    keys, place = locate(node, _without_tags(loc))
    kind, given = item["type"], item["input"]
    where, context = where_of(place, path), item.get("ctx", {})
    if kind == "extra_forbidden":
        return Problem(where, _unknown_key(str(loc[-1]), loc[:-1], keys[:-1], root))
    if kind == "missing":
        return Problem(where, f"key {loc[-1]!r} is missing in {_place(keys)}.")
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        return _no_tag(kind, context, node, keys, path)
    said = _said(kind, given, context, item["msg"], keys)
    return Problem(where, f"{_dotted(keys)}: {said}" + ("" if said.endswith(("?", ".")) else "."))


def _unknown_key(key: str, model: Path, keys: Path, root: type[BaseModel]) -> str:
    """Say what is wrong with a key that the model at pydantic's path does not have."""
    of_metric_set = len(model) == 3 and model[0] == "metric_sets"
    owners = [word for word, kind in METRIC_SETS.items() if of_metric_set and key in kind.model_fields]
    if owners:
        return f"key {key!r} does not go with 'processor: {model[2]}' in {_place(keys)}. It belongs to: {', '.join(owners)}."
    return f"key {key!r} is unknown in {_place(keys)}. {_nearest(key, _fields(model, root))}"


def _no_tag(kind: str, context: Mapping[str, Any], node: yaml.Node, keys: Path, path: str) -> Problem:
    """Say that the key which decides about the other keys is missing or unknown: `processor` or `detector`."""
    key, known = ("processor", METRIC_SETS) if len(keys) == 2 and keys[0] == "metric_sets" else ("detector", DETECTORS)
    where = where_is(node, (*keys, key), path)
    if kind == "union_tag_not_found":
        return Problem(where, f"key {key!r} is missing in {_place(keys)}. Known: {', '.join(known)}.")
    return Problem(
        where, f"{key} {context['tag']!r} is unknown in {_place(keys)}. {_nearest(context['tag'], list(known))}"
    )


def _without_tags(loc: Path) -> Path:
    """Leave out pydantic's union tags that may also be keys of the file: the processor's and the reference's."""
    kept = [
        part
        for number, part in enumerate(loc)
        if not (number == 2 and loc[0] == "metric_sets" and part in METRIC_SETS)
        and not (number == 4 and loc[3] == "reference" and part in REFERENCES)
    ]
    return tuple(kept)


def _nearest(word: str, known: Sequence[str]) -> str:
    return did_you_mean(word, known).strip() or f"Known: {', '.join(sorted(known))}."


def _said(kind: str, given: Any, context: Mapping[str, Any], message: str, keys: Path) -> str:
    if kind == "value_error":
        return str(context["error"])
    if kind in {"literal_error", "enum"}:
        known = [word.strip().strip("'") for word in context["expected"].replace(" or ", ",").split(",")]
        return f"{given!r} is not known here. {_nearest(str(given), known)}"
    if kind == "string_pattern_mismatch":
        return f"{given!r} cannot be a name: {_NAME_RULE}"
    if kind == "string_type" and isinstance(given, int | float):
        return f"text is needed, {given!r} is none. Put it in quotes"
    if kind in {"model_type", "model_attributes_type", "mapping_type", "dict_type"}:
        return f"keys and values are needed here, found {_shape(given)}" + (
            "" if keys else ". Start with 'project: <name>'"
        )
    return f"{message[:1].lower()}{message[1:]}, found {_shape(given)}"


def _shape(given: Any) -> str:
    if given is None:
        return "nothing"
    if isinstance(given, Mapping):
        return f"keys {', '.join(map(str, list(given)[:5]))}"
    text = "a list" if isinstance(given, list | tuple) else repr(given)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _dotted(keys: Path) -> str:
    return ".".join(map(str, keys)) or "the file"


def _place(keys: Path) -> str:
    """Name a mapping of the file as people call it."""
    match keys:
        case ():
            return "the project"
        case ("metric_sets", name):
            return f"metric set {name}"
        case ("metric_sets", name, "detect", int(index)):
            return f"detect rule {index + 1} of metric set {name}"
        case (int(index),) | ("detect", int(index)):
            return f"detect rule {index + 1}"
        case ("metric_sets", name, *rest):
            return f"{_dotted(tuple(rest))} of metric set {name}"
        case _:
            return _dotted(keys)


def _fields(loc: Path, root: type[BaseModel]) -> list[str]:
    """Return the keys that the model at pydantic's path knows."""
    current: Any = root
    for key in loc:
        current = _inner(current, key)
    return sorted({name for model in _models(current) for name in model.model_fields})


def _inner(kind: Any, key: str | int) -> Any:
    """Return the type behind one part of pydantic's path; a union tag picks the detector."""
    tagged = [shelf.get(key) for shelf in (DETECTORS, METRIC_SETS, REFERENCES)] if isinstance(key, str) else []
    options = list(_options(kind))
    picked = [option for option in options if option in tagged]
    if picked:  # before any key of that name: s_h_esd has a key `threshold`
        return picked[0]
    for option in options:
        if isinstance(option, type) and issubclass(option, BaseModel):
            if key in option.model_fields:
                return option.model_fields[key].annotation
        elif get_origin(option) is tuple and isinstance(key, int):
            return get_args(option)[0]
        elif get_args(option) and get_origin(option) is not Literal:
            return get_args(option)[-1]
    return None


def _options(kind: Any) -> Iterator[Any]:
    if get_origin(kind) is Annotated:
        yield from _options(get_args(kind)[0])
    elif get_origin(kind) in {Union, UnionType}:
        for option in get_args(kind):
            yield from _options(option)
    else:
        yield kind


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    return (option for option in _options(kind) if isinstance(option, type) and issubclass(option, BaseModel))
