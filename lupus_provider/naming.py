"""Ids, file names and Airflow names: the one place that spells them.

A name that two rooms spell differently is two names, so every path, DAG id and series id is made here (tests/unit/test_naming.py).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NewType

import numpy as np

from lupus_provider.errors import BadNameError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

SeriesId = NewType("SeriesId", str)

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,62}$"
_NAME = re.compile(NAME_PATTERN)
_BASE32 = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", np.uint8)
# Digits come before letters as text and after them in base32, so characters sort as (code + 6) mod 32. All codes of a hash are
# shifted at once: the bits below each code's highest are added up without a carry, the highest is flipped by what comes over.
_BELOW, _SHIFT = np.uint64(int("01111" * 12 + "0111", 2)), np.uint64(int("00110" * 12 + "0011", 2))
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
    return "".join(["-" if part is None else f"{len(part.encode('utf-8', 'surrogatepass'))}:{part}" for part in parts])


def group_text(group_key: Mapping[str, str | None]) -> str:
    """Identity text of a group, keys sorted."""
    return identity_text(*(part for pair in sorted(group_key.items()) for part in pair))


@dataclass(frozen=True, slots=True)
class Hashes:
    """Hashes of 65 bits, many at once; `^` puts the parts of series ids together.

    Attributes
    ----------
    high
        The first 64 bits; shape (n,), uint64.
    low
        The last bit; shape (n,), uint8.
    """

    high: NDArray[np.uint64]
    low: NDArray[np.uint8]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Hashes:
        """Hash texts: the first 65 bits of SHA-256 of each in UTF-8."""
        sha256 = hashlib.sha256  # looked up once: there may be millions
        digests = b"".join([sha256(text.encode("utf-8", "surrogatepass")).digest()[:9] for text in texts])
        found = np.frombuffer(digests, [("high", ">u8"), ("low", "u1")])
        return cls(found["high"].astype(np.uint64), (found["low"] >> 7).astype(np.uint8))

    @classmethod
    def joined(cls, parts: Sequence[Hashes]) -> Hashes:
        """Put hashes below one another; at least one part."""
        return cls(np.concatenate([part.high for part in parts]), np.concatenate([part.low for part in parts]))

    def __getitem__(self, index: NDArray[np.integer]) -> Hashes:
        """Return the hashes at `index`."""
        return Hashes(self.high[index], self.low[index])

    def __xor__(self, other: Hashes) -> Hashes:
        """Combine with as many hashes, or with one."""
        return Hashes(self.high ^ other.high, self.low ^ other.low)

    def order(self, first: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the indices that sort by `first` (n,), 0 or above, then by series id as text."""
        rank = ((self.high & _BELOW) + _SHIFT) ^ (self.high & ~_BELOW)
        found = np.argsort(rank)
        first = first.astype(np.uint16) if len(first) and first.max() < 2**16 else first  # short integers sort faster
        found = found[np.argsort(first[found], kind="stable")]
        rank, first = rank[found], first[found]
        same = (rank[1:] == rank[:-1]) & (first[1:] == first[:-1])
        return found[np.lexsort((self.low[found], rank, first))] if same.any() else found

    def letters(self) -> NDArray[np.uint8]:
        """Return the hashes as series ids: the thirteen base32 characters of each in ASCII; shape (n, 13)."""
        found = np.empty((len(self.high), 13), np.uint8)
        for i in range(12):
            found[:, i] = _BASE32[(self.high >> np.uint64(59 - 5 * i)).astype(np.uint8) & 31]
        found[:, 12] = _BASE32[((self.high.astype(np.uint8) & 15) << 1) | self.low]
        return found


def head_hash(project: str, metric_set: str, column_name: str, metric: str) -> Hashes:
    """Part of a series id that all entities and groups of a metric share; one hash."""
    return Hashes.of([identity_text("head", project, metric_set, column_name, metric)])


def entity_hashes(entities: Iterable[str | None]) -> Hashes:
    """Part of a series id that says what it is about; None: no entity."""
    return Hashes.of(identity_text("entity", entity) for entity in entities)


def group_hashes(group_keys: Iterable[Mapping[str, str | None]]) -> Hashes:
    """Part of a series id that says of which group; an empty key: the whole."""
    return Hashes.of(identity_text("group") + group_text(key) for key in group_keys)


def series_id(
    project: str,
    metric_set: str,
    column_name: str,
    metric: str,
    entity: str | None = None,
    group_key: Mapping[str, str | None] | None = None,
) -> SeriesId:
    """Thirteen base32 characters that identify one line in a chart: the same in every run, machine, engine and release.

    The id is 65 bits in base32 (RFC 4648, lower case): the first 65 bits of three SHA-256, XORed. They are taken of the
    identity texts of ("head", project, metric set, column, metric), ("entity", entity) and ("group", key, value, key, value…)
    with keys sorted, in UTF-8. So any engine can compute an id, and many series cost one hash for each distinct head, entity
    and group, not one for each series.

    The XOR is as good as one hash of everything. Texts of different parts never coincide, as their first words differ, so all
    hashes are independent and uniform. Two series differ in at least one part; there their hashes are two independent draws,
    so the XOR of the two ids is uniform too, and zero with a chance of 2^-65 whatever the other parts are. A collision among
    a million series then has a chance of at most 1e12 / 2^66, about 1e-8. The id names series, it guards no secret.

    Examples
    --------
    >>> a = series_id("p", "m", "age", "avg", None, {"a": "1", "b": "2"})
    >>> a == series_id("p", "m", "age", "avg", None, {"b": "2", "a": "1"}), len(a)
    (True, 13)
    """
    head = head_hash(project, metric_set, column_name, metric)
    letters = (head ^ entity_hashes([entity]) ^ group_hashes([group_key or {}])).letters()
    return SeriesId(letters.tobytes().decode("ascii"))


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
