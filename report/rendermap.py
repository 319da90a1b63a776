"""From a place in the rendered document back to the place in the template.

While a template renders, its text carries marks made of private characters: where a line of the template
starts, and where the output of a construct begins and ends. :func:`assemble` takes them out again and
keeps what they say. The marks live in the text itself, so they follow it through includes, loops, macros
and captured blocks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from report.errors import Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PLACE, OPEN, CLOSE, END = "\U0010ff01", "\U0010ff02", "\U0010ff03", "\U0010ff04"
_DIGITS = {ord("0") + digit: 0x10FF10 + digit for digit in range(10)}  # digits that no filter changes
_PLAIN = {private: ascii_ for ascii_, private in _DIGITS.items()}
_MARK = re.compile(f"{PLACE}([^{END}]*){END}|{OPEN}([^{END}]*){END}|{CLOSE}")
_PLACES = re.compile(f"{PLACE}[^{END}]*{END}")


@dataclass(frozen=True, slots=True)
class Use:
    """One place where the document prints or asserts a result.

    Parameters
    ----------
    kind : str
        ``bound`` (printed by the engine), ``claim``, ``typed`` or ``exempt``.
    id : str
        ``section.key``; for ``exempt`` the reason.
    text : str
        The LaTeX that stands in the document.
    location : Location or None
        File, line and column in the templates.
    extra : mapping
        ``claim``: ``holds``, ``negated``, ``variants`` (1 or 2). ``typed``: ``expected``, the text that the filter
        in the id prints, or None; ``number``, what the id names; ``setting``, whether that is a setting of a run.
        ``bound`` table: ``cells``, the printed cells row by row.
    start, end : int
        Where the text stands in the document, as offsets into :attr:`Rendered.text`; -1 if that is not known.
    """

    kind: str
    id: str
    text: str
    location: Location | None
    extra: Mapping[str, Any] = field(default_factory=dict)
    start: int = -1
    end: int = -1


@dataclass(frozen=True, slots=True)
class SourceMap:
    """The marks of a document: where pieces start in it, and in the templates; ``tags`` are printed by a tag."""

    starts: tuple[int, ...] = ()
    places: tuple[Location, ...] = ()
    tags: frozenset[int] = frozenset()

    def place(self, offset: int) -> Location | None:
        """Return the place in the templates of one character of the document, exact to the column."""
        index = bisect_right(self.starts, offset) - 1
        if index < 0:
            return None
        place = self.places[index]
        if index in self.tags or place.column is None:
            return place
        return Location(place.file, place.line, place.column + offset - self.starts[index])


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered document and where each part of it comes from.

    Parameters
    ----------
    text : str
        The LaTeX source.
    lines : tuple of Location or None
        For each line of ``text``, the place in the templates.
    uses : tuple of Use
        In the order of the document.
    sources : mapping of str to str
        The templates that were used: path relative to the project → text.
    folder : Path or None
        The templates' folder, where LaTeX also looks for bibliographies, styles and pictures.
    """

    text: str
    lines: tuple[Location | None, ...]
    uses: tuple[Use, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    map: SourceMap = field(default_factory=SourceMap, repr=False)

    def line(self, number: int) -> Location | None:
        """Return the place of a line of ``text``, counted from 1."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else None

    def source(self, location: Location | None) -> str:
        """Return the template line at a place, or nothing if it is not known."""
        return source_line(self.sources, location)


def source_line(sources: Mapping[str, str], location: Location | None) -> str:
    """Return the line of a source at a place, or nothing if it is not known."""
    if location is None or location.line is None:
        return ""
    lines = sources.get(location.file, "").split("\n")
    return lines[location.line - 1] if location.line <= len(lines) else ""


@dataclass(slots=True)
class Recorder:
    """What constructs and filters say about the text they print; one per rendering."""

    entries: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)

    def mark(self, kind: str, name: str, text: str, **extra: object) -> str:
        """Return the text between marks; the use counts only if the marks reach the document."""
        self.entries.append((kind, name, extra))
        return f"{OPEN}{str(len(self.entries) - 1).translate(_DIGITS)}{END}{text}{CLOSE}"


def place_mark(file: str, line: int, column: int, *, tag: bool = False) -> str:
    """Return the mark that says where the text after it stands in a template, or which tag printed it."""
    return f"{PLACE}{file}\v{line}\v{column}\v{'tag' if tag else ''}{END}"


def without_places(text: str) -> str:
    """Take the place marks out of a string, for filters that look at its characters."""
    return _PLACES.sub("", text) if PLACE in text else text


def without_marks(text: str) -> str:
    """Take every mark out of a string."""
    return _MARK.sub("", text)


def assemble(marked: str, recorder: Recorder, sources: Mapping[str, str], folder: Path) -> Rendered:
    """Take the marks out of a rendered text and keep what they say."""
    parts: list[str] = []
    starts: list[int] = []
    places: list[Location] = []
    tags: set[int] = set()
    opened: list[int] = []
    found: list[tuple[int, int, int, Location | None]] = []  # entry, from, to, place
    offset = end = 0
    for match in _MARK.finditer(marked):
        parts.append(marked[end : match.start()])
        offset += match.start() - end
        end = match.end()
        if match[1] is not None:
            file, line, column, tag = match[1].split("\v")
            if tag:
                tags.add(len(starts))
            starts.append(offset)
            places.append(Location(file, int(line), int(column)))
        elif match[2] is not None:
            opened.append(len(found))
            found.append((int(match[2].translate(_PLAIN)), offset, offset, places[-1] if places else None))
        elif opened:
            index = opened.pop()
            entry, start, _, place = found[index]
            found[index] = (entry, start, offset, place)
    parts.append(marked[end:])
    text = "".join(parts)
    uses = tuple(_use(recorder.entries[entry], text, start, end, place) for entry, start, end, place in found)
    lines = tuple(_line_places(text, starts, places))
    return Rendered(text, lines, uses, sources, folder, SourceMap(tuple(starts), tuple(places), frozenset(tags)))


def _use(entry: tuple[str, str, Mapping[str, Any]], document: str, start: int, end: int, place: Location | None) -> Use:
    kind, name, extra = entry
    return Use(kind, name, document[start:end], place, extra, start, end)


def _line_places(text: str, starts: Sequence[int], places: Sequence[Location]) -> Iterator[Location | None]:
    """Yield the place of every line: that of its first character that is not blank."""
    offset = 0
    for line in text.split("\n"):
        first = offset + len(line) - len(line.lstrip())
        index = bisect_right(starts, first if first < offset + len(line) else offset) - 1
        yield places[index] if index >= 0 else None
        offset += len(line) + 1
