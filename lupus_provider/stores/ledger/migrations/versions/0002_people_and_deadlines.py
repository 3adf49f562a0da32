"""What people say and arrange, verdicts of deadlines and what they are judged from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = (
    "lupus_feedback",
    "lupus_dashboard",
    "lupus_favourite",
    "lupus_verdict",
    "lupus_heartbeat",
    "lupus_mute",
    "lupus_acknowledgement",
    "lupus_watermark",
    "lupus_link",
)


def upgrade() -> None:
    """Make the tables."""
    _people()
    _deadlines()


def _people() -> None:
    op.create_table(
        "lupus_feedback",
        sa.Column("series_id", sa.String(13), primary_key=True),
        sa.Column("first_period", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("project", sa.String(63), nullable=False),
        sa.Column("metric_set", sa.String(63), nullable=False),
        sa.Column("last_period", sa.BigInteger, nullable=False),
        sa.Column("label", sa.String(16)),
        sa.Column("given_by", sa.String(255), nullable=False),
        sa.Column("given_at", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("is_current", sa.Boolean, nullable=False),
    )
    op.create_index("lupus_feedback_of", "lupus_feedback", ["project", "metric_set", "is_current", "last_period"])
    op.create_table(
        "lupus_dashboard",
        sa.Column("dashboard_id", sa.String(32), primary_key=True),
        sa.Column("project", sa.String(63)),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("created_by", sa.String(255), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_by", sa.String(255), nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("deleted_at", sa.BigInteger),
    )
    op.create_index("lupus_dashboard_of", "lupus_dashboard", ["project"])
    op.create_table(
        "lupus_favourite",
        sa.Column("user", sa.String(255), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("target", sa.String(255), primary_key=True),
        sa.Column("added_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "lupus_mute",
        sa.Column("mute_id", sa.String(32), primary_key=True),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("target", sa.String(255), nullable=False),
        sa.Column("muted_by", sa.String(255), nullable=False),
        sa.Column("muted_at", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("project", sa.String(63)),
        sa.Column("lifted_by", sa.String(255)),
        sa.Column("lifted_at", sa.BigInteger),
    )
    op.create_index("lupus_mute_until", "lupus_mute", ["until"])
    op.create_table(
        "lupus_acknowledgement",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("target", sa.String(255), primary_key=True),
        sa.Column("acknowledged_by", sa.String(255), primary_key=True),
        sa.Column("acknowledged_at", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_table(
        "lupus_link",
        sa.Column("link_id", sa.String(16), primary_key=True),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("made_by", sa.String(255), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
    )


def _deadlines() -> None:
    op.create_table(
        "lupus_verdict",
        sa.Column("deadline_id", sa.String(255), primary_key=True),
        sa.Column("due_at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("project", sa.String(63), nullable=False),
        sa.Column("job", sa.String(255), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("judged_at", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("told_at", sa.BigInteger),
        sa.Column("first_verdict", sa.String(16), nullable=False),
        sa.Column("first_judged_at", sa.BigInteger, nullable=False),
        sa.Column("excused_by", sa.String(255)),
        sa.Column("excused_at", sa.BigInteger),
        sa.Column("excuse", sa.Text, nullable=False),
    )
    op.create_index("lupus_verdict_of", "lupus_verdict", ["project", "due_at"])
    op.create_table(
        "lupus_heartbeat",
        sa.Column("project", sa.String(63), primary_key=True),
        sa.Column("job", sa.String(255), primary_key=True),
        sa.Column("run_key", sa.String(255), primary_key=True),
        sa.Column("state", sa.String(16), primary_key=True),
        sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("duration", sa.BigInteger),
    )
    op.create_index("lupus_heartbeat_at", "lupus_heartbeat", ["project", "at"])
    op.create_table(
        "lupus_watermark",
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("checked_until", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop them; episodes and the outbox stay."""
    for table in reversed(TABLES):
        op.drop_table(table)
