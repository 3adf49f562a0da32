"""The Typer app that every command registers on, and how errors reach people: one sentence, no traceback."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer
from rich.console import Console

from lupus_provider import __version__
from lupus_provider.errors import LupusError

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

app = typer.Typer(
    name="lupus",
    help="MLOps monitoring inside Apache Airflow.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        out.print(f"lupus {__version__}")
        raise typer.Exit


@app.callback()
def lupus(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    """MLOps monitoring inside Apache Airflow: measure tables, find what went wrong, tell people, show it."""


def fail(error: Exception) -> NoReturn:
    """Print the sentence of an error and end with status 1."""
    err.print("[bold red]error:[/] ", end="")
    # No markup: it may hold brackets, as in pip install 'airflow-provider-lupus[s3]'.
    err.print(str(error), soft_wrap=True, markup=False)
    sys.exit(1)


def run() -> None:
    """Run the app; errors of Lupus become one sentence."""
    try:
        app()
    except LupusError as error:
        fail(error)
