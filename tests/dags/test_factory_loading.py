from __future__ import annotations

import os
from pathlib import Path

import pytest

from lupus_provider.config import load_projects
from lupus_provider.dag_factory import load_dags, load_project_dags
from lupus_provider.dag_factory.loading import find_projects_folder
from lupus_provider.errors import ProjectFileError
from lupus_provider.naming import dag_id

ROOT = Path(__file__).parents[2]
GOOD = "project: {name}\nmetric_sets:\n  orders:\n    source: {{path: a.parquet}}\n  returns:\n    source: {{path: b.parquet}}\n"


@pytest.fixture
def projects(tmp_path):
    folder = tmp_path / "projects"
    folder.mkdir()
    for name in ("bank", "shop", "taxi"):
        (folder / f"{name}.yaml").write_text(GOOD.format(name=name))
    return folder


@pytest.fixture
def starting(monkeypatch):
    """Make it look as if a task of that DAG starts."""

    def starting(dag_id: str) -> None:
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id)
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", "collect")

    return starting


def test_a_folder_gives_the_dags_of_all_its_projects(projects):
    namespace: dict = {}
    load_dags(namespace, projects)
    assert sorted(namespace) == [f"lupus.{p}.{m}" for p in ("bank", "shop", "taxi") for m in ("orders", "returns")]


def test_a_broken_file_is_told_after_all_good_ones_are_in(projects):
    (projects / "shop.yaml").write_text(GOOD.format(name="shop").replace("source", "sorce", 1))
    namespace: dict = {}
    with pytest.raises(
        ProjectFileError, match=r"shop\.yaml:4:5: key 'sorce' is unknown in metric set orders\. Did you mean 'source'\?"
    ):
        load_dags(namespace, projects)
    assert sorted({name.split(".")[1] for name in namespace}) == ["bank", "taxi"]


def test_a_starting_task_gets_its_own_dag_and_reads_its_own_file_only(projects, starting):
    (projects / "bank.yaml").write_text("{broken")
    starting("lupus.shop.returns")
    namespace: dict = {}
    load_dags(namespace, projects)
    assert list(namespace) == ["lupus.shop.returns"]


def test_a_starting_task_of_somebody_elses_dag_gets_nothing(projects, starting):
    starting("etl_nightly")
    namespace: dict = {}
    load_dags(namespace, projects)
    assert namespace == {}


def test_a_starting_task_of_a_project_gets_one_dag_from_its_stub(projects, starting):
    starting("lupus.shop.orders")
    namespace: dict = {}
    load_project_dags(namespace, projects / "shop.yaml")
    assert list(namespace) == ["lupus.shop.orders"]


def test_a_project_file_that_has_just_gone_is_no_error(projects):
    namespace: dict = {}
    load_project_dags(namespace, projects / "gone.yaml")
    assert namespace == {}


def test_of_two_files_with_one_name_only_the_rightful_one_loads(projects):
    (projects / "a.yaml").write_text(GOOD.format(name="shop"))
    namespace: dict = {}
    load_project_dags(namespace, projects / "shop.yaml")
    assert len(namespace) == 2
    with pytest.raises(
        ProjectFileError, match=r"a\.yaml:1:1: project 'shop' is also the name of the project in .*shop\.yaml"
    ):
        load_project_dags({}, projects / "a.yaml")


def test_the_configured_folder_is_found(projects, monkeypatch):
    monkeypatch.setenv("AIRFLOW__LUPUS__PROJECTS_FOLDER", str(projects))
    assert find_projects_folder("/somewhere/dags/lupus.py") == projects


def test_without_configuration_the_folder_beside_the_dags_folder_is_found(tmp_path):
    (tmp_path / "include" / "projects").mkdir(parents=True)
    assert find_projects_folder(str(tmp_path / "dags" / "lupus.py")) == tmp_path / "include" / "projects"


def test_without_any_folder_airflows_home_is_named(airflow_home, tmp_path):
    assert find_projects_folder(str(tmp_path / "dags" / "lupus.py")) == airflow_home / "include" / "projects"


def bag_of(file: Path):
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=os.fspath(file), bundle_path=file.parent, bundle_name="dags-folder")


def test_the_zero_set_up_entry_loads_every_project():
    bag = bag_of(ROOT / "dags" / "lupus.py")
    assert bag.import_errors == {}
    projects = load_projects(ROOT / "include" / "projects").values()
    assert sorted(bag.dags) == sorted(dag_id(p.project, name) for p in projects for name in p.metric_sets)
    assert {"lupus.flights.departures", "lupus.recommender.ranking"} <= set(bag.dags)


@pytest.mark.parametrize("file", sorted((ROOT / "dags" / "examples").glob("*.py")), ids=lambda file: file.stem)
def test_every_example_loads(file):
    bag = bag_of(file)
    assert bag.import_errors == {}
    assert list(bag.dags) == [file.stem]
