"""Tries an Elasticsearch as index: its release, clock, mappings, and whether its user may write."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lupus_provider.stores.objects.errors import StorageRefusedError

if TYPE_CHECKING:
    from lupus_provider.stores.index.elastic.access import ElasticAccess
    from lupus_provider.stores.index.elastic.door import Door
    from lupus_provider.stores.index.elastic.names import Names

_SPEAKS = "compatible-with"  # what an older server does not understand in a client's request


def try_elastic(url: str, access: ElasticAccess | None) -> str:
    """Use an index, and say what was done; see `trying.try_store`."""
    from lupus_provider.stores.index.elastic import ElasticIndex
    from lupus_provider.stores.index.elastic.door import Door
    from lupus_provider.stores.index.elastic.names import Names

    door = Door(url, access)
    try:
        release = _release(door)
        _check_clock(door)
    finally:
        door.close()
    index = ElasticIndex(url, access)  # makes what is missing
    try:
        names = Names(index.door.place.prefix)
        _check_mappings(index.door, names)
        _write(index.door, names)
    finally:
        index.close()
    return f"{index.url} answers (Elasticsearch {release}); its indices are there, a document was written, read and deleted"


def _release(door: Door) -> str:
    """Return the server's release, which must not be older than the client's: that one would not be understood."""
    from importlib.metadata import version

    from lupus_provider.stores.index.elastic.errors import ElasticRefusedError

    client = version("elasticsearch")
    wanted = client.partition(".")[0]
    hint = (
        f"Use Elasticsearch {wanted} or newer, or install the client of the server's release: elasticsearch<{wanted}."
    )
    try:
        found = str(door.ask(lambda c: c.info())["version"]["number"])
    except ElasticRefusedError as err:
        if _SPEAKS in str(err):
            raise StorageRefusedError(str(door.place), f"it is older than the client {client}", hint) from err
        raise
    if int(found.partition(".")[0]) < int(wanted):
        raise StorageRefusedError(str(door.place), f"it is {found}, and the client {client}", hint)
    return found


def _check_clock(door: Door) -> None:
    """Compare clocks, where the user may ask for the nodes' figures."""
    from lupus_provider.hooks.trying import check_clock

    answer = door.ask(lambda c: c.nodes.stats(metric="os"), accept=(401, 403))
    nodes: dict[str, Any] = {} if isinstance(answer, int) else answer["nodes"]
    for node in nodes.values():
        check_clock(f"{door.place} node {node['name']}", datetime.fromtimestamp(node["timestamp"] / 1000, UTC))


def _check_mappings(door: Door, names: Names) -> None:
    """Compare the fields' types with those that records have."""
    from lupus_provider.stores.index.elastic.mappings import body
    from lupus_provider.stores.index.elastic.names import ROOMS

    for room in ROOMS:
        wanted = body(room)["mappings"]["properties"]
        for name, about in door.ask(lambda c, room=room: c.indices.get_mapping(index=names[room])).items():
            found = about["mappings"].get("properties", {})
            wrong = [field for field in wanted if _type(found.get(field)) != _type(wanted[field])]
            if wrong:
                reason = f"index {name} has fields of other types or none: {', '.join(sorted(wrong))}"
                raise StorageRefusedError(str(door.place), reason, "Write it anew: lupus rebuild-index PROJECT.")


def _type(field: dict[str, Any] | None) -> str | None:
    return None if field is None else field.get("type", "object")


def _write(door: Door, names: Names) -> None:
    """Write, read and delete a document that says nothing."""
    from lupus_provider.stores.index.elastic.names import STATE

    target: dict[str, Any] = {"index": names[STATE], "id": f"probe|{uuid.uuid4().hex}"}
    document = {"owner": "doctor", "generation": 0, "beat": 0, "held": False}
    door.ask(lambda c: c.index(**target, document=document, require_alias=True))
    try:
        door.ask(lambda c: c.get(**target))
    finally:
        door.ask(lambda c: c.delete(**target), accept=(404,))
