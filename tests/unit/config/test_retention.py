"""Ages of a project file: what can be said, what it means, and what would bring expired records back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from lupus_provider.config.retention import Retention
from lupus_provider.testing.builders import METRIC_SET, a_project


@pytest.mark.parametrize(("text", "days"), [("400d", 400), ("52w", 364), ("3y", 1098), ("1 y", 366)])
def test_ages_are_days_weeks_and_years(text, days):
    assert Retention.model_validate({"history": text}).history == timedelta(days=days)


def test_an_age_goes_through_json():
    kept = Retention.model_validate({"history": "3y", "index": "400d"})
    assert Retention.model_validate_json(kept.model_dump_json()) == kept


@pytest.mark.parametrize("text", ["0d", "PT3H"])
def test_an_age_is_at_least_a_day(text):
    with pytest.raises(ValidationError, match="at least a day"):
        Retention.model_validate({"index": text})


@pytest.mark.parametrize("text", ["-1d", "3m", "12h", "3", 3, "", "1.5y", "-P3D"])
def test_other_ages_are_refused_with_an_example(text):
    with pytest.raises(ValidationError, match=r"is not an age\. Write a number"):
        Retention.model_validate({"index": text})


def test_an_age_must_be_longer_than_what_every_run_measures_again():
    given = a_project(revisit=30).model_dump(mode="json", by_alias=True, exclude_unset=True)
    kept = {**given, "retention": {"history": "40d"}}
    assert type(a_project()).model_validate(kept).retention_of(METRIC_SET).history == timedelta(days=40)
    with pytest.raises(
        ValidationError, match="keeps the history for 20 days, and metric set 'orders' measures the last 32 days"
    ):
        type(a_project()).model_validate({**given, "retention": {"history": "20d"}})
