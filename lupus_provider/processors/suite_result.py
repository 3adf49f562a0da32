"""What a suite of expectations came to over a table: verdicts by period and group, points of them, and a gate that they open.

The gate's message goes to logs and chats, so it counts unexpected values and does not show them unless asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

from lupus_provider.errors import BadPlanError, Terminal
from lupus_provider.naming import group_label
from lupus_provider.processors.base import ALWAYS
from lupus_provider.processors.expectations import ExpectationSeverity
from lupus_provider.processors.made_elsewhere import MadePoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lupus_provider.periods import Period
    from lupus_provider.processors.expectations import Verdict

SEVERITIES: tuple[ExpectationSeverity, ...] = get_args(ExpectationSeverity)
"""From the mildest to the gravest."""


class ExpectationsFailedError(Terminal):
    """A gate of expectations stays shut: the data is not what the suite says.

    The message holds counts, and no values of rows unless they were asked for; `failures` has up to five of each.
    """

    shown = 20

    def __init__(self, failures: Sequence[Failure], checked: int, min_success_ratio: float = 1.0) -> None:
        self.failures, self.checked, self.min_success_ratio = tuple(failures), checked, min_success_ratio
        lines = [f"- {failure}" for failure in self.failures[: self.shown]]
        more = len(self.failures) - self.shown
        head = (
            f"{len(self.failures)} of {checked} checks of the suite failed, and a share of {min_success_ratio:g} must hold in every "
            "period and group. Mend the data, or the suite if it asks too much:"
        )
        super().__init__("\n".join([head, *lines, *([f"- … and {more} more"] if more > 0 else [])]))


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that failed, and where; its text tells up to `show_values` unexpected values, which are contents of rows."""

    verdict: Verdict
    period: Period
    group_key: Mapping[str, str | None]
    n_rows: int
    show_values: int = 0

    def __str__(self) -> str:
        verdict = self.verdict
        where = [] if self.period == ALWAYS else [self.period.start.isoformat()]
        where += [group_label(self.group_key)] if self.group_key else []
        head = f"{verdict.column} {verdict.expectation}".strip() + (f" [{'; '.join(where)}]" if where else "")
        if verdict.error is not None:
            return f"{head}: could not be computed: {verdict.error}"
        facts = [] if verdict.observed_value is None else [f"observed {verdict.observed_value:g}"]
        if verdict.unexpected_count is not None:
            ratio = "" if verdict.unexpected_ratio is None else f" ({verdict.unexpected_ratio:.3%})"
            facts.append(f"{verdict.unexpected_count} values unexpected{ratio}")
        facts += [f"such as {value!r}, {count} times" for value, count in verdict.examples[: self.show_values]]
        return f"{head}: {', '.join([*facts, f'{self.n_rows} rows'])}"


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What a suite came to over the rows of one period and group."""

    period: Period
    group_key: Mapping[str, str | None]
    n_rows: int
    verdicts: tuple[Verdict, ...]

    def failures(self, severity: ExpectationSeverity = "info") -> tuple[list[Failure], int]:
        """Return what failed or could not be computed, and how many were held against the rows, from a severity upwards."""
        grave = SEVERITIES[SEVERITIES.index(severity) :]
        counted = [verdict for verdict in self.verdicts if verdict.severity in grave]
        failed = [verdict for verdict in counted if not verdict.success]
        return [Failure(verdict, self.period, self.group_key, self.n_rows) for verdict in failed], len(counted)


class SuiteResult:
    """What a suite came to over a table; `batches` by period and group."""

    def __init__(self, batches: Sequence[BatchResult], version_column: str | None = None) -> None:
        self.batches = tuple(batches)
        self._version_column = version_column

    @property
    def success_ratio(self) -> float | None:
        """Share of all checks that held; None if there were none."""
        verdicts = [verdict for batch in self.batches for verdict in batch.verdicts]
        return sum(bool(verdict.success) for verdict in verdicts) / len(verdicts) if verdicts else None

    def gate(
        self, min_success_ratio: float = 1.0, severity: ExpectationSeverity = "info", show_values: int = 0
    ) -> SuiteResult:
        """Return the result itself if the data is good enough, so that calls can be chained.

        Parameters
        ----------
        min_success_ratio
            Share of the expectations that must hold in every period and group, 0…1.
        severity
            Mildest severity that counts: `critical` lets expectations of severity `warning` and `info` fail. Great Expectations gives
            `critical` to those that say none.
        show_values
            Unexpected values that the message shows of each expectation, at most five. They are contents of rows, and messages go to
            logs and chats: none by default.

        Raises
        ------
        ExpectationsFailedError
            If a share is smaller. An expectation that could not be computed has failed.
        """
        if severity not in SEVERITIES:
            raise BadPlanError("severity", f"is {severity!r}", f"Use one of {', '.join(SEVERITIES)}.")
        if not 0 <= min_success_ratio <= 1:
            raise BadPlanError("min_success_ratio", f"is {min_success_ratio}", "Give a share from 0 to 1.")
        failures: list[Failure] = []
        checked, is_shut = 0, False
        for batch in self.batches:
            failed, counted = batch.failures(severity)
            failures += failed
            checked += counted
            is_shut |= counted - len(failed) < min_success_ratio * counted
        if is_shut:
            told = [replace(failure, show_values=show_values) for failure in failures]
            raise ExpectationsFailedError(told, checked, min_success_ratio)
        return self

    def values(self) -> Iterator[MadePoint]:
        """Yield the values of all batches."""
        for batch in self.batches:
            version = batch.group_key.get(self._version_column) if self._version_column else None
            held = sum(bool(verdict.success) for verdict in batch.verdicts)
            share = held / len(batch.verdicts) if batch.verdicts else None
            yield MadePoint(
                batch.period, "", "success_ratio", share, None, batch.group_key, batch.n_rows, None, version
            )
            for verdict in batch.verdicts:
                for metric in verdict.metrics:
                    yield MadePoint(
                        batch.period, verdict.column, metric, _value(verdict, metric), verdict.expectation, batch.group_key,
                        batch.n_rows if verdict.n_rows is None else verdict.n_rows, verdict.error, version,
                    )  # fmt: skip


def _value(verdict: Verdict, metric: str) -> float | None:
    if metric == "success_ratio":
        return None if verdict.success is None else float(verdict.success)
    return verdict.unexpected_ratio if metric == "unexpected_ratio" else verdict.observed_value
