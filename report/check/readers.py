"""Documents as bare text: LaTeX, Markdown, plain text, Word through pandoc, PDF through pdftotext."""

from __future__ import annotations

import re
import shutil
import subprocess
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from report.check.plain import BARRIER, Plain, of_latex, of_text
from report.errors import ConfigError, Location, MissingToolError, ReportError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_SECONDS = 120.0
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
        """Tell whether the document is written in Chinese, by the share of Chinese characters among its letters."""
        letters = [char for char in self.plain.text if char.isalpha()]
        return sum("\u4e00" <= char <= "\u9fff" for char in letters) > _CHINESE_SHARE * len(letters)


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
