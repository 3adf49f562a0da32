from __future__ import annotations

import math

import numpy as np
import pytest

from lupus_provider.metrics import Family, parse_metric

NAN = float("nan")


def finish(name, **state):
    metric = parse_metric(name, Family.CLASSIFICATION).metric
    assert metric.state.keys() == state.keys()
    with np.errstate(all="ignore"):
        return metric.finish(**{key: np.array(value, float) for key, value in state.items()}).tolist()


def test_losses_are_means():
    assert finish("log_loss", total=[3.0, NAN], count=[4, 0]) == [0.75, pytest.approx(NAN, nan_ok=True)]
    assert finish("brier", total=[1.0], count=[4]) == [0.25]


def test_area_under_the_curve_by_hand():
    # scores 0.1- 0.4+ 0.4- 0.9+: above 0.1 and tied with 0.4 are 2 + 1 of twice 2, above both are 4 of 4
    assert finish("roc_auc", area=[7], positives=[2], count=[4]) == [7 / 8]


@pytest.mark.parametrize(("positives", "count"), [(0, 3), (3, 3), (NAN, 0)])
def test_area_is_undefined_where_one_side_is_missing(positives, count):
    assert math.isnan(finish("roc_auc", area=[0], positives=[positives], count=[count])[0])


def test_average_precision_by_hand():
    # ranked + - +: precision 1 and 2/3
    assert finish("average_precision", precision=[5 / 3], positives=[2]) == [5 / 6]
    assert math.isnan(finish("average_precision", precision=[NAN], positives=[0])[0])


def test_calibration_error_adds_distances_not_gaps():
    gaps = {f"gap_{b}": [NAN] for b in range(10)}
    gaps |= {"gap_1": [0.3], "gap_9": [-0.5]}
    assert finish("ece", count=[4], **gaps) == [pytest.approx(0.2)]
    assert math.isnan(finish("ece", count=[0], **{f"gap_{b}": [NAN] for b in range(10)})[0])
