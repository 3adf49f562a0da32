"""Tables of the ledger, as the newest migration leaves them (tests compare the two)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

episode = Table(
    "lupus_episode", metadata,
    Column("episode_id", String(32), primary_key=True),
    Column("project", String(63), nullable=False),
    Column("metric_set", String(63), nullable=False),
    Column("series_id", String(13), nullable=False),
    Column("name", Text, nullable=False),
    Column("first_period", BigInteger, nullable=False),  # epoch microseconds
    Column("last_period", BigInteger, nullable=False),
    Column("state", String(9), nullable=False),
    Column("worst_period", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("severity", String(8), nullable=False),
    Column("detector", String(96), nullable=False),
    Column("value", Float(53)),
    Column("expected", Float(53)),
    Column("score", Float(53)),
    Column("is_told", Boolean, nullable=False),
    Index("lupus_episode_of", "project", "metric_set", "last_period"),
)  # fmt: skip

outbox = Table(
    "lupus_outbox", metadata,
    Column("message_id", String(32), primary_key=True),
    Column("channel", String(255), nullable=False),
    Column("project", String(63), nullable=False),
    Column("body", Text, nullable=False),  # JSON
    Column("state", String(7), nullable=False),  # pending, sent, failed
    Column("attempts", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),  # not before; the end of the lease where it is claimed
    Column("sent_at", BigInteger),
    Column("error", Text),
    Index("lupus_outbox_due", "channel", "state", "due_at"),
)  # fmt: skip
