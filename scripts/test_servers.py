# ruff: noqa: INP001, T201  (a script)
"""Starts the real servers that tests use, prints how to reach them, and stops them at Ctrl-C; the data stay for the next time."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from lupus_provider.errors import LupusError
from lupus_provider.testing.servers import (
    ElasticsearchServer,
    HiveServer,
    PostgresServer,
    RecipeServer,
    S3Server,
    SparkThriftServer,
)

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = """\
example:
  python scripts/test_servers.py --only elasticsearch s3 --env .lupus/servers.env &
  . .lupus/servers.env        # Airflow of this shell knows the connections now
  python scripts/test_servers.py --only s3 hive elasticsearch --run lupus demo --once

The first start fetches and builds the servers (some minutes); they listen on 127.0.0.1, without security.
"""
PORTS = {"elasticsearch": 19200, "s3": 19000, "hive": 11000, "spark-thrift": 11001, "postgres": 15432}
BUCKET = "lupus"


def main() -> int:
    """Run until a signal, or until a server ends by itself."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PORTS, default=list(PORTS), help="which servers (default: all)")
    parser.add_argument("--data", type=Path, default=ROOT / ".lupus" / "servers", help="folder of data and logs")
    parser.add_argument("--free-ports", action="store_true", help="free ports instead of the usual ones")
    parser.add_argument(
        "--run",
        nargs=argparse.REMAINDER,
        help="run a command with the connections in its environment, and stop with it",
    )
    parser.add_argument("--env", type=Path, help="write the environment variables to this file too")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    servers = make_servers(args.data, args.only, free_ports=args.free_ports)
    with ExitStack() as running:
        try:
            for server in servers:
                start(server, running)
        except LupusError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        except (KeyboardInterrupt, SystemExit):
            return 0
        print(variables := variables_of(servers), end="")
        if args.env:
            args.env.write_text(variables, encoding="utf-8")
        if args.run:
            return subprocess.run(args.run, env={**os.environ, **connections_of(servers)}, check=False).returncode  # noqa: S603
        print("running; Ctrl-C stops them", flush=True)
        return wait(servers)


def make_servers(data: Path, names: list[str], *, free_ports: bool) -> list[RecipeServer]:
    """Return the servers that are wanted, S3 before those that read it."""
    ports: dict[str, int | None] = dict.fromkeys(PORTS) if free_ports else {**PORTS}
    s3 = S3Server(data / "s3", ports["s3"])
    known = s3 if "s3" in names else None
    servers = (
        s3,
        ElasticsearchServer(data / "elasticsearch", ports["elasticsearch"]),
        HiveServer(data / "hive", ports["hive"], s3=known),
        SparkThriftServer(data / "spark-thrift", ports["spark-thrift"], s3=known),
        PostgresServer(data / "postgres", ports["postgres"]),
    )
    return [server for server in servers if server.name in names]


def start(server: RecipeServer, running: ExitStack) -> None:
    """Start a server and say where it is."""
    print(f"{server.name:14} starting (log: {server.log}) …", flush=True)
    begin = time.monotonic()
    running.enter_context(server)
    if isinstance(server, S3Server):
        server.make_bucket(BUCKET)
    size = server.memory / 1e6
    print(
        f"{server.name:14} {server.address}  {time.monotonic() - begin:.1f} s, {size:.0f} MB, pid {server.pid}",
        flush=True,
    )


def variables_of(servers: list[RecipeServer]) -> str:
    """Return the lines that give a shell's Airflow the connections."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in connections_of(servers).items())


def connections_of(servers: list[RecipeServer]) -> dict[str, str]:
    """Return the environment variables of the servers' connections, and of the Lupus stores that lie on them."""
    variables = {name: value for server in servers for name, value in server.airflow_variables.items()}
    by_name = {server.name: server for server in servers}
    if "s3" in by_name:
        bucket, keys = f"s3://{BUCKET}", {"aws_conn_id": S3Server.connection_id}
        hive = {"hive_conn_id": HiveServer.connection_id, "database": "lupus"} if "hive" in by_name else {}
        variables |= {
            _name("stage"): _store(f"{bucket}/stage", keys),
            _name("history"): _store(f"{bucket}/history", keys | hive),
        }
    if "postgres" in by_name:  # one database holds both: their tables have different names
        variables |= {_name(store): _store(by_name["postgres"].url, {}) for store in ("index", "ledger")}
    if "elasticsearch" in by_name:
        variables[_name("index")] = _store(f"{by_name['elasticsearch'].url}/lupus", {})
    return variables


def _name(store: str) -> str:
    return f"AIRFLOW_CONN_LUPUS_{store.upper()}"


def _store(address: str, extra: dict[str, str]) -> str:
    return json.dumps({"conn_type": "lupus", "host": address, "extra": extra})


def wait(servers: list[RecipeServer]) -> int:
    """Wait for Ctrl-C or SIGTERM; a server that ends by itself ends all, and tells its last words."""
    try:
        while all(server.is_alive for server in servers):
            time.sleep(0.5)
    except (KeyboardInterrupt, SystemExit):
        return 0
    for server in servers:
        if not server.is_alive:
            print(f"error: {server.name} ended:\n{server.last_words()}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
