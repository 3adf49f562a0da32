"""The application that `spark-submit` runs: one collection, in the driver that the cluster gives it.

    spark-submit …/lupus_provider/steps/collect_main.py '{"project_file": "flights.yaml", "metric_set": "departures", …}'

Its one argument is what `arguments_of` returns. Lupus must be installed where the driver runs. Keys of a bucket come in a file of their own,
which only its owner reads: arguments are seen by everybody on the machine, and stand in the cluster's logs and pages.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lupus_provider.steps.collect import Collected
    from lupus_provider.steps.connections import Submission
    from lupus_provider.stores.objects.access import S3Access


def arguments_of(submission: Submission, project_file: str, access_file: str | None = None) -> str:
    """Return a submission as the text that `main` takes.

    Parameters
    ----------
    project_file
        Where the driver finds the project's YAML; its bare name is looked for in the working folder, where `--files` puts it.
    access_file
        In the same way, where it finds what `access_text` returned; None: the stage needs no keys, or the driver has its own.
    """
    target = submission.target
    return json.dumps({
        "project_file": project_file, "access_file": access_file, "metric_set": target.metric_set_name, "stage_url": submission.stage_url,
        "start": target.span.start.isoformat(), "end": target.span.end.isoformat(), "data_folder": submission.data_folder,
        "run_id": submission.run_id, "now": submission.now.isoformat(),
    })  # fmt: skip


def access_text(access: S3Access) -> str:
    """Return how to get at a bucket as text that `main` reads, keys included: for a file that only its owner reads.

    A role's credentials are those of this moment: they last as long as the role's session, an hour by default.
    """
    given = {field.name: getattr(access, field.name) for field in fields(access) if field.name != "session"}
    given["config"] = dict(access.config)
    if access.session is not None:
        found = access.opened_session().get_credentials()
        keys = (None, None, None) if found is None else found.get_frozen_credentials()
        given |= dict(zip(("access_key", "secret_key", "session_token"), keys))
    return json.dumps(given)


def main(arguments: str) -> Collected:
    """Collect as the arguments say.

    Raises
    ------
    LupusError
        What `steps.collect.collect` raises.
    """
    from lupus_provider.config import load_project
    from lupus_provider.periods import Span
    from lupus_provider.steps.collect import collect
    from lupus_provider.steps.target import Target
    from lupus_provider.stores import open_stage

    given = json.loads(arguments)
    span = Span(datetime.fromisoformat(given["start"]), datetime.fromisoformat(given["end"]))
    target = Target(load_project(_found(given["project_file"])), given["metric_set"], span)
    stage = open_stage(given["stage_url"], _access(given.get("access_file")))
    return collect(target, stage, Path(given["data_folder"]), given["run_id"], datetime.fromisoformat(given["now"]))


def _access(file: str | None) -> S3Access | None:
    if file is None:
        return None
    from lupus_provider.stores.objects.access import S3Access

    given: dict[str, Any] = json.loads(_found(file).read_text(encoding="utf-8"))
    return S3Access(**given)


def _found(file: str) -> Path:
    return Path(file) if Path(file).exists() else Path(os.path.basename(file))


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1]).as_xcom()))  # noqa: T201  (the driver's log is all that is seen of it)
