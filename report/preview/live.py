"""What the page shows: one state that the builder writes and every open page follows."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from report.errors import ReportError

if TYPE_CHECKING:
    from report.errors import Location
    from report.latexlog import Diagnostic
    from report.preview.pages import Pages
    from report.preview.places import Places

_KEPT = 3  # documents: a page may still ask for pictures of the one before


@dataclass(frozen=True, slots=True)
class Document:
    """One typeset PDF and where its parts come from; ``places`` is None until the templates were rendered."""

    version: int
    pages: Pages
    places: Places | None


class Live:
    """The state of the preview, safe to use from several threads.

    ``token`` belongs to this process: a page must send it back with whatever changes something.
    """

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(24)
        self._changed = threading.Condition()
        self._number = 0
        self._documents: dict[int, Document] = {}
        self._state: dict[str, Any] = {
            "session": secrets.token_hex(4),
            "version": 0,
            "pages": [],
            "located": False,
            "phase": "starting",
            "settling": False,
            "errors": [],
            "notice": "",
            "warnings": [],
            "verdicts": [],
            "coverage": None,
            "runs": [],
            "total": 0,
            "finished": 0,
            "left": 0,
            "seconds": None,
        }

    def update(self, **changes: Any) -> None:  # noqa: ANN401 - every kind of entry
        """Change some entries and wake everybody who waits; nothing happens if all are as they were."""
        with self._changed:
            if any(self._state[name] != value for name, value in changes.items()):
                self._state.update(changes)
                self._number += 1
                self._changed.notify_all()

    def get(self, name: str) -> Any:  # noqa: ANN401 - every kind of entry
        """Return one entry."""
        with self._changed:
            return self._state[name]

    def show(self, pages: Pages, places: Places | None, **changes: Any) -> None:  # noqa: ANN401 - as in update
        """Make a PDF the current one; nothing but its places changes if its bytes are those of the last."""
        with self._changed:
            last = self._documents.get(self._state["version"])
            if last is not None and last.pages.content == pages.content:
                self._documents[last.version] = Document(last.version, last.pages, places)
                pages.close()
            else:
                version = self._state["version"] + 1
                self._documents[version] = Document(version, pages, places)
                for old in [number for number in self._documents if number <= version - _KEPT]:
                    self._documents.pop(old).pages.close()
                changes |= {"version": version, "pages": pages.sizes}
        self.update(located=places is not None, **changes)

    def document(self, version: int | None = None) -> Document | None:
        """Return a document that is still kept, by default the current one."""
        with self._changed:
            return self._documents.get(self._state["version"] if version is None else version)

    def wait(self, after: int, seconds: float) -> tuple[int, dict[str, Any]] | None:
        """Wait for a state newer than a number; None if nothing changed in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._number > after, seconds):
                return None
            return self._number, dict(self._state)


def error_row(error: Exception) -> dict[str, Any]:
    """Return an error as the page shows it."""
    if not isinstance(error, ReportError):
        return {"kind": type(error).__name__, "message": str(error), **_place(None), "source": "", "hint": ""}
    row = {"kind": type(error).__name__, "message": error.message, **_place(error.location)}
    return {**row, "source": error.source, "hint": error.hint}


def warning_row(warning: Diagnostic) -> dict[str, Any]:
    """Return a warning of LaTeX as the page shows it."""
    return {"message": warning.message, **_place(warning.location), "source": warning.source, "hint": warning.hint}


def _place(location: Location | None) -> dict[str, Any]:
    if location is None:
        return {"file": None, "line": None, "column": None}
    return {"file": location.file, "line": location.line, "column": location.column}
