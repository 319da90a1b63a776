"""What the logs say, on pieces of logs as XeLaTeX, BibTeX and LaTeX's packages write them."""

from pathlib import Path

import pytest

from report.errors import Location
from report.latexhints import lacks_its_end
from report.latexlog import diagnose, pages_of
from report.rendermap import Rendered

LINES = tuple(Location("templates/a.tex", number) for number in range(101, 121))


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a log; line n of the document is line 100 + n of the template."""
    work = tmp_path / ".tex"
    work.mkdir()

    def run(log, text="x\n" * 20, **others):
        for suffix, content in {"log": log, **others}.items():
            (work / f"report.{suffix}").write_text(content, encoding="utf-8")
        rendered = Rendered(text, LINES, sources={"templates/a.tex": "\n" * 119}, folder=tmp_path / "templates")
        return [
            (item.severity, str(item.location), item.message) for item in diagnose(work, "report", rendered, tmp_path)
        ]

    return run


BOX = "\\TU/FandolSong(0)/m/n/10 text (with [] parentheses)) end \n []\n\n"


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (
            f"(./report.tex\nOverfull \\hbox (12.34pt too wide) in paragraph at lines 3--7\n{BOX})",
            ("templates/a.tex:103", "line too wide by 12.3pt: …text (with parentheses)) end"),
        ),
        (
            f"(./report.tex\nOverfull \\hbox (2.0pt too wide) in alignment at lines 4--5\n{BOX})",
            ("templates/a.tex:104", "line too wide by 2.0pt: …text (with parentheses)) end"),
        ),
        (
            f"(./report.tex (.tex/report.toc\nOverfull \\hbox (9.0pt too wide) detected at line 2\n{BOX}))",
            ("None", "line too wide by 9.0pt: …text (with parentheses)) end (in the contents)"),
        ),
        (
            f"(./report.tex (x/report.bbl) (/a.sty (x))\nOverfull \\hbox (9.0pt too wide) detected at line 2\n{BOX})",
            ("templates/a.tex:102", "line too wide by 9.0pt: …text (with parentheses)) end"),
        ),
        (
            "(./report.tex\nOverfull \\vbox (3.0pt too high) has occurred while \\output is active []\n\n[7] [8])",
            ("None", "page or box too high by 3.0pt (page 7)"),
        ),
    ],
)
def test_overfull_boxes_are_placed(read, log, expected):
    """Only lines of the document itself have a place; the text of a box does not confuse the files."""
    assert read(log) == [("warning", *expected)]


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        (["one two", "three wide{text} four", "five"], 104),
        (["one two", "three wide-text", "", "wide text"], 104),
        (["text", "text"], 103),
        ([r"\end{equation}", "one", "two"], 104),
    ],
)
def test_an_overfull_box_is_placed_by_its_text(read, lines, place):
    """Within its paragraph, the one line that has its text; a formula's end is no line of text."""
    text = "\n".join(["a", "b", *lines, "", ""])
    box = "\\TU/lmr/m/n/10 three wide[]text\n []\n\n"
    log = f"(./report.tex\nOverfull \\hbox (12.34pt too wide) in paragraph at lines 3--{2 + len(lines)}\n{box})"
    ((_, location, _),) = read(log, text)
    assert location == f"templates/a.tex:{place}"


def test_small_overfull_boxes_are_silent(read):
    """A point or less is not seen."""
    assert read(f"Overfull \\hbox (1.0pt too wide) in paragraph at lines 3--7\n{BOX}") == []


def test_line_numbers_inside_messages_are_the_templates_lines(read):
    """LaTeX names lines of the document in its sentences; the author reads those of the template."""
    log = "./report.tex:9: LaTeX Error: \\begin{a} on input line 4 ended by \\end{b}.\n\nl.9 x\n     \n"
    message = "\\begin{a} at templates/a.tex:104 ended by \\end{b}."
    assert read(log) == [("error", "templates/a.tex:109", message)]


def test_each_error_is_reported_once_and_ends_hide_nothing(read):
    """Repeats, the emergency stop and the fatal error are no news."""
    error = "./report.tex:9: Missing $ inserted.\n<inserted text> \n                $\nl.9 x\n     \n"
    log = error * 2 + "./report.tex:12: Emergency stop.\n!  ==> Fatal error occurred, no output PDF file produced!\n"
    assert [message for _, _, message in read(log)] == ["Missing $ inserted."]


def test_references_are_judged_only_after_a_complete_run(read):
    """A run that stopped at an error leaves every reference undefined: that is not the author's fault."""
    undefined = "LaTeX Warning: Reference `fig:a' on page 1 undefined on input line 2.\n"
    assert read(undefined) == [("error", "templates/a.tex:102", "undefined reference 'fig:a'")]
    log = undefined + "./report.tex:9: Missing $ inserted.\nl.9 x\n"
    assert [message for _, _, message in read(log)] == ["Missing $ inserted."]


def test_an_error_in_a_package_names_the_file(read):
    """An error inside a file that is not the author's keeps its name and line."""
    log = "/usr/share/texmf/foo.sty:33: Package foo Error: No way.\n\nl.33 x\n"
    assert read(log) == [("error", "None", "No way. (in foo.sty, line 33)")]


def test_warnings_of_bibtex_stand_at_the_entry(read, tmp_path):
    """The entry that lacks a field is found in the bibliography."""
    (tmp_path / "templates").mkdir()
    Path(tmp_path / "templates" / "r.bib").write_text("@book{a,\n}\n@book{zhou,\n}\n", encoding="utf-8")
    blg = 'Warning--empty year in zhou\nWarning--I didn\'t find a database entry for "b"\n'
    assert read("", blg=blg) == [("warning", "templates/r.bib:3", "BibTeX: empty year in zhou")]


def test_pages_are_read_from_the_last_run(tmp_path):
    """A log that is missing or cut off has no pages."""
    log = tmp_path / "a.log"
    assert pages_of(log) == 0
    log.write_bytes(b"\xff\nOutput written on .tex/report.xdv (12 pages, 1 bytes).\n")
    assert pages_of(log) == 12


@pytest.mark.parametrize(
    ("row", "lacks"),
    [
        ("a & b", True),
        (r"a \& b & c % d", True),
        (r"a & b \\", False),
        (r"a & b \\[2pt] % c", False),
        (r"a & b \\ \hline", False),
        ("a &", False),
        (r"AT\&T", False),
    ],
)
def test_a_row_without_its_end_is_known(row, lacks):
    """A row that goes on below, that has ended, or that is none, lacks nothing."""
    assert lacks_its_end(row) is lacks
