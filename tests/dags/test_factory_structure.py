from __future__ import annotations

import json
from pathlib import Path

import pytest

from lupus_provider.dag_factory import load_project_dags

ROOT = Path(__file__).parents[2]
FLIGHTS = ROOT / "include" / "projects" / "flights.yaml"
EDGES = {
    "collect": {"load_history", "load_index"},
    "load_history": {"detect"},
    "load_index": set(),
    "detect": {"load_history_verdicts", "load_index_verdicts"},
    "load_history_verdicts": {"alert", "compact"},
    "compact": set(),
    "load_index_verdicts": set(),
    "alert": set(),
}


@pytest.fixture
def dags(tmp_path):
    def dags(text: str = FLIGHTS.read_text(), name: str = "p.yaml") -> dict:
        path = tmp_path / name
        path.write_text(text)
        namespace: dict = {}
        load_project_dags(namespace, path)
        return namespace

    return dags


def small(keys: str = "", head: str = "") -> str:
    return f"project: shop\n{head}metric_sets:\n  orders:\n    source: {{path: a.parquet}}\n{keys}"


def test_every_metric_set_is_a_dag_of_the_same_steps(dags):
    made = dags()
    flights = ("departures", "weather", "delay_model", "delay_regression", "delay_inputs", "flight_checks")
    assert list(made) == [f"lupus.flights.{name}" for name in flights]
    for identity, dag in made.items():
        assert dag.dag_id == identity
        assert {task.task_id: set(task.downstream_task_ids) for task in dag.tasks} == EDGES
        assert next(task.task_id for task in dag.topological_sort()) == "collect"


@pytest.mark.parametrize(
    ("head", "keys", "expires"),
    [("retention: {index: 400d}\n", "", True), ("", "    retention: {history: 3y}\n", True), ("", "", False)],
)
def test_only_who_states_an_age_has_records_dropped(dags, head, keys, expires):
    (dag,) = dags(small(keys, head)).values()
    assert dag.has_task("expire") == expires
    if expires:
        assert dag.get_task("expire").upstream_task_ids == {"compact", "load_index_verdicts"}


def test_tasks_know_their_project_file_and_kinds(dags, tmp_path):
    dag = dags()["lupus.flights.weather"]
    for task in dag.tasks:
        assert (task.project, task.metric_set, task.project_file) == ("flights", "weather", str(tmp_path / "p.yaml"))
    kinds = {name: dag.get_task(name).kinds for name in EDGES if name.startswith("load_")}
    assert kinds == {
        "load_history": ("points",),
        "load_index": ("points",),
        "load_history_verdicts": ("anomalies", "evaluations"),
        "load_index_verdicts": ("anomalies", "evaluations"),
    }


@pytest.mark.parametrize(("option", "deferrable"), [(None, False), ("True", True), ("False", False)])
def test_airflows_own_option_makes_the_loads_of_the_history_deferrable(dags, monkeypatch, option, deferrable):
    if option is not None:
        monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", option)
    dag = dags()["lupus.flights.weather"]
    assert {dag.get_task(name).deferrable for name in ("load_history", "load_history_verdicts")} == {deferrable}


def test_the_schedule_is_cron_in_the_projects_zone(dags):
    dag = dags()["lupus.flights.departures"]
    assert (dag.timetable.expression, str(dag.timetable.timezone)) == ("0 6 * * *", "America/New_York")
    assert dag.catchup is False
    assert dag.max_active_runs == 1


def test_first_and_last_day_are_whole_local_days(dags):
    dag = dags()["lupus.flights.departures"]
    assert dag.start_date.isoformat() == "2013-01-01T05:00:00+00:00"
    assert dag.end_date.isoformat() == "2014-01-01T04:59:59.999999+00:00"


def test_without_schedule_and_days_there_is_none_of_them(dags):
    dag = dags(small())["lupus.shop.orders"]
    assert (type(dag.timetable).__name__, dag.start_date, dag.end_date) == ("NullTimetable", None, None)


def test_owner_retries_tags_and_form(dags):
    dag = dags()["lupus.flights.departures"]
    assert dag.owner == "flight-delay"
    assert dag.tags == {"lupus", "project:flights"}
    assert {(task.retries, task.retry_exponential_backoff) for task in dag.tasks} == {(2, 3)}
    assert dag.params.dump() == {"from": None, "to": None}
    assert dag.params.get_param("from").schema == {"type": ["null", "string"], "format": "date", "title": "From"}
    assert dags(small())["lupus.shop.orders"].owner == "lupus"


def test_a_day_that_is_none_is_refused_by_the_form(dags):
    from airflow.sdk.exceptions import ParamValidationError

    param = dags()["lupus.flights.departures"].params.get_param("from")
    assert param.resolve("2013-01-31") == "2013-01-31"
    with pytest.raises(ParamValidationError):
        param.resolve("31.1.2013")


def test_the_doc_is_the_metric_sets_own_text(dags):
    doc = dags()["lupus.flights.weather"].doc_md
    assert "```yaml\n  weather:\n" in doc
    assert "departures" not in doc


def test_back_ticks_in_the_file_do_not_end_the_docs_fence(dags):
    doc = dags(small("    # ```` four\n    period: day\n"))["lupus.shop.orders"].doc_md
    assert doc.splitlines()[-1] == "`````"


def test_two_builds_serialise_to_the_same_bytes(dags):
    from airflow.serialization.serialized_objects import DagSerialization

    first, second = (
        [json.dumps(DagSerialization.to_dict(dag), sort_keys=True) for dag in dags().values()] for _ in range(2)
    )
    assert first == second


def test_a_changed_neighbour_changes_no_dag(dags):
    from airflow.serialization.serialized_objects import DagSerialization

    def weather(text: str) -> str:
        return json.dumps(DagSerialization.to_dict(dags(text)["lupus.flights.weather"]), sort_keys=True)

    text = FLIGHTS.read_text()
    assert weather(text) == weather(text.replace("max: 0.5", "max: 0.6"))
    assert weather(text) != weather(text.replace("visib: [min]", "visib: [max]"))


@pytest.mark.parametrize(
    ("zone", "after", "fires"),
    [
        ("Europe/Berlin", "2026-03-28T12:00Z", ["2026-03-29T01:30:00+00:00", "2026-03-30T00:30:00+00:00"]),
        ("Europe/Berlin", "2026-10-24T12:00Z", ["2026-10-25T01:30:00+00:00", "2026-10-26T01:30:00+00:00"]),
    ],
)
def test_airflow_fires_over_clock_changes_when_the_plan_says_so(dags, zone, after, fires):
    import pendulum
    from airflow.serialization.serialized_objects import DagSerialization
    from airflow.timetables.base import DataInterval, TimeRestriction

    from lupus_provider.config.schedule import fire_times

    dag = dags(small("    schedule: 30 2 * * *\n", f"timezone: {zone}\n"))["lupus.shop.orders"]
    timetable = DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable
    last, found = pendulum.parse(after), []
    for _ in fires:
        info = timetable.next_dagrun_info(
            last_automated_data_interval=DataInterval.exact(last), restriction=TimeRestriction(None, None, catchup=True)
        )
        last = info.run_after
        found.append(last.in_timezone("UTC").isoformat())
    assert found == fires
    from zoneinfo import ZoneInfo

    planned = fire_times("30 2 * * *", ZoneInfo(zone), pendulum.parse(after), len(fires))
    assert [pendulum.instance(fire).in_timezone("UTC").isoformat() for fire in planned] == fires
