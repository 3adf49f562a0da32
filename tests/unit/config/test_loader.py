from __future__ import annotations

import pickle
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings, strategies as st

from lupus_provider.config import Project, dump_project, load_project, load_projects
from lupus_provider.config.loader import read_document
from lupus_provider.errors import ProjectFileError

FLIGHTS = Path(__file__).parents[3] / "include" / "projects" / "flights.yaml"
GOOD = """\
project: shop
metric_sets:
  orders:
    source: {path: orders.parquet}
"""


@pytest.fixture
def write(tmp_path):
    def write(text: str, name: str = "shop.yaml") -> Path:
        path = tmp_path / name
        path.write_text(dedent(text))
        return path

    return write


def problems_of(path: Path) -> list[str]:
    with pytest.raises(ProjectFileError) as caught:
        load_project(path)
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


def test_the_flights_load():
    project = load_project(FLIGHTS)
    assert {name: metric_set.processor for name, metric_set in project.metric_sets.items()} == {
        "departures": "distribution", "weather": "distribution", "delay_model": "classification", "delay_regression": "regression",
        "delay_inputs": "drift", "flight_checks": "expectations",
    }  # fmt: skip
    assert project.metric_sets["departures"].groupings == ((), ("origin",), ("carrier",))


def test_an_unknown_key_of_a_metric_set_has_a_place_and_a_neighbour(write):
    path = write(GOOD + "    perod: day\n")
    assert problems_of(path) == ["5:5: key 'perod' is unknown in metric set orders. Did you mean 'period'?"]


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("    zzz: [a]\n", "5:5: key 'zzz' is unknown in metric set orders. Known: column_metrics, detect,"),
        ("    column_metrics: {age: [avgg]}\n", "5:28: metric_sets.orders.column_metrics.age.0: metric 'avgg' is unknown. Did you mean 'avg'?"),
        ("    detect:\n    - {detector: treshold}\n", "6:8: detector 'treshold' is unknown in detect rule 1 of metric set orders. Did you mean 'threshold'?"),
        ("    detect:\n    - {max: 1}\n", "6:7: key 'detector' is missing in detect rule 1 of metric set orders. Known: "),
        ("    detect:\n    - {detector: threshold, max: 1, maxx: 2}\n", "6:37: key 'maxx' is unknown in detect rule 1 of metric set orders. Did you mean 'max'?"),
        ("    detect:\n    - {detector: threshold, max: high}\n", "6:29: metric_sets.orders.detect.0.max: input should be a valid number"),
        ("    schedule: 0 6 * *\n", "5:5: metric_sets.orders.schedule: '0 6 * *' is not a cron expression"),
        ("    period: dya\n", "5:5: metric_sets.orders.period: 'dya' is not known here. Did you mean 'day'?"),
        ("    group_columns: [1]\n", "5:21: metric_sets.orders.group_columns.0: text is needed, 1 is none. Put it in quotes."),
        ("    start_date: 2013-13-01\n", "5:5: metric_sets.orders.start_date: "),
        ("    detect: 5\n", "5:5: metric_sets.orders.detect: "),
        ("timezone: Europe/Berln\n", "5:1: timezone: 'Europe/Berln' is not an IANA time zone. Did you mean 'Europe/Berlin'?"),
        ("alerts: {severity: loud}\n", "5:10: alerts.severity: 'loud' is not known here. Known: critical, high, low, medium."),
        ("  Orders: {source: {path: a}}\n", "5:3: metric_sets.Orders: 'Orders' cannot be a name"),
        ("  more: {}\n", "5:3: key 'source' is missing in metric set more."),
        ("  more: {source: {path: a, tabel: b}}\n", "5:28: key 'tabel' is unknown in source of metric set more. Did you mean 'table'?"),
        ("  more: {source: {}}\n", "5:10: metric_sets.more.source: give exactly one of 'table' and 'path'."),
    ],
)  # fmt: skip
def test_a_mistake_has_a_place_a_path_and_a_way_out(write, extra, said):
    found = problems_of(write(GOOD + extra))
    assert len(found) == 1
    assert found[0].startswith(said)


def test_all_problems_are_told_at_once_in_the_order_of_the_file(write):
    found = problems_of(write("project: Shop\nfoo: 1\nmetric_sets:\n  orders: {source: {path: a}, period: dya}\n"))
    assert [line.split(": ")[0] for line in found] == ["1:1", "2:1", "4:31"]


def test_the_message_lists_twenty_problems_and_counts_the_rest(write):
    path = write(GOOD + "".join(f"wrong{i}: 1\n" for i in range(25)))
    with pytest.raises(ProjectFileError) as caught:
        load_project(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "… and 5 more."
    assert len(caught.value.problems) == 25


@pytest.mark.parametrize(
    ("text", "said"), [("- a\n", "found a list"), ("hello\n", "found 'hello'"), ("5\n", "found 5")]
)
def test_a_file_that_is_no_mapping_is_told_how_to_start(write, text, said):
    (found,) = problems_of(write(text))
    assert found.startswith("1:1: the file: keys and values are needed here")
    assert said in found
    assert "Start with 'project: <name>'" in found


def test_a_mistake_behind_an_alias_has_a_place(write):
    path = write(
        GOOD
        + "    detect: &rules\n    - {detector: threshold, maxx: 1, max: 1}\n  more: {source: {path: a}, detect: *rules}\n"
    )
    assert {problem.split(": ")[0] for problem in problems_of(path)} == {"6:29"}


def test_a_mistake_behind_a_merge_has_a_place(write):
    path = write(GOOD + "    <<: {perod: day}\n")
    assert problems_of(path) == ["5:10: key 'perod' is unknown in metric set orders. Did you mean 'period'?"]


def test_a_file_that_is_not_there_is_not_a_broken_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_project(tmp_path / "none.yaml")


def test_the_error_crosses_processes(write):
    path = write(GOOD + "foo: 1\n")
    with pytest.raises(ProjectFileError) as caught:
        load_project(path)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.problems) == (str(caught.value), caught.value.problems)


def test_an_excerpt_is_the_metric_sets_own_lines():
    excerpt = read_document(FLIGHTS).excerpt("weather")
    assert excerpt.startswith("  weather:\n")
    assert "wind_speed: [p95]" in excerpt
    assert "departures" not in excerpt


def test_the_last_and_the_one_line_metric_set_have_excerpts_too(write):
    document = read_document(write(GOOD + "  more: {source: {path: a}}\n"))
    assert document.excerpt("orders") == "  orders:\n    source: {path: orders.parquet}"
    assert document.excerpt("more") == "  more: {source: {path: a}}"


def test_projects_of_a_folder_are_read_by_name(write, tmp_path):
    write(GOOD)
    write(GOOD.replace("shop", "bank"), "bank.yml")
    write("not: a project", ".hidden.yaml")
    write("not: a project", "notes.txt")
    assert list(load_projects(tmp_path)) == ["bank", "shop"]


def test_a_name_that_two_files_use_is_told_with_both(write, tmp_path):
    write(GOOD)
    other = write(GOOD, "zz.yaml")
    with pytest.raises(ProjectFileError) as caught:
        load_projects(tmp_path)
    assert str(caught.value).startswith(
        f"{other}:1:1: project 'shop' is also the name of the project in {tmp_path / 'shop.yaml'}"
    )


def test_a_folder_tells_the_problems_of_all_its_files(write, tmp_path):
    write(GOOD + "foo: 1\n")
    write("- a\n", "list.yaml")
    with pytest.raises(ProjectFileError) as caught:
        load_projects(tmp_path)
    assert [Path(problem.where.path).name for problem in caught.value.problems] == ["list.yaml", "shop.yaml"]


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True)
COLUMNS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
METRICS = st.lists(
    st.sampled_from(["avg", "p95", "p99.9", "count", "unique", "null_ratio", "unique@5"]), min_size=1, max_size=3
)
RULES = st.fixed_dictionaries(
    {"detector": st.just("threshold"), "max": st.floats(-1e9, 1e9)},
    optional={
        "metrics": st.lists(COLUMNS, min_size=1, max_size=2),
        "groups": st.lists(COLUMNS, max_size=2),
        "severity": st.sampled_from(["low", "critical"]),
    },
)
METRIC_SETS = st.fixed_dictionaries(
    {
        "source": st.fixed_dictionaries(
            {"path": COLUMNS}, optional={"time_column": COLUMNS, "where": st.text(max_size=9)}
        )
    },
    optional={
        "schedule": st.sampled_from(["0 6 * * *", "@daily"]),
        "period": st.sampled_from(["hour", "day", "week", "month"]),
        "start_date": st.dates().map(str),
        "group_columns": st.lists(COLUMNS, max_size=2),
        "group_sets": st.lists(st.lists(COLUMNS, max_size=2), min_size=1, max_size=3),
        "column_metrics": st.dictionaries(COLUMNS, METRICS, max_size=3),
        "detect": st.lists(RULES, max_size=2),
    },
)
PROJECTS = st.fixed_dictionaries(
    {"project": NAMES, "metric_sets": st.dictionaries(NAMES, METRIC_SETS, min_size=1, max_size=2)},
    optional={
        "owner": COLUMNS,
        "description": st.text(max_size=20),
        "timezone": st.sampled_from(["UTC", "Asia/Tokyo"]),
    },
)


@settings(max_examples=60)
@given(PROJECTS)
def test_project_to_yaml_to_project_is_identity(tmp_path_factory, value):
    project = Project.model_validate(value)
    path = tmp_path_factory.mktemp("identity") / "p.yaml"
    path.write_text(dump_project(project))
    assert load_project(path) == project


@pytest.mark.parametrize("name", ["flights", "recommender"])
def test_our_projects_survive_being_written(tmp_path, name):
    project = load_project(FLIGHTS.with_stem(name))
    (tmp_path / "p.yaml").write_text(dump_project(project))
    assert load_project(tmp_path / "p.yaml") == project
