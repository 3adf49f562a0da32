"""One version, wherever it is written."""

from __future__ import annotations

import configparser
import json
import re

import lupus_provider

VERSION = lupus_provider.__version__


def test_the_package_takes_its_version_from_the_code(root):
    config = configparser.ConfigParser()
    config.read(root / "setup.cfg")
    assert config["metadata"]["version"] == "attr: lupus_provider.__version__"
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)


def test_the_page_has_the_version_of_the_package(root):
    ui = root / "lupus_provider/ui"
    assert json.loads((ui / "package.json").read_text())["version"] == VERSION
    assert json.loads((ui / "package-lock.json").read_text())["version"] == VERSION


def test_the_changelog_tells_of_this_version(root):
    assert re.search(rf"^## \[?{re.escape(VERSION)}\b", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
