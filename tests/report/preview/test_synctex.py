"""Places of lines on pages and back, against the synctex program that comes with TeX."""

import re
import shutil
import subprocess

import pytest

from report.compile import compile_pdf
from report.preview.pages import Pages
from report.preview.places import Places
from report.preview.synctex import SyncTex
from report.render import render

MAIN = r"""\documentclass{article}
\pagestyle{headings}
\begin{document}
\section{One}
\BLOCK{include "part.tex"}
\BLOCK{for name in names}
Item \VAR{name} of the loop, in a sentence of its own.

\BLOCK{endfor}
\end{document}
"""
PART = "".join(
    f"Paragraph {number} starts here and\ngoes on in a second line to its end\nwith $x_{{{number}}}^2$ at the end.\n\n"
    for number in range(40)
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Compile a document of two pages; return its folder and what was rendered."""
    root = tmp_path_factory.mktemp("places")
    (root / "templates").mkdir()
    (root / "templates/main.tex").write_text(MAIN)
    (root / "templates/part.tex").write_text(PART)
    names = {"names": ["first", "second"]}
    rendered = render("main.tex", names, templates=root / "templates", root=root)
    compile_pdf(root / "build", "report", rendered, epoch=1, root=root)
    return root / "build", rendered


@pytest.fixture(scope="module")
def places(built):
    """Return the places of the document."""
    folder, rendered = built
    return Places(rendered, (folder / "report.synctex.gz").read_bytes(), "report.tex")


@pytest.fixture(scope="module")
def pages(built):
    """Return its pages."""
    pages = Pages((built[0] / "report.pdf").read_bytes())
    yield pages
    pages.close()


def middle_of(pages, page, text):
    """Return the middle of some words."""
    (found,) = pages._search(page, text)
    return found.x + found.width / 2, found.y + found.height / 2


@pytest.mark.skipif(shutil.which("synctex") is None, reason="the synctex program is not installed")
def test_lines_agree_with_the_synctex_program(built, places):
    """From a grid of points both find the same line, or that of the neighbouring word."""
    folder, _ = built
    same = total = 0
    for y in range(150, 650, 45):
        for x in (180, 250, 350):
            command = ["synctex", "edit", "-o", f"1:{x}:{y}:report.pdf"]
            output = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
            line = re.search(r"^Line:(\d+)", output, re.MULTILINE)
            total += 1
            same += line is not None and abs(int(line[1]) - (places.synctex.line_at(1, x, y) or 0)) <= 1
    assert same > 0.8 * total  # between two lines of text either neighbour will do


def test_words_lead_to_the_template_they_stand_in(pages, places):
    """Within a paragraph, the line of the word and not that of the paragraph; a loop leads to its body."""
    at = places.template_at(1, *middle_of(pages, 1, "Paragraph 7 "))
    assert (at.file, at.line) == ("templates/part.tex", 7 * 4 + 1)
    page = len(pages.sizes)
    at = places.template_at(page, *middle_of(pages, page, "Item second"))
    assert (at.file, at.line) == ("templates/main.tex", 7)
    assert places.rendered.source(at).startswith(r"Item \VAR{name}")


def test_a_line_leads_to_all_its_places(pages, places):
    """A line in a loop stands at several places; each of them holds its words."""
    areas = places.rectangles("templates/main.tex", 7)
    found = pages.find("Item", areas)
    assert len(found) == 2
    assert pages.find("Paragraph", areas) == []


def test_a_line_that_prints_nothing_leads_to_its_neighbour(places):
    """An empty line, and one beyond the end, lead to the nearest that prints; another file leads nowhere."""
    (first, *_) = places.rectangles("templates/part.tex", 3)
    assert places.rectangles("templates/part.tex", 4)[0].y >= first.y
    assert places.rectangles("templates/part.tex", 190)
    assert places.rectangles("templates/part.tex", 4000) == []
    assert places.rectangles("templates/other.tex", 1) == []


def test_heads_are_not_places_of_the_text(places):
    """The head of a page carries the line at which the page was full; nothing of it is marked."""
    for line in range(1, 160):
        for area in places.rectangles("templates/part.tex", line):
            assert area.y > 110


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b broken", b"SyncTeX Version:1\nContent:\n{1\n(1,2:x\n"])
def test_a_damaged_file_holds_no_places(content):
    """Nothing is found, and nothing fails."""
    synctex = SyncTex(content, "report.tex")
    assert synctex.line_at(1, 100, 100) is None
    assert synctex.rectangles({1}) == []


def test_a_picture_is_drawn_at_the_width_asked_for(pages):
    """The PNG has that width; equal pixels are told by their digest alone, and widths have a limit."""
    picture = pages.picture(1, 321)
    assert picture.png.startswith(b"\x89PNG")
    assert int.from_bytes(picture.png[16:20]) in {321, 322}
    assert pages.picture(1, 321, picture.digest).png == b""
    assert pages.picture(1, 400, picture.digest).png != b""
    assert int.from_bytes(pages.picture(1, 100_000).png[16:20]) <= 4001
