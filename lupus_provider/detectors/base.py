"""What a detector is given and what it answers: a panel of series in, a judgement of the same shape out.

All series of a metric set are judged at once, in arrays, because a Python loop over series costs more than the statistics.
The laws that every detector keeps are in `lupus_provider.testing.detectors`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from lupus_provider.registry import Registry

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Strings = NDArray[np.object_]


class Outcome(IntEnum):
    """What a detector found out about one point; every judged point has exactly one."""

    NORMAL = 0
    ANOMALY = 1
    TOO_SHORT = 2
    """Not enough history to judge; never the same as NORMAL."""
    NO_DATA = 3
    """There was no value to judge."""
    EXCUSED = 4
    """Strange, but planned or labelled: a campaign, an outage that is known."""
    FAILED = 5
    """The detector broke before it could judge; the log of the detect task says why."""

    @property
    def word(self) -> str:
        """How records and stores spell it."""
        return self.name.lower()


class Severity(StrEnum):
    """How loud an anomaly is told."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Place in the order from quiet to loud."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """What a detector may know of a series beside its values."""

    series_id: str
    column_name: str
    metric: str
    entity: str | None = None
    group_key: Mapping[str, str | None] = field(default_factory=dict)
    lower_bound: float = -np.inf
    """Smallest value that the metric can have by definition: 0 for counts and ratios."""
    upper_bound: float = np.inf
    """Largest value by definition: 1 for ratios."""
    is_count: bool = False
    """True for counts of rows or values: their noise has a Poisson floor."""


@dataclass(frozen=True, slots=True)
class Panel:
    """All series of a metric set over one gap-free axis of periods, oldest first.

    `n` series by `t` periods. The axis has every period between its ends, also those for which nothing is stored.
    """

    series: Sequence[SeriesInfo]
    period: Literal["hour", "day", "week", "month"]
    period_start: NDArray[np.datetime64]
    """Shape (t,), UTC, `datetime64[us]`."""
    local_start: NDArray[np.datetime64]
    """Shape (t,), wall clock of the project's zone without a zone, `datetime64[us]`: weekday, hour and holiday come from it."""
    value: Floats
    """Shape (n, t); NaN where there is no value: no point stored, or measured and undefined."""
    present: Bools
    """Shape (n, t); True where a point is stored, also when its value is undefined."""
    n_rows: Floats
    """Shape (n, t); rows behind the value, NaN where unknown."""
    failed: Bools
    """Shape (n, t); True where the point carries an error instead of a value."""
    beside: Panel | None = None
    """All series of the metric set over the same axis, where this panel is a selection of them: for detectors that compare series."""
    excluded: Bools | None = None
    """Shape (n, t); True where something is planned or labelled: what is strange there is excused, nothing is learnt. None = nowhere."""
    split: Bools | None = None
    """Shape (n, t); True on the first period of a new life, such as a new model version or a labelled new normal: what was usual
    before says nothing of the level from there on. None = nowhere."""

    def __len__(self) -> int:
        return len(self.series)

    @property
    def observed(self) -> Floats:
        """Shape (n, t); the finite values of points that carry no error, NaN elsewhere."""
        return np.where(self.present & ~self.failed & np.isfinite(self.value), self.value, np.nan)

    @property
    def is_excluded(self) -> Bools:
        """Shape (n, t); where values are excused and not learnt."""
        return np.zeros(self.value.shape, bool) if self.excluded is None else self.excluded

    @property
    def is_split(self) -> Bools:
        """Shape (n, t); where a new life begins."""
        return np.zeros(self.value.shape, bool) if self.split is None else self.split

    def select(self, rows: NDArray[np.intp]) -> Panel:
        """Return the same axis with only these series."""
        return Panel(
            [self.series[i] for i in rows], self.period, self.period_start, self.local_start,
            self.value[rows], self.present[rows], self.n_rows[rows], self.failed[rows],
            self if self.beside is None else self.beside,
            None if self.excluded is None else self.excluded[rows],
            None if self.split is None else self.split[rows],
        )  # fmt: skip

    def before(self, stop: int) -> Panel:
        """Return the same series, only the periods before index `stop`: what was known then."""
        return Panel(
            self.series, self.period, self.period_start[:stop], self.local_start[:stop],
            self.value[:, :stop], self.present[:, :stop], self.n_rows[:, :stop], self.failed[:, :stop],
            None if self.beside is None else self.beside.before(stop),
            None if self.excluded is None else self.excluded[:, :stop],
            None if self.split is None else self.split[:, :stop],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a detector says of the judged periods; all arrays have shape (n, judged periods)."""

    outcome: NDArray[np.int8]
    """Values of `Outcome`."""
    expected: Floats
    """Forecast for the point, in the metric's unit; NaN where the detector has none."""
    lower: Floats
    """Lower edge of what would not be flagged; NaN or -inf where there is none."""
    upper: Floats
    """Upper edge of what would not be flagged; NaN or +inf where there is none."""
    score: Floats
    """Two-sided probability of a value this strange if nothing is wrong, 0…1; NaN where the detector gives none."""
    kind: Strings
    """Kind of anomaly (`spike dip level_shift trend missing threshold drift stale …`); empty where there is none."""

    @classmethod
    def empty(cls, n: int, t: int, outcome: Outcome = Outcome.NORMAL) -> Judgement:
        """Return a judgement of that shape with one outcome everywhere and nothing expected."""
        nan = np.full((n, t), np.nan)
        return cls(
            np.full((n, t), int(outcome), np.int8), nan, nan.copy(), nan.copy(), nan.copy(),
            np.full((n, t), "", dtype=object),
        )  # fmt: skip


class Detector(BaseModel):
    """Base of all detectors: the parameters are the fields, so YAML schema, form, documentation and hash are one definition."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    selection_fields: ClassVar[frozenset[str]] = frozenset({"metrics", "columns", "groups", "entities", "severity"})
    scope: ClassVar[Literal["series", "group"]] = "series"
    """What a verdict may depend on: the series alone, or all series of its group; whoever splits a panel keeps that together."""
    late_fields: ClassVar[frozenset[str]] = frozenset()
    """Parameters younger than the detector: not in the key while they have their default, so that it stays the same detector."""

    detector: str
    metrics: Annotated[tuple[str, ...], Field(min_length=1)] = ("*",)
    """Metrics to judge: names or globs such as `p*`."""
    columns: Annotated[tuple[str, ...], Field(min_length=1)] = ("*",)
    """Columns to judge: names or globs; table-level metrics have the empty column name and match `*`."""
    groups: tuple[str, ...] = ("*",)
    """Group columns to judge: `origin` = series grouped by origin alone; `origin,carrier` = by both; empty text = the whole; `*` = all."""
    entities: tuple[str, ...] = ("*",)
    """Entities to judge, of per-entity metrics: names or globs."""
    severity: Severity = Severity.MEDIUM
    """How loud an anomaly of this detector is told."""

    @property
    def key(self) -> str:
        """Name and hash of the parameters, `seasonal:1f0c2a9b`; a changed parameter is another detector."""
        absent = {k for k in self.late_fields if getattr(self, k) == type(self).model_fields[k].default}
        parameters = self.model_dump(mode="json", exclude={*self.selection_fields, *absent})
        text = json.dumps(parameters, sort_keys=True, separators=(",", ":"))
        return f"{self.detector}:{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}"

    def selects(self, series: SeriesInfo) -> bool:
        """Whether this detector judges that series."""
        group = ",".join(sorted(series.group_key))
        return (
            any(fnmatchcase(series.metric, pattern) for pattern in self.metrics)
            and any(fnmatchcase(series.column_name, pattern) for pattern in self.columns)
            and any(pattern == "*" or _group_columns(pattern) == group for pattern in self.groups)
            and any(fnmatchcase(series.entity or "", pattern) for pattern in self.entities)
        )

    def detect(self, panel: Panel, judged: slice) -> Judgement:
        """Judge the periods of `judged`, each with only the periods before it and itself.

        Parameters
        ----------
        panel
            The selected series with as much history as there is.
        judged
            Index range into the panel's axis, with explicit start and stop.

        Returns
        -------
        Judgement
            Arrays of shape (series, judged periods).
        """
        raise NotImplementedError

    @classmethod
    def json_fields(cls) -> Mapping[str, Any]:
        """JSON Schema of the parameters."""
        return cls.model_json_schema()


def _group_columns(pattern: str) -> str:
    return ",".join(sorted(filter(None, pattern.replace(" ", "").split(","))))


DETECTORS: Registry[type[Detector]] = Registry("detector")
