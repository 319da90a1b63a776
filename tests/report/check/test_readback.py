"""A number that is lost between the document and the PDF is found."""

import shutil

import pytest

from report.check.readback import cells_of, lost, numbers_in, read_back, refuse_losses, text_of
from report.compile import compile_pdf
from report.errors import LatexError, Location, MissingToolError
from report.rendermap import Use


def use(text, name="lda.p"):
    """Return a bound use."""
    return Use("bound", name, text, Location("a.tex", 3, 1))


def test_what_is_found_is_not_lost():
    """Numbers are found however LaTeX and the PDF write signs, powers, blanks and thousands."""
    uses = [
        use(r"98.68\%"),
        use(r"\ensuremath{-}0.5"),
        use(r"\ensuremath{1.2\times10^{-4}}"),
        use(r"60\,000"),
        use("3"),
    ]
    assert lost(uses, "准确率 98.68%，\n−0.5 与 1.2 × 10−4，60 000 幅，3 次") == ()


def test_a_lost_number():
    """A number that is printed more often than it is found is lost, with the place of its first use."""
    (loss,) = lost([use("0.28"), use("0.28"), use("7")], "0.28 和 7")
    assert (loss.text, loss.printed, loss.found) == ("0.28", 2, 1)
    assert str(loss).startswith("a.tex:3:1: '0.28' of lda.p")
    assert [found.text for found in lost([use("0.28")], "10.28 与 0.285")] == ["0.28"]


def test_cells_of_a_table():
    """Every cell of a printed table is looked for, numbers and words; rules and spans are none."""
    table = (
        "\\begin{tabular}{lr@{\\hspace{2pt}}r}\n\\toprule\n\\multicolumn{2}{c}{组} & 甲\\\\\n\\cmidrule(lr){1-2}\n"
        "Lasso & \\textbf{\\boldmath 0.90} & –\\\\\n\\bottomrule\n\\end{tabular}"
    )
    assert cells_of(table) == ["组", "甲", "Lasso", "0.90", "–"]
    assert [loss.text for loss in lost([use(table)], "组 甲 Ridge 0.9")] == ["Lasso", "0.90"]


def test_escaped_characters_inside_a_cell_do_not_count_as_lost():
    r"""A cell such as ``\csname end`` from data holds signs that look different in a PDF; it is not searched for."""
    table = r"\begin{tabular}{l}\textbackslash{}csname end\textbackslash{}endcsname \\ \end{tabular}"
    assert lost([use(table)], r"\csname end\endcsname") == ()


def test_figures_and_other_uses_are_left_alone():
    """The path of a figure is not printed; only bound uses are looked for."""
    assert lost([use("figures/lda.led_digits.pdf"), Use("typed", "a.b", "99", None)], "") == ()


def test_numbers_of_a_text():
    """Thousands count as one number."""
    assert numbers_in("60\u2009000 与 1,234.5 和 −0.5") == ["60000", "1234.5", "0.5"]


def test_losses_are_refused():
    """The first loss is the error, with its place and how many more there are."""
    refuse_losses(())
    with pytest.raises(LatexError, match=r"a.tex:3:1: '1' of lda.p is lost .*\(and 1 more\)"):
        refuse_losses(lost([use("1"), use("2")], ""))


def test_without_pdftotext(tmp_path, monkeypatch):
    """The program that is missing is named."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(MissingToolError, match="pdftotext"):
        text_of(tmp_path / "a.pdf")


def test_a_real_pdf(render_text, tmp_path):
    """What XeLaTeX prints is read back; a number in white ink off the page is lost."""
    good = (
        "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n"
        "\\VAR{cnn.test_accuracy | percent}, $p=\\VAR{lda.slope | fixed(3)}$, \\VAR{cnn.n_parameters | thousands}, "
        "\\VAR{logistic.nonzero_threshold | scientific}\n\n\\VAR{lda.accuracy | tabular}\n\\end{document}\n"
    )
    rendered = render_text(good, "report.tex")
    compile_pdf(tmp_path / "out", "report", rendered, epoch=0, root=tmp_path)
    assert read_back(rendered, tmp_path / "out" / "report.pdf") == ()
    bad = good.replace("$p=", "\\setbox0\\hbox{\\VAR{logistic.n_weights}}$p=")
    rendered = render_text(bad, "report.tex")
    compile_pdf(tmp_path / "out", "report", rendered, epoch=0, root=tmp_path)
    (loss,) = read_back(rendered, tmp_path / "out" / "report.pdf")
    assert (loss.id, loss.text, loss.location.line) == ("logistic.n_weights", "7850", 2)


def test_spaced_thousands_behind_another_number_are_found():
    """A narrow table sets ``3`` and ``205 706`` one blank apart; what is missing there is still missed."""
    assert lost([use(r"205\,706"), use("3")], "Net2  6  16  –  3 205 706") == ()
    assert [found.text for found in lost([use(r"205\,706")], "3 205 707 与 1205 706")] == ["205706"]
