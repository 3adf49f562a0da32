"""Figures → tables for people: on the terminal and in Markdown, with ratios against Lupus in the same run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

HEADINGS = (
    "",
    "CPU s",
    "of DuckDB",
    "of Spark",
    "wall s",
    "peak MB",
    "stages",
    "rows read",
    "values",
    "agrees",
    "notes",
)
OURS = ("Lupus on DuckDB", "Lupus on Spark")
NEAR = 1e-9
"""Relative difference below which two values are the same: sums of doubles depend on their order."""


def agreement(row: dict[str, Any], ours: dict[str, Any] | None) -> str:
    """Say whether a competitor's values are those of Lupus."""
    if ours is None or row is ours or "values" not in row or "values" not in ours:
        return ""
    if row.get("digest") is not None and (row["digest"], row["n_values"]) == (ours.get("digest"), ours["n_values"]):
        return "all"
    both = [name for name in row["values"] if name in ours["values"]]
    apart = [name for name in both if not _near(row["values"][name], ours["values"][name])]
    if not apart:
        return f"{len(both)} of {len(both)}" if both else "nothing to compare"
    name = apart[0]
    return f"{len(both) - len(apart)} of {len(both)}: {name.strip('|')} {row['values'][name]:.7g} for {ours['values'][name]:.7g}"


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= NEAR * max(abs(a), abs(b))


def cells(question: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the rows of a question's table, without the headings."""
    by_name = {row["name"]: row for row in question["rows"]}
    return [_cells(row, [by_name.get(name) for name in OURS]) for row in question["rows"]]


def _cells(row: dict[str, Any], ours: list[dict[str, Any] | None]) -> tuple[str, ...]:
    if "cpu_seconds" not in row:
        why = (row.get("missing") and f"not there yet: {row['missing']}") or row.get("failed", "")
        return (row["name"], *[""] * (len(HEADINGS) - 2), why[:160])
    cpu = row["cpu_seconds"]
    ratios = [f"{cpu / own['cpu_seconds']:.2g}" if own and own.get("cpu_seconds") else "" for own in ours]
    reference = next((own for own in ours if own and "values" in own), None)
    errors = f"errors: {row['errors'][0][:80]}" if row.get("errors") else ""
    return (
        row["name"], f"{cpu:.2f}", *ratios, f"{row['wall_seconds']:.1f}", f"{row['peak_bytes'] / 1e6:,.0f}",
        *(f"{row[name]:,}" if name in row else "" for name in ("stages", "rows_read", "n_values")),
        agreement(row, reference), "; ".join(filter(None, [row["notes"], errors])),
    )  # fmt: skip


def show(question: dict[str, Any], console: Console) -> None:
    """Print one question's table."""
    table = Table(*HEADINGS, title=question["title"], title_justify="left", title_style="bold", box=None)
    for column in table.columns[1:9]:
        column.justify = "right"
    for row in cells(question):
        table.add_row(*row)
    console.print(table)


def markdown(results: dict[str, Any]) -> str:
    """Return all tables for `docs/benchmarks.md`."""
    lines: list[str] = []
    for question in results["questions"]:
        lines += [f"### {question['title'].capitalize()}", ""]
        lines += [f"| {' | '.join(HEADINGS)} |", f"|{'---|' * len(HEADINGS)}"]
        lines += [f"| {' | '.join(cell.replace('|', ' ') for cell in row)} |" for row in cells(question)]
        lines.append("")
    lines += ["### Goals", "", "| | measured | goal | |", "|---|---|---|---|"]
    lines += [f"| {g['what']} | {g['measured']:.3g} | {g['sense']} {g['bound']:.3g} | {'met' if g['met'] else 'missed'} |"
              for g in results["goals"]]  # fmt: skip
    return "\n".join(lines) + "\n"
