from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lupus_provider.records import POINTS
from lupus_provider.stores import parquet
from lupus_provider.stores.history.catalog import Version
from lupus_provider.stores.history.hive_upload import Uploads, is_abandoned, new_name, read_through, read_version
from lupus_provider.stores.objects.local import LocalObjects
from lupus_provider.testing.builders import a_point, day, points

NOW = day(100)


@pytest.fixture
def uploads(tmp_path):
    return Uploads((tmp_path / "uploads").as_uri())


def lay(folder, n, table):
    folder.mkdir(parents=True)
    (folder / "part.parquet").write_bytes(parquet.encoded(table, POINTS, "digest", day(400)))
    return Version(day(n).date(), folder.as_uri() + "/", table.num_rows)


def test_an_upload_holds_every_day_with_its_date(uploads, tmp_path):
    tables = [points(*(a_point(float(i), day(n), entity=str(i)) for i in range(n + 1))) for n in range(3)]
    versions = [lay(tmp_path / str(n), n, table) for n, table in enumerate(tables)]
    url = uploads.put("upload_a", POINTS, versions, read_version)
    assert url == f"{uploads.url}/upload_a"
    found = pq.read_table(tmp_path / "uploads/upload_a/part.parquet")
    assert found["dt"].to_pylist() == [str(v.dt) for v in versions for _ in range(v.n_rows)]
    assert found.drop_columns("dt").equals(pa.concat_tables(tables))


def test_a_version_of_an_older_release_gets_the_columns_of_today(uploads, tmp_path):
    table = points(a_point(1.0))
    folder = tmp_path / "old"
    folder.mkdir()
    pq.write_table(table.drop_columns("sample_ratio"), folder / "part.parquet")
    uploads.put("upload_a", POINTS, [Version(day().date(), folder.as_uri(), 1)], read_version)
    found = pq.read_table(tmp_path / "uploads/upload_a/part.parquet")
    assert found.schema.names == [*POINTS.schema.names, "dt"]
    assert found["sample_ratio"].to_pylist() == [None]


def test_a_version_is_read_through_the_historys_own_storage(tmp_path):
    version = lay(tmp_path / "points/dt=2024-01-01/v=1", 0, points(a_point(1.0)))
    read = read_through(LocalObjects(tmp_path))
    assert read(f"{LocalObjects(tmp_path).url}/points/dt=2024-01-01/v=1/") == read_version(version.url)


def test_a_folder_without_its_file_is_no_version(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_version(tmp_path.as_uri())


def test_an_upload_is_removed_and_removing_it_again_is_no_error(uploads, tmp_path):
    uploads.put("upload_a", POINTS, [lay(tmp_path / "v", 0, points())], read_version)
    uploads.remove("upload_a")
    uploads.remove("upload_a")
    assert list((tmp_path / "uploads").iterdir()) == []


def test_only_abandoned_uploads_are_swept(uploads, tmp_path):
    old, young = new_name(NOW - timedelta(hours=25)), new_name(NOW - timedelta(hours=23))
    for name in (old, young, "somebody_elses"):
        (tmp_path / "uploads" / name).mkdir(parents=True)
    assert uploads.sweep(NOW) == 1
    assert {path.name for path in (tmp_path / "uploads").iterdir()} == {young, "somebody_elses"}


def test_sweeping_before_the_first_upload_is_no_error(uploads):
    assert uploads.sweep(NOW) == 0


def test_names_are_unique_and_other_names_are_nobodys_uploads():
    assert len({new_name(NOW) for _ in range(100)}) == 100
    assert not any(is_abandoned(name, NOW) for name in ("points", "upload_", "upload_2020", "upload_x_12345678"))
