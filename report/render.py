"""Templates and results → one LaTeX document, with the place in the templates of every line of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jinja2.exceptions import SecurityError, TemplateNotFound, TemplateSyntaxError, UndefinedError

from report.constructs import RECORDER, decode_place
from report.errors import Location, ReportError, TemplateError, did_you_mean
from report.latex_jinja import LatexEnvironment
from report.rendermap import Recorder, Rendered, Use, assemble, source_line

if TYPE_CHECKING:
    from types import TracebackType
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from report.model import Value

__all__ = ["Rendered", "Use", "render"]

_UNDEFINED = re.compile(r"'([^']+)' is undefined")
_NO_FILTER = re.compile(r"No (filter|test) named '([^']+)'")
_LOCAL = re.compile(r"l_\d+_")


def render(
    template_name: str,
    context: Mapping[str, Any],
    *,
    templates: Path,
    root: Path,
    draft: bool = False,
    judge: Callable[[str, Value], bool] | None = None,
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
        Colour what the results contradict: ``\reportdraft{text}{note}`` is put around it.
    judge : callable (text, value) → bool, optional
        Whether a number typed by hand is right; used in draft mode.

    Raises
    ------
    TemplateError, TableError
        With the place in the template that is at fault, whichever file it is in.
    """
    recorder = Recorder()
    names = {**context, RECORDER: recorder, "_draft": draft, "_judge": judge}
    environment = LatexEnvironment(templates, root, names)
    try:
        marked = environment.get_template(template_name).render()
    except RecursionError as error:
        raise TemplateError("templates or macros include each other without end") from error
    except Exception as error:
        raise _explained(error, environment) from error
    return assemble(marked, recorder, environment.sources, environment.loader.folder)


def _explained(error: Exception, environment: LatexEnvironment) -> ReportError:
    """Turn any exception of a rendering into one with the author's place, line and a suggestion."""
    if isinstance(error, TemplateSyntaxError):
        places = [_location(error.filename, error.lineno)]
    else:
        places = _places(error)
    message, hint = _message(error, environment)
    kind = type(error) if isinstance(error, ReportError) else TemplateError
    location = (error.location if isinstance(error, ReportError) else None) or (places[-1] if places else None)
    callers = [str(place) for place in places if location is not None and place.file != location.file]
    if callers:
        hint = f"{hint}{' ' if hint else ''}(reached from {callers[-1]})"
    source = getattr(error, "source", "") if isinstance(error, ReportError) else ""
    return kind(message, location=location, hint=hint, source=source or source_line(environment.sources, location))


def _places(error: Exception) -> list[Location]:
    """Return the places in templates that the exception came through, outermost first."""
    places = []
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            places.append(_location(template.filename, template.get_corresponding_lineno(trace.tb_lineno)))
        trace = trace.tb_next
    return places


def _location(file: str | None, number: int) -> Location:
    line, column = decode_place(number)
    return Location(file or "template", line, column)


def _message(error: Exception, environment: LatexEnvironment) -> tuple[str, str]:
    """Return what happened and what to do, in the words of an author."""
    if isinstance(error, ReportError):
        return error.message, error.hint
    if isinstance(error, TemplateNotFound):
        name = error.name or ""
        return f"there is no template '{name}'", did_you_mean(name, environment.list_templates())
    text = (getattr(error, "message", None) or str(error)).rstrip(".")
    if isinstance(error, UndefinedError) and (match := _UNDEFINED.fullmatch(text)):
        known = {*environment.globals, *_local_names(error)}
        visible = [name for name in known if not name.startswith("_")]
        return f"'{match[1]}' is not defined", did_you_mean(match[1], visible)
    if isinstance(error, TemplateSyntaxError) and (match := _NO_FILTER.fullmatch(text)):
        known_here = environment.filters if match[1] == "filter" else environment.tests
        return f"there is no {match[1]} '{match[2]}'", did_you_mean(match[2], known_here)
    if isinstance(error, TypeError) and "Named" in text:
        return "a result cannot be compared or calculated with", "use its raw number: section.key.number"
    if isinstance(error, UndefinedError | TemplateSyntaxError | SecurityError):
        return text, ""
    return f"{type(error).__name__}: {text}", ""


def _local_names(error: Exception) -> set[str]:
    """Return the names that loops, macros and set statements had given where the exception arose."""
    names: set[str] = set()
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        if "__jinja_template__" in trace.tb_frame.f_globals:
            names |= {_LOCAL.sub("", name) for name in trace.tb_frame.f_locals if _LOCAL.match(name)}
        trace = trace.tb_next
    return names
