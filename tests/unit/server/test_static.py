from __future__ import annotations

import pytest

from lupus_provider.server.static import HASHED

STATIC = "/lupus/static"


def test_the_entry_is_asked_for_anew_and_chunks_are_kept(client):
    entry = client.get(f"{STATIC}/main.js?v=1")
    assert (entry.status_code, entry.headers["cache-control"]) == (200, "no-cache")
    assert entry.headers["content-type"].startswith("text/javascript")
    chunk = client.get(f"{STATIC}/c/Page-Ab3_x-9Z.js")
    assert (chunk.text, chunk.headers["cache-control"]) == ("// chunk", "public, max-age=31536000, immutable")


def test_a_word_of_eight_letters_is_no_hash(client):
    assert client.get(f"{STATIC}/date-polyfill.js").headers["cache-control"] == "no-cache"


def test_a_known_entry_is_not_sent_again(client):
    entry = client.get(f"{STATIC}/main.js")
    again = client.get(f"{STATIC}/main.js", headers={"If-None-Match": entry.headers["etag"]})
    assert (again.status_code, again.content, again.headers["cache-control"]) == (304, b"", "no-cache")


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/c/../../secret.txt", "/c/..%2f..%2fsecret.txt", "//etc/passwd",
     "/%2fetc%2fpasswd", "/..%5csecret.txt", "/main.js%00.txt", "/", "/c", "/nothing.js"],
)  # fmt: skip
def test_nothing_outside_the_page_is_served(client, path):
    answer = client.get(STATIC + path)
    assert answer.status_code in (400, 404, 405)
    assert "outside" not in answer.text
    assert "root:" not in answer.text


def test_a_link_that_leads_outside_is_not_followed(client, dist):
    link = dist / "link.txt"
    link.symlink_to(dist.parent / "secret.txt")
    try:
        assert client.get(f"{STATIC}/link.txt").status_code == 404
    finally:
        link.unlink()


def test_the_page_needs_no_login_and_takes_no_post(client):
    client.cookies.clear()
    assert client.get(f"{STATIC}/main.js").status_code == 200
    assert client.post(f"{STATIC}/main.js").status_code == 405


def test_without_a_built_page_the_api_is_there(tmp_path):
    from lupus_provider.server.app import create_app

    paths = {getattr(route, "path", "") for route in create_app(tmp_path / "none").routes}
    assert "/api/v1/me" in paths
    assert "/static" not in paths


def test_the_names_that_the_build_gives_to_chunks_are_known_as_hashed(root):
    config = (root / "lupus_provider/ui/vite.config.ts").read_text()
    assert 'chunkFileNames: "c/[name]-[hash].js"' in config
    assert 'entryFileNames: "main.js"' in config
    assert HASHED.search("/srv/dist/c/Lupus-CJ49uhmz.js")
    assert not HASHED.search("/srv/dist/main.js")
