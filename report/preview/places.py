"""From a point of the PDF to a line of a template, and back: SyncTeX composed with the render map."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from report.preview.synctex import SyncTex

if TYPE_CHECKING:
    from report.errors import Location
    from report.preview.synctex import Rectangle
    from report.rendermap import Rendered

_NEAR = 60  # how many lines from the one asked for a place may be looked for


class Places:
    """The places of one typeset document.

    Parameters
    ----------
    rendered : Rendered
        The document and where its lines come from.
    synctex : bytes
        What XeTeX wrote beside the PDF.
    name : str
        The name of the document's source.
    """

    def __init__(self, rendered: Rendered, synctex: bytes, name: str) -> None:
        self.rendered = rendered
        self._content, self._name = synctex, name

    @cached_property
    def synctex(self) -> SyncTex:
        """The parsed places: read when somebody asks, since most builds are only looked at."""
        return SyncTex(self._content, self._name)

    def template_at(self, page: int, x: float, y: float) -> Location | None:
        """Return the line of a template behind a point of a page, in big points from its upper left corner."""
        line = self.synctex.line_at(page, x, y)
        return self.rendered.line(line) if line else None

    def rectangles(self, file: str, line: int) -> list[Rectangle]:
        """Return where a line of a template stands; of lines that print nothing, the nearest that prints."""
        typeset = self.synctex.lines()
        by_distance: dict[int, set[int]] = {}
        for number, place in enumerate(self.rendered.lines, 1):
            if place is not None and place.file == file and place.line is not None and number in typeset:
                behind = place.line - line
                by_distance.setdefault(2 * behind if behind >= 0 else -2 * behind + 1, set()).add(number)
        for distance in sorted(by_distance):
            if distance > 2 * _NEAR:
                break
            if found := self.synctex.rectangles(by_distance[distance]):
                return found
        return []
