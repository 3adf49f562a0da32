from __future__ import annotations

import numpy as np
import pytest

from lupus_provider.metrics import METRICS, parse_metric
from lupus_provider.metrics.base import COUNTING, NumberMetric

NAMES = [*(name for name in METRICS if issubclass(METRICS[name], NumberMetric)), "p50", "median"]


@pytest.mark.parametrize("name", NAMES)
def test_no_rows_are_undefined_unless_zero_is_the_answer(name):
    metric = parse_metric(name).metric
    state = {key: np.array([0.0 if p.name in COUNTING else np.nan]) for key, p in metric.state.items()}
    with np.errstate(all="ignore"):
        value = metric.finish(**state)
    assert value.shape == (1,)
    assert value[0] == 0 if metric.is_count else np.isnan(value[0])


@pytest.mark.parametrize("name", NAMES)
def test_groups_are_finished_one_by_one(name):
    metric = parse_metric(name).metric
    numbers = np.array([1.0, 4.0, 9.0])
    together = metric.finish(**dict.fromkeys(metric.state, numbers))
    alone = [metric.finish(**dict.fromkeys(metric.state, numbers[i : i + 1]))[0] for i in range(3)]
    assert together.tolist() == alone
