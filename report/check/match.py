r"""Whether a written number is right for a computed one.

- A plain number must be a correct rounding to the digits written, halves away from zero: ``98\%`` stands for
  [97.5 %, 98.5 %), ``-0.5`` for (-0.55, -0.45].
- ``约``, ``≈``, ``左右``, *about*: within :data:`APPROXIMATE` of the written number, or a correct rounding.
- ``超过``, ``不足``, ``至少``, *at most* …: the inequality itself, without rounding.
- A range must contain the number, its ends rounded as written.
- A fraction stands for itself within 5 %, or half of 1/b² where that is less.

The computed number is taken with 15 significant digits: 0.98 computed as 0.97999999999999998 is 0.98.
"""

from __future__ import annotations

import operator
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING

from report.check.numbers import RATIOS, find_numerals
from report.check.plain import of_latex

if TYPE_CHECKING:
    from collections.abc import Callable

    from report.check.numbers import Numeral
    from report.model import Value

APPROXIMATE = Decimal("0.02")
"""The declared slack of ``约``: relative to the written number."""

_FLOAT = Context(prec=15, rounding=ROUND_HALF_EVEN)
_INEQUALITIES: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "above": operator.gt,
    "below": operator.lt,
    "at-least": operator.ge,
    "at-most": operator.le,
}


def exact(number: float | Decimal) -> Decimal:
    """Return a computed number as a decimal, without the noise behind a float's 15th digit."""
    return number if isinstance(number, Decimal) else _FLOAT.create_decimal(repr(number))


def rounds_to(number: Decimal, written: Decimal, quantum: Decimal) -> bool:
    """Tell whether a number, rounded to multiples of ``quantum``, halves away from zero, is the written one."""
    half = quantum / 2
    if not written:
        return abs(number) < half
    if number.is_signed() != written.is_signed():
        return False
    return abs(written) - half <= abs(number) < abs(written) + half


def matches(numeral: Numeral, number: float | Decimal, unit: str = "", *, slack: Decimal = APPROXIMATE) -> bool:
    """Tell whether a written number is right.

    Parameters
    ----------
    numeral : Numeral
        What is written, with its qualifier.
    number : float or Decimal
        What was computed; ratios in [0, 1].
    unit : str
        The unit of the computed number; a number in ``%`` is compared as the ratio it stands for.
    slack : Decimal
        How far, relative to the written number, an approximation may be off.
    """
    computed = exact(number)
    if numeral.unit in RATIOS and unit.strip() in {"%", "百分点", "个百分点", "pp"}:
        computed /= 100
    if numeral.upper is not None:
        half = numeral.quantum / 2
        return numeral.value - half <= computed < numeral.upper + half
    if numeral.relation in _INEQUALITIES:
        return _INEQUALITIES[numeral.relation](computed, numeral.value)
    if rounds_to(computed, numeral.value, numeral.quantum):
        return True
    return numeral.relation == "about" and abs(computed - numeral.value) <= slack * abs(numeral.value)


def judge(text: str, value: Value) -> bool:
    """Tell whether LaTeX typed by hand holds numbers, and each is right; for ``render(…, judge=…)``."""
    found = find_numerals(of_latex(text))
    return bool(found) and all(matches(numeral, value.number, value.unit) for numeral in found)
