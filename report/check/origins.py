"""Where in the code a result is made: the line of a section's modules that names it."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from report.errors import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
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
            place = str(module.relative_to(root))
            for text, line in _strings(module):
                if text in wanted:
                    found.setdefault(wanted[text], Location(place, line))
            for pattern, line in _patterns(module):
                for key, name in wanted.items():
                    if name not in found and pattern.fullmatch(key):
                        found[name] = Location(place, line)
    return found


def _patterns(module: Path) -> Iterator[tuple[re.Pattern[str], int]]:
    """Yield what f-strings of a module can be, such as ``f"score_{digit}"``; one without letters says nothing."""
    for node in _nodes(module):
        if isinstance(node, ast.JoinedStr):
            parts = [str(part.value) if isinstance(part, ast.Constant) else None for part in node.values]
            if any(part and part.isidentifier() for part in parts):
                yield re.compile("".join(r"\w+" if part is None else re.escape(part) for part in parts)), node.lineno


def _nodes(module: Path) -> Iterator[ast.AST]:
    try:
        tree = ast.parse(module.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return
    yield from ast.walk(tree)


def _strings(module: Path) -> Iterator[tuple[str, int]]:
    """Yield the string constants of a module, keyword names and function names among them."""
    for node in _nodes(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg, node.value.lineno
        elif isinstance(node, ast.FunctionDef):
            yield node.name, node.lineno
