"""The application that `spark-submit` runs: one collection, in the driver that the cluster gives it.

    spark-submit …/lupus_provider/steps/collect_main.py '{"project_file": "flights.yaml", "metric_set": "departures", …}'

Its one argument is what `arguments_of` returns. Lupus must be installed where the driver runs.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lupus_provider.steps.collect import Collected
    from lupus_provider.steps.connections import Submission


def arguments_of(submission: Submission, project_file: str) -> str:
    """Return a submission as the text that `main` takes.

    Parameters
    ----------
    project_file
        Where the driver finds the project's YAML; its bare name is looked for in the working folder, where `--files` puts it.
    """
    target = submission.target
    return json.dumps({
        "project_file": project_file, "metric_set": target.metric_set_name, "stage_url": submission.stage_url,
        "start": target.span.start.isoformat(), "end": target.span.end.isoformat(), "data_folder": submission.data_folder,
        "run_id": submission.run_id, "now": submission.now.isoformat(),
    })  # fmt: skip


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
    file = given["project_file"] if Path(given["project_file"]).exists() else os.path.basename(given["project_file"])
    span = Span(datetime.fromisoformat(given["start"]), datetime.fromisoformat(given["end"]))
    target = Target(load_project(file), given["metric_set"], span)
    stage = open_stage(given["stage_url"])
    return collect(target, stage, Path(given["data_folder"]), given["run_id"], datetime.fromisoformat(given["now"]))


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1]).as_xcom()))  # noqa: T201  (the driver's log is all that is seen of it)
