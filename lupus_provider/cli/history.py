"""`lupus compact | expire`: keep the stores small and quick to read; made to be run once a day or week, beside everything else."""

from __future__ import annotations

from contextlib import closing

from lupus_provider.cli.app import app, out
from lupus_provider.cli.projects import Name, Only, check_metric_sets, opened_project


@app.command(epilog="Example: [bold]lupus compact flights[/]")
def compact(project: Name, metric_set: Only = None) -> None:
    """Merge the history's day files of closed months: reading years gets cheaper, and no row changes."""
    from lupus_provider.clock import utc_now
    from lupus_provider.hooks.stores import LupusHook
    from lupus_provider.steps.compact import compact as merge

    with opened_project(project) as config, closing(LupusHook()) as stores:
        check_metric_sets(config, metric_set)
        done = merge(config, stores.history, utc_now(), metric_set)
        out.print(f"{project}: {done.months} months merged, {done.files} files became {done.months}, {done.rows} rows")


@app.command(epilog="Example: [bold]lupus expire flights[/]")
def expire(project: Name, metric_set: Only = None) -> None:
    """Drop what is older than the project file's `retention`, from the history, its catalogue and the index."""
    from lupus_provider.clock import utc_now
    from lupus_provider.hooks.stores import LupusHook
    from lupus_provider.steps.expire import expire as drop

    with opened_project(project) as config, closing(LupusHook()) as stores:
        check_metric_sets(config, metric_set)
        done = drop(config, stores.history, stores.index, utc_now(), metric_set)
        gone = done.history
        out.print(
            f"{project}: the history dropped {gone.days} days of {gone.periods} periods, {gone.rows} rows", end="; "
        )
        out.print(f"the index forgot {done.index_periods} periods")
