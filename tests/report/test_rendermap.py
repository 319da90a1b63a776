"""The map from the rendered document back to the templates, on generated templates."""

import re
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from report.errors import Location
from report.model import Claim, Result, Value
from report.render import render
from report.views import SectionResult, section_view

WORD = re.compile(r"(part|main)q(\d+)q(\d+)w")
RESULT = Result({"v": Value(1.5)}, claims={"c": Claim(holds=True, evidence="", slack=1.0)})
CONTEXT = {"s": section_view("s", SectionResult(RESULT))}


def _nested(inner):
    """Return templates around others: loops, conditions, claims, captured blocks, macros with a caller."""
    return st.one_of(
        inner.map(lambda body: f"\\BLOCK{{for i in [1, 2]}}\n{body}\n\\BLOCK{{endfor}}\n"),
        inner.map(lambda body: f"W \\BLOCK{{if false}}{body}\\BLOCK{{else}}W{body}\\BLOCK{{endif}}W\n"),
        inner.map(lambda body: f"W\\claim{{s.c}}{{{body}W}}\n  {{never}}W"),
        inner.map(lambda body: f"\\BLOCK{{set x}}{body}\\BLOCK{{endset}}\n W \\VAR{{x}}W\\VAR{{ x ~ '\\n' }}W"),
        inner.map(
            lambda body: (
                f"\\BLOCK{{macro m()}}\nW \\VAR{{caller()}}W\n\\BLOCK{{endmacro}}\n"
                f"\\BLOCK{{call m()}}{body}\\BLOCK{{endcall}}W"
            )
        ),
        st.tuples(inner, inner).map("\n".join),
    )


LEAVES = st.sampled_from([
    "W", "W\n\nW", "  W W\nW", "\\VAR{s.v}W", "W\\VAR{\n\n s.v }W\n", "\\#{ a\n {b}}W", "% W \\VAR{x\nW", "\\{W\\%W",
    "\\exempt{2W}{re\nason}W", "\\typed{s.v}{1.5}W", "\\BLOCK{include 'part.tex'}\n",
    "\\begin{verbatim}\n\\VAR{W\n\\end{verbatim}W",
])  # fmt: skip
TEMPLATES = st.recursive(LEAVES, _nested, max_leaves=6)


def _numbered(name, source):
    """Write the file, line and column of every word into the word."""
    lines = []
    for number, line in enumerate(source.split("\n"), 1):
        text = ""
        for index, piece in enumerate(line.split("W")):
            text += (f"{name}q{number}q{len(text) + 1}w" if index else "") + piece
        lines.append(text)
    return "\n".join(lines)


@settings(deadline=None, max_examples=60)
@given(TEMPLATES, TEMPLATES.filter(lambda text: "include" not in text))
def test_every_word_maps_to_its_place(main, part):
    """Each word knows where it stands; the map must say the same of the character, and lines agree with their words."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, source in (("main", main), ("part", part)):
            (folder / f"{file}.tex").write_text(_numbered(file, source), encoding="utf-8")
        rendered = render("main.tex", CONTEXT, templates=folder, root=folder)
    assert not re.search("[\U0010ff00-\U0010ffff]", rendered.text)
    assert len(rendered.lines) == rendered.text.count("\n") + 1
    for word in WORD.finditer(rendered.text):
        place = rendered.map.place(word.start())
        assert place == Location(f"{word[1]}.tex", int(word[2]), int(word[3]))
    for line, place in zip(rendered.text.split("\n"), rendered.lines, strict=True):
        if line.strip() and (word := WORD.match(line.strip())):
            assert (place.file, place.line) == (f"{word[1]}.tex", int(word[2]))
    for use in rendered.uses:
        assert rendered.text[use.start : use.end] == use.text
        assert use.location is not None
