"""The laws that every detector keeps, as code that a plug-in's tests can call, and the panels to try them on.

One function for the whole shelf: a new detector gets all of these tests by being registered.
"""

from __future__ import annotations

import pickle
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lupus_provider.detectors import Detector, Judgement, Outcome, Panel, SeriesInfo

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import ArrayLike, NDArray

PERIOD_LENGTH = {"hour": np.timedelta64(1, "h"), "day": np.timedelta64(1, "D"), "week": np.timedelta64(7, "D")}


def make_panel(
    value: ArrayLike,
    *,
    series: Sequence[SeriesInfo] | None = None,
    period: Literal["hour", "day", "week", "month"] = "day",
    start: str = "2013-01-01",
    n_rows: ArrayLike = 1000.0,
    present: ArrayLike | None = None,
    failed: ArrayLike = False,
) -> Panel:
    """Build a panel whose wall clock is UTC.

    Parameters
    ----------
    value
        Shape (n, t), or (t,) for one series; NaN where there is none.
    series
        What the series are; by default unbounded averages of a column `x`, told apart by a group.
    period, start
        Length of a period, and the day of the first.
    n_rows, failed
        Broadcast to the shape of `value`.
    present
        Where a point is stored; by default where there is a value.

    Returns
    -------
    Panel
        `n` series by `t` periods.
    """
    values = np.array(value, dtype=np.float64, ndmin=2)
    shape = values.shape
    if period == "month":
        first = np.datetime64(start, "M")
        axis = np.arange(first, first + shape[1]).astype("datetime64[us]")
    else:
        axis = np.datetime64(start, "us") + np.arange(shape[1]) * PERIOD_LENGTH[period].astype("timedelta64[us]")
    known = series or [SeriesInfo(f"series{i}", "x", "avg", None, {"place": str(i)}) for i in range(shape[0])]
    stored = np.isfinite(values) if present is None else np.broadcast_to(np.asarray(present, bool), shape).copy()
    return Panel(
        known, period, axis, axis.copy(), values, stored,
        np.broadcast_to(np.asarray(n_rows, np.float64), shape).copy(), np.broadcast_to(np.asarray(failed, bool), shape).copy(),
    )  # fmt: skip


def judge_all(detector: Detector, panel: Panel) -> Judgement:
    """Judge every period of a panel."""
    return detector.detect(panel, slice(0, len(panel.period_start)))


def panel_of_troubles(seed: int = 0, t: int = 90) -> Panel:
    """Series of every shape that hurts: noise, weeks, shares at 0 and 1, sparse counts, gaps, jumps, tiny and huge values."""
    rng = np.random.default_rng(seed)
    week = np.tile([0.0, 1, 2, 3, 2, -4, -4], t // 7 + 1)[:t]
    noise = rng.normal(size=(4, t))
    shares = np.where(rng.random(t) < 0.7, 0.0, rng.random(t))
    gone = np.where(np.arange(t) % 60 < 40, 20 + noise[1], np.nan)
    jump = np.where(np.arange(t) < t - 1, 5.0, 9.0)
    average: dict[str, Any] = {"column_name": "x", "metric": "avg"}
    share: dict[str, Any] = {"column_name": "x", "metric": "null_ratio", "lower_bound": 0.0, "upper_bound": 1.0}
    count: dict[str, Any] = {"column_name": "", "metric": "row_count", "lower_bound": 0.0, "is_count": True}
    rows = [
        (average, noise[0]), (average, 50 + 5 * week + noise[1]), (average, gone), (average, jump), (average, noise[2] * 1e-300),
        (average, 1e300 * (1 + noise[3] / 100)), (average, np.full(t, np.nan)), (average, np.where(np.arange(t) == 30, 4.0, np.nan)),
        (share, shares), (share, 1 - shares), (share, np.zeros(t)),
        (count, rng.poisson(0.3, t)), (count, rng.poisson(900 + 100 * week)), (count, np.full(t, 12.0)),
    ]  # fmt: skip
    series = [SeriesInfo(f"trouble{i}", entity=None, group_key={}, **known) for i, (known, _) in enumerate(rows)]
    return make_panel(
        np.array([values for _, values in rows]), series=series, n_rows=rng.integers(1, 400, (len(rows), t))
    )


UNIT_TOLERANCE = 1e-3
"""Part by which bands in another unit may differ: an optimiser stops near its end and not at it. Verdicts may not differ."""
Law = Literal["short", "unit", "quiet"]
POINT_KINDS = ("spike", "dip", "threshold")
"""Kinds that are about the one value: it is outside the band. A slope or a run of equal values may be strange within it."""


def check_detector(detector: Detector, panel: Panel | None = None, *, without: Collection[Law] = ()) -> None:
    """Hold a detector, ours or yours, to the laws of the shelf.

    Parameters
    ----------
    detector
        With the parameters to be tried.
    panel
        What to try it on; by default `panel_of_troubles()`.
    without
        Laws that are not this detector's: `short` where no history is needed (limits that somebody stated), `unit` where a
        parameter is in the metric's unit, `quiet` where being constant or absent can be strange in itself.

    Raises
    ------
    AssertionError
        With the sentence of the law that it breaks.

    Examples
    --------
    >>> from lupus_provider.detectors import Threshold
    >>> check_detector(Threshold(max=3), without=("short", "unit"))
    """
    panel = panel if panel is not None else panel_of_troubles()
    before = pickle.dumps(panel)
    full = judge_all(detector, panel)
    assert pickle.dumps(panel) == before, f"{detector.key} changed the panel that it was given"
    check_shape(detector, panel, full)
    check_answers(detector, panel, full)
    check_causality(detector, panel, full)
    check_independence(detector, panel, full)
    check_copies(detector, panel, full)
    for name, law in (("quiet", check_quiet), ("short", check_short), ("unit", check_unit)):
        if name not in without:
            law(detector)


def check_shape(detector: Detector, panel: Panel, judgement: Judgement) -> None:
    """Hold to: every array has one answer for every judged point."""
    for field in fields(judgement):
        array = getattr(judgement, field.name)
        assert array.shape == panel.value.shape, f"{detector.key}: {field.name} has shape {array.shape}"
    assert set(np.unique(judgement.outcome)) <= {int(o) for o in Outcome}, f"{detector.key}: unknown outcomes"


def check_answers(detector: Detector, panel: Panel, judgement: Judgement) -> None:
    """Hold to: outcome, kind, score, band and expected value tell the same story."""
    anomaly = judgement.outcome == Outcome.ANOMALY
    assert ((judgement.kind != "") == anomaly).all(), (
        f"{detector.key}: a kind without an anomaly, or the other way round"
    )
    score = judgement.score[~np.isnan(judgement.score)]
    assert ((score >= 0) & (score <= 1)).all(), f"{detector.key}: a score that is no probability"
    value = panel.value
    with np.errstate(invalid="ignore"):
        outside = (value < judgement.lower) | (value > judgement.upper)
        judged = np.isin(judgement.outcome, (Outcome.NORMAL, Outcome.ANOMALY)) & np.isfinite(value)
        assert not (outside & ~anomaly)[judged].any(), (
            f"{detector.key}: anomaly and band disagree (outside, not flagged)"
        )
        of_the_point = anomaly & np.isin(judgement.kind.astype(str), POINT_KINDS)
        assert not (of_the_point & ~outside)[judged].any(), (
            f"{detector.key}: anomaly and band disagree (inside, flagged)"
        )
        wrong = (judgement.expected < judgement.lower) | (judgement.expected > judgement.upper)
    assert not wrong.any(), f"{detector.key}: the expected value is outside its own band"
    for edge in (judgement.expected, judgement.lower, judgement.upper):
        for row, series in enumerate(panel.series):
            finite = edge[row][np.isfinite(edge[row])]
            inside = (finite >= series.lower_bound) & (finite <= series.upper_bound)
            assert inside.all() or np.isnan(judgement.expected).all(), (
                f"{detector.key}: band beyond the metric's bounds"
            )
    none = ~np.isfinite(value) & ~anomaly
    assert not (judgement.outcome[none] == Outcome.NORMAL).any(), f"{detector.key}: called nothing normal"


def check_causality(detector: Detector, panel: Panel, full: Judgement) -> None:
    """Hold to: what is said of a period depends on no later period, and not on what else is judged."""
    t = len(panel.period_start)
    for stop in sorted({1, 2, t // 3, t // 2, t - 1}):
        prefix = judge_all(detector, panel.before(stop))
        assert_same(prefix, full, np.s_[:, :stop], f"{detector.key} looks ahead")
    for start, stop in ((t - 1, t), (t // 3, t // 2), (t // 2, t // 2)):
        part = detector.detect(panel, slice(start, stop))
        assert_same(part, full, np.s_[:, start:stop], f"{detector.key} depends on what else is judged")


def check_independence(detector: Detector, panel: Panel, full: Judgement) -> None:
    """Hold to: a series is judged alike alone, in a panel, in any order; and no series at all is no error."""
    for row in range(len(panel)):
        alone = judge_all(detector, panel.select(np.array([row])))
        assert_same(alone, full, np.s_[[row], :], f"{detector.key} judges series {row} otherwise when it is alone")
    order = np.arange(len(panel))[::-1]
    assert_same(judge_all(detector, panel.select(order)), full, np.s_[order, :], f"{detector.key} depends on order")
    nobody = judge_all(detector, panel.select(np.array([], np.intp)))
    assert nobody.outcome.shape == (0, len(panel.period_start)), f"{detector.key} cannot judge an empty panel"


def check_copies(detector: Detector, panel: Panel, full: Judgement) -> None:
    """Hold to: a copy through pickle, or through the file format, is the same detector; another zone's UTC changes nothing."""
    pickled = pickle.loads(pickle.dumps(detector))  # noqa: S301 - our own bytes
    for copy in (pickled, type(detector).model_validate(detector.model_dump(mode="json"))):
        assert copy.key == detector.key, f"{detector.key}: a copy has another key"
        assert_same(judge_all(copy, panel), full, np.s_[:, :], f"{detector.key}: a copy judges otherwise")
    moved = Panel(
        panel.series, panel.period, panel.period_start + np.timedelta64(9, "h"), panel.local_start,
        panel.value, panel.present, panel.n_rows, panel.failed,
    )  # fmt: skip
    assert_same(judge_all(detector, moved), full, np.s_[:, :], f"{detector.key} reads UTC instead of the wall clock")


def check_quiet(detector: Detector) -> None:
    """Hold to: a constant series has one answer once it is judged; a series without any value is never an anomaly."""
    for constant in (0.0, 7.0, 0.1, -1e300):
        outcome = judge_all(detector, make_panel(np.full(120, constant))).outcome[0]
        answers = set(outcome[outcome != Outcome.TOO_SHORT].tolist())
        assert len(answers) <= 1, f"{detector.key} changes its mind about a series that is always {constant}"
    outcome = judge_all(detector, make_panel(np.full(120, np.nan))).outcome
    assert np.isin(outcome, (Outcome.NO_DATA, Outcome.TOO_SHORT)).all(), f"{detector.key} judges what is not there"


def check_short(detector: Detector) -> None:
    """Hold to: a series of one or two periods is too short to judge, which is not the same as normal."""
    for t in (1, 2):
        outcome = judge_all(detector, make_panel(np.arange(1.0, t + 1))).outcome
        assert (outcome == Outcome.TOO_SHORT).all(), f"{detector.key} judges a series of {t} periods"


def check_unit(detector: Detector, factor: float = 1000.0) -> None:
    """Hold to: another unit for the whole series (milliseconds for seconds) changes its bands and none of its verdicts."""
    rng = np.random.default_rng(5)
    value = 50 + 3 * (np.arange(120) % 7 < 5) + rng.normal(size=(3, 120))
    value[:, [60, 100]] += [[9.0, -9.0]]
    mine, other = judge_all(detector, make_panel(value)), judge_all(detector, make_panel(factor * value))
    for name in ("outcome", "kind"):
        same = getattr(mine, name) == getattr(other, name)
        assert same.all(), f"{detector.key} depends on the unit of the series: {name} differs"
    for name in ("expected", "lower", "upper"):
        same = np.isclose(getattr(other, name), factor * getattr(mine, name), rtol=UNIT_TOLERANCE, equal_nan=True)
        assert same.all(), f"{detector.key} depends on the unit of the series: {name} is not scaled"


def assert_same(part: Judgement, full: Judgement, where: tuple[slice | list[int] | NDArray, slice], law: str) -> None:
    """Compare a judgement with a part of another one, bit by bit."""
    for field in fields(part):
        left, right = getattr(part, field.name), getattr(full, field.name)[where]
        same = (left == right) if left.dtype == object else ((left == right) | (np.isnan(left) & np.isnan(right)))
        assert same.all(), f"{law}: {field.name} differs"
