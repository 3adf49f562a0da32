"""The ledger in SQL: mutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from lupus_provider.stores.ledger import tables as t
from lupus_provider.stores.ledger.errors import NoSuchRecordError
from lupus_provider.stores.ledger.mutes import Mute
from lupus_provider.stores.ledger.rows import records_of, row_of
from lupus_provider.stores.sql import insert_new, reading, writing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Engine


class SqlMutes:
    """Mutes in SQL; see `stores.ledger.mutes` for the laws."""

    engine: Engine

    def mute(self, mute: Mute) -> bool:
        """Record a mute; False if there is one of this id."""
        with writing(self.engine) as connection:
            return insert_new(connection, t.mute, row_of(t.mute, mute))

    def lift_mute(self, mute_id: str, user: str, now: datetime) -> bool:
        """End a mute; False if it was lifted or has ended already."""
        c = t.mute.c
        in_force = (c.mute_id == mute_id, c.lifted_at.is_(None), c.until > now)
        with writing(self.engine) as connection:
            done = connection.execute(sa.update(t.mute).where(*in_force).values(lifted_by=user, lifted_at=now))
            if done.rowcount:
                return True
            if connection.execute(sa.select(c.mute_id).where(c.mute_id == mute_id)).first() is None:
                raise NoSuchRecordError("mute", mute_id)
        return False

    def mutes(self, at: datetime | None = None) -> Sequence[Mute]:
        """Return the mutes in force at a moment, or all, oldest first."""
        c = t.mute.c
        where = [] if at is None else [c.until > at]
        with reading(self.engine) as connection:
            found = records_of(Mute, connection.execute(sa.select(t.mute).where(*where)))
        in_force = [mute for mute in found if at is None or mute.is_in_force(at)]
        return sorted(in_force, key=lambda mute: (mute.muted_at, mute.mute_id))

    def purge_mutes(self, before: datetime) -> int:
        """Forget mutes that ended before a moment; return how many."""
        c = t.mute.c
        with writing(self.engine) as connection:
            return connection.execute(sa.delete(t.mute).where(sa.or_(c.until < before, c.lifted_at < before))).rowcount
