# ruff: noqa: INP001, T201  (a script)
"""What docker-compose.yaml needs before Airflow starts: its password file, the demo's tables, the ledger's database and a bucket.

Runs at every start and changes nothing that is there.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit


def write_passwords(file: Path, user: str, password: str) -> None:
    """Write the users of Airflow's page into a file that only its owner may read."""
    file.touch(mode=0o600)
    file.write_text(json.dumps({user: password}), encoding="utf-8")


def make_tables(folder: Path) -> None:
    """Write the tables of the projects that come along."""
    from lupus_provider.cli.flights import prepare_flights
    from lupus_provider.cli.recommender import prepare_recommender

    prepare_flights(folder)
    prepare_recommender(folder)


def make_database(server: str, name: str) -> None:
    """Make a database unless it exists.

    Parameters
    ----------
    server
        SQLAlchemy's address of any database of the same server.
    """
    import sqlalchemy as sa

    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        if connection.scalar(sa.text("select 1 from pg_database where datname = :name"), {"name": name}) is None:
            connection.execute(sa.text(f"create database {engine.dialect.identifier_preparer.quote(name)}"))
            print(f"made the database {name}")


def make_bucket(connection: str, name: str) -> None:
    """Make a bucket unless it exists.

    Parameters
    ----------
    connection
        Airflow's connection of type `aws`, as JSON.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    given = json.loads(connection)
    client = boto3.client(
        "s3", aws_access_key_id=given["login"], aws_secret_access_key=given["password"], endpoint_url=given["extra"]["endpoint_url"],
        region_name=given["extra"]["region_name"], config=Config(**given["extra"]["config_kwargs"]),
    )  # fmt: skip
    try:
        client.create_bucket(Bucket=name)
        print(f"made the bucket {name}")
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise


def main() -> int:
    """Prepare what the environment of docker-compose.yaml names."""
    environ = os.environ
    write_passwords(
        Path(environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"]),
        environ["LUPUS_AIRFLOW_USER"],
        environ["LUPUS_AIRFLOW_PASSWORD"],
    )
    ledger = urlsplit(json.loads(environ["AIRFLOW_CONN_LUPUS_LEDGER"])["host"])
    make_database(environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"], ledger.path.strip("/"))
    stage = urlsplit(json.loads(environ["AIRFLOW_CONN_LUPUS_STAGE"])["host"])
    make_bucket(environ["AIRFLOW_CONN_LUPUS_S3"], stage.netloc)
    make_tables(Path(environ["AIRFLOW__LUPUS__DATA_FOLDER"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
