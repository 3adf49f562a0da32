"""Files of records: what a footer says, and what is no such file."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lupus_provider.errors import CorruptStoreError
from lupus_provider.periods import Span
from lupus_provider.records import POINTS
from lupus_provider.stores import open_stage, parquet
from lupus_provider.stores.history.manifest import NAME as MANIFEST
from lupus_provider.stores.history.parquet import ParquetHistory
from lupus_provider.testing.builders import METRIC_SET, PROJECT, a_point, day, incoming, points

KEY = (POINTS, PROJECT, METRIC_SET)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not a parquet file at all", b"PAR1" + b"\0" * 64 + b"PAR1"])
def test_a_torn_file_is_named(tmp_path, content):
    (tmp_path / "x.parquet").write_bytes(content)
    with pytest.raises(CorruptStoreError, match=r"x\.parquet"):
        parquet.footer(str(tmp_path / "x.parquet"))


def test_a_parquet_file_of_somebody_else_is_named(tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "x.parquet")
    with pytest.raises(CorruptStoreError, match=r"x\.parquet"):
        parquet.footer(str(tmp_path / "x.parquet"))


def test_collecting_again_mends_a_torn_file(tmp_path):
    stage, span = open_stage(tmp_path.as_uri()), Span(day(), day(1))
    stage.write(*KEY, day(), points(a_point()), day(1))
    (tmp_path / stage.files(*KEY, span)[0].path).write_bytes(b"torn")
    with pytest.raises(CorruptStoreError):
        stage.files(*KEY, span)
    assert stage.write(*KEY, day(), points(a_point()), day(1))
    assert len(stage.files(*KEY, span)) == 1


def test_a_foreign_file_among_the_periods_is_named(tmp_path):
    stage = open_stage(tmp_path.as_uri())
    stage.write(*KEY, day(), points(a_point()), day(1))
    folder = (tmp_path / stage.files(*KEY, Span(day(), day(1)))[0].path).parent
    (folder / "notes.parquet").write_bytes(b"")
    with pytest.raises(CorruptStoreError, match="notes"):
        stage.files(*KEY, Span(day(), day(1)))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"days": {}}', '{"format": 2, "days": {}, "retired": {}}'])
def test_a_manifest_of_another_form_is_named(tmp_path, text):
    history = ParquetHistory(tmp_path)
    history.load(*KEY, lambda: [incoming(day(), points(a_point()))])
    (manifest,) = tmp_path.rglob(MANIFEST)
    manifest.write_text(text)
    with pytest.raises(CorruptStoreError, match=MANIFEST):
        history.periods(*KEY)
