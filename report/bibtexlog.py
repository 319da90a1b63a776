"""What BibTeX said, at the place that is at fault rather than where BibTeX noticed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from report.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ERROR = re.compile(r"^(.+?)\n?---line (\d+) of file (.+)$", re.MULTILINE)
_NOT_OPENED = re.compile(r"I couldn't open (style|database) file (.+)\.b(?:st|ib)$")
_FIELD = re.compile(r"\s*[A-Za-z][\w-]*\s*=")
_ENTRY = re.compile(r"\s*@\s*\w+\s*[{(]")
_STYLES = ("abbrv", "abbrvnat", "acm", "alpha", "apalike", "ieeetr", "plain", "plainnat", "siam", "unsrt", "unsrtnat")


@dataclass(frozen=True, slots=True)
class BibError:
    """One error of BibTeX.

    Parameters
    ----------
    message : str
        What it said.
    file, line : str, int
        Where it noticed.
    """

    message: str
    file: str
    line: int

    def not_opened(self, bibliographies: Sequence[str]) -> tuple[str, str] | None:
        r"""Return a pattern of the ``\bibliography`` or ``\bibliographystyle`` at fault, and a hint.

        Parameters
        ----------
        bibliographies : sequence of str
            The names of those that are there.
        """
        found = _NOT_OPENED.fullmatch(self.message)
        if found is None:
            return None
        command = "bibliographystyle" if found[1] == "style" else "bibliography"
        known = _STYLES if found[1] == "style" else bibliographies
        return rf"\\{command}\s*\{{[^{{}}]*?\b{re.escape(found[2])}\b", did_you_mean(found[2], known)

    def at_fault(self, lines: Sequence[str]) -> tuple[int, str]:
        """Return the line at fault, counted from 1, and what is missing there."""
        brace = unclosed_brace(lines)
        if brace is not None:
            return brace, "a brace is opened here and never closed"
        before = next((number for number in range(self.line - 1, 0, -1) if lines[number - 1].strip()), self.line)
        if "expecting a `,'" in self.message and _FIELD.match("".join(lines[self.line - 1 : self.line])):
            return before, "a comma is missing at the end of this line"
        return self.line, "a comma or a brace is missing here or in the entry before"


def bib_errors(log: str) -> Iterator[BibError]:
    """Yield the errors that a log of BibTeX holds."""
    for message, line, file in _ERROR.findall(log):
        yield BibError(message, file, int(line))


def unclosed_brace(lines: Sequence[str]) -> int | None:
    """Return the line of the brace that is open where a field, an entry or the end of the file comes too early."""
    opened: list[int] = []
    for number, line in enumerate(lines, 1):
        if (opened and _ENTRY.match(line)) or (len(opened) > 1 and _FIELD.match(line)):
            return opened[-1]
        if not opened and not _ENTRY.match(line):
            continue  # between the entries everything is a remark
        for sign in re.findall("[{}]", line):
            if sign == "{":
                opened.append(number)
            elif opened:
                opened.pop()
    return opened[-1] if opened else None
