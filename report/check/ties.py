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

``<n>`` stands for any number, ``<5>`` for the number 5 however it is written. A ``quote`` is literal, a ``pattern`` a
regular expression; both look at the bare text, and blanks in it do not count. ``.`` stays within a paragraph.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from report.check.numbers import find_numerals
from report.errors import ConfigError, Location, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from report.check.facts import Facts
    from report.check.numbers import Numeral

OPEN, CLOSE = "\ue000", "\ue001"
_SLOT = re.compile(r"<(n|[-\d.]+%?|10\^-?\d+)>")
_KEYS = {
    "tie": {"id", "ids", "quote", "pattern", "note"},
    "statement": {"claim", "quote", "pattern", "negated", "unless", "note"},
}


@dataclass(frozen=True, slots=True)
class Tie:
    """What the numbers of a passage are: one id per ``<n>``, in order."""

    ids: tuple[str, ...]
    pattern: re.Pattern[str]
    line: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A passage that asserts a claim, or with ``negated`` its opposite; not where ``unless`` fits as well."""

    claim: str
    pattern: re.Pattern[str]
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
    ties = [_tie(entry, Location(file, line)) for entry, line in zip(table.get("tie", []), lines["tie"], strict=True)]
    statements = [
        _statement(entry, Location(file, line))
        for entry, line in zip(table.get("statement", []), lines["statement"], strict=True)
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
        if index < len(text) and (not text[index].isspace() or _is_break(text, index)):
            chars.append(text[index])
            places.append(index)
    return Tagged("".join(chars), places, found)


def _is_break(text: str, index: int) -> bool:
    """Tell whether a line end ends a paragraph: ``.`` in a pattern does not reach over it."""
    return text[index] == "\n" and text[index + 1 :].lstrip(" \t").startswith("\n")


def slots(match: re.Match[str], tagged: Tagged) -> Iterator[Numeral]:
    """Yield the numbers that stand at the ``<n>`` of a pattern."""
    for name in sorted((name for name in match.groupdict() if name.startswith("slot")), key=lambda name: int(name[4:])):
        if (numeral := tagged.numerals.get(match.start(name))) is not None:
            yield numeral


def _tie(entry: Mapping[str, Any], place: Location) -> Tie:
    _refuse_unknown(entry, "tie", place)
    ids = entry.get("ids", [entry["id"]] if "id" in entry else [])
    pattern, n_slots = _compile(entry, place)
    if not ids or n_slots != len(ids):
        raise ConfigError(f"{len(ids)} ids for {n_slots} <n>", location=place, hint="one id per <n>, in order")
    return Tie(tuple(ids), pattern, place.line or 0)


def _statement(entry: Mapping[str, Any], place: Location) -> Statement:
    _refuse_unknown(entry, "statement", place)
    if "claim" not in entry:
        raise ConfigError("a statement needs a claim", location=place, hint='write claim = "section.key"')
    pattern, _ = _compile(entry, place)
    unless = re.compile(_without_blanks(entry["unless"])) if "unless" in entry else None
    return Statement(entry["claim"], pattern, bool(entry.get("negated", False)), unless, place.line or 0)


def _compile(entry: Mapping[str, Any], place: Location) -> tuple[re.Pattern[str], int]:
    if ("quote" in entry) == ("pattern" in entry):
        raise ConfigError("either a quote or a pattern is needed", location=place)
    source = str(entry.get("pattern") or entry["quote"])
    literal = "quote" in entry
    count, out, end = 0, [], 0
    for match in _SLOT.finditer(source):
        piece = source[end : match.start()]
        out.append(_literal(piece) if literal else _without_blanks(piece))
        if match[1] == "n":
            out.append(f"(?P<slot{count}>{OPEN})[^{CLOSE}]*{CLOSE}")
            count += 1
        else:
            out.append(f"{OPEN}{re.escape(match[1])}{CLOSE}")
        end = match.end()
    rest = source[end:]
    out.append(_literal(rest) if literal else _without_blanks(rest))
    try:
        return re.compile("".join(out), re.IGNORECASE), count
    except re.error as error:
        raise ConfigError(f"not a regular expression: {error}", location=place) from error


def _literal(text: str) -> str:
    """Quote literal text; a number in it may stand between marks."""
    bare = _without_blanks(text)
    numerals = find_numerals(bare)
    return re.escape(tag(bare, numerals).text)


def _without_blanks(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _refuse_unknown(entry: Mapping[str, Any], kind: str, place: Location) -> None:
    for key in entry:
        if key not in _KEYS[kind]:
            raise ConfigError(f"unknown key '{key}'", location=place, hint=did_you_mean(key, _KEYS[kind]))


def _lines_of(text: str, kind: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), start=1) if line.strip() == f"[[{kind}]]"]
