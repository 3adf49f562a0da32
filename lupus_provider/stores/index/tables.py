"""Tables of the SQL index. No migrations: a changed format is dropped and rebuilt from the history."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text

FORMAT = 3
metadata = MetaData()

meta = Table("lupus_index", metadata, Column("format", Integer, primary_key=True))

metric_set = Table(
    "lupus_metric_set", metadata,
    Column("project", String(63), primary_key=True),
    Column("metric_set", String(63), primary_key=True),
    Column("period", String(5), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("newest_period", BigInteger),
    Column("version", BigInteger),  # changes with everything that a load changes
)  # fmt: skip

series = Table(
    "lupus_series", metadata,
    Column("series_id", String(13), primary_key=True),
    Column("project", String(63), nullable=False),
    Column("metric_set", String(63), nullable=False),
    Column("column_name", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("entity", Text),
    Column("group_key", Text, nullable=False),  # JSON list of [column, value], sorted by column
    Column("group_by", Text, nullable=False),  # group columns, sorted, joined by commas; empty: the whole
    Column("name", Text, nullable=False),
    Column("search_text", Text, nullable=False),  # what words are looked for in: name, project and metric set, folded
    Column("first_period", BigInteger),
    Column("last_period", BigInteger),
    Column("last_value", Float(53)),
    Column("last_expected", Float(53)),
    Column("n_points", Integer, nullable=False, default=0),
    Index("lupus_series_of", "project", "metric_set"),
)  # fmt: skip

series_group = Table(
    "lupus_series_group", metadata,
    Column("series_id", String(13), primary_key=True),
    Column("column", String(255), primary_key=True),
    Column("value", Text),
    Index("lupus_series_group_value", "column", "value").ddl_if(dialect="sqlite"),
    # Postgres has no ordered index of values as long as those that tables may hold
    Index("lupus_series_group_hash", "value", postgresql_using="hash").ddl_if(dialect="postgresql"),
)  # fmt: skip

points = Table(
    "lupus_points", metadata,
    Column("series_id", String(13), primary_key=True),
    Column("month", Integer, primary_key=True),  # yyyymm in UTC
    Column("project", String(63), nullable=False),
    Column("metric_set", String(63), nullable=False),
    Column("n", Integer, nullable=False),
    Column("first_period", BigInteger, nullable=False),
    Column("last_period", BigInteger, nullable=False),
    Column("last_value", Float(53)),
    Column("slots", LargeBinary, nullable=False),  # documents: value, n_rows; notes: errors
    Index("lupus_points_of", "project", "metric_set", "month"),
)  # fmt: skip

bands = Table(
    "lupus_bands", metadata,
    Column("series_id", String(13), primary_key=True),
    Column("detector", String(96), primary_key=True),
    Column("month", Integer, primary_key=True),
    Column("project", String(63), nullable=False),
    Column("metric_set", String(63), nullable=False),
    Column("last_period", BigInteger, nullable=False),
    Column("last_expected", Float(53)),
    Column("slots", LargeBinary, nullable=False),  # documents: expected, lower, upper, score, outcome
    Index("lupus_bands_of", "project", "metric_set", "month"),
)  # fmt: skip

anomaly = Table(
    "lupus_anomaly", metadata,
    Column("series_id", String(13), primary_key=True),
    Column("period", BigInteger, primary_key=True),
    Column("detector", String(96), primary_key=True),
    Column("project", String(63), nullable=False),
    Column("metric_set", String(63), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("severity", String(8), nullable=False),
    Column("direction", String(4), nullable=False),
    Column("value", Float(53)),
    Column("expected", Float(53)),
    Column("lower", Float(53)),
    Column("upper", Float(53)),
    Column("score", Float(53)),
    Column("strength", Float(53), nullable=False),
    Index("lupus_anomaly_of", "project", "metric_set", "period"),
)  # fmt: skip

loaded = Table(
    "lupus_loaded", metadata,
    Column("kind", String(16), primary_key=True),
    Column("project", String(63), primary_key=True),
    Column("metric_set", String(63), primary_key=True),
    Column("period", BigInteger, primary_key=True),
    Column("digest", String(32), nullable=False),
)  # fmt: skip
