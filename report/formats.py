r"""Numbers and strings as LaTeX: pure functions, registered as filters of the templates.

Rounding is decimal: a float stands for the decimal that Python prints for it, and halves go away from zero, as
readers round and as the checker does, so that 0.125 prints as 0.13 and 2.675 as 2.68. Signs, powers and comparison
signs are set with ``\ensuremath``, so that a printed number works in text and in a formula.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Self

from markupsafe import Markup

from report.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable

_MINUS = r"\ensuremath{-}"
_EXACT = Context(prec=400, rounding=ROUND_HALF_UP)  # no double needs more digits than that
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "[": "{[}",  # after \\ or \item a bracket would start an optional argument
    "]": "{]}",
    "*": "{*}",  # \\* is a command of its own
}
_UNSAFE = re.compile(
    "["
    + re.escape("".join(_SPECIAL))
    + r"]|[ \t-\r\x1c-\x1f\x85\u2028\u2029]+|--+|,,+|[\x00-\x08\x0e-\x1b\x7f-\x9f\U00100000-\U0010ffff]"
)


class Latex(Markup):
    """A string that is LaTeX already. Joining it with a plain string escapes the plain string for LaTeX."""

    __slots__ = ()

    @classmethod
    def escape(cls, s: object, /) -> Self:
        """Escape a string for LaTeX, unless it is LaTeX already."""
        return cls(escape(s))


def escape(text: object) -> Latex:
    """Return text as LaTeX that prints exactly it, and can do nothing else.

    Line ends and runs of blanks become one space, so that no string can end a paragraph or a comment; control
    characters and the private characters of the render map vanish; ``--`` and ``,,`` form no ligature.
    """
    if isinstance(text, Latex):
        return text
    if hasattr(text, "__html__"):
        return Latex(text)
    return Latex(_UNSAFE.sub(_escaped, str(text)))


def _escaped(match: re.Match[str]) -> str:
    found = match[0]
    if found in _SPECIAL:
        return _SPECIAL[found]
    if found.isspace():
        return " "
    if found[0] in "-,":
        return "{}".join(found)
    return ""


def decimal(number: object) -> Decimal:
    """Return the decimal a number is printed as: 0.1 is one tenth, not the double next to it."""
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal):
        raise TemplateError(
            f"a number is needed here, not {_describe(number)}", hint="name a value or a numeric setting"
        )
    exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    if not exact.is_finite():
        raise TemplateError(f"{number!r} cannot be printed as a number")
    return exact


def _describe(thing: object) -> str:
    if isinstance(thing, str):
        return f"the text {str(thing)!r}"
    return "None" if thing is None else f"{thing!r} ({type(thing).__name__})"


def _rounded(exact: Decimal, digits: int) -> str:
    if not isinstance(digits, int) or not 0 <= digits <= 30:  # noqa: PLR2004 - a typing slip, not a wish
        raise TemplateError(f"the number of digits must be an integer from 0 to 30, got {digits!r}")
    text = format(exact.quantize(Decimal(1).scaleb(-digits), context=_EXACT), "f")
    return text.lstrip("-") if not text.strip("-0.") else text


def _signed(text: str, *, sign: bool = False) -> Latex:
    if text.startswith("-"):
        return Latex(_MINUS + text[1:])
    return Latex(rf"\ensuremath{{+}}{text}" if sign and text.strip("0.") else text)


def fixed(number: object, digits: int = 2, *, sign: bool = False) -> Latex:
    """Print with a fixed number of decimals; ``sign=True`` also writes a plus: ``+0.12``."""
    return _signed(_rounded(decimal(number), digits), sign=sign)


def percent(ratio: object, digits: int = 2) -> Latex:
    r"""Print a ratio as a percentage: 0.9123 → ``91.23\%``."""
    return points(ratio, digits) + Latex(r"\%")


def points(difference: object, digits: int = 2, *, sign: bool = False) -> Latex:
    """Print a difference of ratios in percentage points, without a unit: 0.0123 → ``1.23``."""
    return _signed(_rounded(decimal(difference).scaleb(2, context=_EXACT), digits), sign=sign)


def integer(number: object) -> Latex:
    """Print a whole number; a number with a fraction is refused, it would be rounded in silence."""
    exact = decimal(number)
    if exact != exact.to_integral_value():
        raise TemplateError(f"{number!r} is not a whole number", hint="use fixed(0) to round it")
    return _signed(_rounded(exact, 0))


def thousands(number: object, digits: int = 0) -> Latex:
    r"""Print with a thin space between groups of three: 60000 → ``60\,000``."""
    return _signed(format(Decimal(_rounded(decimal(number), digits)), ",f").replace(",", r"\,"))


def scientific(number: object, digits: int = 1) -> Latex:
    """Print with a power of ten: 0.00012 → ``1.2×10⁻⁴``; ``digits`` counts the decimals of the mantissa."""
    exact = decimal(number)
    if not exact:
        return Latex(_rounded(exact, digits))
    exponent = exact.adjusted()
    mantissa = _rounded(exact.scaleb(-exponent, context=_EXACT), digits)
    if mantissa.lstrip("-").startswith("10"):  # 9.96 rounds up to the next power of ten
        exponent += 1
        mantissa = _rounded(exact.scaleb(-exponent, context=_EXACT), digits)
    return Latex(rf"\ensuremath{{{mantissa}\times10^{{{exponent}}}}}")


def pvalue(number: object, digits: int = 3) -> Latex:
    """Print a p-value; below the last digit it reads ``<0.001``, never ``0.000``."""
    exact, smallest = decimal(number), Decimal(1).scaleb(-digits)
    if not 0 <= exact <= 1:
        raise TemplateError(f"a p-value lies between 0 and 1, got {number!r}")
    return Latex(r"\ensuremath{<}" + format(smallest, "f")) if exact < smallest else fixed(number, digits)


def general(number: object, digits: int = 4) -> Latex:
    """Print whole numbers in full, others to so many significant digits, very small or large ones as powers of ten."""
    exact = decimal(number)
    if isinstance(number, int) or not exact:
        return _signed(_rounded(exact, 0))
    short = Context(digits, ROUND_HALF_UP).plus(exact)
    if not -5 < short.adjusted() < max(digits, 6):  # noqa: PLR2004 - as printf's %g, with room for counts
        trimmed = short.normalize().as_tuple().digits
        return scientific(short, len(trimmed) - 1)
    return plain(short)


def plain(number: object) -> Latex:
    """Print a number as it was written, without a power of ten: 0.001, 1e-05 → ``0.00001``, 100."""
    text = format(decimal(number), "f")
    return _signed(text.rstrip("0").rstrip(".") if "." in text else text)


NUMBER_FORMATS: dict[str, Callable[..., Latex]] = {
    "fixed": fixed,
    "general": general,
    "integer": integer,
    "percent": percent,
    "plain": plain,
    "points": points,
    "pvalue": pvalue,
    "scientific": scientific,
    "thousands": thousands,
}
"""Every format of a number by the name that templates use, as a filter and in ``formats=`` of a table."""
