"""Passages of a text: patterns that see numbers as units, and the text they look at."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from report.check.numbers import find_numerals
from report.errors import ConfigError, Location

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence
    from decimal import Decimal

    from report.check.numbers import Numeral

OPEN, CLOSE = "\ue000", "\ue001"
_HEADING = 40
_SENTENCE_END = re.compile(r"[。；;]|\.$")
_STOP = re.compile(r"[。！？；\n]|(?<=[a-z)])\.(?=[A-Z\s]|$)")
_NEXT = re.compile(r"\s*(\S)")
_BLANK_LINE = re.compile(r"[ \t]*\n")
_SLOT = re.compile(r"<(n|~\d+|[-\d.]+%?|10\^-?\d+)>")


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a passage looks like: a regular expression, the numbers at fixed places of it, and what must stand near."""

    regex: re.Pattern[str]
    near: re.Pattern[str]
    fixed: tuple[Decimal, ...] = ()
    n_slots: int = 0


@dataclass(frozen=True, slots=True)
class Tagged:
    """A bare text without blanks, its numbers between private marks; ``places`` leads back to the text."""

    text: str
    places: Sequence[int]
    numerals: Mapping[int, Numeral] = field(default_factory=dict)

    def find(
        self, pattern: Pattern, *, within_sentence: bool = False
    ) -> Iterator[tuple[re.Match[str], dict[int, Numeral]]]:
        """Yield the places where a pattern fits, with the numbers at those of its ``<n>`` that take part.

        What must stand near is looked for in the paragraph and its heading, or ``within_sentence``.
        """
        around = self._sentence if within_sentence else self._paragraph
        for match in pattern.regex.finditer(self.text):
            if pattern.near.pattern and not pattern.near.search(around(match.start())):
                continue
            fixed = [(self.numerals.get(match.start(f"fixed{i}")), wanted) for i, wanted in enumerate(pattern.fixed)]
            if all(found is None or found.value == wanted for found, wanted in fixed):
                slots = ((index, self.numerals.get(match.start(f"slot{index}"))) for index in range(pattern.n_slots))
                yield match, {index: numeral for index, numeral in slots if numeral is not None}

    def _sentence(self, index: int) -> str:
        """Return the sentence around a character."""
        ends = [match.end() for match in _STOP.finditer(self.text)]
        start = max((end for end in ends if end <= index), default=0)
        return self.text[start : min((end for end in ends if end > index), default=len(self.text))]

    def _paragraph(self, index: int) -> str:
        """Return the paragraph around a character, and the last heading above it."""
        start = self.text.rfind("\n", 0, index) + 1
        end = self.text.find("\n", index)
        paragraph = self.text[start : end if end >= 0 else len(self.text)]
        for line in reversed(self.text[:start].split("\n")):
            if line and len(line) <= _HEADING and not _SENTENCE_END.search(line):
                return f"{line}\n{paragraph}"
        return paragraph


def tag(text: str, numerals: Sequence[Numeral]) -> Tagged:
    """Put marks around the numbers of a bare text, and take its blanks out."""
    chars: list[str] = []
    places: list[int] = []
    begins = {numeral.start: numeral for numeral in numerals}
    ends = {numeral.end for numeral in numerals}
    found: dict[int, Numeral] = {}
    for index in range(len(text) + 1):
        if index in ends:
            chars.append(CLOSE)
            places.append(index)
        if index in begins:
            found[len(chars)] = begins[index]
            chars.append(OPEN)
            places.append(index)
        char = text[index : index + 1]
        if char.isspace() and not _is_break(text, index):
            char = " " if _between_words(text, index, chars, begins) else ""
        if char:
            chars.append(char)
            places.append(index)
    return Tagged("".join(chars), places, found)


def _is_break(text: str, index: int) -> bool:
    """Tell whether a line end ends a paragraph: ``.`` in a pattern does not reach over it."""
    return text[index] == "\n" and _BLANK_LINE.match(text, index + 1) is not None


def _between_words(text: str, index: int, before: Sequence[str], begins: Container[int]) -> bool:
    """Tell whether a blank parts two words of Latin letters; elsewhere it means nothing."""
    rest = _NEXT.match(text, index)
    if rest is None or not before or rest.start(1) in begins:
        return False
    return before[-1].isascii() and before[-1].isalnum() and rest[1].isascii() and rest[1].isalnum()


def compile_pattern(entry: Mapping[str, Any], place: Location) -> Pattern:
    """Compile the pattern or quote of an entry, and what must stand near it.

    Raises
    ------
    ConfigError
        When it has neither or both, or is no regular expression.
    """
    if ("quote" in entry) == ("pattern" in entry):
        raise ConfigError("either a quote or a pattern is needed", location=place)
    source = str(entry.get("pattern") or entry["quote"])
    quoted = _literal if "quote" in entry else loose
    out: list[str] = []
    fixed: list[Decimal] = []
    n_slots = end = 0
    for match in _SLOT.finditer(source):
        out.append(quoted(source[end : match.start()]))
        end = match.end()
        if match[1].startswith("~"):
            out.append(rf"[^。；;.\n{OPEN}]{{0,{match[1][1:]}}}?")
            continue
        name = f"slot{n_slots}" if match[1] == "n" else f"fixed{len(fixed)}"
        out.append(f"(?P<{name}>{OPEN})[^{CLOSE}]*{CLOSE}")
        if match[1] == "n":
            n_slots += 1
        else:
            fixed.append(_number(match[1]))
    out.append(quoted(source[end:]))
    near = regular(loose(entry.get("near", "")), place)
    return Pattern(regular("".join(out), place), near, tuple(fixed), n_slots)


def _number(text: str) -> Decimal:
    (numeral,) = find_numerals(text)
    return numeral.value


def regular(source: str, place: Location) -> re.Pattern[str]:
    """Compile a regular expression, or say where it stands."""
    try:
        return re.compile(source, re.IGNORECASE)
    except re.error as error:
        raise ConfigError(f"not a regular expression: {error}", location=place) from error


def _literal(text: str) -> str:
    """Quote literal text; a number in it may stand between marks."""
    tagged = tag(text, find_numerals(text)).text
    return " ?".join(re.escape(piece) for piece in tagged.split(" "))


def loose(text: str) -> str:
    """Let blanks of a pattern stand for a blank or nothing."""
    return re.sub(r"\s+", " ?", text)
