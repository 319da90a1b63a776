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

import ast
import json
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report.errors import Location, RunError
from report.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINE = __name__.partition(".")[0]
"""The engine itself is not followed: its version stands in every key as the schema number."""
EFFECTS = "<module>"
WHOLE = "<all>"
_OPAQUE = {"eval", "exec", "globals", "locals", "vars", "__import__", "importlib"}
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_INDEX_VERSION = "3"


@dataclass(frozen=True, slots=True)
class Symbol:
    """One definition: the digest of its syntax tree, and the dotted names it uses."""

    digest: str
    uses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModuleIndex:
    """What one file defines and imports.

    ``imports`` maps a local name to the dotted targets it may stand for; ``loads`` are the modules that are
    executed when this one is imported; ``data_files`` are what a module-level ``SOURCES`` tuple names, and count for
    whoever uses a definition of the module.
    """

    symbols: dict[str, Symbol]
    imports: dict[str, list[str]]
    loads: tuple[str, ...]
    data_files: tuple[str, ...]


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
                    agenda.extend(self._targets(module, index, symbol))
        return Closure(dict(sorted(sources.items())), frozenset(packages))

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
                    return _decode(json.loads(content))
        index = index_source(text, path, module, package=package)
        if store is not None:
            content = json.dumps(_encode(index)).encode()
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


def index_source(text: bytes, path: str, module: str, *, package: bool) -> ModuleIndex:
    """Index one file; :class:`RunError` names the line when it is not valid Python."""
    try:
        tree = ast.parse(text, filename=path)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise RunError(f"not valid Python: {error}", location=Location(path, line)) from error
    parent = module if package else module.rpartition(".")[0]
    statements: dict[str, list[ast.stmt]] = {}
    loads: list[str] = []
    for statement in tree.body:
        if _never_imported(statement) or _is_docstring(statement):
            continue
        for name in _bound(statement):
            statements.setdefault(name, []).append(statement)
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            continue
        for _, target in _imported(statement, parent):
            loads.extend((target, target.rpartition(".")[0]))
    return ModuleIndex(
        symbols={name: _symbol(nodes) for name, nodes in statements.items()},
        imports=_imports(tree, parent),
        loads=tuple(dict.fromkeys(name for name in loads if name)),
        data_files=_data_files(tree),
    )


def _symbol(nodes: list[ast.stmt]) -> Symbol:
    uses: dict[str, None] = {}
    dumps = []
    for node in nodes:
        for name in _names(node):
            uses[name] = None
        dumps.append(_dump(node))
    return Symbol(sha256("\n".join(dumps).encode()).hexdigest()[:16], tuple(uses))


def _dump(node: ast.stmt) -> str:
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            body = [part for part in inner.body if not _is_docstring(part)]
            inner.body = body or [ast.Pass()]
    return ast.dump(node)


def _names(node: ast.AST, hidden: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the dotted global names used in a tree, each as long as it goes: ``np.linalg.norm``."""
    if isinstance(node, ast.Attribute) and _dotted(node):
        yield from (name for name in [_dotted(node)] if name.partition(".")[0] not in hidden)
        return
    if isinstance(node, ast.Name) and node.id not in hidden:
        yield node.id
    inner = hidden | _local_names(node) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else hidden
    annotations = getattr(node, "annotation", None), getattr(node, "returns", None)
    for child in ast.iter_child_nodes(node):
        if child not in annotations:  # a type is named there, not used: a run does not depend on its upstream's code
            in_body = isinstance(child, ast.stmt)
            yield from _names(child, inner if in_body else hidden)


def _local_names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    """Return the parameters and local variables of a function; imported names stay visible, to be followed."""
    arguments = function.args
    bound = {arg.arg for arg in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
    bound |= {arg.arg for arg in (arguments.vararg, arguments.kwarg) if arg is not None}
    shared: set[str] = set()
    agenda: list[ast.AST] = list(function.body)
    while agenda:
        node = agenda.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            shared |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Global | ast.Nonlocal):
            shared |= set(node.names)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda | _COMPREHENSIONS):
            agenda.extend(ast.iter_child_nodes(node))
    return frozenset(bound - shared)


def _dotted(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _bound(statement: ast.stmt) -> list[str]:
    """Return the names a top-level statement defines; an import defines none, anything else has effects."""
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass):
        return []
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names = [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
        if all(isinstance(target, ast.Name | ast.Tuple) for target in targets):
            return names
    inner = [node for node in ast.walk(statement) if isinstance(node, ast.stmt) and node is not statement]
    return [EFFECTS, *dict.fromkeys(name for part in inner for name in _bound(part) if name != EFFECTS)]


def _imports(tree: ast.Module, parent: str) -> dict[str, list[str]]:
    """Map every imported name of the file, wherever it is imported, to what it may stand for."""
    imports: dict[str, list[str]] = {}
    skipped = {node for top in ast.walk(tree) if _never_imported(top) for node in ast.walk(top)}
    for node in ast.walk(tree):
        if node not in skipped and isinstance(node, ast.Import | ast.ImportFrom):
            for local, target in _imported(node, parent):
                known = imports.setdefault(local, [])
                if target not in known:
                    known.append(target)
    return imports


def _imported(node: ast.Import | ast.ImportFrom, parent: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            local = alias.asname or alias.name.partition(".")[0]
            yield local, alias.name if alias.asname else local
        return
    base = parent.split(".")[: len(parent.split(".")) - node.level + 1] if node.level else []
    module = ".".join([*base, *([node.module] if node.module else [])])
    for alias in node.names:
        yield alias.asname or alias.name, module if alias.name == "*" else f"{module}.{alias.name}"


def _never_imported(node: ast.AST) -> bool:
    """Tell whether a statement does nothing on import: ``if TYPE_CHECKING:`` and ``if __name__ == …:``."""
    if not isinstance(node, ast.If):
        return False
    test = node.test.left if isinstance(node.test, ast.Compare) else node.test
    return _dotted(test).rpartition(".")[2] in {"TYPE_CHECKING", "__name__"}


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _data_files(tree: ast.Module) -> tuple[str, ...]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and [_dotted(target) for target in node.targets] == ["SOURCES"]:
            return tuple(ast.literal_eval(node.value))
    return ()


def _file_digest(path: Path, where: str) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise RunError(f"{where} names a file that cannot be read: {error}") from error


def _encode(index: ModuleIndex) -> dict[str, Any]:
    return {
        "symbols": {name: [symbol.digest, *symbol.uses] for name, symbol in index.symbols.items()},
        "imports": index.imports,
        "loads": index.loads,
        "data_files": index.data_files,
    }


def _decode(table: dict[str, Any]) -> ModuleIndex:
    return ModuleIndex(
        symbols={name: Symbol(parts[0], tuple(parts[1:])) for name, parts in table["symbols"].items()},
        imports=table["imports"],
        loads=tuple(table["loads"]),
        data_files=tuple(table["data_files"]),
    )
