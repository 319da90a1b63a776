"""Numbers and strings as LaTeX."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pylatexenc.latex2text import LatexNodes2Text
from pylatexenc.latexwalker import LatexWalker

from report.errors import TemplateError
from report.formats import (
    NUMBER_FORMATS,
    Latex,
    escape,
    fixed,
    general,
    integer,
    percent,
    plain,
    points,
    pvalue,
    scientific,
    thousands,
)

UNKNOWN_TO_PYLATEXENC = {
    r"\textquotedbl{}": '"',
    r"\textquotesingle{}": "'",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"\textbar{}": "|",
}
FLOATS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


def _read_back(latex: str) -> str:
    """Return the text that LaTeX would print, as pylatexenc understands it."""
    for command, character in UNKNOWN_TO_PYLATEXENC.items():
        latex = latex.replace(command, character)
    return LatexNodes2Text(math_mode="text", strict_latex_spaces=True).latex_to_text(latex)


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        (percent(0.9123), r"91.23\%"),
        (percent(0.9123, 0), r"91\%"),
        (percent(0.07), r"7.00\%"),
        (percent(-0.5, 1), r"\ensuremath{-}50.0\%"),
        (points(0.0123), "1.23"),
        (points(0.0123, sign=True), r"\ensuremath{+}1.23"),
        (fixed(2.675), "2.68"),
        (fixed(0.125), "0.13"),
        (fixed(0.375), "0.38"),
        (fixed(-0.001), "0.00"),
        (fixed(1e22, 0), "10000000000000000000000"),
        (scientific(0.00012), r"\ensuremath{1.2\times10^{-4}}"),
        (scientific(9.96e5), r"\ensuremath{1.0\times10^{6}}"),
        (scientific(-3e-7, 0), r"\ensuremath{-3\times10^{-7}}"),
        (scientific(0), "0.0"),
        (thousands(60000), r"60\,000"),
        (thousands(-1234567.891, 2), r"\ensuremath{-}1\,234\,567.89"),
        (thousands(999), "999"),
        (integer(7684), "7684"),
        (integer(5.0), "5"),
        (pvalue(0.59123), "0.591"),
        (pvalue(0.0004), r"\ensuremath{<}0.001"),
        (pvalue(0), r"\ensuremath{<}0.001"),
        (general(0.591234), "0.5912"),
        (general(12), "12"),
        (general(0.5), "0.5"),
        (general(123456), "123456"),
        (general(0.000012), r"\ensuremath{1.2\times10^{-5}}"),
        (general(1.5e12), r"\ensuremath{1.5\times10^{12}}"),
        (plain(0.001), "0.001"),
        (plain(1e-05), "0.00001"),
        (plain(100), "100"),
        (plain(100.0), "100"),
    ],
)
def test_numbers_print_as_a_reader_expects(printed, expected):
    """Each format on an example, rounding decimally, with no sign on a rounded zero."""
    assert printed == expected


@given(FLOATS, st.integers(0, 6))
def test_fixed_is_the_nearest_decimal(number, digits):
    """What is printed differs from the float's decimal by at most half a unit of the last digit."""
    printed = Decimal(fixed(number, digits).replace(r"\ensuremath{-}", "-"))
    assert abs(printed - Decimal(repr(number))) <= Decimal(1).scaleb(-digits) / 2


@given(FLOATS, st.integers(0, 4))
def test_percent_is_the_ratio_times_one_hundred(ratio, digits):
    """Percent rounds the exact product, without the error of a multiplication in binary."""
    printed = Decimal(percent(ratio, digits).removesuffix(r"\%").replace(r"\ensuremath{-}", "-"))
    assert abs(printed - Decimal(repr(ratio)) * 100) <= Decimal(1).scaleb(-digits) / 2


@pytest.mark.parametrize("wrong", [True, None, "0.5", float("nan"), float("inf"), [1], 1j])
@pytest.mark.parametrize("name", sorted(NUMBER_FORMATS))
def test_only_finite_numbers_are_printed_as_numbers(name, wrong):
    """Everything else is refused with a message, whatever the format."""
    with pytest.raises(TemplateError, match="number"):
        NUMBER_FORMATS[name](wrong)


def test_numbers_that_do_not_fit_their_format_are_refused():
    """A fraction is no integer, 1.2 no p-value, and a count of digits is a small integer."""
    for call in (lambda: integer(1.5), lambda: pvalue(1.2), lambda: fixed(1, -1), lambda: fixed(1, "2")):
        with pytest.raises(TemplateError):
            call()


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn", "Zl", "Zp"])))
def test_escaped_text_prints_itself(text):
    """Reading the escaped text as LaTeX gives the text back, blanks apart."""
    printed = _read_back(str(escape(text))).replace("ˆ", "^")  # its name for \textasciicircum
    assert "".join(printed.split()) == "".join(text.replace("ˆ", "^").split())


@given(st.text(st.sampled_from("\\{}$&#%_~^<>|\"'`[]*-,\n\r\t\x00 aé中\U0010ff01")))
def test_escaped_text_holds_no_command(text):
    """Of all that escaped text contains, only escapes remain: no group stays open, no line ends, no math starts."""
    latex = str(escape(text))
    assert not set(latex) & set("\n\r\t\x00\U0010ff01")
    nodes, _, length = LatexWalker(latex, tolerant_parsing=False).get_latex_nodes()
    assert length == len(latex)
    names = {node.macroname for node in nodes if type(node).__name__ == "LatexMacroNode"}
    allowed = {"textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar"}
    allowed |= {"textquotedbl", "textquotesingle", "textasciigrave", *"{}$&#%_"}
    assert names <= allowed
    assert {type(node).__name__ for node in nodes} <= {"LatexMacroNode", "LatexCharsNode", "LatexGroupNode"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
        ("a\n\nb", "a b"),
        ("--draft", "-{}-draft"),
        ("[2pt]", "{[}2pt{]}"),
        ("100%", r"100\%"),
        ("中文 é", "中文 é"),
    ],
)
def test_injections_are_text(text, expected):
    """Strings that would do something in LaTeX are printed."""
    assert escape(text) == expected


def test_latex_is_left_alone_and_joins_escape_the_rest():
    """LaTeX is never escaped twice, and never for HTML."""
    bold = Latex(r"\textbf{a}")
    assert escape(bold) is bold
    assert bold + " & b" == r"\textbf{a} \& b"
    assert Latex(", ").join([bold, "<b>"]) == r"\textbf{a}, \textless{}b\textgreater{}"
    assert Latex("%s!") % "50%" == r"50\%!"
    assert isinstance("x" + bold, Latex)
