"""Hand-tuned DuckDB SQL: what an expert would write for exactly these metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peer import Task, play
from points import described

if TYPE_CHECKING:
    from collections.abc import Mapping

SCALARS = """
SELECT {group} AS grp, avg(age), quantile_cont(age, [0.25, 0.5, 0.75]) FROM read_parquet('{events}') GROUP BY ALL
"""
DEVICES = (
    "SELECT {group} AS grp, device, count(*) AS n FROM read_parquet('{events}') WHERE device IS NOT NULL GROUP BY ALL"
)
RATINGS = """
SELECT {group} AS grp, sum(list_sum(ratings)) / sum(len(ratings)), sum(list_sum(ratings[1:5])) / sum(least(len(ratings), 5)),
    min(list_min(ratings)), max(list_max(ratings))
FROM read_parquet('{events}') GROUP BY ALL
"""
INTERESTS = """
SELECT grp, item, count(*) AS n, bool_or(place <= 5) AS among_first
FROM (SELECT {group} AS grp, unnest(interests) AS item, generate_subscripts(interests, 1) AS place FROM read_parquet('{events}'))
WHERE item IS NOT NULL GROUP BY ALL
"""
PERCENTILES = """
SELECT {group} AS grp, quantile_cont({column}, [0.25, 0.5, 0.75]) FROM read_parquet('{events}') GROUP BY ALL
"""


def prepare(task: Task) -> Any:
    import duckdb

    del task
    return duckdb.connect()


def work(connection: Any, task: Task, data: Mapping[str, str]) -> dict[str, Any]:
    words = {"group": task.get("group_column") or "NULL", "events": data["events"], "column": task.get("column")}

    def rows(sql: str) -> Any:
        return connection.sql(sql.format(**words)).to_arrow_table()

    if task["question"] == "percentiles":
        return {"percentiles": rows(PERCENTILES)}
    found = {"scalars": rows(SCALARS), "devices": rows(DEVICES)}
    if task["question"] == "distribution":
        found |= {"ratings": rows(RATINGS), "interests": rows(INTERESTS)}
    return found


def describe(connection: Any, task: Task, found: dict[str, Any]) -> dict[str, Any]:
    for name, table in found.items():
        connection.register(name, table)
    parts = {
        "scalars": "SELECT 'age', unnest(['avg', 'p25', 'p50', 'p75']), NULL, grp, unnest([#2] || #3) FROM scalars",
        "devices": "SELECT 'device', 'count', device, grp, n FROM devices UNION ALL "
        "SELECT 'device', 'unique', NULL, grp, count(*) FROM devices GROUP BY grp",
        "ratings": "SELECT 'ratings', unnest(['avg', 'avg@5', 'min', 'max']), NULL, grp, unnest([#2, #3, #4, #5]) FROM ratings",
        "interests": "SELECT 'interests', 'count', item, grp, n FROM interests UNION ALL "
        "SELECT 'interests', 'unique', NULL, grp, count(*) FROM interests GROUP BY grp UNION ALL "
        "SELECT 'interests', 'unique@5', NULL, grp, count(*) FILTER (among_first) FROM interests GROUP BY grp",
        "percentiles": f"SELECT '{task.get('column')}', unnest(['p25', 'p50', 'p75']), NULL, grp, unnest(#2) FROM percentiles",
    }  # fmt: skip
    told = " UNION ALL ".join(
        f"SELECT * FROM ({parts[name]}) t(column_name, metric, entity, grp, value)" for name in found
    )
    return described(
        connection.sql(f"SELECT * REPLACE (CAST(value AS DOUBLE) AS value, CAST(grp AS VARCHAR) AS grp) FROM ({told})"),
        task,
    )


if __name__ == "__main__":
    play(prepare, work, describe)
