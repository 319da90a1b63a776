"""A report written elsewhere, held against the results: LaTeX, Markdown, plain text, Word or PDF."""

from __future__ import annotations

import re
import shutil
import subprocess
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from report.check.items import Check, Coverage, Item
from report.check.match import exact, matches
from report.check.numbers import find_numerals
from report.check.plain import BARRIER, Plain, of_latex, of_text
from report.check.rules import exemption, idiom_spans
from report.check.sentences import sentence_at
from report.check.templates import show
from report.check.ties import slots, tag
from report.errors import ConfigError, Location, MissingToolError, ReportError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal
    from pathlib import Path

    from report.check.facts import Facts
    from report.check.numbers import Numeral
    from report.check.ties import Statement, Tagged, Tie, Ties
    from report.model import Value

_SECONDS = 120.0
_PROPOSALS = 3
_CHINESE_SHARE = 0.1
_MARKUP = re.compile(
    r"```.*?```|`[^`\n]*`|!?\[[^\]]*\]\([^)]*\)|<!--.*?-->|^\s*\|?[-:| ]+\|\s*$", re.DOTALL | re.MULTILINE
)
_LINK_TEXT = re.compile(r"!?\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Document:
    """A document as bare text whose every character knows its place.

    Parameters
    ----------
    file : str
        Its name as messages show it.
    plain : Plain
        The bare text.
    source : str
        What the places of ``plain`` are counted in.
    by_page : bool
        Whether places are pages, because lines mean nothing to the reader.
    """

    file: str
    plain: Plain
    source: str
    by_page: bool = False

    def place(self, index: int) -> Location:
        """Return line and column, or the page, of a character of the bare text."""
        offset = self.plain.starts[min(index, len(self.plain.starts) - 1)] if self.plain.starts else 0
        if self.by_page:
            return Location(f"{self.file} (page {self.source.count(chr(12), 0, offset) + 1})")
        starts = [0, *accumulate(len(line) + 1 for line in self.source.split("\n"))]
        line = bisect_right(starts, offset)
        return Location(self.file, line, offset - starts[line - 1] + 1)

    def is_chinese(self) -> bool:
        """Tell whether the document is written in Chinese, by the share of Chinese characters."""
        text = self.plain.text
        return sum("\u4e00" <= char <= "\u9fff" for char in text) > _CHINESE_SHARE * max(len(text), 1)


def read_document(path: Path, shown: str) -> Document:
    """Read a document.

    Raises
    ------
    ReportError, MissingToolError
        When it cannot be read, is of an unknown kind, or the program that reads it is not installed.
    """
    readers: dict[str, Callable[[Path, str], Document]] = {
        ".tex": _read_latex, ".md": _read_markdown, ".markdown": _read_markdown, ".txt": _read_text,
        ".docx": _read_word, ".pdf": _read_pdf,
    }  # fmt: skip
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(f"cannot read '{shown}'", hint=f"known kinds: {', '.join(readers)}")
    try:
        return reader(path, shown)
    except OSError as error:
        raise ReportError(f"cannot read '{shown}': {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ReportError(f"'{shown}' is not UTF-8 text") from error


def document_of_text(text: str, file: str = "document.txt") -> Document:
    """Make a document of plain text."""
    return Document(file, of_text(text), text)


def check_document(document: Document, facts: Facts, ties: Ties) -> Check:
    """Hold a document against the results.

    Parameters
    ----------
    document : Document
        What was written.
    facts : Facts
        What was computed.
    ties : Ties
        Which number is which result, and which passage asserts which claim.
    """
    text = document.plain.text
    numerals = find_numerals(text)
    tagged = tag(text, numerals)
    items: dict[int, Item] = {}
    for tie in ties.ties:
        for numeral, item in _tied(document, tagged, tie, facts):
            items.setdefault(numeral.start, item)
    statements = [item for entry in ties.statements for item in _stated(document, tagged, entry, facts)]
    idioms = idiom_spans(text)
    for numeral in numerals:
        if numeral.start not in items:
            items[numeral.start] = _untied(document, numeral, idioms, facts)
    found = [items[start] for start in sorted(items)]
    coverage = Coverage(
        typed=sum(item.kind in {"typed", "setting"} for item in found),
        exempt=sum(item.verdict == "exempt" for item in found),
        unchecked=sum(item.verdict == "unchecked" for item in found),
    )
    return Check((*found, *statements), coverage)


def proposals(numeral: Numeral, facts: Facts, n: int = _PROPOSALS) -> list[str]:
    """Return the ids whose numbers a written number could be: right ones first, then the nearest."""
    ranked = []
    for name in facts.ids():
        value = facts.number(name)
        number = _comparable(numeral, value)
        distance = abs(number - numeral.value)
        ranked.append((not matches(numeral, value.number, value.unit), float(distance), name, number))
    ranked.sort()
    near = [entry for entry in ranked if not entry[0] or entry[1] <= 0.1 * abs(float(numeral.value))]
    return [f"{name} ({show(number, numeral)})" for _, _, name, number in near[:n]]


def _comparable(numeral: Numeral, value: Value) -> Decimal:
    number = exact(value.number)
    return number / 100 if numeral.unit == "%" and value.unit.strip() == "%" else number


def _tied(document: Document, tagged: Tagged, tie: Tie, facts: Facts) -> list[tuple[Numeral, Item]]:
    found = []
    for match in tie.pattern.finditer(tagged.text):
        for numeral, name in zip(slots(match, tagged), tie.ids, strict=False):
            found.append((numeral, _compared(document, numeral, name, facts)))
    return found


def _compared(document: Document, numeral: Numeral, name: str, facts: Facts) -> Item:
    sentence, mark = sentence_at(document.plain.text, numeral.start, numeral.end)
    try:
        value = facts.number(name)
    except ReportError as error:
        return Item(
            "number", "unchecked", name, numeral.text, document.place(numeral.start), actual=numeral.text,
            sentence=sentence, mark=mark, evidence=str(error),
        )  # fmt: skip
    right = matches(numeral, value.number, value.unit)
    return Item(
        "setting" if ".settings." in name else "typed",
        "supported" if right else "contradicted",
        name,
        numeral.text,
        document.place(numeral.start),
        show(_comparable(numeral, value), numeral),
        numeral.text,
        sentence,
        mark,
        f"{name} = {exact(value.number):f}",
    )


def _stated(document: Document, tagged: Tagged, entry: Statement, facts: Facts) -> list[Item]:
    items = []
    claim = facts.claims.get(entry.claim)
    for match in entry.pattern.finditer(tagged.text):
        start, end = tagged.places[match.start()], tagged.places[match.end() - 1] + 1
        sentence, mark = sentence_at(document.plain.text, start, end)
        if entry.unless is not None and entry.unless.search("".join(sentence.split())):
            continue
        if claim is None:
            continue
        holds = claim.holds != entry.negated
        over_seeds = facts.held.get(entry.claim)
        if over_seeds and entry.negated:
            over_seeds = over_seeds.negated()
        fragile = holds and over_seeds is not None and over_seeds.count < over_seeds.total
        items.append(
            Item(
                "claim",
                "fragile" if fragile else "supported" if holds else "contradicted",
                f"not {entry.claim}" if entry.negated else entry.claim,
                document.plain.text[start:end].strip(),
                document.place(start),
                "holds",
                "holds" if holds else "does not hold",
                sentence,
                mark,
                claim.evidence + (f"; {over_seeds}" if over_seeds else ""),
                claim.slack,
            )
        )
    return items


def _untied(document: Document, numeral: Numeral, idioms: list[tuple[int, int]], facts: Facts) -> Item:
    reason = exemption(numeral, document.plain.text, idioms)
    sentence, mark = sentence_at(document.plain.text, numeral.start, numeral.end)
    near = [] if reason else proposals(numeral, facts)
    return Item(
        "number",
        "exempt" if reason else "unchecked",
        "",
        numeral.text,
        document.place(numeral.start),
        actual=numeral.text,
        sentence=sentence,
        mark=mark,
        evidence=reason or (f"could be {', '.join(near)}" if near else ""),
    )


def _read_latex(path: Path, shown: str) -> Document:
    from report.check.prose import masked  # noqa: PLC0415 - only LaTeX needs the parser

    source = path.read_text(encoding="utf-8-sig")
    return Document(shown, of_latex(masked(source)), source)


def _read_markdown(path: Path, shown: str) -> Document:
    source = path.read_text(encoding="utf-8-sig")
    return Document(shown, of_text(_MARKUP.sub(_blank_markup, source)), source)


def _blank_markup(match: re.Match[str]) -> str:
    """Blank code, comments and the addresses of links; the text of a link stays. No character changes its place."""
    text = match[0]
    link = _LINK_TEXT.match(text)
    kept = range(link.start(1), link.end(1)) if link and not text.startswith("!") else range(0)
    return "".join(char if char == "\n" or index in kept else BARRIER for index, char in enumerate(text))


def _read_text(path: Path, shown: str) -> Document:
    return document_of_text(path.read_text(encoding="utf-8-sig"), shown)


def _read_word(path: Path, shown: str) -> Document:
    text = _run(["pandoc", "--to", "plain", "--wrap", "none", str(path)], shown, "pandoc")
    return document_of_text(text, shown)


def _read_pdf(path: Path, shown: str) -> Document:
    text = _run(["pdftotext", "-enc", "UTF-8", str(path), "-"], shown, "pdftotext (package poppler-utils)")
    return Document(shown, of_text(text), text, by_page=True)


def _run(command: Sequence[str], shown: str, what: str) -> str:
    if shutil.which(command[0]) is None:
        raise MissingToolError(f"reading '{shown}' needs {what}", hint="install it, or save the document as text")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True, encoding="utf-8")
    except (subprocess.SubprocessError, UnicodeDecodeError) as error:
        detail = getattr(error, "stderr", None) or str(error)
        raise ReportError(f"{command[0]} cannot read '{shown}': {str(detail).strip()}") from error
    return done.stdout
