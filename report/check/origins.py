"""Where in the code a result is made: the line of a section's modules that names it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from report.errors import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from report.check.facts import Facts
    from report.model import Section


def find_origins(facts: Facts, sections: Iterable[Section], root: Path) -> Mapping[str, Location]:
    """Return for every value, table, figure and claim the line that names it.

    A section's module comes first, then the modules beside it whose name begins with that of the section.

    Parameters
    ----------
    facts : Facts
        The results.
    sections : iterable of Section
        Their modules are read, not imported.
    root : Path
        The project folder.
    """
    found: dict[str, Location] = {}
    names = {*facts.values, *facts.tables, *facts.figures, *facts.claims}
    for section in sections:
        path = root.joinpath(*section.module.split(".")).with_suffix(".py")
        beside = sorted(path.parent.glob(f"{path.stem}_*.py")) if path.parent.is_dir() else []
        wanted = {name.partition(".")[2]: name for name in names if name.startswith(f"{section.name}.")}
        for module in (path, *beside):
            for text, line in _strings(module):
                if text in wanted and wanted[text] not in found:
                    found[wanted[text]] = Location(str(module.relative_to(root)), line)
    return found


def _strings(module: Path) -> Iterable[tuple[str, int]]:
    """Yield the string constants of a module, keyword names and function names among them."""
    try:
        tree = ast.parse(module.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg, node.value.lineno
        elif isinstance(node, ast.FunctionDef):
            yield node.name, node.lineno
