from __future__ import annotations

import subprocess
import sys

import pytest

from lupus_provider import __version__, plugin
from lupus_provider.plugin import LupusPlugin, fastapi_apps, is_api_server


@pytest.mark.parametrize(
    ("argv", "is_it"),
    [
        (["airflow", "api-server", "--port", "1"], True),
        (["airflow", "scheduler"], False),
        (["airflow"], False),
        ([], False),
    ],
)
def test_only_the_api_server_is_one(argv, is_it):
    assert is_api_server(argv) is is_it


def test_the_server_is_mounted_in_the_api_server_only(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["airflow", "scheduler"])
    assert fastapi_apps() == []
    monkeypatch.setattr(sys, "argv", ["airflow", "api-server"])
    (mounted,) = fastapi_apps()
    assert (mounted["url_prefix"], mounted["name"]) == ("/lupus", "Lupus")


def test_the_page_is_a_relative_address_that_changes_with_the_version():
    (page,) = LupusPlugin.react_apps
    assert page["bundle_url"] == f"lupus/static/main.js?v={__version__}"
    assert (page["name"], page["url_route"], page["destination"]) == ("Lupus", "lupus", "nav")


def test_other_processes_do_not_pay_for_the_server():
    code = "import sys; sys.argv = ['airflow', 'scheduler']; import lupus_provider.plugin; "
    code += "print(sorted(name for name in sys.modules if name.startswith('lupus_provider.') or name == 'duckdb'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['lupus_provider.get_provider_info', 'lupus_provider.plugin']"


def test_a_mounted_package_registers_the_same_plugin():
    import runpy
    from pathlib import Path

    mounted = runpy.run_path(str(Path(plugin.__file__).parents[1] / "plugins" / "lupus.py"))
    assert mounted["LupusPlugin"] is LupusPlugin
