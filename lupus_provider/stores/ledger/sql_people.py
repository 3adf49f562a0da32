"""The ledger in SQL: feedback, favourites, acknowledgements and short links."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from lupus_provider.stores.ledger import tables as t
from lupus_provider.stores.ledger.acknowledgements import Acknowledgement
from lupus_provider.stores.ledger.favourites import Favourite
from lupus_provider.stores.ledger.feedback import Feedback
from lupus_provider.stores.ledger.links import link_id_of
from lupus_provider.stores.ledger.rows import check_lengths, records_of, row_of
from lupus_provider.stores.sql import chunks, insert_new, lock_name, reading, writing

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

    from lupus_provider.stores.ledger.acknowledgements import AcknowledgedKind
    from lupus_provider.stores.ledger.favourites import FavouriteKind


class SqlFeedback:
    """Feedback in SQL; see `stores.ledger.feedback` for the laws."""

    engine: Engine

    def give_feedback(self, feedback: Feedback) -> bool:
        """Record a statement, unless the current one says the same."""
        row = row_of(t.feedback, feedback, is_current=True)
        of = _subject(feedback.series_id, feedback.first_period)
        with writing(self.engine) as connection:
            lock_name(connection, "feedback", feedback.series_id, feedback.first_period.astimezone(UTC).isoformat())
            current = connection.execute(sa.select(t.feedback).where(of, t.feedback.c.is_current)).first()
            if current is not None and _says_the_same(row, current):
                return False
            connection.execute(sa.update(t.feedback).where(of).values(is_current=False))
            version = 1 if current is None else current.version + 1
            connection.execute(sa.insert(t.feedback).values(**row, version=version))
        return True

    def feedback(
        self,
        projects: Collection[str],
        metric_set: str | None = None,
        series_ids: Collection[str] | None = None,
        since: datetime | None = None,
    ) -> Sequence[Feedback]:
        """Return current statements about what lasted to `since` or longer, by first period."""
        c = t.feedback.c
        where = [c.project.in_(projects), c.is_current, c.label.is_not(None)]
        where += [c.metric_set == metric_set] if metric_set is not None else []
        where += [c.last_period >= since] if since is not None else []
        parts = [[]] if series_ids is None else [[c.series_id.in_(part)] for part in chunks(sorted(set(series_ids)))]
        with reading(self.engine) as connection:
            rows = [row for part in parts for row in connection.execute(sa.select(t.feedback).where(*where, *part))]
        return records_of(Feedback, sorted(rows, key=lambda row: (row.first_period, row.series_id)))

    def feedback_history(self, series_id: str, first_period: datetime) -> Sequence[Feedback]:
        """Return everything that was said about a subject, oldest first."""
        statement = sa.select(t.feedback).where(_subject(series_id, first_period)).order_by(t.feedback.c.version)
        with reading(self.engine) as connection:
            return records_of(Feedback, connection.execute(statement))


def _subject(series_id: str, first_period: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(t.feedback.c.series_id == series_id, t.feedback.c.first_period == first_period)


def _says_the_same(row: Mapping[str, Any], current: Any) -> bool:
    return all(row[name] == getattr(current, name) for name in ("label", "note", "given_by", "last_period"))


class SqlFavourites:
    """Favourites in SQL; see `stores.ledger.favourites` for the laws."""

    engine: Engine

    def add_favourite(self, favourite: Favourite) -> bool:
        """Mark something; False if it is marked."""
        with writing(self.engine) as connection:
            return insert_new(connection, t.favourite, row_of(t.favourite, favourite))

    def remove_favourite(self, user: str, kind: FavouriteKind, target: str) -> bool:
        """Unmark something; False if it was not marked."""
        c = t.favourite.c
        with writing(self.engine) as connection:
            return _deleted(connection, t.favourite, c.user == user, c.kind == kind, c.target == target) > 0

    def favourites(self, user: str, kind: FavouriteKind | None = None) -> Sequence[Favourite]:
        """Return what a person marked, newest first."""
        c = t.favourite.c
        where = [c.user == user, *([] if kind is None else [c.kind == kind])]
        with reading(self.engine) as connection:
            rows = connection.execute(sa.select(t.favourite).where(*where).order_by(c.added_at.desc())).all()
        found = records_of(Favourite, rows)
        return sorted(found, key=lambda favourite: (-favourite.added_at.timestamp(), favourite.kind, favourite.target))


class SqlAcknowledgements:
    """Acknowledgements in SQL; see `stores.ledger.acknowledgements` for the laws."""

    engine: Engine

    def acknowledge(self, acknowledgement: Acknowledgement) -> bool:
        """Record an acknowledgement; False if this person did before."""
        with writing(self.engine) as connection:
            return insert_new(connection, t.acknowledgement, row_of(t.acknowledgement, acknowledgement))

    def take_back_acknowledgement(self, kind: AcknowledgedKind, target: str, user: str) -> bool:
        """Forget an acknowledgement; False if there is none."""
        c = t.acknowledgement.c
        with writing(self.engine) as connection:
            where = (c.kind == kind, c.target == target, c.acknowledged_by == user)
            return _deleted(connection, t.acknowledgement, *where) > 0

    def acknowledgements(
        self, kind: AcknowledgedKind, targets: Collection[str]
    ) -> Mapping[str, Sequence[Acknowledgement]]:
        """Return target → acknowledgements, oldest first."""
        c = t.acknowledgement.c
        found: dict[str, list[Acknowledgement]] = {}
        with reading(self.engine) as connection:
            for part in chunks(sorted(set(targets))):
                statement = sa.select(t.acknowledgement).where(c.kind == kind, c.target.in_(part))
                for one in records_of(Acknowledgement, connection.execute(statement.order_by(c.acknowledged_at))):
                    found.setdefault(one.target, []).append(one)
        return found


class SqlLinks:
    """Short links in SQL; see `stores.ledger.links` for the laws."""

    engine: Engine

    def shorten(self, target: str, user: str, now: datetime) -> str:
        """Keep a target and return its link's name."""
        row = {"link_id": link_id_of(target), "target": target, "made_by": user, "made_at": now}
        check_lengths(t.link, row)
        with writing(self.engine) as connection:
            insert_new(connection, t.link, row)
        return row["link_id"]

    def link_target(self, link_id: str) -> str | None:
        """Return the target of a link; None if nobody made it."""
        with reading(self.engine) as connection:
            return connection.execute(sa.select(t.link.c.target).where(t.link.c.link_id == link_id)).scalar()


def _deleted(connection: Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
    return connection.execute(sa.delete(table).where(*where)).rowcount
