"""Numbers written in words: Chinese numerals and the English words for small numbers."""

from __future__ import annotations

import re
from decimal import Decimal

DIGITS = {
    char: value
    for value, chars in enumerate(("零〇", "一", "二两", "三", "四", "五", "六", "七", "八", "九"))
    for char in chars
}
_SMALL = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10**4, "亿": 10**8}
RUN = "[零〇一二两三四五六七八九十百千万亿]"
_YEAR_LENGTH = 4

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve "
    "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
WORDS = {word: value for value, word in enumerate(_ONES.split())} | {
    word: 10 * value for value, word in enumerate(_TENS.split(), start=2)
}
ENGLISH = (
    rf"(?:(?:{'|'.join(_TENS.split())})-(?:{'|'.join(_ONES.split()[1:10])})"
    rf"|{'|'.join(sorted(WORDS, key=len, reverse=True))})"
)
_POWERS = {"hundred": 100, "thousand": 1000, "million": 10**6}


def chinese_integer(text: str) -> int | None:
    """Return the value of a Chinese numeral such as 三百二十一, 一千零五 or 二〇二四; None if it is none.

    Digits in a row are read one by one only where they cannot be anything else: with 〇 or 零, or as a year.
    """
    if all(char in DIGITS for char in text):
        if len(text) == 1:
            return DIGITS[text]
        if len(text) == _YEAR_LENGTH or any(char in "零〇" for char in text):
            return int("".join(str(DIGITS[char]) for char in text))
        return None
    for mark, scale in sorted(_LARGE.items(), key=lambda item: -item[1]):
        if mark in text:
            head, _, tail = text.rpartition(mark)
            return _compose(head, tail, scale)
    return _below_ten_thousand(text)


def _compose(head: str, tail: str, scale: int) -> int | None:
    many = chinese_integer(head) if head else None
    rest = chinese_integer(tail.lstrip("零")) if tail.lstrip("零") else 0
    if many is None or rest is None or rest >= scale:
        return None
    if len(tail) == 1 and tail in DIGITS:
        rest *= scale // 10  # 三万五 is 35 000
    return many * scale + rest


def _below_ten_thousand(text: str) -> int | None:
    """Read ``[digit][千百十]`` groups of falling size."""
    total, digit, last = 0, None, 10**4
    for index, char in enumerate(text):
        if char in DIGITS:
            value = DIGITS[char]
            if digit:
                return None
            digit = value or None
            if not value and index in {0, len(text) - 1}:
                return None
        else:
            size = _SMALL.get(char, 0)
            if size >= last or (digit is None and (char != "十" or index)):
                return None
            total, digit, last = total + (digit or 1) * size, None, size
    if digit and len(text) > 1 and last > _SMALL["十"] and "零" not in text:
        return total + digit * last // 10  # 一百五 is 150
    return total + (digit or 0)


def chinese_decimal(text: str) -> tuple[Decimal, Decimal] | None:
    """Return value and unit of the last digit of a numeral that may have decimals: 三点一四 → (3.14, 0.01)."""
    whole, point, decimals = text.partition("点")
    value = chinese_integer(whole)
    if value is None or (point and not (decimals and all(char in DIGITS for char in decimals))):
        return None
    if not point:
        return Decimal(value), Decimal(1)
    digits = "".join(str(DIGITS[char]) for char in decimals)
    return Decimal(f"{value}.{digits}"), Decimal(1).scaleb(-len(digits))


def english_integer(text: str) -> int:
    """Return the value of English words such as ``ten``, ``twenty-one`` or ``two hundred``."""
    total = 1
    for part in re.split(r"[\s]+", text.lower()):
        total = total * _POWERS[part] if part in _POWERS else sum(WORDS[word] for word in part.split("-"))
    return total
