"""Overfull boxes in a log: how much sticks out, where, and the text that does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OVERFULL_POINTS = 1.0
"""Boxes that stick out by less are not worth a message."""

_OVERFULL = re.compile(r"Overfull \\([hv])box \(([\d.]+)pt too (?:wide|high)\) (.*)")
_AT_LINES = re.compile(r"at lines? (\d+)(?:--(\d+))?")
_BLANK = re.compile(r"[\s-]+")
_END = re.compile(r"\s*(?:\\end\{\w+\*?\}|\$\$|\\\])?\s*")
_FONT_SWITCH = re.compile(r"\\[A-Z]\w*/[^\s]* ?|\[\]")
_PARENTHESIS = re.compile(r"\((?P<file>[^\s()]*\.[A-Za-z]\w{1,3})(?=[\s()]|$)|[()]")
_PARTS = {".toc": "contents", ".bbl": "bibliography", ".lof": "list of figures", ".lot": "list of tables"}
_SHOWN = 40
_TELLING = 2  # characters that a part has at least


@dataclass(frozen=True, slots=True)
class OverfullBox:
    """A box that sticks out.

    Parameters
    ----------
    message : str
        By how much, and the text that does.
    line, last : int
        First and last line of its paragraph in the main document; 0 where the log does not say.
    parts : tuple of str
        What the box prints, without blanks and hyphens, cut where the log leaves something out.
    """

    message: str
    line: int = 0
    last: int = 0
    parts: tuple[str, ...] = ()

    def within(self, document: Sequence[str]) -> int:
        """Return the line that has the text, if just one of the paragraph has; else that where the paragraph starts."""
        numbers = range(self.line, min(self.last, len(document)) + 1)
        for part in reversed(self.parts):  # what sticks out stands at the end
            found = [number for number in numbers if part in _BLANK.sub("", document[number - 1])]
            if len(found) == 1:
                return found[0]
        # A paragraph that goes on behind a formula starts, for TeX, with the end of the formula.
        return next((number for number in numbers if not _END.fullmatch(document[number - 1])), self.line)


def overfull_boxes(lines: Sequence[str], main: str) -> Iterator[OverfullBox]:
    """Yield the boxes of a log that stick out by more than :data:`OVERFULL_POINTS`.

    Parameters
    ----------
    lines : sequence of str
        The log, its lines unbroken.
    main : str
        Name of the document; line numbers of other files are no use to an author.
    """
    for index, file in _with_files(lines, main):
        match = _OVERFULL.match(lines[index])
        if match is not None and float(match[2]) > OVERFULL_POINTS:
            yield _box(match, file, main, lines[index + 1 :])


def _with_files(lines: Sequence[str], main: str) -> Iterator[tuple[int, str]]:
    """Yield the index of each overfull box in the log, and the file that TeX was reading."""
    opened: list[str] = []
    content = False
    for index, line in enumerate(lines):
        if line.startswith("Overfull "):
            yield index, next((file for file in reversed(opened) if file), main)
        # The box's text follows, up to an empty line; its parentheses open and close no file.
        content = line.startswith(("Overfull ", "Underfull ")) or (content and bool(line))
        if content:
            continue
        for match in _PARENTHESIS.finditer(line):
            if match[0] == ")":
                del opened[-1:]
            else:
                opened.append(match["file"] or "")


def _box(match: re.Match[str], file: str, main: str, following: Sequence[str]) -> OverfullBox:
    kind, excess, where = match.groups()
    message = f"{'line too wide' if kind == 'h' else 'page or box too high'} by {float(excess):.1f}pt"
    text = " ".join(_FONT_SWITCH.sub("", following[0]).split()) if following and kind == "h" else ""
    if text:
        message += f": …{text[-_SHOWN:]}"
    number = _AT_LINES.search(where)
    if number is None:
        page = next((found[1] for line in following if (found := re.match(r"\[(\d+)", line))), "")
        return OverfullBox(f"{message} (page {page})" if page else message)
    if Path(file).name == main:
        parts = [_BLANK.sub("", part)[-_SHOWN // 4 :] for part in _FONT_SWITCH.split(following[0])] if text else []
        telling = tuple(part for part in parts if len(part) >= _TELLING)
        return OverfullBox(message, int(number[1]), int(number[2] or number[1]), telling)
    return OverfullBox(f"{message} (in the {_PARTS.get(Path(file).suffix, file)})")
