"""The closed loop: the text of the finished PDF is read, and every bound number and table cell must be found in it."""

from __future__ import annotations

import re
import shutil
import string
import subprocess
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from report.check.plain import BARRIER, of_latex
from report.errors import LatexError, MissingToolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from report.errors import Location
    from report.rendermap import Rendered, Use

_SECONDS = 120.0
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_THIN = re.compile(r"(?<=\d)[\u2009\u202f\u00a0,](?=\d{3}(?!\d))")
_SPACED = re.compile(r"(?<=\d) (?=\d{3}(?!\d))")
_TABULAR = re.compile(r"\\begin\{(tabular|longtable)\}(?:\[[^\]]*\])?(?=\{)")
_BRACE = re.compile(r"[{}]")
_LAYOUT = re.compile(
    r"\\(?:cmidrule|cline)\s*(?:\([^)]*\))?\{[^}]*\}|\\multicolumn\s*\{\d+\}\s*\{[^{}]*\}|\[[\d.]+(?:pt|em|ex)\]"
)
_CELL = re.compile(r"(?<!\\)&|\\\\|\\(?:top|mid|bottom)rule|\\end(?:first)?head|\\endfoot")


@dataclass(frozen=True, slots=True)
class Lost:
    """Something that the document prints and the PDF does not show.

    Parameters
    ----------
    id, location
        The result, and where the template prints it.
    text : str
        The number or cell.
    printed, found : int
        How often the document prints it at least, and how often the PDF shows it.
    """

    id: str
    location: Location | None
    text: str
    printed: int
    found: int

    def __str__(self) -> str:
        where = f"{self.location}: " if self.location else ""
        return (
            f"{where}'{self.text}' of {self.id} is printed {self.printed} times and found {self.found} times in the PDF"
        )


def read_back(rendered: Rendered, pdf: Path) -> tuple[Lost, ...]:
    """Return every bound number and table cell that is printed more often than the PDF shows it.

    Parameters
    ----------
    rendered : Rendered
        The document.
    pdf : Path
        What was compiled from it.

    Raises
    ------
    MissingToolError, LatexError
        When pdftotext is not installed, or cannot read the file.
    """
    return lost(rendered.uses, text_of(pdf))


def refuse_losses(losses: Sequence[Lost]) -> None:
    """Raise one error for what was lost in typesetting, if anything was.

    Raises
    ------
    LatexError
        At the place of the first loss.
    """
    if losses:
        more = f" (and {len(losses) - 1} more)" if len(losses) > 1 else ""
        first = losses[0]
        raise LatexError(
            f"'{first.text}' of {first.id} is lost in typesetting: printed {first.printed} times, "
            f"found {first.found} times in the PDF{more}",
            location=first.location,
            hint="look for text that runs off the page or lies under a figure, and for a font without the character",
        )


def text_of(pdf: Path) -> str:
    """Return the text of a PDF, in the order of its pages."""
    if shutil.which("pdftotext") is None:
        raise MissingToolError("reading the PDF back needs pdftotext", hint="install poppler-utils")
    try:
        done = subprocess.run(
            ["pdftotext", "-layout", "-enc", "UTF-8", str(pdf), "-"],
            capture_output=True, text=True, timeout=_SECONDS, check=True, encoding="utf-8",
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
        raise LatexError(f"pdftotext cannot read {pdf.name}: {getattr(error, 'stderr', '') or error}") from error
    return done.stdout


def lost(uses: Sequence[Use], text: str) -> tuple[Lost, ...]:
    """Compare what bound uses print with a PDF's text; numbers are counted, other cells must occur."""
    numbers: Counter[str] = Counter()
    first: dict[str, Use] = {}
    bare = "".join(text.split())
    missing = []
    for use in uses:
        if use.kind != "bound":
            continue
        cells = cells_of(use.text)
        for number in (token for cell in cells for token in numbers_in(cell)):
            numbers[number] += 1
            first.setdefault(number, use)
        words = {"".join(cell.split()) for cell in cells if not _NUMBER.search(cell)}
        missing += [
            Lost(use.id, use.location, word, 1, 0) for word in sorted(words) if _plain_word(word) and word not in bare
        ]
    shown = _shown(text)
    for number, count in numbers.items():
        found = shown[number]
        if found < count:  # rare, so the slower search is for these alone
            found = max(found, _spaced_count(number, text))
        if found < count:
            missing.append(Lost(first[number].id, first[number].location, number, count, found))
    return tuple(missing)


def cells_of(latex: str) -> list[str]:
    r"""Return the cells of a printed table as bare text, or the whole of what is no table."""
    tables = list(_bodies(latex))
    pieces = [cell for body in tables for cell in _CELL.split(_LAYOUT.sub("", body))] if tables else [latex]
    if not tables and ("/" in latex or latex.endswith(".pdf")):
        return []  # the path of a figure
    cells = (_trimmed(of_latex(piece).text) for piece in pieces)  # what is barred inside is no plain word
    return [cell for cell in cells if cell]


def _trimmed(text: str) -> str:
    """Drop blanks and barriers at both ends."""
    return text.strip(BARRIER + string.whitespace)


def _bodies(latex: str) -> Iterator[str]:
    """Yield what stands between the column specs and the end of each table."""
    for match in _TABULAR.finditer(latex):
        depth = 0
        for brace in _BRACE.finditer(latex, match.end()):
            depth += 1 if brace[0] == "{" else -1
            if not depth:
                end = latex.find(rf"\end{{{match[1]}}}", brace.end())
                yield latex[brace.end() : end if end >= 0 else len(latex)]
                break


def numbers_in(text: str) -> list[str]:
    """Return the digits of the numbers of a bare text; signs and the order of powers are set by the font."""
    return _NUMBER.findall(_THIN.sub("", text))


def _shown(text: str) -> Counter[str]:
    """Count the numbers of a PDF's text; a number with spaced thousands counts whole and in parts."""
    counts = Counter(_NUMBER.findall(text))
    joined = Counter(_NUMBER.findall(_SPACED.sub("", _THIN.sub("", text))))
    return counts | joined


def _spaced_count(number: str, text: str) -> int:
    """Count a number with or without spaced thousands, also right behind another number: ``3 205 706`` in a table."""
    whole, point, decimals = number.partition(".")
    first = len(whole) % 3 or 3
    groups = [whole[:first], *(whole[start : start + 3] for start in range(first, len(whole), 3))]
    separator = "[\u2009\u202f\u00a0, ]?"
    pattern = rf"(?<![\d.]){separator.join(groups)}{re.escape(point + decimals)}(?!\d)"
    return len(re.findall(pattern, text))


def _plain_word(word: str) -> bool:
    """Tell whether a cell is letters only: formulas and dashes look different in a PDF."""
    return len(word) > 1 and all(char.isalnum() for char in word)
