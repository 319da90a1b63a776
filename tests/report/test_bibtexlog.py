"""What BibTeX says, at the place that is at fault."""

import pytest

from report.bibtexlog import BibError, bib_errors, unclosed_brace

LOG = """The top-level auxiliary file: report.aux
I couldn't open style file plane.bst
---line 3 of file report.aux
 : \\bibstyle{plane
I was expecting a `,' or a `}'---line 3 of file a.bib
 : title
(There were 2 error messages)
"""


def test_errors_are_read_from_the_log() -> None:
    """The place stands on the line of the message or on the next one."""
    assert list(bib_errors(LOG)) == [
        BibError("I couldn't open style file plane.bst", "report.aux", 3),
        BibError("I was expecting a `,' or a `}'", "a.bib", 3),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("@book{a,\n title = {{B} C},\n note = {a\n b},\n}\n", None),
        ("a remark with {\n@book{a,\n year = 1}\n", None),
        ("@book{a,\n title = {B,\n year = 1\n}\n", 2),
        ("@book{a,\n title = {B}\n\n@book{b,\n}\n", 1),
        ("@book{a,\n title = {B},\n", 1),
        ("@book{a,\n note = {b = c},\n}\n@book{b,\n title = {x\n y\n", 5),
    ],
)
def test_an_unclosed_brace_is_found_where_it_is_opened(text: str, line: int | None) -> None:
    """A field inside a field, an entry inside an entry, or the end of the file comes too early."""
    assert unclosed_brace(text.split("\n")) == line


@pytest.mark.parametrize(
    ("text", "noticed", "told"),
    [
        ("@book{a,\n title={x}\n\n author={y}}", 4, (2, "a comma is missing at the end of this line")),
        ("@book{a,\n title={x,\n author={y}}", 3, (2, "a brace is opened here and never closed")),
        ("@book{a\n}", 2, (2, "a comma or a brace is missing here or in the entry before")),
    ],
)
def test_the_place_is_the_mistake(text: str, noticed: int, told: tuple[int, str]) -> None:
    """BibTeX notices a missing comma at the next field, and a missing brace far below."""
    assert BibError("I was expecting a `,' or a `}'", "a.bib", noticed).at_fault(text.split("\n")) == told


def test_a_file_that_is_not_there_is_looked_for() -> None:
    """Style and bibliography are named with what comes near; other errors are not of that kind."""
    assert BibError("I couldn't open style file plane.bst", "report.aux", 3).not_opened([]) == (
        r"\\bibliographystyle\s*\{[^{}]*?\bplane\b",
        "Did you mean 'plain'?",
    )
    missing = BibError("I couldn't open database file source.bib", "report.aux", 4).not_opened(["sources"])
    assert missing == (r"\\bibliography\s*\{[^{}]*?\bsource\b", "Did you mean 'sources'?")
    assert BibError("Repeated entry", "a.bib", 2).not_opened([]) is None
