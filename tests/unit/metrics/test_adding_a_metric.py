"""Does what docs/adding-a-metric.md says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lupus_provider.metrics import METRICS, parse_metric

PAGE = Path(__file__).parents[3] / "docs" / "adding-a-metric.md"
AGES, RATINGS = [20, 30, 45, 70, None], [[1.0, 5.0, 2.0, 9.0], [], None, [4.0], [3.0, 3.5]]


@pytest.fixture
def blocks():
    parse_metric.cache_clear()
    yield re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    METRICS._items.pop("iqr", None)
    parse_metric.cache_clear()


def test_the_metric_of_the_page_is_measured_after_one_class_was_added(blocks, capsys):
    define, call = blocks
    exec(define, {"__name__": "lupus_provider.metrics.spread"})
    names = {"table": pa.table({"region": ["JP"] * 5, "age": AGES, "ratings": RATINGS})}
    exec(call, names)

    def iqr(values):
        return float(np.percentile(values, 75) - np.percentile(values, 25))

    found = names["metrics"]
    assert found.value("age", "iqr", region="JP") == iqr([20, 30, 45, 70])
    assert found.value("ratings", "iqr", region="JP") == iqr([1, 5, 2, 9, 4, 3, 3.5])
    assert found.value("ratings", "iqr@3", region="JP") == iqr([1, 5, 2, 4, 3, 3.5])
    assert found.value("ratings", "length_iqr", region="JP") == iqr([4, 0, 1, 2])
    assert "iqr@3" in capsys.readouterr().out
