"""Everything that can go wrong, as one small tree.

ReportError
├── ConfigError      report.toml or the command line asks for something that is not allowed
├── DataError        the data are missing, truncated, swapped or damaged
├── RunError         a run or an analysis failed, or a setting cannot be encoded
├── StoreError       a stored result is damaged or the store cannot be written
├── TemplateError    a template names something that does not exist, or is not valid Jinja
├── TableError       a table has no such column, or a row of the wrong length
├── LatexError       XeLaTeX, BibTeX or latexmk failed, or left a warning that counts as an error
└── MissingToolError a program or package that the step needs is not installed

A message says what happened, where (``file:line``), what was found, what is allowed and the next step.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a source file: path relative to the project, line and column counted from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file, self.line, self.column if self.line is not None else None]
        return ":".join(str(part) for part in parts if part is not None)


class ReportError(Exception):
    """Base class: a message for the person who runs the build, with a place and a suggestion.

    Parameters
    ----------
    message : str
        What happened, in one sentence.
    location : Location, optional
        Where it happened; printed in front of the message as ``file:line:``.
    hint : str, optional
        What to do next; printed on a line of its own.
    source : str, optional
        The offending source line; printed under the message.
    """

    def __init__(
        self,
        message: str,
        *,
        location: Location | None = None,
        hint: str = "",
        source: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.location = location
        self.hint = hint
        self.source = source

    def __str__(self) -> str:
        head = f"{self.location}: {self.message}" if self.location else self.message
        lines = [head]
        if self.source.strip():
            lines.append(f"    {self.source.strip()}")
        if self.hint:
            lines.append(f"    → {self.hint}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes with every part of the message (keyword arguments are lost by default)."""
        return (_rebuild, (type(self), self.message, self.location, self.hint, self.source))


def _rebuild(kind: type[ReportError], message: str, location: Location | None, hint: str, source: str) -> ReportError:
    return kind(message, location=location, hint=hint, source=source)


class ConfigError(ReportError):
    """report.toml or the command line asks for something that is not allowed."""


class DataError(ReportError):
    """The data are missing, truncated, swapped or damaged."""


class RunError(ReportError):
    """A run or an analysis failed, or one of its settings cannot be encoded."""


class StoreError(ReportError):
    """A stored result is damaged, or the store cannot be written."""


class TemplateError(ReportError):
    """A template names something that does not exist, or is not valid Jinja."""


class TableError(ReportError):
    """A table has no such column, or a row of the wrong length."""


class LatexError(ReportError):
    """XeLaTeX, BibTeX or latexmk failed, or left a warning that counts as an error."""


class MissingToolError(ReportError):
    """A program or package that the step needs is not installed."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``Did you mean 'x'?`` for the nearest known name, else the list of what is allowed."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean '{close[0]}'?"
    return f"Known names: {', '.join(names)}." if names else "No names are known here."
