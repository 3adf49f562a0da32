from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def test_the_reference_is_what_the_code_says():
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "reference.md").read_text() == module.page(), "run: make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_project_file_of_the_first_steps_loads(tmp_path):
    from lupus_provider.config import load_project

    text = (ROOT / "docs" / "getting-started.md").read_text()
    block = next(block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "project: shop" in block)
    file = tmp_path / "shop.yaml"
    file.write_text("\n".join(line.removeprefix("   ") for line in block.splitlines()))
    assert list(load_project(file).metric_sets) == ["predictions"]


def test_the_call_of_the_readme_runs(capsys):
    import pyarrow as pa

    text = (ROOT / "README.md").read_text()
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    table = pa.table({"region": ["JP", "TW"], "age": [23, 40], "device": ["iOS", None], "ratings": [[5.0, 4.0], [1.0]]})
    exec(code, {"df": table})
    assert "avg@5" in capsys.readouterr().out


def test_the_calls_of_the_processors_page_run(capsys):
    text = (ROOT / "docs" / "processors.md").read_text()
    names = {}
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(code, names)
    assert names["metrics"].errors.num_rows == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-2:] == ["0.6666666666666666 0.75", "0.8333333333333333"]
