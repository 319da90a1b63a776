"""What source a result depends on: the definitions it can reach, across the modules of a project.

Modules are read, never imported. Starting from a class or function, every name it uses is followed to its
definition, in its own module or through an import, and from there on. What is hashed is the syntax tree
without docstrings, so comments, blank lines and layout do not count. Two definitions in one file are two
things: editing a drawing function does not touch a training function beside it.

Where a name cannot be followed (``eval``, ``globals()``, a module passed around as a value, ``import *``) the
whole module counts. Statements at module level that are not definitions count for everybody who imports
the module. Names are followed, not values: a definition that is replaced at run time is not seen.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report.definitions import EFFECTS, ModuleIndex, Symbol, decode_index, encode_index, index_source
from report.errors import RunError
from report.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINE = __name__.partition(".")[0]
"""The engine itself is not followed: its version stands in every key as the schema number."""
WHOLE = "<all>"
_OPAQUE = {"eval", "exec", "globals", "locals", "vars", "__import__", "importlib"}
_INDEX_VERSION = "3"


@dataclass(frozen=True, slots=True)
class Closure:
    """Reached definitions (``file:name`` → digest) and the top-level names of foreign packages."""

    sources: dict[str, str] = field(default_factory=dict)
    packages: frozenset[str] = frozenset()


class Project:
    """The modules under a folder, read on demand; their indexes are kept in the cache by content."""

    def __init__(self, root: Path, cache: Path | None = None) -> None:
        self._root = root
        self._cache = cache / "index" if cache else None
        self._modules: dict[str, tuple[str, ModuleIndex] | None] = {}
        self._reached: dict[tuple[tuple[str, str], ...], Closure] = {}

    def reach(self, *starts: tuple[str, str]) -> Closure:
        """Return everything that the definitions ``(module, name)`` depend on.

        Raises
        ------
        RunError
            When a start does not exist, or a file on the way is not valid Python.
        """
        if starts in self._reached:
            return self._reached[starts]
        for module, name in starts:
            found = self._index(module)
            if found is None or (name != WHOLE and name not in found[1].symbols):
                raise RunError(f"module '{module}' defines no '{name}'", hint="look at the sections of the project")
        self._reached[starts] = self._walk(list(starts))
        return self._reached[starts]

    def files(self) -> list[str]:
        """Return every file that has been looked at: what is reached, what is executed on the way, data files."""
        found = [entry for entry in self._modules.values() if entry is not None]
        return sorted({file for path, index in found for file in (path, *index.data_files)})

    def _walk(self, agenda: list[tuple[str, str]]) -> Closure:
        sources: dict[str, str] = {}
        packages: set[str] = set()
        seen: set[tuple[str, str]] = set()
        while agenda:
            module, name = agenda.pop()
            if (module, name) in seen:
                continue
            seen.add((module, name))
            found = self._index(module)
            if found is None:
                packages.add(module.partition(".")[0])
                continue
            path, index = found
            agenda.extend((loaded, EFFECTS) for loaded in index.loads if self._index(loaded) is not None)
            agenda.append((module, EFFECTS))
            for file in index.data_files if name != EFFECTS else ():
                sources[file] = _file_digest(self._root / file, f"{path}: SOURCES")
            for member in index.symbols if name == WHOLE else (name,):
                symbol = index.symbols.get(member)
                if symbol is not None:
                    sources[f"{path}:{member}"] = symbol.digest
                    sources.update(self._foreign(path, index, symbol))
                    agenda.extend(self._targets(module, index, symbol))
        return Closure(dict(sorted(sources.items())), frozenset(packages))

    def _foreign(self, path: str, index: ModuleIndex, symbol: Symbol) -> Iterator[tuple[str, str]]:
        """Yield what the names of other packages stand for: ``mean as f`` and ``median as f`` are two things."""
        for dotted in symbol.uses:
            head = dotted.partition(".")[0]
            targets = index.imports.get(head, ())
            foreign = [target for target in targets if self._index(target.partition(".")[0]) is None]
            if foreign and head not in index.symbols:
                yield f"{path}:{head}", ", ".join(foreign)

    def _targets(self, module: str, index: ModuleIndex, symbol: Symbol) -> Iterator[tuple[str, str]]:
        for dotted in symbol.uses:
            head, _, rest = dotted.partition(".")
            if head in _OPAQUE:
                yield module, WHOLE
            if head in index.symbols:
                yield module, head
            for target in index.imports.get(head, ()):
                yield from self._resolve(f"{target}.{rest}" if rest else target)
            if head not in index.symbols and head not in index.imports:
                yield from ((star, WHOLE) for star in index.imports.get("*", ()))

    def _resolve(self, dotted: str) -> Iterator[tuple[str, str]]:
        """Split a dotted path into the longest project module and the definition within it."""
        parts = dotted.split(".")
        if parts[0] == ENGINE or parts[0] in sys.stdlib_module_names:
            return
        for length in range(len(parts), 0, -1):
            module = ".".join(parts[:length])
            found = self._index(module)
            if found is None:
                continue
            if length == len(parts):
                yield module, WHOLE
            elif parts[length] in found[1].symbols:
                yield module, parts[length]
            else:
                targets = found[1].imports.get(parts[length])
                for target in targets or ():
                    yield from self._resolve(".".join([target, *parts[length + 1 :]]))
                if not targets:
                    yield module, WHOLE
            return
        yield parts[0], EFFECTS

    def _index(self, module: str) -> tuple[str, ModuleIndex] | None:
        if module not in self._modules:
            self._modules[module] = self._read(module)
        return self._modules[module]

    def _read(self, module: str) -> tuple[str, ModuleIndex] | None:
        if module.partition(".")[0] == ENGINE:
            return None
        base = self._root.joinpath(*module.split("."))
        for path, package in ((base.with_suffix(".py"), False), (base / "__init__.py", True)):
            if path.is_file():
                text = path.read_bytes()
                relative = path.relative_to(self._root).as_posix()
                return relative, self._cached(text, relative, module, package=package)
        return None

    def _cached(self, text: bytes, path: str, module: str, *, package: bool) -> ModuleIndex:
        head = f"{_INDEX_VERSION}:{sys.version_info[:2]}:{module}:{package}:".encode()
        key = sha256(head + text).hexdigest()
        store = self._cache / f"{key}.json" if self._cache else None
        if store is not None:
            with suppress(OSError, ValueError, KeyError, TypeError):  # absent or damaged: it is made anew below
                seal, _, content = store.read_bytes().partition(b"\n")
                # One flipped letter in a name would hide a dependency, and a later edit of it would not be seen.
                if _seal(key, content) == seal:
                    return decode_index(json.loads(content))
        index = index_source(text, path, module, package=package)
        if store is not None:
            content = json.dumps(encode_index(index)).encode()
            write_atomic(store, _seal(key, content) + b"\n" + content)
        return index


def _seal(key: str, content: bytes) -> bytes:
    """Return a digest of an index and of the source it belongs to."""
    return sha256(key.encode() + content).hexdigest().encode()


def module_of(kind: Any) -> str:  # noqa: ANN401 - a class or a function
    """Return the module that defines a class or function; for the script that was started, its file's name."""
    if kind.__module__ != "__main__":
        return str(kind.__module__)
    return Path(getattr(sys.modules["__main__"], "__file__", None) or "__main__").stem


def _file_digest(path: Path, where: str) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise RunError(f"{where} names a file that cannot be read: {error}") from error
