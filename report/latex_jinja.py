"""Jinja2 for LaTeX: everything that is not marked as LaTeX is escaped for LaTeX, nothing ever for HTML.

Jinja's compiled templates import their escaping from :mod:`jinja2.runtime`; :class:`LatexEnvironment` hands
them the functions of this module in place of those for HTML. So macros, ``caller()``, captured blocks and ``~``
follow the same rule as a plain tag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import filters
from jinja2.environment import Template
from jinja2.exceptions import TemplateNotFound
from jinja2.loaders import BaseLoader
from jinja2.runtime import Macro, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from report.constructs import Constructs
from report.errors import Location, TemplateError, did_you_mean
from report.formats import Latex, escape
from report.printing import FILTERS, finalize, printable, without_places_in
from report.scanner import BLOCK_BEGIN, BLOCK_END, COMMENT_BEGIN, COMMENT_END, VAR_BEGIN, VAR_END, convert
from report.views import Named, Namespace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from report.codecache import CodeCache

_KEPT_FILTERS = (
    "abs batch count default d dictsort first float groupby int items last length list lower map max min reject "
    "rejectattr reverse select selectattr slice sort string sum title trim truncate unique upper wordcount"
)
_RUNTIME = "\nfrom report.latex_jinja import LatexMacro as Macro, Latex as Markup, latex_join as markup_join, escape\n"


class LatexMacro(Macro):
    """A macro whose output is LaTeX, not HTML."""

    def _invoke(self, arguments: list[Any], autoescape: bool) -> str:  # noqa: ARG002, FBT001 - Jinja's interface
        return Latex(self._func(*arguments))


def latex_join(parts: Iterable[object]) -> Latex:
    """Join what stands between ``~`` signs: LaTeX stays, the rest is escaped."""
    return Latex("".join(escape(printable(part)) for part in parts))


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
    cache : CodeCache
        Where compiled templates are kept.
    """

    def __init__(self, folder: Path, root: Path, names: Mapping[str, Any], cache: CodeCache) -> None:
        self.sources: dict[str, str] = {}
        super().__init__(
            block_start_string=BLOCK_BEGIN,
            block_end_string=BLOCK_END,
            variable_start_string=VAR_BEGIN,
            variable_end_string=VAR_END,
            comment_start_string=COMMENT_BEGIN,
            comment_end_string=COMMENT_END,
            undefined=StrictUndefined,
            autoescape=True,
            finalize=finalize,
            extensions=[Constructs],
            loader=TemplateLoader(folder, root, cache),
            keep_trailing_newline=True,
            optimized=False,  # it would fold constants with the escaping for HTML
            auto_reload=False,
        )
        self.filters = {name: without_places_in(filters.FILTERS[name]) for name in _KEPT_FILTERS.split()} | FILTERS
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


class TemplateLoader(BaseLoader):
    """Reads templates from one folder and from nowhere else."""

    def __init__(self, folder: Path, root: Path, cache: CodeCache) -> None:
        self.folder, self.root, self.cache = folder.resolve(), root.resolve(), cache

    def load(self, environment: Any, name: str, globals: Any = None) -> Template:  # noqa: A002, ANN401 - Jinja's interface
        """Return a template, from the cache if its text is known."""
        name = "".join(name).replace(r"\_", "_")  # what ``~`` joined is LaTeX, a file's name is plain text
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder):
            raise TemplateError(f"'{name}' lies outside the folder of the templates")
        if not path.is_file():
            raise TemplateNotFound(name)
        file = str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)
        text = _read_template(path, file)
        environment.sources[file] = text
        code = self.cache.get(file, text, lambda: environment.compile(convert(text, file), name, file))
        return Template.from_code(environment, code, globals or {})

    def list_templates(self) -> list[str]:
        """Return the names that can be included."""
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.tex"))


def _read_template(path: Path, file: str) -> str:
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise TemplateError("not UTF-8 text", location=Location(file, raw.count(b"\n", 0, error.start) + 1)) from error


__all__ = ["LatexEnvironment", "escape"]
