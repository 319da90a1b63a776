"""Whether published numbers fit each other, without any training: recomputation, possible ratios, decisions.

Each check is handed its numbers; which numbers of a publication belong together is for the project to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from report.check.items import Item
from report.check.match import exact, rounds_to

if TYPE_CHECKING:
    from report.errors import Location


@dataclass(frozen=True, slots=True)
class Stated:
    """A printed number: its id, value, one unit of its last digit, and where it stood."""

    id: str
    number: float
    rounding: float
    where: str = ""
    location: Location | None = None

    @property
    def text(self) -> str:
        """Return the number with the digits it was printed with."""
        return f"{Decimal(str(self.number)).quantize(Decimal(str(self.rounding))):f}"


def recomputed(stated: Stated, number: float, how: str) -> Item:
    """Compare a printed number with what the other printed numbers give.

    Parameters
    ----------
    stated : Stated
        The printed number.
    number : float
        What was computed from other printed numbers.
    how : str
        From which, and by which method.
    """
    right = rounds_to(exact(number), Decimal(str(stated.number)), Decimal(str(stated.rounding)))
    return _item(stated, right=right, expected=f"{number:.4g}", evidence=how)


def possible_ratio(stated: Stated, n_samples: int) -> Item:
    """Tell whether some whole number of hits among ``n_samples`` rounds to a printed ratio.

    The GRIM test of Brown and Heathers (2017), "The GRIM test", Social Psychological and Personality Science 8(4).
    """
    ratio, half = Decimal(str(stated.number)), Decimal(str(stated.rounding)) / 2
    low = ((ratio - half) * n_samples).to_integral_value(ROUND_CEILING)
    high = ((ratio + half) * n_samples).to_integral_value(ROUND_FLOOR)
    hits = [count for count in range(int(low), int(high) + 1) if rounds_to(Decimal(count) / n_samples, ratio, 2 * half)]
    if hits:
        note = f"{hits[0]}/{n_samples}" if len(hits) == 1 else f"{hits[0]}/{n_samples} … {hits[-1]}/{n_samples}"
    else:
        nearest = int((ratio * n_samples).to_integral_value())
        note = f"no count of {n_samples} gives it; the nearest is {nearest}/{n_samples} = {nearest / n_samples:.6f}"
    return _item(stated, right=bool(hits), expected=note.split(";")[0] if hits else "", evidence=f"GRIM: {note}")


def decision(name: str, *, p: Stated, alpha: float, rejected: bool) -> Item:
    """Compare a printed decision with the printed p-value: a hypothesis is rejected when p is below α."""
    right = (p.number < alpha) == rejected
    verb = "rejected" if rejected else "not rejected"
    return Item(
        "consistency",
        "supported" if right else "contradicted",
        name,
        verb,
        p.location,
        "rejected" if p.number < alpha else "not rejected",
        verb,
        p.where,
        evidence=f"p = {p.text}, α = {alpha:g}",
    )


def _item(stated: Stated, *, right: bool, expected: str, evidence: str) -> Item:
    return Item(
        "consistency",
        "supported" if right else "contradicted",
        stated.id,
        stated.text,
        stated.location,
        expected,
        stated.text,
        stated.where,
        evidence=evidence,
    )
