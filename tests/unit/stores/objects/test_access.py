"""What the clients of a bucket are made with."""

from __future__ import annotations

import pytest

from lupus_provider.errors import StoreUrlError
from lupus_provider.stores.objects import open_objects
from lupus_provider.stores.objects.access import S3Access


def client(**given):
    access = S3Access("key", "hunter2", **given)
    return access.client(access.opened_session())


def test_an_endpoint_of_ones_own_is_asked_by_path_and_aws_by_name():
    assert client(endpoint_url="http://minio:9000").meta.config.s3["addressing_style"] == "path"
    assert client().meta.config.s3["addressing_style"] == "auto"
    assert client(endpoint_url="http://minio:9000", path_style=False).meta.config.s3["addressing_style"] == "virtual"


def test_patience_fits_a_server_that_takes_ten_seconds():
    config = client().meta.config
    assert config.read_timeout > 30
    assert config.connect_timeout >= 10
    assert (config.retries["mode"], config.retries["total_max_attempts"]) == ("standard", 8)


def test_more_options_win():
    assert client(config={"read_timeout": 3}).meta.config.read_timeout == 3


def test_no_secret_is_shown():
    access = S3Access("key", "hunter2", "token9", session=print)
    assert not {"hunter2", "token9", "'key'"} & set(repr(access).replace("(", " ").replace(",", " ").split())
    assert "hunter2" not in repr(access)


@pytest.mark.parametrize(
    "url",
    [
        "s3:///prefix",
        "s3://",
        "s3://me:hunter2@bucket/x",
        "s3://bucket/x?region=a",
        "gs://bucket",
        "file:relative",
        "/folder",
    ],
)
def test_an_address_of_nothing_is_refused_without_its_login(url):
    with pytest.raises(StoreUrlError) as caught:
        open_objects("stage", url)
    assert "hunter2" not in str(caught.value)


def test_an_address_is_told_without_a_slash_at_its_end():
    assert open_objects("stage", "s3://bucket/a/b/").url == "s3://bucket/a/b"
    assert open_objects("stage", "s3://bucket").url == "s3://bucket"


def test_arrow_is_not_asked_to_do_without_certificates():
    access = S3Access("key", "hunter2", endpoint_url="https://minio:9000", verify=False)
    session = access.opened_session()
    assert access.arrow(session, access.client(session)) is None
