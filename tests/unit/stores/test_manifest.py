"""Manifests: small for years of periods, and the same after writing and reading."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from lupus_provider.stores.history.manifest import NAME, Manifest, version_of
from lupus_provider.stores.objects.local import LocalObjects
from lupus_provider.testing.builders import day

HOUR = timedelta(hours=1)


def years(days, periods):
    entries = {}
    for n in range(days):
        dt = day(n).date().isoformat()
        digests = {
            (day(n) + i * HOUR).isoformat(): hashlib.blake2b(bytes([i, n % 251, n // 251]), digest_size=16).hexdigest()
            for i in range(periods)
        }
        version = f"v={day(n):%Y%m%dT%H%M%S%f}-{hashlib.md5(dt.encode()).hexdigest()[:8]}"
        path = f"points/project=shop/metric_set=orders/dt={dt}/{version}/part.parquet"
        entries[dt] = {"path": path, "rows": 8200, "bytes": 160_000, "periods": digests, "published": version}
    return Manifest(entries)


def test_years_of_periods_make_a_manifest_of_some_hundred_kilobytes():
    assert len(years(3650, 1).encoded()) < 300_000
    assert len(years(3 * 365, 24).encoded()) < 700_000


def test_a_large_manifest_is_read_back(tmp_path):
    objects, made = LocalObjects(tmp_path), years(800, 1)
    written = made.write(objects, "folder")
    assert (tmp_path / "folder" / NAME).read_bytes().startswith(b"\x1f\x8b")
    assert Manifest.read(objects, "folder") == written


def test_a_small_manifest_is_text_that_people_can_read(tmp_path):
    years(3, 1).write(LocalObjects(tmp_path), "folder")
    assert '"2024-01-02"' in (tmp_path / "folder" / NAME).read_text()


def test_a_version_is_found_in_a_path():
    assert version_of("points/project=shop/metric_set=v/dt=2024-01-01/v=1-a/part.parquet") == "v=1-a"
    assert version_of("v=1-a") == "v=1-a"
