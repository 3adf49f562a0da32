"""Objects in a bucket of S3 or of what speaks like it: conditional puts, multipart uploads, retries, and errors that say what to do.

Every put carries a token of its own in the object's metadata: when an answer gets lost and the client's retry is told that the object is there
already, the token says that it was this very put that succeeded.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lupus_provider.errors import LupusError, StoreUrlError
from lupus_provider.stores.objects.access import S3Access  # noqa: TC001  (people import it from here)
from lupus_provider.stores.objects.base import Stored
from lupus_provider.stores.objects.errors import ConflictError, StorageAwayError, StorageRefusedError
from lupus_provider.stores.objects.s3_errors import ABSENT, CONFLICTS, code_of, explained

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

log = logging.getLogger(__name__)

TOKEN = "lupus-put"  # noqa: S105  (names a put, opens nothing)
PART_BYTES = 8 << 20
WHOLE_BYTES = 16 << 20
"""Larger objects go up in parts, four at a time: a part that fails is sent again, not the whole."""
DELETED_AT_ONCE = 1000
_PARTS_AT_ONCE = 4
_ETAG = ("ETag",)
_HEAD = ("ETag", "ContentLength", "LastModified")
_TRIES = 5


def bucket_of(store: str, url: str) -> tuple[str, str]:
    """Return bucket and prefix of `s3://bucket/prefix`. Raises StoreUrlError if it is none, or holds a login."""
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        shown = f"s3://{parts.hostname or ''}{parts.path}"
        raise StoreUrlError(
            store, shown, "Give s3://bucket/prefix, and nothing else; keys are in the connection that it names."
        )
    return parts.netloc, parts.path.strip("/")


class S3Objects:
    """Objects below a prefix of a bucket; see `stores.objects.base.Objects` for the laws.

    Parameters
    ----------
    bucket, prefix
        Where; the prefix may be empty.
    access
        How to get there.
    """

    is_exclusive = False

    def __init__(self, bucket: str, prefix: str, access: S3Access) -> None:
        self.bucket, self.prefix, self.access = bucket, prefix, access
        self.url = f"s3://{bucket}/{prefix}".rstrip("/")
        self.parallel = access.parallel
        self._lock = threading.Lock()
        self._opened: tuple[int, Any, Any] | None = None

    def __getstate__(self) -> tuple[str, str, S3Access]:
        """Pickle what it was made of; every process has a client of its own."""
        return self.bucket, self.prefix, self.access

    def __setstate__(self, state: tuple[str, str, S3Access]) -> None:
        self.__init__(*state)

    # -- reading -----------------------------------------------------------------------------------------------------

    def get(self, key: str) -> tuple[bytes, Stored]:
        """Read an object; see the protocol."""
        for attempt in range(1, _TRIES + 1):
            with self._telling(key):
                answer = self._ask("get_object", _HEAD, Bucket=self.bucket, Key=self._key(key))
                try:
                    return answer["Body"].read(), _stored(key, answer, answer["ContentLength"])
                except Exception as err:  # the client retries requests, but not a body that breaks off
                    if attempt == _TRIES or not _is_broken_body(err):
                        raise
                    log.info("%s broke off, it is read again", self._place(key))
            time.sleep(0.1 * 2**attempt)
        raise AssertionError

    def head(self, key: str) -> Stored | None:
        """Say what there is under a key; None: nothing."""
        try:
            with self._telling(key):
                answer = self._ask("head_object", _HEAD, Bucket=self.bucket, Key=self._key(key))
        except FileNotFoundError:
            return None
        return _stored(key, answer, answer["ContentLength"])

    def list(self, prefix: str, start_after: str = "") -> Iterator[Stored]:
        """List objects by key; see the protocol."""
        asked = {"Bucket": self.bucket, "Prefix": self._key(prefix)}
        if start_after:
            asked["StartAfter"] = self._key(start_after)
        skipped, more = len(self._key("")), {}
        while True:
            with self._telling(prefix):
                page = self._ask("list_objects_v2", ("IsTruncated",), **asked, **more)
            for item in page.get("Contents", ()):
                yield _stored(item["Key"][skipped:], item, item["Size"])
            if not page["IsTruncated"]:
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def _ask(self, operation: str, must: tuple[str, ...], **asked: Any) -> Mapping[str, Any]:
        """Send a request whose answer holds these members.

        An answer that broke off within its head looks to the client like one without headers and body: a listing of nothing, an object
        without metadata. Such an answer is asked for again.
        """
        for attempt in range(1, _TRIES + 1):
            answer = getattr(self.client, operation)(**asked)
            if all(name in answer for name in must) and answer.get("ETag", '"').endswith('"'):
                return answer
            log.info("%s: the answer to %s broke off, it is asked again", self.url, operation)
            time.sleep(0.1 * 2**attempt)
        raise StorageAwayError(self._place(""), f"its answers to {operation} broke off {_TRIES} times")

    # -- writing -----------------------------------------------------------------------------------------------------

    def put(
        self,
        key: str,
        data: bytes | memoryview,
        metadata: Mapping[str, str] | None = None,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
    ) -> str:
        """Write an object; see the protocol."""
        token = uuid.uuid4().hex
        named = {"Bucket": self.bucket, "Key": self._key(key)}
        condition = {"IfMatch": if_match} if if_match is not None else {"IfNoneMatch": "*"} if if_absent else {}
        content = {"Metadata": {**(metadata or {}), TOKEN: token}, "ContentType": "application/octet-stream"}
        from botocore.exceptions import ClientError

        with self._telling(key):
            try:
                if len(data) > WHOLE_BYTES:
                    return self._put_parts(named, content, condition, memoryview(data))
                return self._ask("put_object", _ETAG, **named, **content, **condition, Body=bytes(data))["ETag"]
            except ClientError as err:
                code = code_of(err)
                # With If-Match an absent object is a conflict; an upload that is gone may have been completed by the try before.
                if code in CONFLICTS or code == "NoSuchUpload" or (condition and code in ABSENT):
                    found = self.head(key)
                    if found is not None and found.metadata.get(TOKEN) == token:
                        log.info("%s: the answer got lost, the put did not", self._place(key))
                        return found.etag
                    if code != "NoSuchUpload":
                        raise ConflictError(self._place(key)) from err
                raise

    def _put_parts(
        self, named: Mapping[str, Any], content: Mapping[str, Any], condition: Mapping[str, Any], data: memoryview
    ) -> str:
        """Upload in parts; nothing is seen of them until the last request, which keeps the condition."""
        upload_id = self._ask("create_multipart_upload", ("UploadId",), **named, **content)["UploadId"]
        upload = {**named, "UploadId": upload_id}

        def put(number: int) -> dict[str, Any]:
            part = bytes(data[(number - 1) * PART_BYTES : number * PART_BYTES])
            answer = self._ask("upload_part", _ETAG, **upload, PartNumber=number, Body=part)
            return {
                "PartNumber": number,
                **{k: v for k, v in answer.items() if k == "ETag" or k.startswith("Checksum")},
            }

        try:
            with ThreadPoolExecutor(_PARTS_AT_ONCE) as pool:
                parts = list(pool.map(put, range(1, -(-len(data) // PART_BYTES) + 1)))
            done = {**upload, **condition, "MultipartUpload": {"Parts": parts}}
            return self._ask("complete_multipart_upload", _ETAG, **done)["ETag"]
        except BaseException:
            self._abort(upload)
            raise

    def _abort(self, upload: Mapping[str, Any]) -> None:
        try:
            self.client.abort_multipart_upload(**upload)
        except Exception as err:  # noqa: BLE001  (the upload's own error is the one to raise; a rule of the bucket sweeps what stays)
            log.warning("%s: an upload could not be given up: %s", self.url, type(err).__name__)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects, a thousand a request; see the protocol."""
        left = [self._key(key) for key in keys]
        for attempt in range(1, _TRIES + 1):
            parts = [left[i : i + DELETED_AT_ONCE] for i in range(0, len(left), DELETED_AT_ONCE)]
            failed = [error for part in parts for error in self._delete(part)]
            if not failed:
                return
            left = [error["Key"] for error in failed]
            if attempt == _TRIES or any(error["Code"] == "AccessDenied" for error in failed):
                raise self._undeleted(failed)
            time.sleep(0.1 * 2**attempt)

    def _delete(self, keys: list[str]) -> list[dict[str, str]]:
        """Delete up to a thousand objects; return what is not said to be deleted."""
        with self._telling(""):
            answer = self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": [{"Key": key} for key in keys]})
        errors = {error["Key"]: error["Code"] for error in answer.get("Errors", ())}
        gone = {item["Key"] for item in answer.get("Deleted", ())} | {k for k, code in errors.items() if code in ABSENT}
        return [{"Key": key, "Code": errors.get(key, "IncompleteAnswer")} for key in keys if key not in gone]

    def _undeleted(self, failed: list[dict[str, str]]) -> LupusError:
        from botocore.exceptions import ClientError

        first = failed[0]
        place = f"{self._place('')}, {len(failed)} objects to delete, {first['Key']} among them"
        return explained(ClientError({"Error": {"Code": first["Code"]}}, "DeleteObjects"), place)

    @contextmanager
    def exclusive(self, key: str) -> Iterator[None]:
        """Do nothing: conditional puts keep writers apart."""
        del key
        yield

    def check_conditions(self, key: str) -> None:
        """Put under a key that is taken, on condition that it is not.

        Raises
        ------
        StorageRefusedError
            If the storage takes it: it ignores conditions, and two loaders could overwrite each other unseen.
        """
        try:
            self.put(key, b"", if_absent=True)
        except ConflictError:
            return
        raise StorageRefusedError(
            self._place(key),
            "the storage ignores the condition of a put",
            "Use one with conditional puts, such as AWS S3 or MinIO.",
        )

    def sweep(self, prefix: str) -> int:
        """Do nothing: an object that was not completed is not there. Let a rule of the bucket end multipart uploads after a day."""
        del prefix
        return 0

    # -- doors of libraries ------------------------------------------------------------------------------------------

    def path(self, key: str) -> None:
        """Return None: an object has no path on this machine."""
        del key

    def arrow(self) -> tuple[Any, str] | None:
        """Return Arrow's own client with the same access, its credentials as fresh as they come; see the protocol."""
        fs = self.access.arrow(self._open()[1], self.client)
        return None if fs is None else (fs, f"{self.bucket}/{self.prefix}".rstrip("/"))

    def explained(self, error: Exception) -> Exception:
        """Return the error to raise when Arrow failed to read."""
        if isinstance(error, FileNotFoundError):
            return error
        return StorageAwayError(self._place(""), f"reading failed with {type(error).__name__}: {str(error)[:300]}")

    @property
    def client(self) -> Any:
        """boto3's client of this process."""
        return self._open()[2]

    def _open(self) -> tuple[int, Any, Any]:
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():  # connections do not survive a fork
                with self._telling(""):
                    session = self.access.opened_session()
                    self._opened = (os.getpid(), session, self.access.client(session))
            return self._opened

    def _key(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key

    def _place(self, key: str) -> str:
        server = urlsplit(self.access.endpoint_url or "").netloc.rpartition("@")[2]
        return f"{self.url}/{key}".rstrip("/") + (f" on {server}" if server else "")

    @contextmanager
    def _telling(self, key: str) -> Iterator[None]:
        """Turn boto3's errors into ours."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
        from urllib3.exceptions import HTTPError

        try:
            yield
        except (ClientError, BotoCoreError, HTTPClientError, Boto3Error, HTTPError) as err:
            if code_of(err) in ABSENT:
                raise FileNotFoundError(2, "There is no such object", self._place(key)) from err
            raise explained(err, self._place(key)) from err


def _stored(key: str, answer: Mapping[str, Any], size: int) -> Stored:
    metadata = {name.lower(): value for name, value in answer.get("Metadata", {}).items()}
    return Stored(key, answer["ETag"], size, answer["LastModified"], metadata)


def _is_broken_body(error: Exception) -> bool:
    from botocore.exceptions import HTTPClientError, IncompleteReadError, ResponseStreamingError
    from urllib3.exceptions import HTTPError

    return isinstance(error, (HTTPClientError, IncompleteReadError, ResponseStreamingError, HTTPError))
