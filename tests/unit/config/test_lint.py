from __future__ import annotations

from pathlib import Path

import pytest

from lupus_provider.config import load_project
from lupus_provider.config.lint import lint, lint_names
from lupus_provider.config.measured import measured, selected

ROOT = Path(__file__).parents[3]
HEAD = """\
project: shop
metric_sets:
  orders:
    source: {path: orders.parquet, time_column: at}
    group_sets: [[], [region], [region, device]]
    column_metrics: {age: [avg, p95], device: [count]}
"""


@pytest.fixture
def linted(tmp_path):
    def linted(text: str) -> list[str]:
        path = tmp_path / "shop.yaml"
        path.write_text(text)
        return [str(problem).removeprefix(f"{path}:") for problem in lint(path)]

    return linted


def test_our_own_project_files_are_clean():
    assert [problem for path in (ROOT / "include" / "projects").glob("*.yaml") for problem in lint(path)] == []


def test_a_file_that_cannot_be_read_is_linted_to_its_problems(linted):
    assert linted("project: shop\n") == ["1:1: key 'metric_sets' is missing in the project."]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{detector: threshold, max: 1, metrics: [avgg]}", "metric 'avgg' is not measured here. Did you mean 'avg'?"),
        ("{detector: threshold, max: 1, columns: [agee]}", "column 'agee' is not measured here. Did you mean 'age'?"),
        (
            "{detector: threshold, max: 1, groups: [device]}",
            "group 'device' is not measured here. Did you mean 'device,region'?",
        ),
        (
            "{detector: threshold, max: 1, metrics: [avg], columns: [device]}",
            "no series has such a metric, column and group together",
        ),
        ("{detector: threshold, max: 1, metrics: [avg], entities: [iOS]}", "no selected metric is about entities"),
    ],
)
def test_a_rule_that_judges_nothing_is_a_problem(linted, rule, said):
    (problem,) = linted(f"{HEAD}    detect:\n      - {rule}\n")
    assert problem.startswith("8:")
    assert said in problem


@pytest.mark.parametrize(
    "rule",
    [
        "{detector: threshold, max: 1}",
        "{detector: threshold, max: 1, metrics: ['p*'], columns: ['a*']}",
        "{detector: threshold, max: 1, groups: ['', 'device, region']}",
        "{detector: threshold, max: 1, metrics: [row_count]}",
        "{detector: threshold, max: 1, metrics: [count], entities: [iOS]}",
    ],
)
def test_a_rule_that_judges_something_is_none(linted, rule):
    assert linted(f"{HEAD}    detect:\n      - {rule}\n") == []


def test_the_same_rule_twice_is_a_problem(linted):
    rule = "      - {detector: threshold, max: 1}\n"
    assert linted(f"{HEAD}    detect:\n{rule}{rule}") == [
        "9:9: metric set orders: detect rule 2 is the same as rule 1. Remove one."
    ]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            "schedule: 0 6 * * 1-5",
            "runs are up to 3 days apart and measure 1 day, so the rest is never measured. Set revisit: 2.",
        ),
        ("schedule: 0 6 * * *\n    period: hour", "Set revisit: 23."),
        ("schedule: '@yearly'\n    period: month\n    revisit: 3", "up to 12 months apart and measure 4 months"),
        ("group_columns: [country]", "group column 'country' is in no group set"),
        ("table_metrics: [row_count, row_count]", "metric 'row_count' is asked for 2 times"),
    ],
)
def test_what_is_understood_and_cannot_be_meant_is_a_problem(linted, keys, said):
    (problem,) = linted(f"{HEAD}    {keys}\n")
    assert said in problem


@pytest.mark.parametrize(
    "keys",
    [
        "schedule: 0 6 * * *",
        "schedule: 0 6 * * 1-5\n    revisit: 2",
        "schedule: 0 6 1 * *\n    period: month",
        "schedule: '*/5 * * * *'",
    ],
)
def test_a_schedule_that_covers_every_period_is_none(linted, keys):
    assert linted(f"{HEAD}    {keys}\n") == []


def test_periods_without_a_time_column_are_a_problem(linted):
    found = linted("project: shop\nmetric_sets:\n  m: {source: {path: a, time_zone: UTC}, period: hour}\n")
    assert [line.split(": ")[0] for line in found] == ["3:25", "3:42"]


def test_a_severity_that_no_rule_reaches_is_a_problem(linted):
    found = linted(
        f"{HEAD}    detect:\n      - {{detector: threshold, max: 1, severity: low}}\nalerts: {{severity: high}}\n"
    )
    assert found == ["9:10: no rule has severity high or above, so nobody is ever told."]


def test_group_sets_that_repeat_are_problems(linted):
    found = linted(HEAD.replace("[region, device]]", "[region, region], [region]]"))
    assert [line.split("set orders: ")[1] for line in found] == [
        "group set [region, region] names a column twice.",
        "group set [region, region] is here twice. Remove one.",
        "group set [region] is here twice. Remove one.",
    ]


def test_names_that_two_files_use_are_a_problem_of_the_second(tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(HEAD)
    (problem,) = lint_names(sorted(tmp_path.iterdir()))
    assert str(problem).startswith(f"{tmp_path / 'b.yaml'}:1:1: project 'shop' is also")


def test_selected_lists_columns_metrics_and_groupings(tmp_path):
    path = tmp_path / "shop.yaml"
    path.write_text(f"{HEAD}    detect:\n      - {{detector: threshold, max: 1, metrics: [avg], groups: [region]}}\n")
    project = load_project(path)
    metric_set = project.metric_sets["orders"]
    ((_, series),) = selected(metric_set.detect[0], measured(metric_set, project.zone))
    assert (series.column_name, series.metric, list(series.group_key)) == ("age", "avg", ["region"])


TRACKED = "project: shop\nmetric_sets:\n  orders:\n    source: {path: orders.parquet, time_column: at}\n"
SCORED = f"{TRACKED}    processor: classification\n    label_column: y\n    prediction_column: p\n"


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (f"{SCORED}    metrics: [accuracy, brier]\n", "8:5", "metrics has 'brier', which needs scores"),
        (f"{SCORED.replace('y', 'p')}", "7:5", "are both 'p'"),
        (f"{TRACKED}    processor: ranking\n    predicted_column: p\n    truth_column: t\n    metrics: [ndcg@5, coverage]\n", "8:5", "Say how many items count"),
        (f"{TRACKED}    table_metrics: [duplicate_ratio]\n", "3:3", "no key is given"),
        (f"{TRACKED}    table_metrics: [columns_added]\n", "3:3", "none is given"),
    ],
)  # fmt: skip
def test_what_the_processor_would_refuse_is_told_before_any_run(linted, text, place, said):
    (found,) = linted(text)
    assert found.startswith(f"{place}: metric set orders: ")
    assert said in found


def test_rules_are_checked_against_what_the_processor_measures(linted):
    good = "{detector: threshold, max: 1, columns: [p], metrics: [recall], entities: [yes_please]}"
    bad = "{detector: threshold, max: 1, columns: [y]}"
    (found,) = linted(f"{SCORED}    detect:\n      - {good}\n      - {bad}\n")
    assert "column 'y' is not measured here" in found


def test_slices_and_versions_are_groups_that_rules_may_name(linted):
    rules = "".join(
        f"      - {{detector: threshold, max: 1, groups: ['{group}']}}\n" for group in ("slice", "v", "v,slice")
    )
    assert linted(f"{TRACKED}    slices: {{kids: age < 18}}\n    model_version_column: v\n    detect:\n{rules}") == []


def test_of_training_runs_only_the_run_knows_the_metrics(linted):
    text = "project: shop\nmetric_sets:\n  runs:\n    processor: training\n    tracking_uri: sqlite:////m.db\n    detect:\n"
    assert linted(f"{text}      - {{detector: threshold, max: 1, metrics: [val_loss]}}\n") == []


def test_an_expectation_that_is_unknown_is_told_with_its_place(linted):
    pytest.importorskip("great_expectations")
    found = linted(
        f"{TRACKED}    processor: expectations\n    expectations:\n      - {{expect: expect_column_values_to_be_unique, column: a}}\n"
        "      - {expect: expect_column_values_to_be_uniqe, column: a}\n"
    )
    assert len(found) == 1
    assert found[0].startswith("8:9: metric set orders: expectation 2 of the suite")
    assert "expect_column_values_to_be_unique" in found[0]


def test_a_join_whose_labels_come_late_leaves_no_period_unmeasured(linted):
    join = "join: {labels: {path: t}, on: id, within: 3d, label_time_column: came_at}"
    assert linted(f"{SCORED}    {join}\n    schedule: 0 6 * * 1-5\n") == []
