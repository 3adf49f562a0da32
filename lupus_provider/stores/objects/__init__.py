"""The shelf of object storages, opened by address: one file an implementation."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from lupus_provider.errors import MissingExtraError, StoreUrlError

if TYPE_CHECKING:
    from lupus_provider.stores.objects.base import Objects
    from lupus_provider.stores.objects.s3 import S3Access


def open_objects(store: str, url: str, access: S3Access | None = None) -> Objects:
    """Open an object storage.

    Parameters
    ----------
    store
        Who asks, for the message: `stage`, `history`.
    url
        `file:///folder` or `s3://bucket/prefix`.
    access
        How to get at S3; None: boto3's own search for credentials.

    Raises
    ------
    StoreUrlError
        If no object storage is behind such an address.
    MissingExtraError
        If boto3 is not installed.
    """
    if url.startswith("s3://"):
        if find_spec("boto3") is None:
            raise MissingExtraError("A store in S3", "s3")  # noqa: TRY003  (a name, not a message)
        from lupus_provider.stores.objects.s3 import S3Access, S3Objects, bucket_of

        return S3Objects(*bucket_of(store, url), access or S3Access())
    if url.startswith("file:"):
        from lupus_provider.stores.objects.local import LocalObjects, folder_of

        return LocalObjects(folder_of(store, url))
    raise StoreUrlError(
        store, url, "Give a folder, such as file:///var/lib/lupus, or a bucket, such as s3://bucket/lupus."
    )
