"""Metrics of distinct values: how often each occurs, and how evenly all of them do."""

# ruff: noqa: D102  (`of_counts` is documented once, in `metrics.base`)

from __future__ import annotations

import numpy as np

from lupus_provider.metrics.base import Counts, CountsMetric, Kind, Shape, Unit, Values, ratio
from lupus_provider.metrics.bins import REST
from lupus_provider.metrics.registry import register

OTHER = REST
"""Entity that holds what `max_entities` cut off, so that totals still add up."""


@register
class Count(CountsMetric):
    """Rows of each distinct value; null is no entity."""

    name = "count"
    shape = Shape.ENTITIES
    accepts = Kind.BOOL | Kind.TEXT | Kind.NUMBER
    unit = Unit.COUNT
    bounds = (0, np.inf)
    per_entity = True

    def of_counts(self, counts: Counts, **_: float) -> Values:
        total = counts.total(counts["count"])
        return Values(counts["count"].astype(float), total[counts.group], counts.group, counts.entity)


@register
class Ratio(Count):
    """Share of each distinct value among the values that are not null."""

    name = "ratio"
    unit = Unit.RATIO
    bounds = (0, 1)

    def of_counts(self, counts: Counts, **_: float) -> Values:
        n_rows = counts.total(counts["count"])[counts.group]
        return Values(ratio(counts["count"].astype(float), n_rows), n_rows, counts.group, counts.entity)


@register
class FoldedEntities(CountsMetric):
    """Number of distinct values that `max_entities` made one entity, `…other`; measured by itself wherever `count` or `ratio` folded some."""

    name = "folded_entities"
    shape = Shape.ENTITIES
    accepts = Kind.BOOL | Kind.TEXT | Kind.NUMBER
    unit = Unit.COUNT
    bounds = (0, np.inf)
    combines = False

    def of_counts(self, counts: Counts, **_: float) -> Values:
        return Values(counts.total(counts["folded"]), counts.total(counts["count"]))


class _Spectrum(CountsMetric):
    """Metrics that ask only how many distinct values occur how often: a small table, however many values there are."""

    shape = Shape.SPECTRUM
    accepts = Kind.DISCRETE
    combines = False


@register
class Mode(_Spectrum):
    """Share of the most frequent value among the values that are neither null nor NaN."""

    name = "mode"
    unit = Unit.RATIO
    bounds = (0, 1)

    def of_counts(self, counts: Counts, **_: float) -> Values:
        total = counts.total(counts["size"] * counts["values"])
        most = np.zeros(counts.n_groups)
        np.maximum.at(most, counts.group, counts["size"].astype(float))
        return Values(ratio(most, total), total)


@register
class Entropy(_Spectrum):
    """Shannon entropy of the distinct values, in bits; 0 where all values are the same.

    Source: Shannon 1948. With n rows and c(v) rows of value v: log2 n - (1/n) sum of c log2 c.
    """

    name = "entropy"
    unit = Unit.BITS
    bounds = (0, np.inf)

    def of_counts(self, counts: Counts, **_: float) -> Values:
        size = counts["size"].astype(float)
        total = counts.total(size * counts["values"])
        mass = counts.total(size * np.log2(size) * counts["values"])
        value = np.where(total > 0, np.log2(np.maximum(total, 1)) - ratio(mass, total), np.nan)
        return Values(np.maximum(value, 0.0), total)  # rounding may come below zero


@register
class ApproxUnique(CountsMetric):
    """Number of distinct values, estimated: standard error 1.6 percent, memory of 4,096 registers a group, the same in every engine.

    Source: Flajolet et al. 2007, HyperLogLog over 48 bits of MD5 with 2^12 registers, with linear counting for small numbers.
    """

    name = "approx_unique"
    shape = Shape.REGISTERS
    accepts = Kind.BOOL | Kind.TEXT | Kind.NUMBER
    unit = Unit.COUNT
    bounds = (0, np.inf)

    def of_counts(self, counts: Counts, **_: float) -> Values:
        registers = counts["registers"].astype(float)
        empty = REGISTERS - counts.total(registers)
        harmonic = counts.total(registers * np.exp2(-counts["rank"].astype(float))) + empty
        raw = (0.7213 / (1 + 1.079 / REGISTERS)) * REGISTERS**2 / harmonic
        few = (raw <= 2.5 * REGISTERS) & (empty > 0)
        linear = REGISTERS * np.log(REGISTERS / np.maximum(empty, 1))
        return Values(np.where(few, linear, raw).round().astype(float), counts.rows)


REGISTER_BITS = 12
REGISTERS = 2**REGISTER_BITS
"""Registers of `approx_unique` a group."""
HASH_BITS = 48
"""Bits of a value's hash that are counted: the first `REGISTER_BITS` choose the register, the others give the rank."""
RANK_BITS = HASH_BITS - REGISTER_BITS
