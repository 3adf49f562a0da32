"""A wrong address is one sentence that names what is supported for the store, and shows no login."""

from __future__ import annotations

import pytest

from lupus_provider.errors import StoreUrlError
from lupus_provider.hooks.addresses import STORE_KINDS, check_address, kind_of

GOOD = {
    "stage": ("file:///srv/lupus", "s3://bucket/lupus"),
    "history": ("file:///srv/lupus", "s3://bucket/lupus"),
    "index": (
        "sqlite:////srv/lupus.db",
        "postgresql+psycopg://db/lupus",
        "http://es:9200/lupus",
        "https://es:9200/lupus",
    ),
    "ledger": ("sqlite:////srv/lupus.db", "postgresql+psycopg://db/lupus"),
}
STRANGE = (
    "ftp://me:hunter2@host/lupus",
    "hdfs://nn/lupus",
    "mysql://me:hunter2@db/lupus",
    "gs://bucket/x",
    "me:hunter2@x",
    "",
)


@pytest.mark.parametrize("kind", STORE_KINDS)
def test_every_store_takes_its_addresses_and_refuses_those_of_others(kind):
    taken = GOOD[kind]
    for url in {url for urls in GOOD.values() for url in urls}:
        if url in taken:
            check_address(kind, url)
        else:
            with pytest.raises(StoreUrlError, match=f"{kind} store: address"):
                check_address(kind, url)


@pytest.mark.parametrize("kind", STORE_KINDS)
@pytest.mark.parametrize("url", STRANGE)
def test_a_strange_address_is_told_what_is_supported_and_shows_no_secret(kind, url):
    with pytest.raises(StoreUrlError) as caught:
        check_address(kind, url)
    for scheme in {good.partition(":")[0] for good in GOOD[kind]} - {"http"}:
        assert f"{scheme}://" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("conn_id", "url", "kind"),
    [
        ("lupus_history", "file:///srv", "history"), ("team", "file:///srv", "stage"), ("team", "https://es:9200", "index"),
        ("lupus_ledger", "https://es:9200", "ledger"), ("team", "ftp://x", "stage"),
    ],
)  # fmt: skip
def test_a_connection_is_used_as_its_id_or_its_address_says(conn_id, url, kind):
    assert kind_of(conn_id, url) == kind
