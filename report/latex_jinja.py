"""Jinja2 for LaTeX: everything that is not marked as LaTeX is escaped for LaTeX, nothing ever for HTML.

Jinja's compiled templates import their escaping from :mod:`jinja2.runtime`; :class:`LatexEnvironment` hands
them the functions of this module in place of those for HTML. So macros, ``caller()``, captured blocks and ``~``
follow the same rule as a plain tag.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from jinja2 import filters
from jinja2.exceptions import TemplateNotFound
from jinja2.loaders import BaseLoader
from jinja2.runtime import Macro, StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import pass_context

from report import scanner
from report.constructs import Constructs, recorder
from report.errors import Location, ReportError, TemplateError, did_you_mean
from report.formats import NUMBER_FORMATS, Latex, escape, general, plain
from report.model import Claim, Figure, Table, Value
from report.rendermap import without_places
from report.views import Named, Namespace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from types import CodeType

    from jinja2.runtime import Context

_KEPT_FILTERS = (
    "abs batch count default d dictsort first float groupby int items last length list lower map max min reject "
    "rejectattr reverse select selectattr slice sort string sum title trim truncate unique upper wordcount"
).split()
_RUNTIME = "\nfrom report.latex_jinja import LatexMacro as Macro, Latex as Markup, latex_join as markup_join, escape\n"
_compiled: dict[tuple[str, str], CodeType] = {}


class LatexMacro(Macro):
    """A macro whose output is LaTeX, not HTML."""

    def _invoke(self, arguments: list[Any], autoescape: bool) -> str:  # noqa: ARG002, FBT001 - Jinja's interface
        return Latex(self._func(*arguments))


def latex_join(parts: Iterable[object]) -> Latex:
    """Join what stands between ``~`` signs: LaTeX stays, the rest is escaped."""
    return Latex("".join(escape(_printable(part)) for part in parts))


class LatexEnvironment(ImmutableSandboxedEnvironment):
    """The environment of one rendering.

    Parameters
    ----------
    folder : Path
        The templates; no template outside can be named.
    root : Path
        The project, to which paths in messages are relative.
    names : mapping
        What templates see; included and imported templates see it too.
    """

    def __init__(self, folder: Path, root: Path, names: Mapping[str, Any]) -> None:
        self.sources: dict[str, str] = {}
        super().__init__(
            block_start_string=scanner.BLOCK_BEGIN,
            block_end_string=scanner.BLOCK_END,
            variable_start_string=scanner.VAR_BEGIN,
            variable_end_string=scanner.VAR_END,
            comment_start_string=scanner.COMMENT_BEGIN,
            comment_end_string=scanner.COMMENT_END,
            undefined=StrictUndefined,
            autoescape=True,
            finalize=_finalize,
            extensions=[Constructs],
            loader=TemplateLoader(folder, root),
            keep_trailing_newline=True,
            optimized=False,  # it would fold constants with the escaping for HTML
            auto_reload=False,
        )
        self.filters = {name: _unmarked(filters.FILTERS[name]) for name in _KEPT_FILTERS} | _own_filters()
        self.globals = {name: self.globals[name] for name in ("range", "dict", "namespace", "cycler", "joiner")}
        self.globals.update(names)

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 - Jinja's interface
        """Look names up in sections first; ``lda.p_value.number`` reaches into the value."""
        if isinstance(obj, Namespace):
            return obj[attribute] if attribute in set(obj) else super().getattr(obj, attribute)
        if isinstance(obj, Named) and attribute != "id":
            known = [name for name in dir(obj.item) if not name.startswith("_")]
            if attribute not in known:
                kind = type(obj.item).__name__.lower()
                raise TemplateError(f"{kind} '{obj.id}' has no '{attribute}'", hint=did_you_mean(attribute, known))
            return super().getattr(obj.item, attribute)
        return super().getattr(obj, attribute)

    def handle_exception(self, source: str | None = None) -> Any:  # noqa: ANN401, ARG002 - Jinja's interface
        """Leave the exception as it is: its places are read from it in report.render."""
        raise  # noqa: PLE0704 - Jinja calls this while it handles an exception

    def _generate(self, *arguments: Any, **options: Any) -> str:  # noqa: ANN401 - Jinja's interface
        return super()._generate(*arguments, **options) + _RUNTIME

    def compile(self, source: Any, name: Any = None, filename: Any = None, *rest: Any) -> Any:  # type: ignore[override]  # noqa: ANN401 - Jinja's interface
        """Compile a template once per process, as long as its text does not change."""
        key = (filename or "", source)
        if key not in _compiled:
            _compiled[key] = super().compile(source, name, filename, *rest)
        return _compiled[key]


class TemplateLoader(BaseLoader):
    """Reads templates from one folder and from nowhere else."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder, self.root = folder.resolve(), root.resolve()

    def get_source(self, environment: Any, template: str) -> tuple[str, str, None]:  # type: ignore[override]  # noqa: ANN401 - Jinja's interface
        """Return a template as Jinja source, and its path as messages show it."""
        path = (self.folder / template).resolve()
        if not path.is_relative_to(self.folder):
            raise TemplateError(f"'{template}' lies outside the folder of the templates")
        if not path.is_file():
            raise TemplateNotFound(template)
        file = str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)
        raw = path.read_bytes()
        try:
            text = raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            raise TemplateError("not UTF-8 text", location=Location(file, line)) from error
        environment.sources[file] = text
        return scanner.convert(text, file), file, None

    def list_templates(self) -> list[str]:
        """Return the names that can be included."""
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.tex"))


def _printable(thing: object) -> object:
    """Return what ``~`` joins: a Named prints its number."""
    return _text_of(thing.item, thing.id) if isinstance(thing, Named) else thing


@pass_context
def _finalize(context: Context, thing: Any) -> Any:  # noqa: ANN401 - Jinja's interface
    """Turn what a tag prints into LaTeX; results are marked as bound."""
    if isinstance(thing, Named):
        return Latex(recorder(context).mark("bound", thing.id, _text_of(thing.item, thing.id)))
    return _text_of(thing, "")


def _text_of(thing: Any, name: str) -> Latex:  # noqa: ANN401 - a tag can hold anything
    if isinstance(thing, str):
        return escape(thing)
    if isinstance(thing, Undefined):
        str(thing)  # raises, with the name
    if isinstance(thing, Value):
        return _value_text(thing)
    if isinstance(thing, Figure):
        return Latex(f"figures/{name}.pdf")
    if isinstance(thing, Table):
        from report.tables import tabular  # noqa: PLC0415 - only reports with tables need PyLaTeX

        return tabular(thing)
    if isinstance(thing, Claim):
        raise TemplateError(
            f"a claim prints nothing: '{name}'", hint=rf"write \claim{{{name}}}{{sentence}}, or print {name}.evidence"
        )
    if isinstance(thing, int | float) and not isinstance(thing, bool):
        return plain(thing)
    if isinstance(thing, tuple | list):
        return Latex(", ").join(_text_of(part, name) for part in thing)
    return _other_text(thing)


def _other_text(thing: object) -> Latex:
    if thing is None or isinstance(thing, bool):
        raise TemplateError(f"{thing} cannot be printed", hint=r"choose a text with \BLOCK{if …}")
    if isinstance(thing, Namespace):
        raise TemplateError("a group of names cannot be printed; name one of them", hint=did_you_mean("", thing))
    if callable(thing) or isinstance(thing, dict):
        raise TemplateError(f"a {type(thing).__name__} cannot be printed")
    return escape(str(thing))


def _value_text(value: Value) -> Latex:
    from report.formats import fixed  # noqa: PLC0415

    text = general(value.number) if value.digits is None else fixed(value.number, value.digits)
    if value.unit:
        text += Latex("" if value.unit == "%" else r"\,") + escape(value.unit)
    return text


def _unmarked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Hide the marks of the render map from a filter that looks at characters."""

    @wraps(function)
    def filtered(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - any filter
        clean = [type(item)(without_places(item)) if isinstance(item, str) else item for item in arguments]
        return function(*clean, **options)

    return filtered


def _number_filter(function: Callable[..., Latex]) -> Callable[..., Latex]:
    @pass_context
    @wraps(function)
    def filtered(context: Context, thing: Any, *arguments: Any, **options: Any) -> Latex:  # noqa: ANN401 - any filter
        if isinstance(thing, Undefined):
            str(thing)  # raises, with the name
        if not isinstance(thing, Named):
            return function(thing.number if isinstance(thing, Value) else thing, *arguments, **options)
        if not isinstance(thing.item, Value):
            raise TemplateError(f"'{thing.id}' is a {type(thing.item).__name__.lower()}, not a number")
        text = function(thing.item.number, *arguments, **options)
        return Latex(recorder(context).mark("bound", thing.id, text))

    return filtered


@pass_context
def _tabular(context: Context, thing: Any, **options: Any) -> Latex:  # noqa: ANN401 - a filter gets anything
    from report.tables import tabular  # noqa: PLC0415 - only reports with tables need PyLaTeX

    if isinstance(thing, Undefined):
        str(thing)  # raises, with the name
    table = thing.item if isinstance(thing, Named) else thing
    if not isinstance(table, Table):
        raise TemplateError(f"tabular prints a table, not {thing!r}")
    text = tabular(table, **options)
    if not isinstance(thing, Named):
        return text
    return Latex(recorder(context).mark("bound", thing.id, text))


def _join(parts: Iterable[object], separator: str = "", attribute: str | None = None) -> Latex:
    if attribute is not None:
        parts = [getattr(part, attribute) for part in parts]
    return escape(separator).join(_text_of(_printable(part), "") for part in parts)


def _own_filters() -> dict[str, Callable[..., Any]]:
    return {
        **{name: _number_filter(function) for name, function in NUMBER_FORMATS.items()},
        "tabular": _tabular,
        "join": _join,
        "e": escape,
        "escape": escape,
        "latex": Latex,
    }


__all__ = ["Latex", "LatexEnvironment", "LatexMacro", "ReportError", "escape", "latex_join"]
