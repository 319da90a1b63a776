"""What a person sees: the table in the terminal, the page, and where a result is made."""

import re
from html.parser import HTMLParser

import pytest

from report.check.diff import Change
from report.check.facts import Facts
from report.check.items import Check, Coverage, Item
from report.check.origins import find_origins
from report.check.page import check_page
from report.check.terminal import change_lines, check_lines
from report.errors import Location
from report.model import Figure, Result, Section, Value

ITEMS = (
    Item("typed", "supported", "cnn.kernel", "5", Location("a.tex", 1, 2), "5", "5", "核为 5。", (3, 4)),
    Item(
        "typed", "contradicted", "cnn.test_accuracy", "98%", Location("a.tex", 3, 9), "98.7%", "98%",
        "准确率 <98%> & 高。", (5, 8), "cnn.test_accuracy = 0.9868",
    ),
    Item("number", "unchecked", "", "7", Location("b.tex", 4, 1), "", "7", "共 7 张。", (2, 3)),
    Item("published", "differs", "lda.p_value", "0.1061", Location("p.toml", 9), "0.28", "0.1061", "2.2"),
    Item("claim", "fragile", "lda.c", "句子。", Location("b.tex", 2, 1), "holds", "holds", "句子。", (0, 3), "e", 0.25),
)  # fmt: skip
CHECK = Check(ITEMS, Coverage(10, 2, 3, 1))


def test_terminal():
    """Worst first, Chinese characters two columns wide, published differences only counted."""
    lines = list(check_lines(CHECK))
    assert [line.split()[1] for line in lines if line.startswith(("a.tex", "b.tex"))] == [
        "contradicted",
        "fragile",
        "unchecked",
    ]
    assert lines[2] == "    准确率 <⟦98%⟧> & 高。"
    assert lines[-2] == "1 contradicted, 1 fragile, 1 unchecked, 1 differs, 1 supported"
    assert lines[-1] == "numbers of the prose: 10 bound, 2 typed, 3 exempt, 1 unchecked (93.8% covered)"
    assert sum("p.toml" in line for line in check_lines(CHECK, everything=True)) == 1


def test_terminal_colours():
    """Colours only where they are asked for."""
    assert "\x1b" not in "".join(check_lines(CHECK))
    assert "\x1b[31mcontradicted\x1b[0m" in "".join(check_lines(CHECK, colour=True))


def test_difference_in_the_terminal():
    """A flipped claim is loud, and sentences follow."""
    changes = [
        Change("claim", "lda.c", "holds: a", "does not hold: b", flipped=True),
        Change("value", "lda.p", "", "1"),
    ]
    lines = list(change_lines(changes, ITEMS[:1], "HEAD~1"))
    assert lines == [
        "2 results differ from HEAD~1",
        "  FLIPPED  claim lda.c: holds: a → does not hold: b",
        "  value lda.p: (none) → 1",
        "1 places in the prose stand on them",
        "  a.tex:1:2  cnn.kernel",
        "      核为 ⟦5⟧。",
    ]
    assert list(change_lines([], (), "HEAD")) == ["no result differs from HEAD"]


class Page(HTMLParser):
    """Collects what the tests look at."""

    def __init__(self):
        super().__init__()
        self.open, self.marks, self.sources, self.hrefs, self.verdicts = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        """Note a tag and its addresses."""
        given = dict(attrs)
        if tag not in {"meta", "input"}:
            self.open.append(tag)
        self.sources += [given[name] for name in ("src", "srcset", "data") if name in given]
        if tag == "a":
            self.hrefs.append(given["href"])
        if tag == "link":
            self.sources.append(given.get("href"))
        if tag == "article":
            self.verdicts.append(given["data-verdict"])

    def handle_endtag(self, tag):
        """Every tag that opens closes in order."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Note what is marked."""
        if self.open[-1:] == ["mark"]:
            self.marks.append(data)


@pytest.fixture
def page():
    """Return the page of the check above, parsed, and its text."""
    results = {"cnn": Result(values={"test_accuracy": Value(0.9868)}, figures={"curves": Figure(b"")})}
    text = check_page(
        CHECK, title="报告 <1>", facts=Facts.of_results(results), origins={"cnn.kernel": Location("a.py", 7)}
    )
    parsed = Page()
    parsed.feed(text)
    return parsed, text


def test_the_page_is_whole_and_self_contained(page):
    """Valid nesting, no address outside, a policy that forbids loading anything, light and dark."""
    parsed, text = page
    assert parsed.open == []
    assert parsed.sources == []
    assert not re.search(r"https?://|@import|url\(", text)
    assert "default-src 'none'" in text
    assert "prefers-color-scheme:dark" in text


def test_the_page_shows_every_item(page):
    """Each item with its verdict, the number marked in its sentence, everything escaped."""
    parsed, text = page
    assert sorted(parsed.verdicts) == sorted(item.verdict for item in ITEMS)
    assert parsed.marks == ["5", "98%", "句子。", "7"]
    assert "准确率 &lt;<mark>98%</mark>&gt; &amp; 高。" in text
    assert "报告 &lt;1&gt;" in text


def test_the_page_links(page):
    """To the template, to the code that makes the result, and to the figures of its section."""
    parsed, _ = page
    assert {"../a.tex", "../a.py", "figures/cnn.curves.pdf"} <= set(parsed.hrefs)


def test_origins(tmp_path):
    """A result is made at the line of the section's modules that names it; its own module comes first."""
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "lda.py").write_text('x = 1\nvalues = {"p": x}\n', encoding="utf-8")
    (tmp_path / "pkg" / "lda_claims.py").write_text("def c():\n    p = 2\n", encoding="utf-8")
    facts = Facts.of_results({"lda": Result(values={"p": Value(1), "c": Value(2), "gone": Value(3)})})
    found = find_origins(facts, [Section("lda", "pkg.lda"), Section("none", "pkg.none")], tmp_path)
    assert {name: str(place) for name, place in found.items()} == {
        "lda.p": "pkg/lda.py:2",
        "lda.c": "pkg/lda_claims.py:1",
    }


def test_origins_of_computed_names(tmp_path):
    """A name that an f-string makes is found at that line; a bare placeholder says nothing."""
    (tmp_path / "pkg").mkdir()
    text = (
        "import x\n\ndef analyse(runs, outcomes):\n"
        '    a = {f"{n}": 1 for n in x}\n    return {f"score_{n}": 1 for n in x}\n'
    )
    (tmp_path / "pkg/lda.py").write_text(text, encoding="utf-8")
    facts = Facts.of_results({"lda": Result(values={"score_3": Value(1), "other": Value(2)})})
    found = find_origins(facts, [Section("lda", "pkg.lda")], tmp_path)
    assert found == {"lda.score_3": Location("pkg/lda.py", 5)}
