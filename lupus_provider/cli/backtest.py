"""`lupus backtest | detect`: try detectors on the stored history or on any file, before they tell anybody.

`backtest` judges each period with only the periods before it, as production does; `detect` judges a finished series at once.
"""

from __future__ import annotations

import csv
from datetime import datetime  # noqa: TC003  (typer reads annotations at run time)
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lupus_provider.cli.app import app, err, out
from lupus_provider.cli.projects import check_metric_sets, opened_project
from lupus_provider.errors import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np

    from lupus_provider.detectors import Detector, Panel
    from lupus_provider.steps.backtest import Trial

COLUMNS = ("series_id", "date", "value", "expected", "lower", "upper", "score", "kind", "detector")
DRAWN = 6
"""Series of a picture: those with the most alarms."""
SHOWN = 15
"""Anomalies that are listed on the screen."""

INPUT = typer.Option("--input", help="CSV file: series_id,date (or index),value[,n_rows][,metric].", dir_okay=False)
Output = Annotated[Path | None, typer.Option("--output", help="CSV file of the anomalies to write.", dir_okay=False)]
Picture = Annotated[
    Path | None, typer.Option("--picture", help="Draw the series with the most alarms (.png, .svg).", dir_okay=False)
]
Day = ["%Y-%m-%d"]


class BadCallError(Terminal, ValueError):
    """Options of a command contradict each other."""


@app.command(
    epilog="Examples: [bold]lupus backtest flights departures --from 2013-02-01[/], "
    "[bold]lupus backtest --input series.csv --detectors detectors.yaml --output anomalies.csv --holidays US[/]"
)
def backtest(
    project: Annotated[str | None, typer.Argument(help="Name of the project.")] = None,
    metric_set: Annotated[str | None, typer.Argument(help="Name of the metric set; all if none.")] = None,
    first: Annotated[datetime | None, typer.Option("--from", formats=Day, help="First local day to judge.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=Day, help="Last local day, inclusive.")] = None,
    input_file: Annotated[Path | None, INPUT] = None,
    detectors: Annotated[
        Path | None, typer.Option(help="YAML list of detectors, as under `detect:`; those of the project if none.")
    ] = None,
    output: Output = None,
    holidays: Annotated[
        str | None, typer.Option(help="Country (US) or region (US-NY) for detectors that take one and name none.")
    ] = None,
    picture: Picture = None,
) -> None:
    """Say what detectors would have told of the past: alarms by detector and kind, coverage, a picture."""
    from lupus_provider.config.detectors import load_detectors

    given = tuple(_with_holidays(d, holidays) for d in load_detectors(detectors)) if detectors else ()
    if input_file is not None:
        if project is not None:
            raise BadCallError("give a project or --input, not both.")  # noqa: TRY003
        _of_file(input_file, given or (_default(holidays),), output, picture)
        return
    if project is None:
        raise BadCallError("name a project, or give a file: lupus backtest --input series.csv.")  # noqa: TRY003
    _of_project(project, metric_set, first, last, given, holidays, output, picture)


@app.command(
    epilog="Example: [bold]lupus detect --input series.csv --detector s_h_esd --param season_length=7 --param direction=both "
    "--output anomalies.csv[/]"
)
def detect(
    input_file: Annotated[Path, INPUT],
    detector: Annotated[str, typer.Option(help="Name of a detector.")] = "seasonal",
    param: Annotated[list[str] | None, typer.Option(help="Parameter as NAME=VALUE; may be repeated.")] = None,
    output: Output = None,
    picture: Picture = None,
) -> None:
    """Judge finished series at once, each period by what came before and, where the detector can, after it."""
    from lupus_provider.config.detectors import make_detector
    from lupus_provider.steps.backtest import judge_whole
    from lupus_provider.steps.series_file import read_series_file

    judge = make_detector(detector, dict(_parameter(text) for text in param or ()))
    file = read_series_file(input_file)
    _warn_of_ignored(file.ignored)
    trial = judge_whole(file.panel, judge)
    _tell([trial], file.labels, file.axis_name)
    _write(output, [(trial, file.labels)], file.axis_name)
    _draw(picture, [trial])


def _of_file(path: Path, detectors: Sequence[Detector], output: Path | None, picture: Path | None) -> None:
    from lupus_provider.steps.backtest import backtest as judge
    from lupus_provider.steps.series_file import read_series_file

    file = read_series_file(path)
    _warn_of_ignored(file.ignored)
    with err.status("judging …") as status:
        trials = judge(
            file.panel, detectors, slice(0, len(file.labels)), lambda d: status.update(f"judging by {d.detector} …")
        )
    _tell(trials, file.labels, file.axis_name)
    _write(output, [(trial, file.labels) for trial in trials], file.axis_name)
    _draw(picture, trials)


def _of_project(
    name: str, metric_set: str | None, first: datetime | None, last: datetime | None, given: Sequence[Detector],
    holidays: str | None, output: Path | None, picture: Path | None,
) -> None:  # fmt: skip
    from contextlib import closing

    from lupus_provider.hooks.stores import LupusHook
    from lupus_provider.steps.backtest import backtest as judge, span_in
    from lupus_provider.steps.detect import read_panel
    from lupus_provider.steps.target import Target

    told: list[tuple[Trial, Sequence[str]]] = []
    with opened_project(name) as project, closing(LupusHook()) as stores:
        names = [metric_set] if metric_set else list(project.metric_sets)
        check_metric_sets(project, names)
        for one in names:
            detectors = given or tuple(_with_holidays(d, holidays) for d in project.metric_sets[one].detect)
            target = Target(
                project, one, span_in(project, one, stores.history, first and first.date(), last and last.date())
            )
            panel = read_panel(target, stores.history) if target.periods and detectors else None
            if panel is None:
                reason = "no detectors" if not detectors else "nothing stored in that span"
                err.print(f"[yellow]{project.project}.{one}: {reason}; not judged[/]")
                continue
            count = len(panel.period_start)
            with err.status(f"judging {one} …"):
                trials = judge(panel, detectors, slice(count - len(target.periods), count))
            if not any(trial.counted.any() for trial in trials):
                err.print(f"[yellow]{project.project}.{one}: nothing stored in that span; not judged[/]")
                continue
            labels = _labels(panel)
            out.print(f"[bold]{project.project}.{one}[/]")
            _tell(trials, labels, "date")
            told += [(trial, labels) for trial in trials]
    _write(output, told, "date")
    _draw(picture, [trial for trial, _ in told])


def _labels(panel: Panel) -> list[str]:
    unit = "s" if panel.period == "hour" else "D"
    return [str(moment.astype(f"datetime64[{unit}]")) for moment in panel.local_start]


def _default(holidays: str | None) -> Detector:
    from lupus_provider.config.detectors import make_detector

    return make_detector("seasonal", {} if holidays is None else {"holidays": holidays})


def _with_holidays(detector: Detector, code: str | None) -> Detector:
    takes = "holidays" in type(detector).model_fields and getattr(detector, "holidays", None) is None
    if code is None or not takes:
        return detector
    return type(detector).model_validate({**detector.model_dump(), "holidays": code})


def _parameter(text: str) -> tuple[str, Any]:
    import yaml

    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadCallError(f"--param {text!r} is not NAME=VALUE.")  # noqa: TRY003
    return name.strip(), yaml.safe_load(value)


def _warn_of_ignored(columns: Sequence[str]) -> None:
    if columns:
        err.print(f"[yellow]columns that mean nothing here are left out: {', '.join(columns)}[/]", markup=True)


def _tell(trials: Iterable[Trial], labels: Sequence[str], axis_name: str) -> None:
    """Print alarms by detector and kind, what was judged, and the first anomalies."""
    for trial in trials:
        series, evaluated, counted = len(trial.panel), int(trial.evaluated.sum()), int(trial.counted.sum())
        kinds = ", ".join(f"{count} {kind}" for kind, count in trial.by_kind().items()) or "no anomalies"
        out.print(f"  [bold]{trial.detector.key}[/]: {_count(trial.alarms, 'alarm')} of {series:,} series ({kinds})")
        unit = {"hour": "hours", "day": "days", "week": "weeks", "month": "months"}[trial.panel.period]
        unjudged = "; ".join(f"{count:,} {word}" for word, count in trial.unjudged().items())
        out.print(
            f"    evaluated {evaluated:,} of {counted:,} series-{unit}" + (f" (not: {unjudged})" if unjudged else "")
        )
        for number, row in enumerate(trial.rows(labels, axis_name)):
            if number == SHOWN:
                out.print("    …")
                break
            out.print(f"    {row[axis_name]}  {row['series_id']}  {row['value']}  {row['kind']}", markup=False)


def _write(path: Path | None, told: Iterable[tuple[Trial, Sequence[str]]], axis_name: str) -> None:
    if path is None:
        return
    names = [axis_name if name == "date" else name for name in COLUMNS]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        count = 0
        for trial, labels in told:
            for row in trial.rows(labels, axis_name):
                writer.writerow(row)
                count += 1
    out.print(f"wrote {count:,} anomalies to {path}")


def _draw(path: Path | None, trials: Sequence[Trial]) -> None:
    if path is None:
        return
    from lupus_provider.alert.picture import draw

    most = sorted((pair for trial in trials for pair in _strips(trial)), key=lambda pair: -pair[0])[:DRAWN]
    draw([strip for _, strip in most], path, "svg" if path.suffix == ".svg" else "png")
    out.print(f"drew {len(most)} series into {path}")


def _strips(trial: Trial) -> list[tuple[int, Any]]:
    """Return the series of a trial with the most alarms: how many, and what is drawn."""
    from lupus_provider.alert.picture import Strip

    alarms = trial.alarms_of_series
    told, at = trial.judgement, trial.judged
    axis: np.ndarray = trial.panel.local_start[at]
    return [
        (int(alarms[i]), Strip(
            f"{trial.panel.series[i].series_id}, {trial.detector.detector}: {_count(int(alarms[i]), 'alarm')}",
            axis, trial.panel.value[i, at], told.expected[i], told.lower[i], told.upper[i], trial.anomalies[i],
        ))
        for i in (-alarms).argsort(kind="stable")[:DRAWN]
    ]  # fmt: skip


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
