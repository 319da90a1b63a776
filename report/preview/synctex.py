"""SyncTeX: which line of the document a point of a page comes from, and where on the pages a line stands.

The file that XeTeX writes beside the PDF lists every box, and every piece of glue, kern, rule or formula within it,
with the input line it came from. Its format: J. Laurens, "Direct and reverse synchronization with SyncTeX",
TUGboat 29 (2008), and ``man 5 synctex``.
"""

from __future__ import annotations

import gzip
import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

_SP_PER_BP = 65781.76  # scaled points in a big point, the unit of PDF
_RECORD = re.compile(r"([\[(vhkgxr$])(\d+),(\d+)(?:,\d+)?:(-?\d+),(-?\d+)(?::(-?\d+)(?:,(-?\d+),(-?\d+))?)?")


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of a page, in big points from its upper left corner; pages are counted from 1."""

    page: int
    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True, eq=False)
class _Box:
    kind: str
    line: int  # 0 if it comes from another file
    x: float
    base: float
    width: float
    height: float
    depth: float
    parent: _Box | None = None
    leaves: list[tuple[float, int]] = field(default_factory=list)  # place from the left, line
    children: list[_Box] = field(default_factory=list)

    @property
    def top(self) -> float:
        return self.base - self.height

    @property
    def bottom(self) -> float:
        return self.base + self.depth

    def distance(self, x: float, y: float) -> float:
        """Return how far a point lies outside; what lies above or below counts more than what lies beside."""
        aside = max(self.x - x, 0.0, x - self.x - self.width)
        above = max(self.top - y, 0.0, y - self.bottom)
        return aside + 4 * above

    def line_at(self, x: float) -> int:
        """Return the line at a place: that of the piece behind it, since a space is recorded after its word."""
        right = [(place, line) for place, line in self.leaves if place >= x and line]
        left = [(place, line) for place, line in self.leaves if place < x and line]
        found = min(right, default=None) or max(left, default=None)
        return found[1] if found else self.line

    def span(self, lines: Collection[int]) -> tuple[float, float] | None:
        """Return from where to where the words of some lines reach."""
        places = sorted(self.leaves)
        own = [index for index, (_, line) in enumerate(places) if line in lines]
        if not own:
            return None
        return (places[own[0] - 1][0] if own[0] else self.x), places[own[-1]][0]


class SyncTex:
    """The places of one document.

    Parameters
    ----------
    content : bytes
        The file, packed or not. What cannot be read holds no places.
    name : str
        The name of the document's source, e.g. ``report.tex``.
    """

    def __init__(self, content: bytes, name: str) -> None:
        self._pages: dict[int, list[_Box]] = {}
        self._parse(_unpacked(content), name)

    def line_at(self, page: int, x: float, y: float) -> int | None:
        """Return the line of the source that a point of a page comes from, in big points from the upper left."""
        known = [box for box in self._pages.get(page, ()) if box.kind == "(" and (box.line or box.leaves)]
        boxes = [box for box in known if box.width > 0 and box.height + box.depth > 0]
        if not boxes:
            return None
        best = min(boxes, key=lambda box: (box.distance(x, y), box.width * (box.height + box.depth)))
        return best.line_at(x) or None

    def rectangles(self, lines: Collection[int]) -> list[Rectangle]:
        """Return where some lines of the source stand, in the order of the document."""
        found = [
            rectangle for page, boxes in sorted(self._pages.items()) for rectangle in _rectangles(page, boxes, lines)
        ]
        return sorted(found, key=lambda item: (item.page, item.y, item.x))

    def lines(self) -> frozenset[int]:
        """Return every line that stands somewhere."""
        boxes = [box for page in self._pages.values() for box in page]
        return frozenset(line for box in boxes for line in (box.line, *(line for _, line in box.leaves)) if line)

    def _parse(self, text: str, name: str) -> None:
        main: set[str] = set()
        origin = [0, 0]
        boxes: list[_Box] = []
        current: _Box | None = None
        for row in text.split("\n"):
            kind = row[:1]
            if kind in {")", "]"}:
                current = current.parent if current else None
            elif kind == "{":
                boxes = self._pages.setdefault(int(row[1:]), [])
                current = None
            elif row.startswith("Input:"):
                _, tag, path = row.split(":", 2)
                if path == name or path.endswith(f"/{name}"):
                    main.add(tag)
            elif row.startswith(("X Offset:", "Y Offset:")):
                origin[row.startswith("Y")] = int(row[9:])
            elif (match := _RECORD.match(row)) is not None:
                current = _take(match, main, origin, boxes, current)


def _take(
    match: re.Match[str], main: Collection[str], origin: Sequence[int], boxes: list[_Box], current: _Box | None
) -> _Box | None:
    """Take in one record; return the box that is open behind it."""
    kind, tag, number, *numbers = match.groups()
    line = int(number) if tag in main else 0
    offsets = (*origin, 0, 0, 0)
    values = (int(value or 0) + offset for value, offset in zip(numbers, offsets, strict=True))
    x, base, width, height, depth = (value / _SP_PER_BP for value in values)
    if kind in "[(":
        box = _Box(kind, line, x, base, width, height, depth, current)
        boxes.append(box)
        if current is not None:
            current.children.append(box)
        return box
    if current is not None:
        current.leaves.append((x, line))
    return current


def _rectangles(page: int, boxes: list[_Box], lines: Collection[int]) -> Iterable[Rectangle]:
    body = _body(boxes)
    for box in boxes:
        span = box.span(lines) if box.kind == "(" else None
        if span is None and box.kind == "(" and not box.leaves and not box.children and box.line in lines:
            span = box.x, box.x + box.width  # a picture
        inside = body is None or (box.top >= body.top - 1 and box.bottom <= body.bottom + 1)
        if span is not None and inside and box.height + box.depth > 0:
            yield Rectangle(page, span[0], box.top, max(span[1] - span[0], 1.0), box.height + box.depth)


def _body(boxes: list[_Box]) -> _Box | None:
    """Return the box of a page's text: heads and feet carry the line at which the page was full, not their own."""
    box = next((box for box in boxes if box.kind == "["), None)
    while box is not None:
        inner = [child for child in box.children if child.height + child.depth > 0]
        if len(inner) != 1:
            return max(inner, key=lambda child: child.height + child.depth, default=None)
        box = inner[0]
    return None


def _unpacked(content: bytes) -> str:
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            return ""
    return content.decode("utf-8", "replace")
