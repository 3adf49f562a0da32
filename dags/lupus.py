"""All Lupus projects of `include/projects`, without any set-up: put this file into Airflow's DAGs folder.

It cannot keep projects apart. Airflow treats a DAG file as one thing, so a mistake in one project file is an import error here and
takes the DAGs of all projects off the schedule until it is mended (the error names file, line and key of each mistake; tasks that
are running go on). A YAML change also waits for Airflow's next parse of this file. Where that matters, use one of these instead:

- the DAG bundle `lupus_provider.dag_factory.bundle.LupusDagBundle`: one DAG file a project, changes within seconds;
- `lupus sync`, which writes the same one file a project into a folder.

Use one of the three, not two: the same DAG from two files is a race.
"""

from __future__ import annotations

from lupus_provider.dag_factory import load_dags

load_dags(globals())
