"""Queries of the shapes that are tables: distinct values, pairs of labels, counts of counts, registers, popularity, curves of scores.

Each groups twice or ranks with window functions, so that only aggregates leave the engine, whatever the number of distinct values.
"""

# ruff: noqa: S608  (columns are our aliases, texts are literals, numbers are numbers)

from __future__ import annotations

from typing import TYPE_CHECKING

from lupus_provider.engines.base import ENTITY, PERIOD
from lupus_provider.engines.sql.grouping import MASK
from lupus_provider.engines.sql.placement import placed
from lupus_provider.engines.sql.values import label_text
from lupus_provider.metrics.base import Over, Shape
from lupus_provider.metrics.bins import REST, CategoryBins, NumericBins
from lupus_provider.metrics.categorical import RANK_BITS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lupus_provider.engines.sql.query import Relation
    from lupus_provider.metrics.plan import Subject

BIN = "bin"
FOLDED = "folded"
"""Column of entities: how many distinct values `max_entities` made one."""


def table_query(relation: Relation, subject: Subject, shape: Shape, max_entities: int) -> str:
    """Return the query of a shape that is a table: key columns, then the columns of `SHAPE_COLUMNS`."""
    if shape is Shape.ENTITIES:
        return entities(relation, subject, max_entities)
    return _QUERIES[shape](relation, subject)


def counted(relation: Relation, subject: Subject, key: str, value: str, condition: str) -> str:
    """Query: rows of each distinct `value` in each group, as `n`."""
    grouping = relation.grouping
    carried = ", ".join(grouping.carried)
    rows = f"SELECT {carried}, {value} AS {key} FROM {_rows(relation, subject)} WHERE {condition}"
    return f"SELECT {grouping.selected([key])}, count(*) AS n FROM ({rows}) AS rows {grouping.group_by([key])}"


def _rows(relation: Relation, subject: Subject) -> str:
    """Rows of the values of a subject; of rankings, the predicted items in the first k places."""
    if subject.over is Over.RANKINGS:
        return f"({relation.items(subject.column, subject.k, distinct=True)}) AS items"
    return relation.source(subject)


def _text(relation: Relation, subject: Subject) -> tuple[str, str]:
    """Return the SQL of the text of a subject's values, and of the values themselves."""
    column = "item" if subject.over in (Over.ITEMS, Over.RANKINGS) else relation.aliases[subject.column]
    return relation.dialect.text(column, relation.types[subject.column]), column


def entities(relation: Relation, subject: Subject, max_entities: int) -> str:
    """Count distinct values; the largest are kept, ties by name, the rest is one entity."""
    text, column = _text(relation, subject)
    return kept_entities(relation, counted(relation, subject, ENTITY, text, f"{column} IS NOT NULL"), max_entities)


def kept_entities(relation: Relation, rows: str, max_entities: int) -> str:
    """Return the query of the largest entities out of a query of all, `entity` and `n` in each group."""
    keys = ", ".join(relation.grouping.keys)
    ranked = f"SELECT *, row_number() OVER (PARTITION BY {keys} ORDER BY n DESC, {ENTITY}) > {int(max_entities)} AS cut FROM ({rows}) AS counted"
    kept = f"SELECT {keys}, CASE WHEN cut THEN '{REST}' ELSE {ENTITY} END AS {ENTITY}, n, cut FROM ({ranked}) AS ranked"
    return (
        f"SELECT {keys}, {ENTITY}, CAST(sum(n) AS BIGINT) AS count, count(CASE WHEN cut THEN 1 END) AS {FOLDED} "
        f"FROM ({kept}) AS kept GROUP BY {keys}, {ENTITY}"
    )


def spectrum(relation: Relation, subject: Subject) -> str:
    """Count how many distinct values occur how often."""
    if subject.over is Over.RANKINGS:
        key = condition = "item"
    else:
        value = relation.value(subject)
        key, condition = value.whole, value.whole
    keys = ", ".join(relation.grouping.keys)
    rows = counted(relation, subject, "lupus_value", key, f"{condition} IS NOT NULL")
    return f"SELECT {keys}, n AS size, count(*) AS values_of_size FROM ({rows}) AS counted GROUP BY {keys}, n"


def registers(relation: Relation, subject: Subject) -> str:
    """Count HyperLogLog registers by rank: the first bits of a hash choose the register, leading zeros of the others are its rank."""
    text, column = _text(relation, subject)
    grouping, dialect = relation.grouping, relation.dialect
    keys, carried = ", ".join(grouping.keys), ", ".join(grouping.carried)
    size = 1 << RANK_BITS
    hashed = f"SELECT {carried}, {dialect.hash48(text)} AS h FROM {_rows(relation, subject)} WHERE {column} IS NOT NULL"
    # One bit more than the rank's, so that the length of zero is defined.
    rank = f"{RANK_BITS + 2} - {dialect.bit_length(f'(2 * (h % {size}) + 1)')}"
    split = f"SELECT {carried}, {dialect.shifted('h', RANK_BITS)} AS register, {rank} AS r FROM ({hashed}) AS hashed"
    ranks = f"SELECT {grouping.selected(['register'])}, max(r) AS rank FROM ({split}) AS split {grouping.group_by(['register'])}"
    return f"SELECT {keys}, rank, count(*) AS registers FROM ({ranks}) AS ranks GROUP BY {keys}, rank"


def paired(relation: Relation, subject: Subject) -> str:
    """Count pairs of predicted and true label, null where unknown; rows where both are unknown are left out."""
    grouping = relation.grouping
    predicted, label = (
        label_text(relation.dialect, relation.aliases[column], relation.types[column]) for column in subject.columns
    )
    rows = f"SELECT {', '.join(grouping.carried)}, {predicted} AS predicted, {label} AS label FROM {relation.name}"
    return (
        f"SELECT {', '.join([*grouping.keys, 'predicted', 'label'])}, n AS count FROM (SELECT {grouping.selected(['predicted', 'label'])}, "
        f"count(*) AS n FROM ({rows}) AS rows WHERE predicted IS NOT NULL OR label IS NOT NULL {grouping.group_by(['predicted', 'label'])}) AS pairs"
    )


def popularity(relation: Relation, subject: Subject) -> str:
    """Count items by the number of truth lists that hold them, and how often such items were predicted in the first k places."""
    grouping = relation.grouping
    keys, carried = ", ".join(grouping.keys), ", ".join(grouping.carried)
    shown = f"SELECT {carried}, item, 1 AS shown, 0 AS truths FROM ({relation.items(subject.columns[0], subject.k, distinct=True)}) AS shown"
    wanted = f"SELECT {carried}, item, 0 AS shown, 1 AS truths FROM ({relation.items(subject.columns[1], None, distinct=True)}) AS wanted"
    rows = f"SELECT * FROM ({shown} UNION ALL {wanted}) AS items WHERE item IS NOT NULL"
    items = f"SELECT {grouping.selected(['item'])}, sum(shown) AS shown, sum(truths) AS truths FROM ({rows}) AS rows {grouping.group_by(['item'])}"
    return (
        f"SELECT {keys}, CAST(truths AS BIGINT) AS truths, count(*) AS items, CAST(sum(shown) AS BIGINT) AS shown "
        f"FROM ({items}) AS items GROUP BY {keys}, truths"
    )


_QUERIES: Mapping[Shape, Callable[[Relation, Subject], str]] = {
    Shape.SPECTRUM: spectrum,
    Shape.REGISTERS: registers,
    Shape.PAIRED: paired,
    Shape.POPULARITY: popularity,
}


def binned(relation: Relation, subject: Subject) -> str:
    """Return the query of a subject's rows that have a bin, with it in column `bin`."""
    bins, dialect = subject.bins, relation.dialect
    if isinstance(bins, CategoryBins):
        text, column = _text(relation, subject)
        cases = " ".join(f"WHEN {dialect.literal(c)} THEN {i}" for i, c in enumerate(bins.categories))
        place = f"CASE {text} {cases} ELSE {len(bins.categories)} END" if cases else "0"
        known = f"{column} IS NOT NULL"
    else:
        assert isinstance(bins, NumericBins)
        value = relation.value(subject)
        known = f"{value.sql} IS NOT NULL" + (f" AND NOT isnan({value.sql})" if value.number == "float" else "")
        rows = f"FROM {relation.source(subject)} WHERE {known}"
        return placed(dialect, bins, f"({dialect.double(value.sql)})", rows, BIN)
    return f"SELECT *, {place} AS {BIN} FROM {relation.source(subject)} WHERE {known}"


def curve(relation: Relation, subject: Subject, exact_sum: Callable[[str], Mapping[str, str]] | None) -> str:
    """Walk down the scores of each group, ties together.

    Parameters
    ----------
    exact_sum
        Aggregates that add a DOUBLE exactly, where the precision at each positive is asked for, too.

    Returns
    -------
    str
        Query of the keys, `rows`, `positives`, `a…`: each positive's negatives at or above it, twice, without its ties once; and `p…`:
        precision at each positive.
    """
    grouping, dialect = relation.grouping, relation.dialect
    keys, carried = ", ".join(grouping.keys), ", ".join(grouping.carried)
    rows = f"SELECT {carried}, s, y FROM {relation.source(subject)} WHERE s IS NOT NULL AND y IS NOT NULL"
    scores = (
        f"SELECT {grouping.selected(['s'])}, count(CASE WHEN y = 1 THEN 1 END) AS pos, count(CASE WHEN y = 0 THEN 1 END) AS neg "
        f"FROM ({rows}) AS rows {grouping.group_by(['s'])}"
    )
    window = f"OVER (PARTITION BY {', '.join(_telling(relation))} ORDER BY s DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    # Counts are exact as doubles, and engines add these faster than their wide integers.
    walked = f"SELECT *, CAST(sum({dialect.double('neg')}) {window} AS BIGINT) AS misses"
    if exact_sum is not None:
        walked += f", CAST(sum({dialect.double('pos')}) {window} AS BIGINT) AS hits"
    walked += f" FROM ({scores}) AS scores"
    sums = {f"a{suffix}": sql for suffix, sql in dialect.big_sum("pos * (2 * misses - neg)").items()}
    if exact_sum is not None:
        precision = f"{dialect.double('pos')} * ({dialect.double('hits')} / {dialect.double('hits + misses')})"
        walked = f"SELECT *, {precision} AS precisions FROM ({walked}) AS counted"
        sums |= {f"p{suffix}": sql for suffix, sql in exact_sum("precisions").items()}
    outputs = ", ".join(f"{sql} AS {name}" for name, sql in sums.items())
    return (
        f"SELECT {keys}, CAST(sum(pos + neg) AS BIGINT) AS rows, CAST(sum(pos) AS BIGINT) AS positives, {outputs} "
        f"FROM ({walked}) AS walked GROUP BY {keys}"
    )


def curve_of_rows(relation: Relation, subject: Subject, exact_sum: Callable[[str], Mapping[str, str]] | None) -> str:
    """Walk down the scores of each group row by row: the answer of `curve` where no score occurs twice in a group, for less.

    Of one group set. There is one more column, `ties`: rows whose score is that of the row before them; above 0, the rest is wrong.
    """
    grouping, dialect = relation.grouping, relation.dialect
    keys = ", ".join(grouping.keys)
    rows = f"SELECT {grouping.selected()}, s, y FROM {relation.source(subject)} WHERE s IS NOT NULL AND y IS NOT NULL"
    order = f"PARTITION BY {', '.join(_telling(relation))} ORDER BY s DESC"
    window = f"OVER ({order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    walked = (
        f"SELECT {keys}, y, lag(s) OVER ({order}) = s AS is_tie, {dialect.double(f'row_number() OVER ({order})')} AS place, "
        f"sum({dialect.double('CASE WHEN y = 1 THEN 1 ELSE 0 END')}) {window} AS hits FROM ({rows}) AS rows"
    )
    is_hit = "CASE WHEN y = 1 THEN {} END"
    misses = is_hit.format("CAST(2 * (place - hits) AS BIGINT)")
    sums = {f"a{suffix}": sql for suffix, sql in dialect.big_sum(f"coalesce({misses}, 0)").items()}
    if exact_sum is not None:
        walked = f"SELECT *, coalesce({is_hit.format('hits / place')}, {dialect.number(0.0)}) AS precisions FROM ({walked}) AS w"
        sums |= {f"p{suffix}": sql for suffix, sql in exact_sum("precisions").items()}
    outputs = ", ".join(f"{sql} AS {name}" for name, sql in sums.items())
    return (
        f"SELECT {keys}, count(*) AS rows, count(CASE WHEN y = 1 THEN 1 END) AS positives, "
        f"count(CASE WHEN is_tie THEN 1 END) AS ties, {outputs} FROM ({walked}) AS walked GROUP BY {keys}"
    )


def _telling(relation: Relation) -> list[str]:
    """Key columns without those that are the same in all rows: engines compare them anew for each row that they sort."""
    grouping = relation.grouping
    same = set() if len(grouping.plan.periods or ()) > 1 else {PERIOD}
    same |= set() if len(grouping.sets) > 1 else {MASK}
    return [key for key in grouping.keys if key not in same] or [PERIOD]
