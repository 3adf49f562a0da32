# ruff: noqa: INP001, T201  (a script)
"""Writes the secrets that docker-compose.yaml asks for, once, into a file that only its owner may read."""

from __future__ import annotations

import base64
import os
import secrets
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / ".lupus" / "compose.env"


def fresh() -> dict[str, str]:
    """Return one fresh value for each secret."""
    words = (
        "LUPUS_ADMIN_PASSWORD",
        "LUPUS_ELASTIC_PASSWORD",
        "LUPUS_JWT_SECRET",
        "LUPUS_POSTGRES_PASSWORD",
        "LUPUS_S3_SECRET",
        "LUPUS_SECRET_KEY",
    )
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    return {name: secrets.token_urlsafe(24) for name in words} | {"LUPUS_FERNET_KEY": key}


def main(target: Path = TARGET) -> int:
    """Write the file unless it exists: new secrets would lock people out of the volumes that they have."""
    if target.exists():
        print(f"{target} exists and is kept.")
        return 0
    target.parent.mkdir(mode=0o700, exist_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in sorted(fresh().items()))
    print(f"wrote {target}. Start with: docker compose --env-file {target} up --build --wait")
    return 0


if __name__ == "__main__":
    sys.exit(main())
