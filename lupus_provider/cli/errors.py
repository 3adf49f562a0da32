"""What can go wrong around the demo and the commands that talk to Airflow, each one sentence that says what to do."""

from __future__ import annotations

from lupus_provider.errors import Terminal, Transient


class PortBusyError(Terminal):
    """The demo's port belongs to another program."""

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__(
            f"port {port} on 127.0.0.1 is in use by another program. Stop it, or choose another port: make demo PORT={port + 1}"
            f" (lupus demo --port {port + 1})."
        )


class NoSpaceError(Terminal):
    """The disk is too full for the demo."""

    def __init__(self, folder: str, needed: int, free: int) -> None:
        self.folder, self.needed, self.free = folder, needed, free
        super().__init__(
            f"{folder} has {free / 1e6:,.0f} MB of free disk and the demo needs {needed / 1e6:,.0f} MB. "
            "Free some, or choose another folder: lupus demo --home FOLDER."
        )


class DemoRunningError(Terminal):
    """Two demos want one home."""

    def __init__(self, home: str) -> None:
        self.home = home
        super().__init__(
            f"another demo is running (or still stopping) in {home}. Stop it with Ctrl-C, or give this one its own folder and port: "
            "lupus demo --home FOLDER --port PORT."
        )


class MissingFlightsError(Terminal):
    """The demo's data set is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "the flights of 2013 are not installed. Install them with: pip install 'airflow-provider-lupus[demo]'"
        )


class MissingProjectError(Terminal):
    """The demo's project file is not where it should be."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        super().__init__(f"{folder} has no flights.yaml. Name the folder that has it: lupus demo --projects FOLDER.")


class ComponentDiedError(Terminal):
    """One of Airflow's processes ended on its own."""

    def __init__(self, name: str, code: int | None, log: str) -> None:
        self.name, self.code, self.log = name, code, log
        super().__init__(f"Airflow's {name} stopped with status {code}. Its log says why: {log}")


class NotReadyError(Terminal):
    """Airflow did not get ready in time."""

    def __init__(self, what: str, seconds: float, logs: str) -> None:
        self.what, self.seconds, self.logs = what, seconds, logs
        super().__init__(f"{what} did not happen within {seconds:.0f} s. The logs are in {logs}")


class BrokenProjectError(Terminal):
    """Airflow could not read the demo's project file."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"Airflow could not make DAGs of the project file: {reason}")


class RunFailedError(Terminal):
    """A DAG run ended without success."""

    def __init__(self, dag_id: str, run_id: str, state: str, task_id: str | None, log: str) -> None:
        self.dag_id, self.run_id, self.state, self.task_id, self.log = dag_id, run_id, state, task_id, log
        task = f" in task {task_id}" if task_id else ""
        super().__init__(f"run {run_id} of {dag_id} ended as {state}{task}. Its log says why: {log}")


class UnknownDagError(Terminal):
    """Airflow has no such DAG."""

    def __init__(self, dag_id: str, url: str) -> None:
        self.dag_id, self.url = dag_id, url
        super().__init__(
            f"Airflow at {url} has no DAG {dag_id}. Check the names, and Dags → Import Errors in its web page."
        )


class AirflowRefusedError(Terminal):
    """Airflow's API said no."""

    def __init__(self, path: str, status: int, detail: str) -> None:
        self.path, self.status, self.detail = path, status, detail
        super().__init__(f"Airflow answered {path} with status {status}: {detail}")


class AirflowAwayError(Transient):
    """Airflow's API does not answer."""

    def __init__(self, url: str, detail: str) -> None:
        self.url, self.detail = url, detail
        super().__init__(
            f"Airflow at {url} does not answer ({detail}). Start it (lupus demo), or name another: --airflow-url URL."
        )


class NoLoginError(Terminal):
    """Nothing says how to log in to Airflow."""

    def __init__(self, home: str) -> None:
        self.home = home
        super().__init__(
            f"no login for Airflow: set LUPUS_AIRFLOW_URL, LUPUS_AIRFLOW_USER and LUPUS_AIRFLOW_PASSWORD, or start the demo ({home} "
            "has no running one)."
        )
