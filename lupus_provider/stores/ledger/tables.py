"""Tables of the ledger, as the newest migration leaves them (tests compare the two)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text

from lupus_provider.stores.ledger.columns import Duration, Json, Moment

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

feedback = Table(
    "lupus_feedback", metadata,
    Column("series_id", String(13), primary_key=True),
    Column("first_period", Moment, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("project", String(63), nullable=False),
    Column("metric_set", String(63), nullable=False),
    Column("last_period", Moment, nullable=False),
    Column("label", String(16)),  # null: taken back
    Column("given_by", String(255), nullable=False),
    Column("given_at", Moment, nullable=False),
    Column("note", Text, nullable=False),
    Column("is_current", Boolean, nullable=False),
    Index("lupus_feedback_of", "project", "metric_set", "is_current", "last_period"),
)  # fmt: skip

dashboard = Table(
    "lupus_dashboard", metadata,
    Column("dashboard_id", String(32), primary_key=True),
    Column("project", String(63)),  # null: of all projects
    Column("title", Text, nullable=False),
    Column("body", Json, nullable=False),
    Column("owner", String(255), nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_by", String(255), nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("version", Integer, nullable=False),
    Column("deleted_at", Moment),
    Index("lupus_dashboard_of", "project"),
)  # fmt: skip

favourite = Table(
    "lupus_favourite", metadata,
    Column("user", String(255), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("target", String(255), primary_key=True),
    Column("added_at", Moment, nullable=False),
)  # fmt: skip

verdict = Table(
    "lupus_verdict", metadata,
    Column("deadline_id", String(255), primary_key=True),
    Column("due_at", Moment, primary_key=True, autoincrement=False),
    Column("project", String(63), nullable=False),
    Column("job", String(255), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("judged_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("reason", Text, nullable=False),
    Column("told_at", Moment),
    Column("first_verdict", String(16), nullable=False),
    Column("first_judged_at", Moment, nullable=False),
    Column("excused_by", String(255)),
    Column("excused_at", Moment),
    Column("excuse", Text, nullable=False),
    Index("lupus_verdict_of", "project", "due_at"),
)  # fmt: skip

heartbeat = Table(
    "lupus_heartbeat", metadata,
    Column("project", String(63), primary_key=True),
    Column("job", String(255), primary_key=True),
    Column("run_key", String(255), primary_key=True),
    Column("state", String(16), primary_key=True),
    Column("at", Moment, primary_key=True, autoincrement=False),
    Column("message", Text, nullable=False),
    Column("duration", Duration),
    Index("lupus_heartbeat_at", "project", "at"),
)  # fmt: skip

mute = Table(
    "lupus_mute", metadata,
    Column("mute_id", String(32), primary_key=True),
    Column("scope", String(16), nullable=False),
    Column("target", String(255), nullable=False),
    Column("muted_by", String(255), nullable=False),
    Column("muted_at", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("reason", Text, nullable=False),
    Column("project", String(63)),
    Column("lifted_by", String(255)),
    Column("lifted_at", Moment),
    Index("lupus_mute_until", "until"),
)  # fmt: skip

acknowledgement = Table(
    "lupus_acknowledgement", metadata,
    Column("kind", String(16), primary_key=True),
    Column("target", String(255), primary_key=True),
    Column("acknowledged_by", String(255), primary_key=True),
    Column("acknowledged_at", Moment, nullable=False),
    Column("note", Text, nullable=False),
)  # fmt: skip

watermark = Table(
    "lupus_watermark", metadata,
    Column("name", String(255), primary_key=True),
    Column("checked_until", Moment, nullable=False),
)  # fmt: skip

link = Table(
    "lupus_link", metadata,
    Column("link_id", String(16), primary_key=True),
    Column("target", Text, nullable=False),
    Column("made_by", String(255), nullable=False),
    Column("made_at", Moment, nullable=False),
)  # fmt: skip
