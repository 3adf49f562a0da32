"""The servers that store questions ask, each started when the first question needs it, in folders that go with the run."""

from __future__ import annotations

import tempfile
import uuid
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lupus_provider.testing import servers as real

if TYPE_CHECKING:
    from types import TracebackType

    from lupus_provider.testing.server_process import ServerProcess


class Servers:
    """Real servers of one run."""

    def __init__(self) -> None:
        self._started: list[Any] = []
        self._folder = tempfile.TemporaryDirectory()

    def _run(self, server: Any) -> Any:
        self._started.append(server.start())
        return server

    @cached_property
    def elasticsearch(self) -> real.ElasticsearchServer:
        """Elasticsearch with a heap that takes a year of thousands of series."""
        return self._run(real.ElasticsearchServer(heap="2g"))

    @cached_property
    def s3(self) -> real.S3Server:
        """MinIO."""
        return self._run(real.S3Server())

    @cached_property
    def hive(self) -> real.HiveServer:
        """HiveServer2 over the local disk."""
        return self._run(real.HiveServer())

    @cached_property
    def postgres(self) -> real.PostgresServer:
        """Postgres."""
        return self._run(real.PostgresServer())

    def index(self, store: str) -> tuple[str, list[ServerProcess]]:
        """Return the address of an empty index, and the servers behind it."""
        if store == "elasticsearch":
            return f"{self.elasticsearch.url}/bench{uuid.uuid4().hex[:8]}", [self.elasticsearch]
        if store == "postgres":
            return self.postgres.make_database(), [self.postgres]
        return f"sqlite:///{Path(self._folder.name) / uuid.uuid4().hex}.db", []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in reversed(self._started):
            server.stop()
        self._folder.cleanup()
