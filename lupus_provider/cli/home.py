"""The demo's home folder: where everything lies that the demo makes, its secrets, and the lock that keeps it to one demo.

Everything is below one folder, so deleting it is a complete uninstall.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lupus_provider.cli.errors import DemoRunningError, NoSpaceError

if TYPE_CHECKING:
    from pathlib import Path

FREE_BYTES = 500_000_000
"""What a year of flights, its stores, logs and Airflow's database need, generously."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Secrets of one demo, made once and kept in a file that only its owner reads."""

    user: str
    password: str
    fernet_key: str
    jwt_secret: str
    secret_key: str


@dataclass(frozen=True, slots=True)
class DemoHome:
    """Paths below the demo's folder."""

    root: Path

    @property
    def airflow(self) -> Path:
        """Airflow's home: database, configuration, task logs."""
        return self.root / "airflow"

    @property
    def data(self) -> Path:
        """Source tables."""
        return self.root / "data"

    @property
    def stores(self) -> Path:
        """The embedded stores: stage, history, index, ledger."""
        return self.root / "stores"

    @property
    def logs(self) -> Path:
        """Logs of Airflow's components."""
        return self.root / "logs"

    @property
    def passwords(self) -> Path:
        """Password file of Airflow's simple auth manager."""
        return self.root / "passwords.json"

    @property
    def address(self) -> Path:
        """Where the running demo answers; read by `lupus backfill`."""
        return self.root / "address.json"

    def prepare(self) -> None:
        """Make the folders, readable by their owner only.

        Raises
        ------
        NoSpaceError
            If the disk is nearly full.
        """
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        free = shutil.disk_usage(self.root).free
        if free < FREE_BYTES:
            raise NoSpaceError(str(self.root), FREE_BYTES, free)
        for folder in (self.airflow / "dags", self.data, self.stores, self.logs):
            folder.mkdir(parents=True, exist_ok=True)

    def credentials(self) -> Credentials:
        """Return the demo's secrets, made on first use."""
        path = self.root / "secrets.json"
        if path.exists():
            return Credentials(**json.loads(path.read_text()))
        made = Credentials(
            user="admin",
            password=secrets.token_urlsafe(9),
            fernet_key=_fernet_key(),
            jwt_secret=secrets.token_urlsafe(32),
            secret_key=secrets.token_urlsafe(32),
        )
        write_private(path, {name: getattr(made, name) for name in made.__dataclass_fields__})
        write_private(self.passwords, {made.user: made.password})
        return made

    def generation(self) -> str:
        """Return a token that lives as long as the stores do, so that deleting them means loading again."""
        path = self.stores / "generation"
        if not path.exists():
            path.write_text(secrets.token_hex(8))
        return path.read_text()

    def lock(self) -> int:
        """Take the home for this process and those that inherit the descriptor; released when the last of them ends.

        Raises
        ------
        DemoRunningError
            If another demo holds it.
        """
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            os.close(descriptor)
            raise DemoRunningError(str(self.root)) from err
        return descriptor


def write_private(path: Path, content: dict[str, str]) -> None:
    """Write JSON that only its owner may read, all or nothing."""
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file)
    partial.replace(path)


def digest(*parts: bytes | str) -> str:
    """Twelve hexadecimal characters that change when any part does."""
    whole = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        whole.update(f"{len(content)}:".encode() + content)
    return whole.hexdigest()[:12]


def _fernet_key() -> str:
    import base64

    return base64.urlsafe_b64encode(os.urandom(32)).decode()
