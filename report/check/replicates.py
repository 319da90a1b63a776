"""The same report with several seeds: means, standard deviations, and how often a claim holds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

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

    def __str__(self) -> str:
        return f"{self.n} seeds: {self.mean:.6g} ± {self.sd:.2g}"


@dataclass(frozen=True, slots=True)
class Held:
    """In how many of all seeds a claim holds."""

    count: int
    total: int

    def negated(self) -> Held:
        """Return in how many seeds the opposite holds."""
        return Held(self.total - self.count, self.total)

    def __str__(self) -> str:
        return f"holds in {self.count} of {self.total} seeds"


def spread_of(numbers: Sequence[float]) -> Spread | None:
    """Return the spread of some numbers; None for fewer than two."""
    if len(numbers) < 2:  # noqa: PLR2004 - a deviation needs two
        return None
    return Spread(len(numbers), statistics.fmean(numbers), statistics.stdev(numbers))


def spreads_over(replicates: Iterable[Mapping[str, float]]) -> dict[str, Spread]:
    """Return the spread of every number that at least two seeds have, by id."""
    gathered: dict[str, list[float]] = {}
    for numbers in replicates:
        for name, number in numbers.items():
            gathered.setdefault(name, []).append(float(number))
    found = {name: spread_of(numbers) for name, numbers in gathered.items()}
    return {name: spread for name, spread in found.items() if spread is not None}


def held_over(replicates: Replicates) -> dict[str, Held]:
    """Return for every claim in how many seeds it holds, where there is more than one."""
    gathered: dict[str, list[bool]] = {}
    for results in replicates:
        for section, result in results.items():
            for key, claim in result.claims.items():
                gathered.setdefault(f"{section}.{key}", []).append(claim.holds)
    return {name: Held(sum(holds), len(holds)) for name, holds in gathered.items() if len(holds) > 1}
