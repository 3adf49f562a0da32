"""How to get at S3: plain data that crosses process borders, and the clients that are made of it.

boto3's client writes and lists, Arrow's own reads columns of many files; both must get the same keys, address and patience.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class S3Access:
    """Credentials, address and patience. Pickles; its repr shows no secret.

    Attributes
    ----------
    access_key, secret_key, session_token
        None: boto3's own search (environment, files, the machine's role).
    endpoint_url
        `http://minio:9000`; None: AWS.
    path_style
        `endpoint/bucket/key` rather than `bucket.endpoint/key`; None: where there is an endpoint.
    verify
        Whether to check the TLS certificate, or the path of the CA that it is checked against.
    connect_timeout, read_timeout
        Seconds; a read timeout is for one answer, so it fits a server that takes ten.
    max_attempts
        Tries of one request, with exponential back-off of at most 20 s between them.
    parallel
        Requests at once.
    config
        More options of `botocore.config.Config`; they win.
    session
        Makes a boto3 session in place of the keys: one that renews the credentials of a role. An importable function.
    """

    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    region: str | None = None
    endpoint_url: str | None = None
    path_style: bool | None = None
    verify: bool | str = True
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    max_attempts: int = 8
    parallel: int = 16
    config: Mapping[str, Any] = field(default_factory=dict)
    session: Callable[[], Any] | None = field(default=None, repr=False)

    def opened_session(self) -> Any:
        """Return a boto3 session."""
        if self.session is not None:
            return self.session()
        import boto3

        keys = {"aws_access_key_id": self.access_key, "aws_secret_access_key": self.secret_key}
        return boto3.Session(**keys, aws_session_token=self.session_token, region_name=self.region)

    def client(self, session: Any) -> Any:
        """Return a boto3 client."""
        from botocore.config import Config

        path_style = bool(self.endpoint_url) if self.path_style is None else self.path_style
        style = "path" if path_style else "auto" if self.path_style is None else "virtual"
        retries = {"mode": "standard"} | (self.config.get("retries") or {"total_max_attempts": self.max_attempts})
        options = {
            "connect_timeout": self.connect_timeout, "read_timeout": self.read_timeout, "max_pool_connections": self.parallel + 8,
            "user_agent_extra": "lupus", **self.config, "retries": retries, "s3": {"addressing_style": style, **self.config.get("s3", {})},
        }  # fmt: skip
        config = Config(**options)
        region = self.region or session.region_name or "us-east-1"
        return session.client(
            "s3", region_name=region, endpoint_url=self.endpoint_url, verify=self.verify, config=config
        )

    def arrow(self, session: Any, client: Any) -> Any:
        """Return a `pyarrow.fs.S3FileSystem` of the same access; None if Arrow cannot have it: it always checks certificates."""
        from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

        if self.verify is False and client.meta.endpoint_url.startswith("https"):
            return None
        given: dict[str, Any] = {
            "region": client.meta.region_name, "connect_timeout": self.connect_timeout, "request_timeout": self.read_timeout,
            "retry_strategy": AwsStandardS3RetryStrategy(max_attempts=self.max_attempts), "anonymous": False,
        }  # fmt: skip
        found = session.get_credentials()
        if found is not None:
            keys = found.get_frozen_credentials()
            given |= {"access_key": keys.access_key, "secret_key": keys.secret_key, "session_token": keys.token}
        address = urlsplit(client.meta.endpoint_url)
        if self.endpoint_url or not (address.hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn")):
            path = address.path.rstrip("/")
            given |= {"endpoint_override": address.netloc + path, "scheme": address.scheme}
            given["force_virtual_addressing"] = self.path_style is False
        if isinstance(self.verify, str):
            given["tls_ca_file_path"] = self.verify
        return S3FileSystem(**given)
