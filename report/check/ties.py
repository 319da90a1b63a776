r"""Ties: which number of a written report is which result, in a TOML file that can be read and edited.

::

    [[tie]]
    id = "cnn.test_accuracy"
    pattern = "Net2.{0,20}测试准确率.{0,6}<n>"

    [[tie]]
    ids = ["logistic.accuracy_train_none", "logistic.accuracy_test_none"]
    quote = "无正则化时训练准确率为 <n>，测试准确率为 <n>"

    [[statement]]
    claim = "lda.not_rejected"
    pattern = "拒绝.{0,6}原假设"
    negated = true
    unless = "(?:不|未|没有).{0,4}拒绝"

    [[tie]]
    each = ["0", "1", "2"]
    near = "判别"
    id = "lda.accuracy[@].accuracy"
    pattern = "数字<@>的准确率为<n>"

``<n>`` stands for any number, ``<5>`` for the number 5 however it is written, ``<~8>`` for at most 8 characters without
a number and within a sentence. A ``quote`` is literal, a ``pattern`` a regular expression; both look at the bare text,
whose blanks count only between Latin words, and there one is one. ``.`` stays within a paragraph. ``near`` must fit
somewhere in the paragraph or its heading. ``each`` repeats an entry with every one of its texts in place of ``@``. The
first tie that fits a number counts.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from report.check.numbers import find_numerals
from report.errors import ConfigError, Location, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence
    from decimal import Decimal

    from report.check.facts import Facts
    from report.check.numbers import Numeral

OPEN, CLOSE = "\ue000", "\ue001"
_HEADING = 40
_SENTENCE_END = re.compile(r"[。；;]|\.$")
_NEXT = re.compile(r"\s*(\S)")
_BLANK_LINE = re.compile(r"[ \t]*\n")
_SLOT = re.compile(r"<(n|~\d+|[-\d.]+%?|10\^-?\d+)>")
_KEYS = {
    "tie": {"id", "ids", "quote", "pattern", "near", "each", "note"},
    "statement": {"claim", "quote", "pattern", "near", "each", "negated", "unless", "note"},
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a passage looks like: a regular expression, the numbers at fixed places of it, and what must stand near."""

    regex: re.Pattern[str]
    near: re.Pattern[str]
    fixed: tuple[Decimal, ...] = ()
    n_slots: int = 0


@dataclass(frozen=True, slots=True)
class Tie:
    """What the numbers of a passage are: one id per ``<n>``, in order."""

    ids: tuple[str, ...]
    pattern: Pattern
    line: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A passage that asserts a claim, or with ``negated`` its opposite; not where ``unless`` fits as well."""

    claim: str
    pattern: Pattern
    negated: bool
    unless: re.Pattern[str] | None
    line: int


@dataclass(frozen=True, slots=True)
class Ties:
    """The contents of a file of ties."""

    ties: tuple[Tie, ...] = ()
    statements: tuple[Statement, ...] = ()
    file: str = ""

    def unknown(self, facts: Facts) -> list[str]:
        """Return the ids that are no results, each with its line; such a tie checks nothing."""
        known = set(facts.ids())
        wrong = [(tie.line, name) for tie in self.ties for name in tie.ids if name not in known]
        wrong += [(entry.line, entry.claim) for entry in self.statements if entry.claim not in facts.claims]
        return [f"{self.file}:{line}: '{name}' is not a result" for line, name in wrong]


@dataclass(frozen=True, slots=True)
class Tagged:
    """A bare text without blanks, its numbers between private marks; ``places`` leads back to the text."""

    text: str
    places: Sequence[int]
    numerals: Mapping[int, Numeral] = field(default_factory=dict)

    def find(self, pattern: Pattern) -> Iterator[tuple[re.Match[str], dict[int, Numeral]]]:
        """Yield the places where a pattern fits, with the numbers at those of its ``<n>`` that take part."""
        for match in pattern.regex.finditer(self.text):
            if pattern.near.pattern and not pattern.near.search(self._paragraph(match.start())):
                continue
            fixed = [(self.numerals.get(match.start(f"fixed{i}")), wanted) for i, wanted in enumerate(pattern.fixed)]
            if all(found is None or found.value == wanted for found, wanted in fixed):
                slots = ((index, self.numerals.get(match.start(f"slot{index}"))) for index in range(pattern.n_slots))
                yield match, {index: numeral for index, numeral in slots if numeral is not None}

    def _paragraph(self, index: int) -> str:
        """Return the paragraph around a character, and the last heading above it."""
        start = self.text.rfind("\n", 0, index) + 1
        end = self.text.find("\n", index)
        paragraph = self.text[start : end if end >= 0 else len(self.text)]
        for line in reversed(self.text[:start].split("\n")):
            if line and len(line) <= _HEADING and not _SENTENCE_END.search(line):
                return f"{line}\n{paragraph}"
        return paragraph


def read_ties(text: str, file: str) -> Ties:
    """Read a file of ties.

    Raises
    ------
    ConfigError
        With the file's name: no TOML, an unknown key, a pattern that is none, or another number of ids than of ``<n>``.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not valid TOML: {error}", location=Location(file)) from error
    lines = {kind: _lines_of(text, kind) for kind in _KEYS}
    for kind in table:
        if kind not in _KEYS:
            raise ConfigError(f"unknown table '{kind}'", location=Location(file), hint=did_you_mean(kind, _KEYS))
    ties = [
        _tie(each, Location(file, line))
        for entry, line in zip(table.get("tie", []), lines["tie"], strict=True)
        for each in _each(entry)
    ]
    statements = [
        _statement(each, Location(file, line))
        for entry, line in zip(table.get("statement", []), lines["statement"], strict=True)
        for each in _each(entry)
    ]
    return Ties(tuple(ties), tuple(statements), file)


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


def _each(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield an entry once, or once for every text that ``@`` stands for."""
    for text in entry.get("each", [None]):
        yield entry if text is None else {key: _replaced(value, str(text)) for key, value in entry.items()}


def _replaced(value: Any, text: str) -> Any:  # noqa: ANN401 - whatever TOML holds
    if isinstance(value, list):
        return [_replaced(part, text) for part in value]
    return value.replace("@", text) if isinstance(value, str) else value


def _tie(entry: Mapping[str, Any], place: Location) -> Tie:
    _refuse_unknown(entry, "tie", place)
    ids = entry.get("ids", [entry["id"]] if "id" in entry else [])
    pattern = _compile(entry, place)
    if not ids or pattern.n_slots != len(ids):
        raise ConfigError(f"{len(ids)} ids for {pattern.n_slots} <n>", location=place, hint="one id per <n>, in order")
    return Tie(tuple(ids), pattern, place.line or 0)


def _statement(entry: Mapping[str, Any], place: Location) -> Statement:
    _refuse_unknown(entry, "statement", place)
    if "claim" not in entry:
        raise ConfigError("a statement needs a claim", location=place, hint='write claim = "section.key"')
    unless = _regular(_loose(entry["unless"]), place) if "unless" in entry else None
    return Statement(entry["claim"], _compile(entry, place), bool(entry.get("negated", False)), unless, place.line or 0)


def _compile(entry: Mapping[str, Any], place: Location) -> Pattern:
    if ("quote" in entry) == ("pattern" in entry):
        raise ConfigError("either a quote or a pattern is needed", location=place)
    source = str(entry.get("pattern") or entry["quote"])
    quoted = _literal if "quote" in entry else _loose
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
    near = _regular(_loose(entry.get("near", "")), place)
    return Pattern(_regular("".join(out), place), near, tuple(fixed), n_slots)


def _number(text: str) -> Decimal:
    (numeral,) = find_numerals(text)
    return numeral.value


def _regular(source: str, place: Location) -> re.Pattern[str]:
    try:
        return re.compile(source, re.IGNORECASE)
    except re.error as error:
        raise ConfigError(f"not a regular expression: {error}", location=place) from error


def _literal(text: str) -> str:
    """Quote literal text; a number in it may stand between marks."""
    tagged = tag(text, find_numerals(text)).text
    return " ?".join(re.escape(piece) for piece in tagged.split(" "))


def _loose(text: str) -> str:
    """Let blanks of a pattern stand for a blank or nothing."""
    return re.sub(r"\s+", " ?", text)


def _refuse_unknown(entry: Mapping[str, Any], kind: str, place: Location) -> None:
    for key in entry:
        if key not in _KEYS[kind]:
            raise ConfigError(f"unknown key '{key}'", location=place, hint=did_you_mean(key, _KEYS[kind]))


def _lines_of(text: str, kind: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), start=1) if line.strip() == f"[[{kind}]]"]
