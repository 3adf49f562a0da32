"""The YAML that project files speak: safe, small, and without YAML 1.1's surprises.

`no`, `off`, `12:30`, `010` and `2013-01-01` stay text, so a column may be called `no` and a date is checked by its field, with its
place in the file. Anchors and aliases work; what they expand to is bounded. Writing speaks the same dialect (config → YAML → config).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import yaml

from lupus_provider.errors import Problem, Where

BYTES_MAX = 1_000_000
NODES_MAX = 100_000
DEPTH_MAX = 50
_TAG = "tag:yaml.org,2002:"
_TAGS = frozenset(_TAG + name for name in ("map", "seq", "str", "int", "float", "bool", "null", "merge"))

_RESOLVERS: Mapping[str, list[tuple[str, re.Pattern[str]]]] = {
    **{c: [(f"{_TAG}bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"))] for c in "tTfF"},
    **{c: [(f"{_TAG}null", re.compile(r"^(?:~|null|Null|NULL|)$"))] for c in ("", "~", "n", "N")},
    **{
        c: [
            (f"{_TAG}int", re.compile(r"^[-+]?(?:0|[1-9][0-9]{0,17})$")),
            (f"{_TAG}float", re.compile(r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$")),
        ]
        for c in "-+.0123456789"
    },
    "<": [(f"{_TAG}merge", re.compile(r"^<<$"))],
}


class _Loader(yaml.CSafeLoader):
    yaml_implicit_resolvers: ClassVar[Any] = dict(_RESOLVERS)


class _Dumper(yaml.CSafeDumper):
    yaml_implicit_resolvers: ClassVar[Any] = dict(_RESOLVERS)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  (anchors made by a machine help nobody)
        return True


def dump_yaml(value: Any) -> str:
    """Write plain values so that `parse_yaml` reads the same values."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def parse_yaml(raw: bytes, path: str) -> tuple[yaml.Node | None, Any, list[Problem]]:
    """Read one YAML document.

    Parameters
    ----------
    raw
        UTF-8, with or without a byte-order mark.
    path
        Name of the file in problems.

    Returns
    -------
    tuple
        The node tree with positions, the plain value, and what is wrong; node and value count only where nothing is wrong.
    """
    if len(raw) > BYTES_MAX:
        return (
            None,
            None,
            [Problem(Where(path), f"the file has {len(raw):,} bytes, more than {BYTES_MAX:,}. Split the project.")],
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        before = raw[: err.start].decode("utf-8", "replace")
        where = Where(path, before.count("\n") + 1, err.start - (raw.rfind(b"\n", 0, err.start) + 1) + 1)
        return None, None, [Problem(where, "the file is not UTF-8 text. Save it as UTF-8.")]
    try:
        return _compose(text, path)
    except yaml.MarkedYAMLError as err:
        return None, None, [_marked(err, path)]
    except yaml.reader.ReaderError as err:
        before = text[: err.position]
        where = Where(path, before.count("\n") + 1, err.position - (before.rfind("\n") + 1) + 1)
        return (
            None,
            None,
            [Problem(where, f"character {err.character!r} cannot be in YAML. Remove it, or write it as an escape.")],
        )


def _compose(text: str, path: str) -> tuple[yaml.Node | None, Any, list[Problem]]:
    too_deep = _first_too_deep(text)
    if too_deep is not None:
        return (
            None,
            None,
            [Problem(Where(path, *too_deep), f"more than {DEPTH_MAX} levels of nesting. A project file needs eight.")],
        )
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, None, [Problem(Where(path, 1, 1), "the file is empty. Start with 'project: <name>'.")]
        problems = [*_shape_problems(node, path)]
        return node, None if problems else loader.construct_document(node), problems
    except ValueError as err:  # an explicit tag on text that is not of its kind: !!int abc
        return None, None, [Problem(Where(path), f"the file cannot be read: {err}.")]
    finally:
        loader.dispose()


def _first_too_deep(text: str) -> tuple[int, int] | None:
    """Find nesting that would overflow the C stack of the composer; events are read in a loop, not by recursion."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH_MAX:
                mark = event.start_mark
                return (mark.line + 1, mark.column + 1) if mark else (1, 1)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None


def where_of(node: yaml.Node, path: str) -> Where:
    """Return the place where a node starts."""
    return Where(path, node.start_mark.line + 1, node.start_mark.column + 1)


def _marked(err: yaml.MarkedYAMLError, path: str) -> Problem:
    mark = err.problem_mark or err.context_mark
    where = Where(path, mark.line + 1, mark.column + 1) if mark else Where(path)
    said = ", ".join(part for part in (err.context, err.problem) if part)
    since = f" (begun in line {err.context_mark.line + 1})" if err.context_mark and err.problem_mark else ""
    return Problem(where, f"not YAML: {said}{since}.")


def _shape_problems(root: yaml.Node, path: str) -> list[Problem]:
    """Find doubled keys, foreign tags, anchors that hold themselves, and more nodes than a file may expand to."""
    problems: list[Problem] = []
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: yaml.Node) -> int:
        if id(node) in open_nodes:
            problems.append(Problem(where_of(node, path), "an anchor holds itself. Remove the alias inside it."))
            return 1
        if id(node) in sizes:
            return sizes[id(node)]
        open_nodes.add(id(node))
        if node.tag not in _TAGS:
            problems.append(
                Problem(where_of(node, path), f"tag {node.tag!r} has no meaning in a project file. Remove it.")
            )
        children = _children(node)
        if isinstance(node, yaml.MappingNode):
            problems.extend(_doubled_keys(node, path))
        sizes[id(node)] = 1 + sum(map(size, children))
        open_nodes.discard(id(node))
        return sizes[id(node)]

    total = size(root)
    if total > NODES_MAX:
        problems.append(
            Problem(Where(path), f"aliases expand to {total:,} values, more than {NODES_MAX:,}. Use fewer aliases.")
        )
    return problems


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _doubled_keys(node: yaml.MappingNode, path: str) -> list[Problem]:
    seen: dict[str, yaml.Node] = {}
    problems = []
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag == f"{_TAG}merge":
            continue
        if key.value in seen:
            first = seen[key.value].start_mark.line + 1
            problems.append(
                Problem(
                    where_of(key, path), f"key {key.value!r} is here twice; the first is in line {first}. Remove one."
                )
            )
        seen.setdefault(key.value, key)
    return problems
