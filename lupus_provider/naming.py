"""Ids, file names and Airflow names: the one place that spells them.

A name that two rooms spell differently is two names, so every path, DAG id and series id is made here (tests/unit/test_naming.py).
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NewType

import numpy as np

from lupus_provider.errors import BadNameError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

SeriesId = NewType("SeriesId", str)

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,62}$"
_NAME = re.compile(NAME_PATTERN)
_BASE32 = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", "S1")
_PERIOD_FILE = "%Y%m%dT%H%M%SZ"


def check_name(name: str, what: str) -> str:
    """Return `name` if it can be a project or metric set: it becomes a folder, a DAG id and a Hive partition value.

    Raises
    ------
    BadNameError
        If it is not lower-case letters, digits and underscores, starting with a letter, at most 63 characters.

    Examples
    --------
    >>> check_name("user_features", "metric set")
    'user_features'
    """
    if not _NAME.fullmatch(name):  # not `match`: there `$` would let a final newline pass
        raise BadNameError(name, what)
    return name


def identity_text(*parts: str | None) -> str:
    """Unambiguous text of an identity: every part with its length in bytes, None as `-`.

    Not JSON: escaping differs between engines, lengths do not.

    Examples
    --------
    >>> identity_text("age", None, "é")
    '3:age-2:é'
    """
    return "".join("-" if part is None else f"{len(part.encode('utf-8', 'surrogatepass'))}:{part}" for part in parts)


def group_text(group_key: Mapping[str, str | None]) -> str:
    """Identity text of a group, keys sorted."""
    return identity_text(*(part for pair in sorted(group_key.items()) for part in pair))


def series_ids(identities: Sequence[str]) -> NDArray[np.object_]:
    """Ids of many identities (made by `identity_text`); shape (n,), strings.

    The first 65 bits of SHA-256 as thirteen base32 characters: any engine can compute it, and a collision among a million
    series has a chance of about 1e-8.
    """
    if not len(identities):
        return np.empty(0, dtype=object)
    sha256 = hashlib.sha256  # looked up once: there may be millions
    digests = b"".join([sha256(text.encode("utf-8", "surrogatepass")).digest()[:9] for text in identities])
    bits = np.unpackbits(np.frombuffer(digests, np.uint8).reshape(len(identities), 9), axis=1)[:, :65]
    codes = bits.reshape(-1, 13, 5) @ np.array([16, 8, 4, 2, 1], np.uint8)
    return _BASE32[codes].view("S13").ravel().astype("U13").astype(object)


def series_id(
    project: str,
    metric_set: str,
    column_name: str,
    metric: str,
    entity: str | None = None,
    group_key: Mapping[str, str | None] | None = None,
) -> SeriesId:
    """Thirteen base32 characters that identify one line in a chart: the same in every run, machine, engine and release.

    Examples
    --------
    >>> a = series_id("p", "m", "age", "avg", None, {"a": "1", "b": "2"})
    >>> a == series_id("p", "m", "age", "avg", None, {"b": "2", "a": "1"}), len(a)
    (True, 13)
    """
    head = identity_text(project, metric_set, column_name, metric, entity)
    return SeriesId(str(series_ids([head + group_text(group_key or {})])[0]))


def dag_id(project: str, metric_set: str) -> str:
    """DAG id of a metric set, `lupus.<project>.<metric_set>`."""
    return f"lupus.{project}.{metric_set}"


def split_dag_id(name: str) -> tuple[str, str] | None:
    """(project, metric set) of a Lupus DAG id, None for anybody else's DAG."""
    parts = name.split(".")
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == "lupus" else None


def metric_set_path(project: str, metric_set: str) -> str:
    """Folder of a metric set below a kind: `project=P/metric_set=M`."""
    return f"project={project}/metric_set={metric_set}"


def day_path(project: str, metric_set: str, dt: date) -> str:
    """Folder of a day below a kind: `project=P/metric_set=M/dt=YYYY-MM-DD`; `dt` is the UTC date of `period_start`."""
    return f"{metric_set_path(project, metric_set)}/dt={dt.isoformat()}"


def period_file(period_start: datetime) -> str:
    """File name of one period on the stage, from its start in UTC: `20130209T050000Z.parquet`."""
    return f"{period_start.astimezone(UTC).strftime(_PERIOD_FILE)}.parquet"


def period_of_file(name: str) -> datetime:
    """Start of the period that a staged file's name says, in UTC."""
    return datetime.strptime(name.removesuffix(".parquet"), _PERIOD_FILE).replace(tzinfo=UTC)


def group_label(group_key: Mapping[str, str | None] | None) -> str:
    """Human form of a group, `origin=EWR, carrier=UA`; empty for the whole; a null group value shows as `null`."""
    return ", ".join(f"{key}={'null' if value is None else value}" for key, value in sorted((group_key or {}).items()))


def series_name(column_name: str, metric: str, entity: str | None, group_key: Mapping[str, str | None] | None) -> str:
    """Human form of a series inside its metric set.

    Examples
    --------
    >>> series_name("dep_delay", "null_ratio", None, {"origin": "EWR"})
    'dep_delay null_ratio [origin=EWR]'
    >>> series_name("", "row_count", None, {})
    'row_count'
    """
    head = f"{column_name} {metric}".strip()
    if entity is not None:
        head += f" {entity}"
    label = group_label(group_key)
    return f"{head} [{label}]" if label else head
