"""What one Python file defines, imports and uses, read from its syntax tree.

A definition is hashed without docstrings, comments and layout, with the dotted global names that it uses.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from report.errors import Location, RunError

if TYPE_CHECKING:
    from collections.abc import Iterator

EFFECTS = "<module>"
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


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


def encode_index(index: ModuleIndex) -> dict[str, Any]:
    """Return an index as JSON data."""
    return {
        "symbols": {name: [symbol.digest, *symbol.uses] for name, symbol in index.symbols.items()},
        "imports": index.imports,
        "loads": index.loads,
        "data_files": index.data_files,
    }


def decode_index(table: dict[str, Any]) -> ModuleIndex:
    """Return the index that :func:`encode_index` wrote; any of several exceptions when it is damaged."""
    return ModuleIndex(
        symbols={name: Symbol(parts[0], tuple(parts[1:])) for name, parts in table["symbols"].items()},
        imports=table["imports"],
        loads=tuple(table["loads"]),
        data_files=tuple(table["data_files"]),
    )
