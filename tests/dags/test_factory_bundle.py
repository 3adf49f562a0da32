from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path

import pytest

GOOD = "project: {name}\nmetric_sets:\n  orders:\n    source: {{path: a.parquet}}\n"


@pytest.fixture
def projects(tmp_path):
    folder = tmp_path / "projects"
    folder.mkdir()
    for name in ("bank", "shop", "taxi"):
        (folder / f"{name}.yaml").write_text(GOOD.format(name=name))
    return folder


@pytest.fixture
def bundle(projects, request):
    from lupus_provider.dag_factory.bundle import LupusDagBundle

    made = LupusDagBundle(name="lupus", projects_folder=str(projects), refresh_interval=5)
    made.initialize()
    return made


def stubs(bundle) -> list[str]:
    return sorted(path.name for path in bundle.path.iterdir() if path.is_file())


def bag_of(bundle):
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=os.fspath(bundle.path), bundle_path=bundle.path, bundle_name="lupus")


def age(bundle) -> None:
    for stub in bundle.path.glob("*.py"):
        os.utime(stub, (1, 1))


def rung(bundle) -> list[str]:
    """Stubs that Airflow would parse again now, because they are newer than the last parse."""
    return sorted(path.stem for path in bundle.path.glob("*.py") if path.stat().st_mtime > 1)


def test_every_project_has_a_stub_and_its_dags(bundle):
    bag = bag_of(bundle)
    assert stubs(bundle) == ["bank.py", "shop.py", "taxi.py"]
    assert bag.import_errors == {}
    assert sorted(bag.dags) == ["lupus.bank.orders", "lupus.shop.orders", "lupus.taxi.orders"]


def test_a_broken_project_is_its_own_import_error_and_nobody_elses(bundle, projects):
    (projects / "shop.yaml").write_text(GOOD.format(name="shop") + "    perod: day\n")
    bundle.refresh()
    bag = bag_of(bundle)
    assert sorted(bag.dags) == ["lupus.bank.orders", "lupus.taxi.orders"]
    ((file, error),) = bag.import_errors.items()
    assert Path(file).name == "shop.py"
    assert f"{projects / 'shop.yaml'}:5:5: key 'perod' is unknown in metric set orders. Did you mean 'period'?" in error


@pytest.mark.parametrize("text", ["", "[", "a: \x00", "{" * 10_000, "project: shop\n"])
def test_no_broken_text_takes_another_project_down(bundle, projects, text):
    (projects / "shop.yaml").write_text(text)
    bundle.refresh()
    bag = bag_of(bundle)
    assert (len(bag.dags), len(bag.import_errors)) == (2, 1)


def test_a_new_a_changed_and_a_removed_project_show_at_the_next_refresh(bundle, projects):
    age(bundle)
    (projects / "new.yaml").write_text(GOOD.format(name="new"))
    (projects / "shop.yaml").write_text(GOOD.format(name="shop").replace("orders", "returns"))
    (projects / "taxi.yaml").unlink()
    bundle.refresh()
    assert rung(bundle) == ["new", "shop"]
    assert sorted(bag_of(bundle).dags) == ["lupus.bank.orders", "lupus.new.orders", "lupus.shop.returns"]


def test_a_change_rings_twice_and_then_is_silent(bundle, projects):
    bundle.refresh()
    (projects / "shop.yaml").write_text(GOOD.format(name="shop") + "owner: me\n")
    heard = []
    for _ in range(3):
        age(bundle)
        bundle.refresh()
        heard.append(rung(bundle))
    assert heard == [["shop"], ["shop"], []]


def test_a_change_by_a_file_of_old_date_rings_too(bundle, projects):
    age(bundle)
    (projects / "shop.yaml").write_text(GOOD.format(name="shop") + "owner: me\n")
    os.utime(projects / "shop.yaml", (0, 0))
    bundle.refresh()
    assert rung(bundle) == ["shop"]


def test_a_file_that_is_only_touched_does_not_ring(bundle, projects):
    age(bundle)
    (projects / "shop.yaml").touch()
    bundle.refresh()
    assert rung(bundle) == []


def test_a_task_start_writes_what_is_missing_and_removes_nothing(bundle, projects):
    (projects / "taxi.yaml").unlink()
    (bundle.path / "shop.py").unlink()
    bundle.initialize()
    assert stubs(bundle) == ["bank.py", "shop.py", "taxi.py"]
    assert sorted(bag_of(bundle).dags) == ["lupus.bank.orders", "lupus.shop.orders"]


def test_a_projects_folder_that_is_away_removes_nothing(bundle, projects):
    projects.rename(projects.parent / "away")
    with pytest.raises(FileNotFoundError):
        bundle.refresh()
    assert stubs(bundle) == ["bank.py", "shop.py", "taxi.py"]


def test_two_projects_folders_never_share_stubs(bundle, tmp_path):
    from lupus_provider.dag_factory.bundle import LupusDagBundle

    other = LupusDagBundle(name="lupus", projects_folder=str(tmp_path / "other"))
    assert other.path != bundle.path


def test_airflow_makes_the_bundle_from_its_configuration(projects, monkeypatch):
    import json

    from airflow.dag_processing.bundles.manager import DagBundlesManager

    config = [
        {
            "name": "lupus",
            "classpath": "lupus_provider.dag_factory.bundle.LupusDagBundle",
            "kwargs": {"projects_folder": str(projects), "refresh_interval": 2},
        }
    ]
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps(config))
    made = DagBundlesManager().get_bundle("lupus")
    made.initialize()
    assert (made.refresh_interval, made.get_current_version()) == (2, None)
    assert stubs(made) == ["bank.py", "shop.py", "taxi.py"]


def _churn(projects: str, stop: float) -> None:
    from lupus_provider.dag_factory.bundle import LupusDagBundle

    bundle = LupusDagBundle(name="lupus", projects_folder=projects)
    for turn in range(10**9):
        if time.monotonic() > stop:
            return
        Path(projects, "shop.yaml").write_text(GOOD.format(name="shop") + f"description: turn {turn} {'x' * 5000}\n")
        bundle.refresh()


def test_a_reader_never_sees_half_a_stub(bundle, projects):
    worker = multiprocessing.get_context("fork").Process(target=_churn, args=(str(projects), time.monotonic() + 1.5))
    worker.start()
    reads = 0
    while worker.is_alive():
        text = (bundle.path / "shop.py").read_text()
        assert "load_project_dags(globals()" in text
        assert text.endswith("\n")
        reads += 1
    worker.join()
    assert worker.exitcode == 0
    assert reads > 10
