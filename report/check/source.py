r"""A template as an author wrote it, with its tags taken out: every branch of it, whether it is printed or not.

The scanner of :mod:`report.scanner` says where tags and constructs begin and end; here they become holes and regions,
and every character keeps its line and column.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from dataclasses import dataclass, field

from report.check.plain import HOLE
from report.errors import Location

_PIECE = re.compile(
    "\U0010ff01(?P<place>[^\U0010ff04]*)\U0010ff04"
    "|\U0010ff05 (?P<var>[^\U0010ff06]*)\U0010ff06"
    "|\U0010ff07 (?P<block>[^\U0010ff08]*)\U0010ff08"
)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', re.DOTALL)
_FILTER = re.compile(r"\|\s*\w+\s*(?:\([^()]*\))?")
_LITERAL = re.compile(r"[\s\d.+*/()eE-]*\d[\s\d.+*/()eE-]*")
_PROSE_LIKE = re.compile(r"[\u4e00-\u9fff]|[A-Za-z]+ [a-z]+ [A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Region:
    """The text of a construct: ``typed`` or ``exempt``, with its id or reason, from ``start`` to ``end``."""

    kind: str
    name: str
    start: int
    end: int


@dataclass(slots=True)
class Source:
    r"""A template without its tags.

    Parameters
    ----------
    text : str
        LaTeX; a hole stands where the engine prints something.
    regions : list of Region
        What ``\typed`` and ``\exempt`` hold.
    literals : list of (Location, str)
        Prose and numbers that stand in the expression of a tag, such as a caption handed to a macro.
    """

    text: str = ""
    regions: list[Region] = field(default_factory=list)
    literals: list[tuple[Location, str]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    places: list[Location] = field(default_factory=list)

    def place(self, offset: int) -> Location:
        """Return where a character of the text stands in the template."""
        index = bisect_right(self.starts, offset) - 1
        place = self.places[index]
        return Location(place.file, place.line, (place.column or 1) + offset - self.starts[index])

    def region(self, start: int, end: int) -> Region | None:
        """Return the innermost construct that holds part of a piece of text."""
        inside = [region for region in self.regions if region.start < end and start < region.end]
        return min(inside, key=lambda region: region.end - region.start, default=None)


def read_source(template: str, file: str) -> Source:
    """Take a template apart.

    Raises
    ------
    TemplateError
        For a tag or construct that is never closed.
    """
    from report.scanner import convert  # noqa: PLC0415 - `import report` stays light

    source = Source()
    parts: list[str] = []
    opened: list[tuple[str, str, int]] = []
    offset = end = 0
    marked = convert(template, file)
    for match in _PIECE.finditer(marked):
        data = marked[end : match.start()]
        parts.append(data)
        offset += len(data)
        end = match.end()
        if match["place"] is not None:
            name, line, column, _ = match["place"].split("\v")
            source.starts.append(offset)
            source.places.append(Location(name, int(line), int(column)))
        elif match["var"] is not None:
            _read_expression(source, file, match["var"], printed=True)
            parts.append(HOLE)
            offset += 1
        else:
            _read_block(source, file, match["block"], opened, offset)
    parts.append(marked[end:])
    source.text = "".join(parts)
    if not source.places:
        source.starts, source.places = [0], [Location(file, 1, 1)]
    return source


def _read_block(source: Source, file: str, body: str, opened: list[tuple[str, str, int]], offset: int) -> None:
    keyword, _, rest = body.strip().partition(" ")[2].partition(" ")[2].strip().partition(" ")
    if keyword in {"__typed", "__exempt"}:
        name = ast.literal_eval(rest.strip()) if keyword == "__exempt" else rest.strip()
        opened.append((keyword.strip("_"), name, offset))
    elif keyword in {"__endtyped", "__endexempt"} and opened:
        source.regions.append(Region(*opened.pop(), offset))
    elif not keyword.startswith("__"):
        _read_expression(source, file, body, printed=False)


def _read_expression(source: Source, file: str, body: str, *, printed: bool) -> None:
    """Keep the prose in the strings of an expression, and a number that is printed without a name."""
    line, column, expression = (*body.split(" ", 2), "")[:3]
    place = Location(file, int(line), int(column))
    for match in _STRING.finditer(expression):
        text = match[0][1:-1].replace("\\\\", "\\")
        if _PROSE_LIKE.search(text):
            below = expression.count("\n", 0, match.start())
            here = Location(file, int(line) + below, None) if below else place
            source.literals.append((here, text))
    bare = _FILTER.sub("", _STRING.sub("''", expression))
    if printed and _LITERAL.fullmatch(bare):
        source.literals.append((place, bare.strip()))
