"""How results vary over seeds: mean and standard deviation of values, and in how many seeds a claim holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from report.compute import SectionRecord
    from report.model import Claim, Result, Value

    Replicates = Sequence[Mapping[str, SectionRecord]]


@dataclass(frozen=True, slots=True)
class ValueSpread:
    """A value over seeds: ``item`` is that of the first seed; ``sd`` (n-1) is None for one seed."""

    id: str
    item: Value
    numbers: tuple[float, ...]

    @property
    def n_seeds(self) -> int:
        """Return the number of seeds."""
        return len(self.numbers)

    @property
    def mean(self) -> float:
        """Return the mean over the seeds."""
        from statistics import fmean  # noqa: PLC0415 - slow to import, and not needed when nothing changed

        return fmean(self.numbers)

    @property
    def sd(self) -> float | None:
        """Return the standard deviation with n-1 in the denominator."""
        from statistics import stdev  # noqa: PLC0415 - slow to import, and not needed when nothing changed

        return stdev(self.numbers) if len(self.numbers) > 1 else None


@dataclass(frozen=True, slots=True)
class ClaimSpread:
    """A claim over seeds: ``item`` is that of the first seed."""

    id: str
    item: Claim
    verdicts: tuple[bool, ...]

    @property
    def n_seeds(self) -> int:
        """Return the number of seeds."""
        return len(self.verdicts)

    @property
    def holds_in(self) -> int:
        """Return the number of seeds in which it holds."""
        return sum(self.verdicts)


def value_spreads(replicates: Replicates) -> dict[str, ValueSpread]:
    """Return the spread of every value by its id ``section.key``, in the order of the report."""
    return {
        f"{name}.{key}": ValueSpread(
            f"{name}.{key}",
            value,
            tuple(float(result.values[key].number) for result in _of(replicates, name) if key in result.values),
        )
        for name, record in replicates[0].items()
        for key, value in record.result.values.items()
    }


def claim_spreads(replicates: Replicates) -> dict[str, ClaimSpread]:
    """Return the spread of every claim by its id ``section.key``, in the order of the report."""
    return {
        f"{name}.{key}": ClaimSpread(
            f"{name}.{key}",
            claim,
            tuple(result.claims[key].holds for result in _of(replicates, name) if key in result.claims),
        )
        for name, record in replicates[0].items()
        for key, claim in record.result.claims.items()
    }


def _of(replicates: Replicates, name: str) -> list[Result]:
    """Return a section's result with every seed it was computed with: not all, where ``--only`` left it out."""
    return [sections[name].result for sections in replicates if name in sections]
