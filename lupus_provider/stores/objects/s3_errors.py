"""What S3 and its client say when they fail → the errors of Lupus: what was wrong, where, what to do.

Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and those of MinIO for a full disk.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from lupus_provider.stores.objects.errors import StorageAwayError, StorageFullError, StorageRefusedError

if TYPE_CHECKING:
    from lupus_provider.errors import LupusError

CONFLICTS = ("PreconditionFailed", "ConditionalRequestConflict", "OperationAborted", "412", "409")
ABSENT = ("NoSuchKey", "404", "NotFound")
_CONNECTION = "Correct the connection of this storage."
_REGION = ("the bucket is in another region", "Give the bucket's region in the connection of this storage.")
_REFUSED = {
    "InvalidAccessKeyId": ("the access key is unknown there", f"{_CONNECTION[:-1]}: its login."),
    "SignatureDoesNotMatch": ("the secret key does not belong to the access key", f"{_CONNECTION[:-1]}: its password."),
    "InvalidToken": ("the session token is not valid", _CONNECTION),
    "AccessDenied": (
        "these credentials may not do this",
        "Allow them to list the bucket, and to get, put and delete below the prefix.",
    ),
    "AllAccessDisabled": ("access is switched off", "Ask who runs the storage."),
    "NoSuchBucket": ("there is no such bucket", "Make the bucket, or correct the store's address."),
    "RequestTimeTooSkewed": (
        "this machine's clock differs from the storage's by more than 15 minutes",
        "Set the clock of this machine.",
    ),
    "AuthorizationHeaderMalformed": _REGION,
    "PermanentRedirect": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "EntityTooLarge": ("the object is too large for it", "Raise the storage's limit, or measure fewer series at once."),
    "NotImplemented": (
        "the storage does not know a request that Lupus needs",
        "Use one with conditional puts, such as AWS S3 or MinIO.",
    ),
}
_REFUSED |= {"403": _REFUSED["AccessDenied"], "301": _REGION}
_FULL = ("XMinioStorageFull", "QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage", "507")
_UNREACHABLE = {
    "NoCredentialsError": (
        "no credentials were found",
        "Give the connection a login and a password, or this machine a role.",
    ),
    "PartialCredentialsError": ("the credentials are not complete", "Give the connection a login and a password."),
    "ProfileNotFound": ("the profile of the connection is not known on this machine", _CONNECTION),
    "SSLError": (
        "the storage's TLS certificate is not trusted",
        "Give the path of its CA as `verify` in the connection's extra.",
    ),
    "ParamValidationError": ("the address or a name in it cannot be used", "Correct the store's address."),
    "InvalidRegionError": ("the region is not a region", _CONNECTION),
}


def code_of(error: Exception) -> str:
    """Return S3's code of an error that it answered with; an answer without a body has its HTTP status."""
    answer = getattr(error, "response", None)  # None as well in an error of a connection that broke before an answer
    return str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""


def explained(error: Exception, place: str) -> LupusError:
    """Return the error to raise in place of one of boto3's; secrets and signatures never get into it.

    Parameters
    ----------
    place
        Which object, on which server.
    """
    code = code_of(error)
    if code in _FULL:
        return StorageFullError(place, errno.ENOSPC)
    told = _REFUSED.get(code) or _UNREACHABLE.get(type(error).__name__)
    if told is not None:
        return StorageRefusedError(place, *told)
    return StorageAwayError(place, f"it said {_said(error, code)}" if code else _kind(error))


def _said(error: Any, code: str) -> str:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return code if code == str(status) else f"{code} with status {status}"


def _kind(error: Exception) -> str:
    """Name an error of the client; its text may hold a signed address."""
    cause = getattr(error, "kwargs", {}).get("error")
    return type(error).__name__ + (f" ({type(cause).__name__})" if isinstance(cause, Exception) else "")
