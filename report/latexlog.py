"""What LaTeX and BibTeX said, as diagnostics at the templates' lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from report.errors import Location
    from report.rendermap import Rendered

_PAGES = re.compile(r"^Output written on .*\((\d+) pages?", re.MULTILINE)
_ERROR = re.compile(r"^(?:\./)?([^\s:]+\.\w+):(\d+): (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message of LaTeX or BibTeX, at the place of the template that caused it."""

    severity: str
    message: str
    location: Location | None = None
    source: str = ""
    hint: str = ""
    auxiliary: bool = False


def pages_of(log: Path) -> int:
    """Return the number of pages that a log reports."""
    found = _PAGES.findall(log.read_text(encoding="utf-8", errors="replace"))
    return int(found[-1]) if found else 0


def diagnose(work: Path, name: str, rendered: Rendered, root: Path, output: str) -> list[Diagnostic]:
    """Read the logs."""
    text = (work / f"{name}.log").read_text(encoding="utf-8", errors="replace") if (work / f"{name}.log").exists() else output
    found = []
    for file, line, message in _ERROR.findall(text):
        main = file == f"{name}.tex"
        location = rendered.line(int(line)) if main else None
        found.append(Diagnostic("error", message, location, rendered.source(location), auxiliary=not main))
    return found
