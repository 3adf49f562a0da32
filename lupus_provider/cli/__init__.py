"""The `lupus` command.

Command modules register on `cli.app.app`; they are imported in `main` only, because the supervisor's process lives in this package
too and must start at once.
"""

from __future__ import annotations

from importlib import import_module

COMMANDS = ("demo", "backfill", "project", "stores", "history", "backtest")


def main() -> None:
    """Run the command line."""
    from lupus_provider.cli.app import run

    for name in COMMANDS:
        import_module(f"lupus_provider.cli.{name}")
    run()
