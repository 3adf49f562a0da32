"""What collecting may need beside stores: a Spark session, a tracking store's address. Airflow's connections know them; steps do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lupus_provider.errors import UnknownNameError

if TYPE_CHECKING:
    from datetime import datetime

    from lupus_provider.steps.target import Target


@dataclass(frozen=True, slots=True)
class Submission:
    """A collection that another process does, on Spark's cluster.

    Attributes
    ----------
    stage_url
        Where the other process stages; it must reach that place.
    data_folder
        Where relative source paths start, over there.
    now
        Aware; when the reading begins, so that a later try supersedes an earlier one.
    """

    target: Target
    stage_url: str
    data_folder: str
    run_id: str
    now: datetime


class Connections(Protocol):
    """What a collection may ask of the place where it runs."""

    @property
    def submits_spark(self) -> bool:
        """Whether Spark's work is handed to `spark-submit` instead of a session of this process."""
        ...

    def spark(self) -> Any:
        """Return the Spark session."""
        ...

    def submit_spark(self, submission: Submission) -> None:
        """Collect by `spark-submit`, and wait for its end."""
        ...

    def tracking_uri(self, conn_id: str) -> str:
        """Return the address of a tracking store that a connection holds; it may hold a password."""
        ...


class NoConnections:
    """A place without connections: Spark runs inside this process, everything else must be in the project file."""

    submits_spark = False

    def spark(self) -> Any:
        """Return the session that runs in this process, else an embedded one."""
        from lupus_provider.engines.spark_session import spark_session

        return spark_session()

    def submit_spark(self, submission: Submission) -> None:
        """Refuse; nobody asks, because `submits_spark` is False."""
        raise NotImplementedError(submission.stage_url)

    def tracking_uri(self, conn_id: str) -> str:
        """Refuse: there is no connection here (UnknownNameError)."""
        raise UnknownNameError("connection", conn_id, [])
