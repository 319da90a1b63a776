"""What a tag prints: results, settings and plain data as LaTeX, and the filters that format them."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from jinja2.runtime import Undefined
from jinja2.utils import pass_context, pass_environment

from report.constructs import recorder
from report.errors import TemplateError, did_you_mean
from report.formats import NUMBER_FORMATS, Latex, escape, fixed, general, plain
from report.model import Claim, Figure, Table, Value
from report.rendermap import without_places
from report.views import Named, Namespace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jinja2.environment import Environment
    from jinja2.runtime import Context


def printable(thing: object) -> object:
    """Return what ``~`` joins: a Named prints its number."""
    return _result_text(thing.item, thing.id) if isinstance(thing, Named) else thing


@pass_context
def finalize(context: Context, thing: Any) -> Any:  # noqa: ANN401 - Jinja's interface
    """Turn what a tag prints into LaTeX; results are marked as bound."""
    if isinstance(thing, Named):
        text = Latex(recorder(context).mark("bound", thing.id, _result_text(thing.item, thing.id)))
        return _linked(context, thing.id, text) if isinstance(thing.item, Value) else text
    return _text_of(thing, "")


def _linked(context: Context, name: str, text: Latex) -> Latex:
    """In a draft, lead from a number to its row in the appendix."""
    return Latex(rf"\reportlink{{{name}}}{{{text}}}") if context.get("_draft") else text


def _text_of(thing: Any, name: str) -> Latex:  # noqa: ANN401 - a tag can hold anything
    """Return what a tag prints, where it is no result: ``name`` is the id that belongs to a result's item."""
    if isinstance(thing, str):
        return escape(thing)
    if isinstance(thing, Undefined):
        str(thing)  # raises, with the name
    if isinstance(thing, Value | Figure | Table | Claim):
        return _result_text(thing, name)
    if isinstance(thing, int | float) and not isinstance(thing, bool):
        return plain(thing)
    if isinstance(thing, tuple | list):
        return Latex(", ").join(_text_of(part, name) for part in thing)
    return _other_text(thing)


def _result_text(item: Value | Figure | Table | Claim, name: str) -> Latex:
    if isinstance(item, Value):
        return _value_text(item)
    if isinstance(item, Figure):
        return Latex(f"figures/{name}.pdf")
    if isinstance(item, Table):
        from report.tables import tabular  # noqa: PLC0415 - only reports with tables need PyLaTeX

        return tabular(item)
    raise TemplateError(
        f"a claim prints nothing: '{name}'", hint=rf"write \claim{{{name}}}{{sentence}}, or print {name}.evidence"
    )


def _other_text(thing: object) -> Latex:
    if thing is None or isinstance(thing, bool):
        raise TemplateError(f"{thing} cannot be printed", hint=r"choose a text with \BLOCK{if …}")
    if isinstance(thing, Namespace):
        raise TemplateError("a group of names cannot be printed; name one of them", hint=did_you_mean("", thing))
    if callable(thing) or isinstance(thing, dict):
        raise TemplateError(f"a {type(thing).__name__} cannot be printed")
    return escape(str(thing))


def _value_text(value: Value) -> Latex:
    text = general(value.number) if value.digits is None else fixed(value.number, value.digits)
    if value.unit:
        text += Latex("" if value.unit == "%" else r"\,") + escape(value.unit)
    return text


def without_places_in(function: Callable[..., Any]) -> Callable[..., Any]:
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
        if isinstance(thing, Latex):
            raise TemplateError("this is printed text already, not a number", hint="give a number one format only")
        if not isinstance(thing, Named):
            return function(thing.number if isinstance(thing, Value) else thing, *arguments, **options)
        if not isinstance(thing.item, Value):
            raise TemplateError(f"'{thing.id}' is a {type(thing.item).__name__.lower()}, not a number")
        text = function(thing.item.number, *arguments, **options)
        return _linked(context, thing.id, Latex(recorder(context).mark("bound", thing.id, text)))

    return filtered


@pass_context
def _tabular(context: Context, thing: Any, **options: Any) -> Latex:  # noqa: ANN401 - a filter gets anything
    from report.tables import printed_cells, tabular  # noqa: PLC0415 - only reports with tables need PyLaTeX

    if isinstance(thing, Undefined):
        str(thing)  # raises, with the name
    table = thing.item if isinstance(thing, Named) else thing
    if not isinstance(table, Table):
        what = f"the {type(table).__name__.lower()} '{thing.id}'" if isinstance(thing, Named) else repr(thing)
        raise TemplateError(f"tabular prints a table, not {what}")
    text = tabular(table, **options)
    if not isinstance(thing, Named):
        return text
    return Latex(recorder(context).mark("bound", thing.id, text, cells=printed_cells(table, **options)))


@pass_environment
def _join(
    environment: Environment, parts: Iterable[object], separator: str = "", attribute: str | None = None
) -> Latex:
    if attribute is not None:  # as a tag would reach it: nothing that starts with an underscore
        parts = [environment.getattr(part, attribute) for part in parts]
    return escape(separator).join(_text_of(printable(part), "") for part in parts)


FILTERS: dict[str, Callable[..., Any]] = {
    **{name: _number_filter(function) for name, function in NUMBER_FORMATS.items()},
    "tabular": _tabular,
    "join": _join,
    "e": escape,
    "escape": escape,
    "latex": Latex,
}
"""The filters of the templates that are not Jinja's own."""
