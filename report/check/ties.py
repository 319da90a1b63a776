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
somewhere in the paragraph or its heading. ``each`` repeats an entry with every one of its texts in place of ``@``.
``exactly`` takes a number as it stands, whatever words such as 大于 are before it. The first tie that fits counts.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from report.check.passages import Pattern, compile_pattern, loose, regular
from report.errors import ConfigError, Location, did_you_mean

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Mapping

    from report.check.facts import Facts

_KEYS = {
    "tie": {"id", "ids", "quote", "pattern", "near", "each", "exactly", "note"},
    "statement": {"claim", "quote", "pattern", "near", "each", "negated", "unless", "note"},
}


@dataclass(frozen=True, slots=True)
class Tie:
    """What the numbers of a passage are: one id per ``<n>``, in order; ``exactly`` ignores words such as 超过."""

    ids: tuple[str, ...]
    pattern: Pattern
    line: int
    exactly: bool = False


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
    pattern = compile_pattern(entry, place)
    if not ids or pattern.n_slots != len(ids):
        raise ConfigError(f"{len(ids)} ids for {pattern.n_slots} <n>", location=place, hint="one id per <n>, in order")
    return Tie(tuple(ids), pattern, place.line or 0, bool(entry.get("exactly", False)))


def _statement(entry: Mapping[str, Any], place: Location) -> Statement:
    _refuse_unknown(entry, "statement", place)
    if "claim" not in entry:
        raise ConfigError("a statement needs a claim", location=place, hint='write claim = "section.key"')
    unless = regular(loose(entry["unless"]), place) if "unless" in entry else None
    return Statement(
        entry["claim"], compile_pattern(entry, place), bool(entry.get("negated", False)), unless, place.line or 0
    )


def _refuse_unknown(entry: Mapping[str, Any], kind: str, place: Location) -> None:
    for key in entry:
        if key not in _KEYS[kind]:
            raise ConfigError(f"unknown key '{key}'", location=place, hint=did_you_mean(key, _KEYS[kind]))


def _lines_of(text: str, kind: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), start=1) if line.strip() == f"[[{kind}]]"]
