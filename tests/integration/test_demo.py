from __future__ import annotations

import signal
import socket

import pytest

pytestmark = pytest.mark.timeout(900)


def test_the_demo_finds_the_blizzard_and_leaves_no_process_behind(loaded):
    _, said = loaded
    table = said[said.index("The worst days") : said.index("The recommender")]
    rows = [line for line in table.splitlines() if line.startswith("2013-")]
    assert {"2013-02-08", "2013-02-09"} <= {row.split()[0] for row in rows[:3]}
    assert any("null_ratio" in row for row in rows[:3])


def test_the_demo_shows_the_recommenders_update_before_everybody_gets_it(loaded):
    _, said = loaded
    rows = [line for line in said[said.index("The recommender") :].splitlines() if line.startswith("2013-")]
    assert rows[0].startswith("2013-10-10"), "the day on which a tenth of the requests is served by the new version"
    assert "top_score psi [model_version=v2]" in rows[0]
    assert any(row.startswith("2013-10-15") and "predicted_items unique" in row for row in rows)


def test_every_day_of_the_year_is_loaded_and_judged(loaded, what_is_known):
    home, _ = loaded
    for (store, kind, metric_set), periods in what_is_known(home).items():
        assert len(periods) == 365, (store, kind, metric_set)


def test_secrets_are_for_their_owner_only(loaded):
    home, _ = loaded
    for name in ("secrets.json", "passwords.json"):
        assert (home / name).stat().st_mode & 0o077 == 0
    assert home.stat().st_mode & 0o077 == 0
    assert not (home / "address.json").exists(), "a stopped demo has no address"


def test_a_second_demo_changes_nothing_in_the_stores(loaded, demo, contents):
    home, _ = loaded
    before = contents(home)
    again = demo(home, "--once")
    assert again.wait_end() == 0, again.output
    assert "loaded before" in again.output
    assert "2013-02-09" in again.output
    assert contents(home) == before
    assert again.survivors() == []


def test_a_busy_port_is_one_sentence(tmp_path, demo):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = demo(tmp_path / "home", "--once", port=port)
        assert refused.wait_end() == 1
    assert f"port {port} on 127.0.0.1 is in use" in refused.output
    assert "Traceback" not in refused.output
    assert refused.survivors() == []


def test_a_stop_before_anything_runs_leaves_nothing(tmp_path, demo):
    stopped = demo(tmp_path / "home", "--once")
    stopped.wait_for("starting Airflow")
    stopped.process.send_signal(signal.SIGINT)
    assert stopped.wait_end() == 130, stopped.output
    assert stopped.survivors() == []


def test_with_a_killed_task_a_killed_demo_and_a_stop_the_stores_are_those_of_a_quiet_run(
    loaded, tmp_path, demo, what_is_known
):
    quiet, _ = loaded
    home = tmp_path / "home"

    killed = demo(home, "--once")
    killed.wait_for("loading 2013")
    killed.kill_task()
    killed.wait_for("↻ ")
    second = demo(home, "--once")
    assert second.wait_end() == 1
    assert "another demo is running" in second.output
    killed.process.kill()
    killed.wait_gone()

    stopped = demo(home, "--once")
    stopped.wait_for("▸ load")
    stopped.process.send_signal(signal.SIGTERM)
    assert stopped.wait_end() == 130, stopped.output
    assert stopped.survivors() == []

    last = demo(home, "--once")
    assert last.wait_end() == 0, last.output
    assert last.survivors() == []
    assert what_is_known(home) == what_is_known(quiet)
