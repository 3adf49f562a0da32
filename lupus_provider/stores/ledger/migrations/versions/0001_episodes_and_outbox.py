"""Episodes and the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "lupus_episode",
        sa.Column("episode_id", sa.String(32), primary_key=True),
        sa.Column("project", sa.String(63), nullable=False),
        sa.Column("metric_set", sa.String(63), nullable=False),
        sa.Column("series_id", sa.String(13), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("first_period", sa.BigInteger, nullable=False),
        sa.Column("last_period", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(9), nullable=False),
        sa.Column("worst_period", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("severity", sa.String(8), nullable=False),
        sa.Column("detector", sa.String(96), nullable=False),
        sa.Column("value", sa.Float(53)),
        sa.Column("expected", sa.Float(53)),
        sa.Column("score", sa.Float(53)),
        sa.Column("is_told", sa.Boolean, nullable=False),
    )
    op.create_index("lupus_episode_of", "lupus_episode", ["project", "metric_set", "last_period"])
    op.create_table(
        "lupus_outbox",
        sa.Column("message_id", sa.String(32), primary_key=True),
        sa.Column("channel", sa.String(255), nullable=False),
        sa.Column("project", sa.String(63), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(7), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("error", sa.Text),
    )
    op.create_index("lupus_outbox_due", "lupus_outbox", ["channel", "state", "due_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("lupus_outbox")
    op.drop_table("lupus_episode")
