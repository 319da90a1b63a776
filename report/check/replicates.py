"""The same report with several seeds: means, standard deviations, and how often a claim holds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from report.model import Claim, Table, Value

if TYPE_CHECKING:
    from report.model import Result

Replicates = Sequence[Mapping[str, "Result"]]
"""One mapping of section name → result per seed; the first is the report's own."""

MIN_FOR_SPREAD = 3
"""With fewer seeds a standard deviation says too little to excuse a difference."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation (n - 1 in the denominator) of a number over seeds."""

    n: int
    mean: float
    sd: float


def spread_of(numbers: Sequence[float]) -> Spread | None:
    """Return the spread of some numbers; None for fewer than two."""
    if len(numbers) < 2:  # noqa: PLR2004 - a deviation needs two
        return None
    return Spread(len(numbers), statistics.fmean(numbers), statistics.stdev(numbers))


def spread(replicates: Replicates, name: str) -> Spread | None:
    """Return mean and deviation of the value ``section.key``; None where fewer than two seeds have it."""
    items = [item for item in _items(replicates, name) if isinstance(item, Value)]
    return spread_of([float(item.number) for item in items])


def cell_spread(replicates: Replicates, name: str, row: int, column: str) -> Spread | None:
    """Return mean and deviation of one cell of the table ``section.key``."""
    numbers = []
    for item in _items(replicates, name):
        if isinstance(item, Table) and column in item.columns and row < len(item.rows):
            cell = item.column(column)[row]
            if isinstance(cell, int | float):
                numbers.append(float(cell))
    return spread_of(numbers)


def held(replicates: Replicates, name: str, *, negated: bool = False) -> tuple[int, int]:
    """Return in how many seeds the claim ``section.key``, or its negation, holds, and how many seeds have it."""
    claims = [item for item in _items(replicates, name) if isinstance(item, Claim)]
    return sum(claim.holds != negated for claim in claims), len(claims)


def _items(replicates: Replicates, name: str) -> list[object]:
    section, _, key = name.partition(".")
    found: list[object] = []
    for results in replicates:
        result = results.get(section)
        if result is None:
            continue
        for kind in (result.values, result.tables, result.claims):
            if key in kind:
                found.append(kind[key])
    return found
