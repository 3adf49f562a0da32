"""What `max_entities` folded is a point of its own, also where nobody asked for it: a sum over entities must not look whole when it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lupus_provider.metrics.base import Family, Values
from lupus_provider.metrics.categorical import FoldedEntities
from lupus_provider.metrics.grammar import parse_metric
from lupus_provider.metrics.plan import Measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lupus_provider.metrics.base import Counts
    from lupus_provider.metrics.plan import Subject


def folded(subject: Subject, measures: Sequence[Measure], counts: Counts) -> Iterator[tuple[Measure, Values]]:
    """Yield the number of folded entities of the groups that have some, unless it is among the measures already.

    Parameters
    ----------
    subject, measures
        Of an answer; other shapes than `ENTITIES` fold nothing.
    counts
        The answer's rows.
    """
    metrics = [measure.expression.metric for measure in measures]
    if "folded" not in counts.columns or any(isinstance(metric, FoldedEntities) for metric in metrics):
        return
    found = FoldedEntities().of_counts(counts)
    group = np.flatnonzero(found.value > 0)
    if len(group):
        name = FoldedEntities.name if subject.k is None else f"{FoldedEntities.name}@{subject.k}"
        measure = Measure(subject.columns, parse_metric(name, Family.DISTRIBUTION))
        yield measure, Values(found.value[group], found.n_rows[group], group)
