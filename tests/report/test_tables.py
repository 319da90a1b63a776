"""Raw cells → a booktabs tabular."""

import pytest

from report.errors import TableError
from report.formats import Latex, fixed
from report.model import Table
from report.tables import printed_cells, tabular

TABLE = Table(
    ["name", "norm", "count", "best"],
    [["a & b", 8.38, 7684, True], [r"\input{x}", -0.5, None, False]],
    emphasis=[(0, "count")],
)
ALL = {"name": "Name", "norm": r"$\ell_2$", "count": "Anzahl", "best": "?"}
FORMATS = {"norm": "fixed(1)", "best": 'choice("是", "否")'}


def _rows(latex):
    """Return the lines of a tabular without PyLaTeX's trailing comment signs."""
    return [line.removesuffix("%") for line in latex.split("\n") if line != "%"]


def test_cells_are_formatted_and_escaped_and_headings_are_latex():
    """Columns stand in the order they are asked for; numbers stand right, text left; nothing prints as a dash."""
    assert _rows(tabular(TABLE, ALL, FORMATS)) == [
        r"\begin{tabular}{@{}lrrr@{}}",
        r"\toprule",
        r"Name&$\ell_2$&Anzahl&?\\",
        r"\midrule",
        r"a \& b&8.4&\textbf{\boldmath 7684}&是\\",
        r"\textbackslash{}input\{x\}&\ensuremath{-}0.5&–&否\\\bottomrule",
        r"\end{tabular}",
    ]


def test_columns_are_chosen_and_ordered():
    """Only the named columns are printed, in the order of the mapping or the list."""
    assert r"Anzahl&Name\\" in _rows(tabular(TABLE, {"count": "Anzahl", "name": "Name"}))
    assert r"count&name\\" in _rows(tabular(TABLE, ["count", "name"]))


def test_headings_span_columns():
    """A row of groups stands above, each with a rule as wide as its columns."""
    rows = _rows(tabular(TABLE, ALL, FORMATS, groups=[("", 1), ("$A$", 2)]))
    assert rows[2] == r"\multicolumn{1}{c}{}&\multicolumn{2}{c}{$A$}&\multicolumn{1}{c}{}\\"
    assert rows[3] == r"\cmidrule(lr){2-3}"


def test_a_table_can_be_turned():
    """With transpose each column is a row, with its heading first."""
    rows = _rows(tabular(TABLE, {"name": "Name", "norm": "N"}, transpose=True))
    assert rows[2] == r"Name&a \& b&\textbackslash{}input\{x\}\\"
    assert rows[4] == r"N&8.38&\ensuremath{-}0.5\\\bottomrule"


def test_layout_options():
    """Rules between rows, a table that runs over pages, own alignment, and notes below."""
    text = tabular(TABLE, {"name": "N", "count": "C"}, align="p{2cm}|c", rules=[1], long=True, notes=["a $b$"])
    assert r"\begin{longtable}{@{}p{2cm}|c@{}}" in text
    assert r"\endhead" in text
    assert text.count(r"\midrule") == 2
    assert text.endswith(r"{\footnotesize a $b$\par}")


def test_a_format_can_be_a_function():
    """Whatever a function returns is escaped unless it is LaTeX."""
    cells = printed_cells(TABLE, ["norm", "count"], {"norm": lambda cell: f"{cell}%", "count": fixed})
    assert cells == ((r"8.38\%", "7684.00"), (r"-0.5\%", "–"))
    assert isinstance(tabular(TABLE, ["norm"]), Latex)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"nam": "N"}}, "no column 'nam'"),
        ({"columns": "name"}, "not a string"),
        ({"columns": ["name"], "formats": {"nrm": "fixed"}}, "no column 'nrm'"),
        ({"columns": ["norm"], "formats": {"norm": "fixd(1)"}}, "no format 'fixd'"),
        ({"columns": ["norm"], "formats": {"norm": "fixed(x)"}}, "not of the form"),
        ({"columns": ["norm"], "formats": {"norm": "fixed(1, 2, 3)"}}, "does not fit 8.38"),
        ({"columns": ["name"], "formats": {"name": "percent"}}, "does not fit 'a & b'"),
        ({"columns": ["best"]}, "column 'best' holds True"),
        ({"columns": ["name"], "align": "ll"}, "for 2 columns, the table prints 1"),
        ({"columns": ["name"], "groups": [("g", 2)]}, "span 2 columns, the table has 1"),
        ({"columns": ["name"], "rotate": True}, "no option 'rotate'"),
    ],
)
def test_mistakes_are_table_errors(options, message):
    """A column, format or option that does not exist is named."""
    with pytest.raises(TableError, match=message):
        tabular(TABLE, **options)
