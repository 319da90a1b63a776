"""Templates and results → one LaTeX document, with the place in the templates of every line of it."""

from __future__ import annotations

import re
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

from jinja2.exceptions import SecurityError, TemplateNotFound, TemplateSyntaxError, UndefinedError
from jinja2.runtime import Undefined
from jinja2.utils import missing

from report.codecache import CodeCache
from report.constructs import RECORDER, decode_place
from report.errors import Location, ReportError, TemplateError, did_you_mean
from report.latex_jinja import LatexEnvironment
from report.rendermap import Recorder, Rendered, Use, assemble, source_line, without_marks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from report.model import Value

__all__ = ["Rendered", "Use", "render"]

_UNDEFINED = re.compile(r"'([^']+)' is undefined")
_NO_FILTER = re.compile(r"No (filter|test) named '([^']+)'")
_BODY = r"\begin{document}"
_DRAFT_MACRO = (  # unless the preamble defines it; \vadjust, since \marginpar is not allowed in floats
    r"\providecommand\reportdraft[2]{\special{color push rgb 0.8 0 0}#1\special{color pop}"
    r"\ifhmode\vadjust{\smash{\rlap{\kern\dimexpr\hsize+6pt\relax\parbox[t]{70pt}{\raggedright\tiny #2}}}}\fi}"
    r"\providecommand\reportlink[2]{#2}"
)
_OFFSET = re.compile(r" at \d+$")
_LOCAL = re.compile(r"l_\d+_")


def render(
    template_name: str,
    context: Mapping[str, Any],
    *,
    templates: Path,
    root: Path,
    draft: bool = False,
    judge: Callable[[str, Value], bool] | None = None,
    cache: Path | None = None,
) -> Rendered:
    r"""Render the main template.

    Parameters
    ----------
    template_name : str
        Relative to ``templates``.
    context : mapping
        Section name → what :func:`report.views.section_view` returns, and any other global name.
    templates, root : Path
        The folder of the templates, and the project to which paths in messages are relative.
    draft : bool
        Colour what the results contradict: ``\reportdraft{text}{note}`` is put around it. Around a bound number
        comes ``\reportlink{id}{text}``, which a preamble can define as a link to the number's row in an appendix.
    judge : callable (text, value) → bool, optional
        Whether a number typed by hand is right; used in draft mode.
    cache : Path, optional
        A file in the output folder that keeps compiled templates between runs.

    Raises
    ------
    TemplateError, TableError
        With the place in the template that is at fault, whichever file it is in.
    """
    recorder = Recorder()
    names = {**context, RECORDER: recorder, "_draft": draft, "_judge": judge}
    codes = CodeCache(cache)
    environment = LatexEnvironment(templates, root, names, codes)
    try:
        marked = environment.get_template(template_name).render()
    except RecursionError as error:
        raise TemplateError("templates or macros include each other without end") from error
    except Exception as error:
        raise _explained(error, environment) from error
    codes.save()
    if draft:
        marked = marked.replace(_BODY, _DRAFT_MACRO + _BODY, 1)
    return assemble(marked, recorder, environment.sources, templates.resolve())


def _explained(error: Exception, environment: LatexEnvironment) -> ReportError:
    """Turn any exception of a rendering into one with the author's place, line and a suggestion."""
    places = _places(error)
    if isinstance(error, TemplateSyntaxError):
        places = [(_location(error.filename, error.lineno), False)]
    message, hint = (without_marks(part) for part in _message(error, environment))
    kind = type(error) if isinstance(error, ReportError) else TemplateError
    location = error.location if isinstance(error, ReportError) else None
    if location is None and places:
        location, in_macro = places[-1]
        if in_macro and len(places) > 1:
            hint = f"{hint} (in a macro called at {places[-2][0]})".lstrip()
    return kind(message, location=location, hint=hint, source=source_line(environment.sources, location))


def _places(error: Exception) -> list[tuple[Location, bool]]:
    """Return the places in templates that the exception came through, outermost first, and whether in a macro."""
    places = []
    for frame, line in walk_tb(error.__traceback__):
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            place = _location(template.filename, template.get_corresponding_lineno(line))
            places.append((place, frame.f_code.co_name == "macro"))
    return places


def _location(file: str | None, number: int) -> Location:
    line, column = decode_place(number)
    return Location(file or "template", line, column)


def _message(error: Exception, environment: LatexEnvironment) -> tuple[str, str]:
    """Return what happened and what to do, in the words of an author."""
    if isinstance(error, ReportError):
        return error.message, error.hint
    if isinstance(error, TemplateNotFound):
        name = str(error.name or "")
        return f"there is no template '{name}'", did_you_mean(name, environment.list_templates())
    text = _OFFSET.sub("", (getattr(error, "message", None) or str(error)).rstrip("."))
    if isinstance(error, UndefinedError) and (match := _UNDEFINED.fullmatch(text)):
        names = {*environment.globals, *_local_names(error)}
        hint = did_you_mean(match[1], [name for name in names if not name.startswith("_")])
        return f"'{match[1]}' is not defined", hint
    if isinstance(error, TemplateSyntaxError) and (match := _NO_FILTER.fullmatch(text)):
        known = environment.filters if match[1] == "filter" else environment.tests
        return f"there is no {match[1]} '{match[2]}'", did_you_mean(match[2], known)
    if isinstance(error, TypeError) and "Named" in text:
        return "a result cannot be compared or calculated with", "use its raw number: section.key.number"
    ours = isinstance(error, UndefinedError | TemplateSyntaxError | SecurityError)
    return (text if ours else f"{type(error).__name__}: {text}"), ""


def _local_names(error: Exception) -> set[str]:
    """Return the names that loops, macros and set statements had given where the exception arose."""
    return {
        _LOCAL.sub("", name)
        for frame, _ in walk_tb(error.__traceback__)
        if "__jinja_template__" in frame.f_globals
        for name, value in frame.f_locals.items()
        if _LOCAL.match(name) and value is not missing and not isinstance(value, Undefined)
    }
