"""Alembic's environment: migrates over the connection that the ledger hands in."""

from __future__ import annotations

from alembic import context

from lupus_provider.stores.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="lupus_alembic_version",
    render_as_batch=True,
)
context.run_migrations()
