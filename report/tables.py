"""Tables of the report: raw cells → a booktabs tabular, through PyLaTeX."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from report.errors import ReportError, TableError, did_you_mean
from report.formats import NUMBER_FORMATS, Latex, escape, general

if TYPE_CHECKING:
    from report.model import Cell, Table

Format = str | Callable[[Any], str]
_SPEC = re.compile(r"\s*(\w+)\s*(?:\((.*)\))?\s*", re.DOTALL)
_NOT_COLUMN = re.compile(r"[@!<>]\{[^{}]*\}|\|")
_PREAMBLE = re.compile(r"[A-Za-z](?:\[[^\]]*\])?(?:\{[^{}]*\})?")
_NOTHING = Latex("–")


@dataclass(frozen=True, slots=True)
class _Column:
    id: str
    heading: Latex
    format: Callable[[Any], str] | None
    cells: tuple[Cell, ...]

    @property
    def numeric(self) -> bool:
        return all(cell is None or isinstance(cell, int | float) for cell in self.cells)


def tabular(
    table: Table,
    columns: Mapping[str, str] | Sequence[str] | None = None,
    formats: Mapping[str, Format] | None = None,
    align: str = "",
    groups: Sequence[tuple[str, int]] = (),
    notes: Sequence[str] = (),
    **options: Any,  # noqa: ANN401 - keyword options of the layout, see below
) -> Latex:
    r"""Print a table with the rules of booktabs.

    Parameters
    ----------
    table : Table
        The raw cells.
    columns : mapping of str to str, optional
        Column → heading, in the order they are printed; headings are LaTeX. All columns by default.
    formats : mapping of str to str or callable, optional
        Column → format: a name of :data:`report.formats.NUMBER_FORMATS`, with arguments if wanted, such as
        ``percent(1)``, or ``choice("是", "否")`` for a column of truth values.
    align : str, optional
        One letter per column; by default numbers right, text left.
    groups : sequence of (str, int), optional
        Headings that span several columns, from the left: ``[("", 1), ("范数", 3)]``.
    notes : sequence of str, optional
        Lines below the table, LaTeX.
    **options
        ``transpose=True`` prints each column as a row; ``long=True`` lets the table run over pages;
        ``rules=[3]`` draws a line above row 3 (counted from 0).

    Raises
    ------
    TableError
        For a column, format or option that does not exist, or a layout that does not fit.
    """
    known = ("transpose", "long", "rules")
    for name in options:
        if name not in known:
            raise TableError(f"tabular has no option '{name}'", hint=did_you_mean(name, known))
    chosen = _columns(table, columns, formats or {})
    body = [
        [
            _bold(text) if (row, column.id) in table.emphasis else text
            for column, text in zip(chosen, cells, strict=True)
        ]
        for row, cells in enumerate(_texts(table, chosen))
    ]
    header = [Latex(column.heading) for column in chosen]
    letters = "".join("r" if column.numeric else "l" for column in chosen)
    if options.get("transpose"):
        body = [[Latex(column.heading), *(row[index] for row in body)] for index, column in enumerate(chosen)]
        header, body = body[0], body[1:]
        letters = "l" + "r" * len(table.rows)
    return _typeset(header, body, align or letters, groups, notes, options)


def _columns(
    table: Table, columns: Mapping[str, str] | Sequence[str] | None, formats: Mapping[str, Format]
) -> list[_Column]:
    if isinstance(columns, str):
        raise TableError('columns is a mapping such as {"digit": "数字"}, not a string')
    headings = columns if isinstance(columns, Mapping) else {name: escape(name) for name in columns or table.columns}
    if not headings:
        raise TableError("a table needs at least one column", hint=f"its columns are {', '.join(table.columns)}")
    for name in formats:
        table.column(name)
    return [
        _Column(name, Latex(heading), _format(formats.get(name)), table.column(name))
        for name, heading in headings.items()
    ]


def _format(spec: Format | None) -> Callable[[Any], str] | None:
    """Return the function that a format names: ``percent(1)`` → percent with one decimal."""
    if spec is None or callable(spec):
        return spec
    match = _SPEC.fullmatch(spec)
    known = {**NUMBER_FORMATS, "choice": _choice}
    if match is None or match[1] not in known:
        name = match[1] if match else spec
        raise TableError(f"there is no format '{name}'", hint=did_you_mean(name, known))
    try:
        call = ast.parse(f"f({match[2] or ''})", mode="eval").body
        assert isinstance(call, ast.Call)  # noqa: S101 - for the type checker
        arguments = [ast.literal_eval(argument) for argument in call.args]
        options = {keyword.arg or "": ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError) as error:
        raise TableError(f"the format '{spec}' is not of the form name(1, …)") from error
    if match[1] == "choice":
        return lambda cell: _choice(cell, *arguments)
    return lambda cell: known[match[1]](cell, *arguments, **options)


def _choice(cell: object, yes: str, no: str) -> str:
    return escape(yes if cell else no)


def _bold(text: Latex) -> Latex:
    return Latex(rf"\textbf{{\boldmath {text}}}")


def printed_cells(
    table: Table,
    columns: Mapping[str, str] | Sequence[str] | None = None,
    formats: Mapping[str, Format] | None = None,
    **_layout: Any,  # noqa: ANN401 - takes what tabular takes
) -> tuple[tuple[str, ...], ...]:
    """Return the cells as :func:`tabular` prints them, row by row; it takes the same arguments."""
    return tuple(tuple(row) for row in _texts(table, _columns(table, columns, formats or {})))


def _texts(table: Table, chosen: Sequence[_Column]) -> list[list[Latex]]:
    return [[_cell_text(column.cells[row], column) for column in chosen] for row in range(len(table.rows))]


def _cell_text(cell: Cell, column: _Column) -> Latex:
    if cell is None:
        return _NOTHING
    if column.format is not None:
        try:
            return escape(column.format(cell))
        except (TypeError, ValueError, ReportError) as error:
            reason = error.message if isinstance(error, ReportError) else str(error)
            raise TableError(f"the format of column '{column.id}' does not fit {cell!r}: {reason}") from error
    if isinstance(cell, bool):
        raise TableError(
            f"column '{column.id}' holds {cell}: say how that is printed",
            hint=f"""formats={{"{column.id}": 'choice("yes", "no")'}}""",
        )
    return escape(cell) if isinstance(cell, str) else general(cell)


def _typeset(
    header: list[Latex],
    body: list[list[Latex]],
    align: str,
    groups: Sequence[tuple[str, int]],
    notes: Sequence[str],
    options: Mapping[str, Any],
) -> Latex:
    from pylatex import LongTable, MultiColumn, NoEscape, Tabular  # noqa: PLC0415 - not every report has tables

    width = len(header)
    found = len(_PREAMBLE.findall(_NOT_COLUMN.sub("", align)))
    if found != width:
        raise TableError(f"align '{align}' is for {found} columns, the table prints {width}")
    out = (LongTable if options.get("long") else Tabular)(NoEscape(align), booktabs=True, width=width)
    out.escape = False  # cells are LaTeX already
    if groups:
        spans = [(heading, int(count)) for heading, count in groups]
        missing = width - sum(count for _, count in spans)
        if missing < 0:
            raise TableError(f"the groups span {width - missing} columns, the table has {width}")
        spans += [("", missing)] if missing else []
        out.add_row([MultiColumn(count, align="c", data=NoEscape(heading)) for heading, count in spans])
        start = 1
        for heading, count in spans:
            if heading:
                out.append(NoEscape(rf"\cmidrule(lr){{{start}-{start + count - 1}}}"))
            start += count
    out.add_row([NoEscape(cell) for cell in header])
    out.add_hline()
    if options.get("long"):
        out.end_table_header()
    for index, row in enumerate(body):
        if index in options.get("rules", ()):
            out.add_hline()
        out.add_row([NoEscape(cell) for cell in row])
    lines = [out.dumps(), *(rf"\par\smallskip{{\footnotesize {note}\par}}" for note in notes)]
    return Latex("\n".join(lines))


__all__ = ["Format", "printed_cells", "tabular"]
