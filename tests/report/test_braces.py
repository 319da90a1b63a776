"""Groups that are never closed are named where they are opened, before LaTeX runs."""

import pytest

from report.braces import check_groups
from report.errors import LatexError, Location
from report.render import render


@pytest.fixture
def check(tmp_path):
    """Return a function that renders a template and checks its groups."""

    def run(source, **others):
        for name, text in {"main": source, **others}.items():
            (tmp_path / f"{name}.tex").write_text(text, encoding="utf-8")
        check_groups(render("main.tex", {}, templates=tmp_path, root=tmp_path))

    return run


@pytest.mark.parametrize(
    ("source", "place", "message"),
    [
        ("a\n \\emph{b\n", (2, 7), "'{' is never closed"),
        ("a\nb} c", (2, 2), "'}' closes nothing"),
        ("\\begin{a}\n{b\n\\end{a}", (2, 1), "'{' is never closed"),
        ("x \\begin{itemize}\n\\item a\n", (1, 3), r"'\begin{itemize}' is never closed"),
        ("\\begin{a}\n\\end{b}", (2, 1), r"'\end{b}' closes nothing"),
        ("\\begin{a}\\begin{b}\n\\end{a}", (1, 10), r"'\begin{b}' is never closed"),
        ("is $x\n\nand $y$", (1, 4), "'$' is never closed"),
        ("\\textbf{a $x} b$", (1, 11), "'$' is never closed"),
        ("is $x\n\\begin{equation}y\\end{equation} and $z$", (1, 4), "'$' is never closed"),
        ("x \\begin{itemise}\n\\end{itemize}", (1, 3), r"'\begin{itemise}' is never closed"),
        ("\\begin{itemize}\n\\end{itemise}", (2, 1), r"'\end{itemise}' closes nothing"),
        ("$\\left( x$", (1, 2), r"'\left' is never closed"),
        ("\\begin{equation}\n\\left\\{ x\n\\end{equation}", (2, 1), r"'\left' is never closed"),
        ("a \\emph｛b｝", (1, 8), "the full-width '｛' does not open an argument"),
        ("$x \\right)$", (1, 4), r"'\right' closes nothing"),
        ("$$x$", (1, 1), "'$$' is closed by a single '$'"),
        ("\\[ x", (1, 1), r"'\[' is never closed"),
        ("x \\)", (1, 3), r"'\)' closes nothing"),
        ("\\begin{verbatim}\n{", (1, 1), r"\begin{verbatim} is never closed"),
        ("\\begin{document}\n{\n\\end{document}", (2, 1), "'{' is never closed"),
    ],
)
def test_the_place_is_where_the_group_is_opened(check, source, place, message):
    """Braces, environments and formulas; the message says what is wrong there."""
    with pytest.raises(LatexError) as caught:
        check(source)
    assert caught.value.location == Location("main.tex", *place)
    assert caught.value.message == message
    assert caught.value.source == source.split("\n")[place[0] - 1]


def test_the_hint_names_the_other_end(check):
    """What closes in the wrong order is named with its place in the templates too."""
    with pytest.raises(LatexError) as caught:
        check("\\begin{a}\n\\BLOCK{include 'part.tex'}\n\\end{a}", part="x {y\n")
    assert caught.value.location == Location("part.tex", 1, 3)
    assert caught.value.hint == r"'\end{a}' at main.tex:3:1 comes first"


@pytest.mark.parametrize(
    "source",
    [
        "{$a$} $$b$$ $a$$b$ \\{ \\$ \\(c\\) \\[ d \\text{if $e$} \\]",
        "\\verb|{$| \\begin{verbatim}\n{$\\end{itemize}\n\\end{verbatim} % { $ \\begin{x}",
        "\\begin{tabular}{>{$}l<{$}}1\\\\[2pt]\n\\end{tabular}",
        "\\newenvironment{x}\n  {\\begin{center}}\n  {\\end{center}}\n\\newcommand{\\y}[1]{\\begin{x}}",
        "\\newenvironment{x}[1][h]\n {\\renewcommand{\\a}{b}\\renewcommand{\\c}{d}%\n  \\begin{y}[#1]}\n  {\\end{y}}\n",
        "\\BLOCK{if true}\\begin{a}\\BLOCK{else}\\begin{b}\\BLOCK{endif}\\BLOCK{if true}\\end{a}\\BLOCK{endif}",
        "\\href{http://a%20b}{c} \\url{a_b%20c}",
        "\\newcommand{\\open}{\\begin{x}}$\n\\begin{document}a\\end{document} } $",
        "\\begin{document}\\catcode`\\{=12 { \\end{document}",
        "\\VAR{'{$}'}",
        "$\\left[ \\leftarrow \\left\\{ x \\right. \\rightarrow \\right) \\leftskip$",
        "\\newcommand{\\ket}{\\right>}\n\\begin{document}$\\left| x \\ket$\\end{document}",
    ],
)
def test_no_false_alarm(check, source):
    """Verbatim text, comments, escapes, definitions, conditions and changed catcodes are no faults."""
    check(source)
