from __future__ import annotations

import pytest

from lupus_provider.config.dialect import parse_yaml
from lupus_provider.config.explain import locate, where_is
from lupus_provider.config.models import MetricSet, Project, Source

TEXT = b"""\
project: shop
metric_sets:
  orders:
    detect:
      - {detector: threshold, max: 1}
"""
NODE = parse_yaml(TEXT, "p.yaml")[0]


@pytest.mark.parametrize(
    ("keys", "found", "line", "column"),
    [
        (("metric_sets", "orders", "detect", 0, "max"), ("metric_sets", "orders", "detect", 0, "max"), 5, 31),
        (
            ("metric_sets", "orders", "detect", 0, "threshold", "max"),
            ("metric_sets", "orders", "detect", 0, "max"),
            5,
            31,
        ),
        (("metric_sets", "orders", "detect", 0, "threshold", "min"), ("metric_sets", "orders", "detect", 0), 5, 9),
        (("metric_sets", "orders", "[key]"), ("metric_sets", "orders"), 3, 3),
        (("metric_sets", "orders", "detect", 7), ("metric_sets", "orders", "detect"), 4, 5),
        ((), (), 1, 1),
    ],
)
def test_a_path_leads_to_the_longest_part_that_the_file_has(keys, found, line, column):
    assert locate(NODE, keys)[0] == found
    where = where_is(NODE, keys, "p.yaml")
    assert (where.line, where.column) == (line, column)


@pytest.mark.parametrize("model", [Project, MetricSet, Source])
def test_every_key_is_documented(model):
    assert [name for name, field in model.model_fields.items() if not field.description and name != "source"] == []
