r"""Find the numbers in a text: Chinese, English or LaTeX, in digits or in words, with their units and qualifiers.

``98\%``, ``百分之九十一``, ``1.2 个百分点``, ``6 万``, ``60,000``, ``$1\times10^{-4}$``,
``3--5``, ``三到五``, ``1/2``, ``约 90\%``, ``超过 97\%``, ``ten``.
What only looks like a number (Net1, 2.13.0, 2016/679, 2018-05-25, addresses) is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from report.check.chinese import ENGLISH, RUN, chinese_decimal, chinese_integer, english_integer
from report.check.qualifiers import Relation, relation_after, relation_before

if TYPE_CHECKING:
    from collections.abc import Iterator

    from report.check.plain import Plain

SCALES = {
    "%": Decimal("0.01"), "pp": Decimal("0.01"), "‰": Decimal("0.001"), "成": Decimal("0.1"),
    "千": Decimal(1000), "万": Decimal(10) ** 4, "百万": Decimal(10) ** 6,
    "千万": Decimal(10) ** 7, "亿": Decimal(10) ** 8,
    "k": Decimal(1000), "thousand": Decimal(1000), "million": Decimal(10) ** 6, "billion": Decimal(10) ** 9,
}  # fmt: skip
RATIOS = frozenset({"%", "pp", "‰", "成"})
_POINTS = r"个?百分点|percentage\ points?|pp(?![A-Za-z])"
_UNIT = rf"""(?:[ \u2009\n]?(?P<unit>{_POINTS}|%|‰|per\ ?cent(?![a-z])|百万|千万|[万亿千](?!分之|克|米)|thousand|million
    |billion|倍|k(?![A-Za-z])|(?:x|s|ms|min|h|px|[KMG]i?B)(?![A-Za-z])))?"""
_SPACE = "[ \u2009]?"
_DIGITS = r"(?:\d{1,3}(?:[,\u2009]\d{3})+(?!\d)|\d{1,3}(?:\ 000)+(?!\d)|\d+)"
_POWER = rf"{_SPACE}×{_SPACE}10{_SPACE}(?:\^{_SPACE}[-+]?\d+|[-]\d+)|[eE][-+]?\d+"
_SKIP = r"""
    https?://\S+ | \b\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b | \b\d+(?:\.\d+){2,}\w*
    | \b\d{1,2}:\d{2}(?::\d{2})?\b | \b\d{4}/\d{3}\b
    | (?<![0-9A-Za-z_])(?=[0-9a-f]{10,}(?![0-9A-Za-z]))[0-9]*[a-f][0-9a-f]*
    | (?<![0-9A-Za-z_])[A-Za-z_]+-\d+(?![\d.]*[%–~]) | (?<![0-9A-Za-z_])[A-Za-z_][A-Za-z0-9_]*[0-9_][A-Za-z0-9_]*
    | \d+[A-Za-zα-ωΑ-Ω](?<![eEkxhs])(?![A-Za-z]?B(?![A-Za-z]))\w*(?<!min)(?<!ms)(?<!px)(?<!pp)
    | \d+(?:\.\d+)?\s?(?:pt|cm|mm|em|ex|in|bp|sp)(?![A-Za-z])
    | (?:好?几|数|若干)[十百千万亿]+ | 十几"""
_NUMBER = re.compile(
    rf"""(?P<skip>{_SKIP})
    | (?P<per>[百千万])分之(?P<share>{RUN}+(?:点{RUN}+)?|\d+(?:\.\d+)?)
    | (?P<below>{RUN}+)分之(?P<above>{RUN}+)
    | (?P<tenths>[一二两三四五六七八九])成(?P<hundredths>[一二三四五六七八九])?(?![为功长员立分果本型像熟对年])
    | (?P<half>一半|半数|(?<![A-Za-z])half(?![A-Za-z]))
    | (?<![/\d.])(?P<sign>(?<![0-9A-Za-z)%\]‰])[-+]|负{_SPACE})?(?P<fraction>\d+/[1-9]\d*)(?![\d./A-Za-z]){_UNIT}
    | (?<![A-Za-z_^.\dα-ωΑ-Ωℓ\u0300-\u036f])(?P<sign2>(?<![0-9A-Za-z)%\]‰])[-+]|负{_SPACE})?(?:
        (?P<power10>10\^{_SPACE}[-+]?\d+)
        | (?P<mantissa>(?:{_DIGITS}(?:\.\d+)?|\.\d+))(?P<power>{_POWER})?(?!\d|\.\d)
      ){_UNIT.replace("unit", "unit2")}
    | (?P<chinese>{RUN}+(?:点[零〇一二三四五六七八九]+)?){_UNIT.replace("unit", "unit3")}
    | (?<![A-Za-z-])(?P<english>{ENGLISH}(?:\ (?:hundred|thousand|million))*)(?![A-Za-z-])
        {_UNIT.replace("unit", "unit4")}
    """,
    re.VERBOSE | re.IGNORECASE,
)
_RANGE = re.compile(r"[ \u2009\n]?(?:–|—|——|~|-|至|到|to)[ \u2009\n]?")
_LIMITS = re.compile(r"[ \n]?(?:与|和|、|and)[ \n]?")
_BETWEEN = re.compile(r"(?:介于|在|between)[ \n]?$")


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number as it is written.

    Parameters
    ----------
    text : str
        As it stands in the bare text, with unit and without qualifier.
    value : Decimal
        What it means: 98% is 0.98, 6 万 is 60000. The lower end of a range.
    quantum : Decimal
        The unit of its last written digit, in the same scale: 0.01 for 98%.
    unit : str
        ``%``, ``pp`` (percentage points), ``‰``, ``万`` …, or nothing.
    relation : str
        What the words around it say: ``equal``, ``about``, ``above``, ``below``, ``at-least``, ``at-most``.
    start, end : int
        Its place in the bare text; the qualifier is not part of it.
    upper : Decimal, optional
        The upper end of a range.
    script : str
        ``arabic``, ``chinese`` or ``english``.
    exact : bool
        Whether it was written without a decimal point and without a scale, as counts are.
    """

    text: str
    value: Decimal
    quantum: Decimal
    unit: str = ""
    relation: Relation = "equal"
    start: int = 0
    end: int = 0
    upper: Decimal | None = None
    script: str = "arabic"
    exact: bool = False


def find_numerals(plain: Plain | str) -> list[Numeral]:
    """Return the numbers of a bare text in order, ranges joined and qualifiers read."""
    text = plain if isinstance(plain, str) else plain.text
    return qualified(list(atoms(text)), text)


def qualified(found: list[Numeral], text: str) -> list[Numeral]:
    """Join the ends of ranges among some numbers of a text, and read the words around them."""
    return [_qualified(numeral, text) for numeral in _joined(found, text)]


def atoms(text: str) -> Iterator[Numeral]:
    """Yield the single numbers of a bare text, without looking at the words around them."""
    for match in _NUMBER.finditer(text):
        if match["skip"] is None and (numeral := _numeral(match)) is not None:
            yield numeral


def _numeral(match: re.Match[str]) -> Numeral | None:
    written = _written(match)
    if written is None:
        return None
    value, quantum, script = written
    unit = _unit_of(match)
    scaled = match["per"] or match["tenths"]  # 百分之三 was read as 0.03 already
    scale = Decimal(1) if scaled else SCALES.get(unit, Decimal(1))
    sign = -1 if (match["sign"] or match["sign2"] or "")[:1] in {"-", "负"} else 1
    exact = unit not in SCALES and value == value.to_integral_value() and quantum == 1
    return Numeral(
        match[0].strip(),
        sign * value * scale,
        quantum * scale,
        unit,
        "equal",
        *match.span(),
        script=script,
        exact=exact,
    )


def _written(match: re.Match[str]) -> tuple[Decimal, Decimal, str] | None:
    """Return value, unit of the last digit and script of what was matched, before its unit."""
    if match["mantissa"] or match["power10"]:
        return (*_arabic(match), "arabic")
    if match["fraction"]:
        above, below = (int(part) for part in match["fraction"].split("/"))
        return (*_fraction(above, below), "arabic")
    if match["english"]:
        return Decimal(english_integer(match["english"])), Decimal(1), "english"
    if match["half"]:
        return (*_fraction(1, 2), "english" if match["half"].isascii() else "chinese")
    read = chinese_decimal(match["chinese"]) if match["chinese"] else _chinese_share(match)
    return None if read is None else (*read, "chinese")


def _chinese_share(match: re.Match[str]) -> tuple[Decimal, Decimal] | None:
    """Read 百分之九十一, 三分之一 and 九成五."""
    if match["per"]:
        found = _share(match["share"])
        scale = {"百": -2, "千": -3, "万": -4}[match["per"]]
        return None if found is None else (found[0].scaleb(scale), found[1].scaleb(scale))
    if match["below"]:
        below, above = chinese_integer(match["below"]), chinese_integer(match["above"])
        return None if not below or above is None else _fraction(above, below)
    tenths, hundredths = chinese_integer(match["tenths"]), chinese_integer(match["hundredths"] or "零")
    return (10 * Decimal(tenths or 0) + (hundredths or 0)) / 100, Decimal("0.01" if match["hundredths"] else "0.1")


def _share(text: str) -> tuple[Decimal, Decimal] | None:
    return _decimal(text) if text[0].isdigit() else chinese_decimal(text)


def _fraction(above: int, below: int) -> tuple[Decimal, Decimal]:
    """Return a fraction and how exactly it is meant: within five per cent, or nearer for larger denominators."""
    value = Decimal(above) / Decimal(below)
    return value, min(value / 10, Decimal(1) / below**2) if above else Decimal(1) / below**2


def _arabic(match: re.Match[str]) -> tuple[Decimal, Decimal]:
    if match["power10"]:
        value = Decimal(1).scaleb(int(match["power10"].partition("^")[2]))
        return value, value
    value, quantum = _decimal(match["mantissa"])
    if match["power"]:
        exponent = int(re.findall(r"[-+]?\d+$", match["power"])[0])
        return value.scaleb(exponent), quantum.scaleb(exponent)
    return value, quantum


def _decimal(text: str) -> tuple[Decimal, Decimal]:
    digits = re.sub(r"[,\s\u2009]", "", text)
    return Decimal(digits), Decimal(1).scaleb(-len(digits.partition(".")[2]))


def _unit_of(match: re.Match[str]) -> str:
    if match["per"] or match["tenths"]:
        return {"百": "%", "千": "‰"}.get(match["per"] or "", "成" if match["tenths"] else "")
    unit = match["unit"] or match["unit2"] or match["unit3"] or match["unit4"] or ""
    if unit.endswith("百分点") or unit.lower().startswith(("percentage", "pp")):
        return "pp"
    return "%" if unit.lower().startswith("per") else unit if unit.endswith("B") else unit.lower()


def _joined(found: list[Numeral], text: str) -> list[Numeral]:
    """Join the two ends of each range."""
    joined: list[Numeral] = []
    for numeral in found:
        last = joined[-1] if joined else None
        if last is not None and last.upper is None and (both := _range(last, numeral, text)) is not None:
            joined[-1] = both
        else:
            joined.append(numeral)
    return joined


def _range(low: Numeral, high: Numeral, text: str) -> Numeral | None:
    gap = text[low.end : high.start]
    between = (
        _LIMITS.fullmatch(gap)
        and _BETWEEN.search(text[: low.start])
        and re.match(r"[ \n]?(?:之间|间)|", text[high.end :])
    )
    if not _RANGE.fullmatch(gap) and not between:
        return None
    scale = SCALES.get(high.unit, Decimal(1)) if not low.unit else Decimal(1)
    if low.unit and low.unit != high.unit:
        return None
    start, quantum = low.value * scale, min(low.quantum * scale, high.quantum)
    if start >= high.value:
        return None
    both = text[low.start : high.end]
    return replace(high, text=both, value=start, quantum=quantum, start=low.start, upper=high.value)


def _qualified(numeral: Numeral, text: str) -> Numeral:
    if numeral.upper is not None:
        return numeral
    relation = relation_after(text, numeral.end) or relation_before(text, numeral.start) or "equal"
    return replace(numeral, relation=relation)
