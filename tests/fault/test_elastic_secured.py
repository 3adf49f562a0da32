"""An Elasticsearch with security is used by password and by key, and what is wrong with either is told at once, without the secret."""

from __future__ import annotations

import pytest
from servers_fixtures import running

from lupus_provider.errors import Terminal
from lupus_provider.stores.index.base import CatalogQuery
from lupus_provider.stores.index.elastic import ElasticAccess, ElasticIndex
from lupus_provider.stores.index.elastic.errors import ElasticRefusedError, ElasticUntrustedError
from lupus_provider.testing.builders import PROJECT
from lupus_provider.testing.elastic import load_version
from lupus_provider.testing.secured import SecuredElasticsearchServer, make_certificates

MINE = frozenset({PROJECT})


@pytest.fixture(scope="module")
def server():
    with running(SecuredElasticsearchServer()) as server:
        yield server


def opened(server, **given):
    return ElasticIndex(
        f"{server.url}/secured", ElasticAccess(**{"ca_certs": str(server.ca_certs), "patience": 20.0, **given})
    )


def test_a_password_and_an_api_key_open_it(server):
    for access in ({"login": server.login, "password": server.password}, {"api_key": server.make_api_key("lupus")}):
        index = opened(server, **access)
        load_version(index, 1)
        assert index.search(CatalogQuery(MINE)).total == 3
        index.close()


@pytest.mark.parametrize(
    "access",
    [{}, {"login": "lupus", "password": "hunter2"}, {"api_key": "aHVudGVyMjpodW50ZXIy"}],
    ids=["nobody", "password", "key"],
)
def test_wrong_credentials_are_refused_at_once_and_not_shown(server, access):
    with pytest.raises(ElasticRefusedError, match="Check login, password or API key") as caught:
        opened(server, **access)
    assert isinstance(caught.value, Terminal)
    assert caught.value.status == 401
    assert "hunter2" not in str(caught.value)
    assert "aHVudGVyMjpodW50ZXIy" not in str(caught.value)


def test_a_key_that_may_too_little_is_told_what_it_needs(server):
    allowed = {"reader": {"indices": [{"names": ["other-*"], "privileges": ["read"]}]}}
    key = server.ask("POST", "/_security/api_key?refresh=true", {"name": "reader", "role_descriptors": allowed})[
        "encoded"
    ]
    with pytest.raises(ElasticRefusedError, match="the right to read, write and manage"):
        opened(server, api_key=key)


def test_a_certificate_that_nobody_vouches_for_is_told_at_once(server, tmp_path):
    make_certificates(tmp_path)
    me = {"login": server.login, "password": server.password}
    for ca_certs in (None, str(tmp_path / "ca.crt")):
        with pytest.raises(ElasticUntrustedError, match="ca_certs") as caught:
            opened(server, **me, ca_certs=ca_certs)
        assert isinstance(caught.value, Terminal)
    index = opened(server, **me, ca_certs=None, verify_certs=False)
    assert index.search(CatalogQuery(frozenset({"nobody"}))).total == 0
    index.close()


def test_a_file_of_certificates_that_is_not_there_is_named(server):
    with pytest.raises(ElasticUntrustedError, match=r"/nowhere/ca\.pem"):
        opened(server, ca_certs="/nowhere/ca.pem")
