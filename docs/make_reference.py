"""Writes docs/reference.md from the registries, the models and the commands: no second definition anywhere.

Run `python docs/make_reference.py`; a test fails when the page is not what this prints.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

from lupus_provider.cli import COMMANDS
from lupus_provider.cli.app import app
from lupus_provider.config.metric_set import ScannedMetricSet
from lupus_provider.config.models import Alerts, Project, Retention
from lupus_provider.config.processors import METRIC_SETS, Expectation, Gate
from lupus_provider.config.source import FixedReference, Join, Sample, Source, Table, VersionReference, WindowReference
from lupus_provider.detectors import DETECTORS, Detector
from lupus_provider.get_provider_info import get_provider_info
from lupus_provider.metrics import SHELVES, Family, Kind, Metric
from lupus_provider.metrics.numeric import Percentile

PAGE = Path(__file__).parent / "reference.md"
KINDS = {
    Kind.NUMBER: "numbers",
    Kind.BOOL: "booleans",
    Kind.TEXT: "texts",
    Kind.TIME: "times",
    Kind.OTHER: "anything else",
}
HEADS = {
    Family.TABLE: "Of the table: `table_metrics`",
    Family.DISTRIBUTION: "Of a column: `column_metrics`",
    Family.CLASSIFICATION: "`processor: classification`",
    Family.REGRESSION: "`processor: regression`",
    Family.RANKING: "`processor: ranking`",
    Family.DRIFT: "`processor: drift`",
}
PARTS = (
    ("Source", Source), ("Join", Join), ("Labels", Table), ("Sample", Sample), ("Reference: fixed", FixedReference), ("Reference: the periods before", WindowReference),
    ("Reference: the version before", VersionReference), ("Expectation", Expectation), ("Gate", Gate), ("Alerts", Alerts), ("Retention", Retention),
)  # fmt: skip


def first_line(item: Any) -> str:
    return (item.__doc__ or "").strip().split("\n")[0]


def cell(text: object) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def metrics() -> list[str]:
    lines = ["## Metrics", "", "By family: the same name may be another metric for another processor.", ""]
    for family, shelf in SHELVES.items():
        if shelf:
            lines += metrics_of(family)
    lines += [
        "Of a list column, metrics of columns speak of its items. `@k` cuts each list to its first k items before anything else: `avg@5`,",
        "`unique@5`, `count@5`. `length_` measures the lists' lengths: `length_avg`, `length_p50`.", "",
    ]  # fmt: skip
    return lines


def metrics_of(family: Family) -> list[str]:
    shelf = [(f"{name}@k" if metric.cuts else name, metric) for name, metric in SHELVES[family].items()]
    if family is Family.DISTRIBUTION:
        shelf.append(("p0 … p100, p99.9, median", Percentile))
    lines = [f"### {HEADS[family]}", "", "| name | what it is | of columns of | unit |", "|---|---|---|---|"]
    for name, metric in shelf:
        unit = {"column": "that of the column", "squared": "the column's, squared"}.get(metric.unit, metric.unit)
        lines.append(f"| `{name}` | {cell(first_line(metric))} | {kinds_of(family, metric)} | {unit} |")
    return [*lines, ""]


def kinds_of(family: Family, metric: type[Metric]) -> str:
    if metric.roles:
        return ", ".join(f"{role.name}{' (lists)' if role.is_list else ''}" for role in metric.roles)
    if family is Family.TABLE:
        return "the table"
    if metric.accepts == Kind.ANY:
        return "any type"
    return ", ".join(text for kind, text in KINDS.items() if kind & metric.accepts)


def fields(model: type[BaseModel], skip: frozenset[str] = frozenset()) -> list[str]:
    lines = ["| key | what it says | default |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        if name in skip:
            continue
        default = "required" if field.is_required() else f"`{field.get_default(call_default_factory=True)!r}`"
        default = (
            ""
            if default == "`None`" or isinstance(field.default, BaseModel)
            else default.replace("<Severity.MEDIUM: 'medium'>", "medium")
        )
        lines.append(f"| `{field.alias or name}` | {cell(field.description or '')} | {cell(default)} |")
    return [*lines, ""]


def detectors() -> list[str]:
    lines = ["## Detectors", "", "Every rule under `detect` also says which series it judges and how loud it is:", ""]
    lines += fields(Detector, frozenset({"detector"}))
    for name in DETECTORS:
        lines += [f"### `{name}`", "", first_line(DETECTORS[name]), ""]
        lines += fields(DETECTORS[name], DETECTORS[name].selection_fields | {"detector"})
    return lines


def project_file() -> list[str]:
    lines = [
        "## Project file",
        "",
        "One YAML file a product. Unknown keys are errors. Editors use `include/lupus.schema.json`.",
        "",
    ]
    lines += ["### Project", "", first_line(Project), "", *fields(Project)]
    common = frozenset(ScannedMetricSet.model_fields)
    lines += ["### Metric set", "", "Keys of every processor that measures a table:", ""]
    lines += fields(ScannedMetricSet, frozenset({"processor"}))
    for word, model in METRIC_SETS.items():
        own = [name for name in model.model_fields if name not in common]
        lines += [f"### `processor: {word}`", "", first_line(model), ""]
        missing = sorted(f"`{name}`" for name in common - set(model.model_fields))
        lines += [f"Without: {', '.join(missing)}.", ""] if missing else []
        lines += fields(model, frozenset(model.model_fields) - set(own)) if own else []
    for title, model in PARTS:
        lines += [f"### {title}", "", first_line(model), "", *fields(model)]
    return lines


def commands() -> list[str]:
    lines = [
        "## Commands",
        "",
        "Every command has `--help` with an example.",
        "",
        "| command | what it does |",
        "|---|---|",
    ]
    for module in COMMANDS:
        import_module(f"lupus_provider.cli.{module}")
    group = typer.main.get_command(app)
    for name, command in sorted(group.commands.items()):  # type: ignore[attr-defined]
        lines.append(f"| `lupus {name}` | {cell((command.help or '').strip().split(chr(10))[0])} |")
    return [*lines, ""]


def settings() -> list[str]:
    lines = [
        "## Settings",
        "",
        "Section `[lupus]` of Airflow's configuration, or `AIRFLOW__LUPUS__<NAME>`.",
        "",
        "| option | what it says |",
        "|---|---|",
    ]
    for name, option in get_provider_info()["config"]["lupus"]["options"].items():
        lines.append(f"| `{name}` | {cell(option['description'])} |")
    return [*lines, ""]


def page() -> str:
    """Return the whole page."""
    head = ["# Reference", "", "Made by `docs/make_reference.py` from the code.", ""]
    return "\n".join([*head, *metrics(), *detectors(), *project_file(), *commands(), *settings()]).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
