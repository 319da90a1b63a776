"""Templates and results → LaTeX: printing, escaping, constructs, the map of lines, and errors."""

import pytest

from report.errors import TemplateError
from report.model import Claim, Figure, Result, Table, Value
from report.render import render
from report.views import Named, Namespace, SectionResult, section_view

RESULT = Result(
    values={"p_value": Value(0.59123, digits=3), "accuracy": Value(0.9766), "size": Value(3.25, "MB"), "n": Value(-12)},
    tables={"scores": Table(["digit", "accuracy"], [["a&b", 0.9123], ["c", None]])},
    figures={"curves": Figure(b"%PDF-")},
    claims={
        "better": Claim(holds=True, evidence="0.9 > 0.8", slack=0.1),
        "sparser": Claim(holds=False, evidence="3 & 4", slack=-1.0),
    },
)
SETTINGS = {"ridge": {"learning_rate": 0.001, "layers": (784, 10), "name": "a_b"}}
EVIL = r"\input{/etc/passwd} } % \VAR{lda.p_value} \claim{x}{y} & <b>"


@pytest.fixture
def typeset(tmp_path):
    """Return a function that renders a template text, with others beside it."""
    folder = tmp_path / "templates"
    folder.mkdir()

    def run(main, *, draft=False, judge=None, **others):
        for name, text in {"main": main, **others}.items():
            (folder / f"{name}.tex").write_text(text, encoding="utf-8")
        context = {
            "lda": section_view("lda", SectionResult(RESULT, SETTINGS)),
            "document": Namespace("document", {"title": "T & S"}, "a key of [document]"),
            "evil": EVIL,
        }
        return render("main.tex", context, templates=folder, root=tmp_path, draft=draft, judge=judge)

    return run


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (r"\VAR{lda.p_value}", "0.591"),
        (r"\VAR{lda.accuracy | percent}", r"97.66\%"),
        (r"\VAR{lda.accuracy | percent(0)}", r"98\%"),
        (r"\VAR{lda.size}", r"3.25\,MB"),
        (r"\VAR{lda.n}", r"\ensuremath{-}12"),
        (r"\VAR{lda.p_value.number * 2}", "1.18246"),
        (r"\includegraphics{\VAR{lda.curves}}", r"\includegraphics{figures/lda.curves.pdf}"),
        (r"\VAR{lda.better.evidence}", r"0.9 \textgreater{} 0.8"),
        (r"\VAR{lda.settings.ridge.learning_rate}", "0.001"),
        (r"\VAR{lda.settings.ridge.layers}", "784, 10"),
        (r"\VAR{lda.settings.ridge.name}", r"a\_b"),
        (r"\VAR{document.title}", r"T \& S"),
        (r"\VAR{ {'a': {'b': 1}}['a']['b'] }", "1"),
        (r'\VAR{"}" ~ "{"}', r"\}\{"),
        (r"\BLOCK{if lda.better}yes\BLOCK{endif}\BLOCK{if lda.sparser}no\BLOCK{endif}", "yes"),
        (r"\VAR{['a&b', lda.n] | join('、')}", r"a\&b、\ensuremath{-}12"),
        (r"\VAR{'x & y' | upper}", r"X \& Y"),
        (r"\VAR{lda.n.number}\VAR{-3}", r"\ensuremath{-}12\ensuremath{-}3"),
    ],
)
def test_what_tags_print(typeset, template, expected):
    """Values, settings and plain data print as LaTeX-safe text."""
    assert typeset(template).text == expected


@pytest.mark.parametrize(
    "template",
    [
        r"\VAR{evil}",
        r"\VAR{evil ~ ''}",
        r"\VAR{'%s' % evil}",
        r"\VAR{[evil] | join}",
        r"\BLOCK{macro m(x)}\VAR{x}\BLOCK{endmacro}\VAR{m(evil)}",
        r"\BLOCK{macro m(x)}\VAR{x}\BLOCK{endmacro}\VAR{'' ~ m(evil) ~ ''}",
        r"\BLOCK{macro m()}\VAR{caller()}\BLOCK{endmacro}\BLOCK{call m()}\VAR{evil}\BLOCK{endcall}",
        r"\BLOCK{set x}\VAR{evil}\BLOCK{endset}\VAR{x}",
        r"\BLOCK{set x = evil}\VAR{x}",
        r"\BLOCK{macro m(x)}\VAR{x}\BLOCK{endmacro}\VAR{m(m(m(evil)))}",
        r"\claim{lda.better}{\VAR{evil}}",
        r"\BLOCK{for x in [evil]}\VAR{x}\BLOCK{endfor}",
        r"\BLOCK{with x = evil}\VAR{x}\BLOCK{endwith}",
    ],
)
def test_data_are_escaped_once_on_every_way(typeset, template):
    """A string of the data prints itself: not interpreted, not escaped twice, not escaped for HTML."""
    expected = (
        r"\textbackslash{}input\{/etc/passwd\} \} \% \textbackslash{}VAR\{lda.p\_value\} "
        r"\textbackslash{}claim\{x\}\{y\} \& \textless{}b\textgreater{}"
    )
    assert typeset(template).text == expected


def test_latex_of_templates_is_left_alone(typeset):
    """Text of a template, of a macro and of a call block is LaTeX and stays as it is."""
    rendered = typeset(
        "\\BLOCK{macro m(x)}$a_1 & \\VAR{x}$\\VAR{caller()}\\BLOCK{endmacro}\n"
        "\\BLOCK{call m('&')}\\textbf{b} & <c>\\BLOCK{endcall}"
    )
    assert rendered.text == r"$a_1 & \&$\textbf{b} & <c>"


def test_what_latex_does_not_read_jinja_does_not_read(typeset):
    """Tags in comments and verbatim text are dead; behind an escaped percent sign they are not."""
    source = (
        "% \\VAR{nothing} \\claim{\n\\verb|\\VAR{x}|\\begin{verbatim}\n\\VAR{x\n\\end{verbatim}\n10\\% \\VAR{lda.n}\n"
    )
    assert typeset(source).text == source.replace(r"\VAR{lda.n}", r"\ensuremath{-}12")


def test_a_jinja_comment_holds_braces_and_leaves_nothing(typeset):
    """A comment ends at its own brace; alone on a line it leaves no empty line."""
    assert typeset("a\n\\#{ see {x} and \\VAR{y} }\nb\\#{c}d").text == "a\nbd"


def test_raw_text_is_not_touched(typeset):
    """What stands between raw and endraw is text."""
    assert typeset(r"\BLOCK{raw}\VAR{x}\BLOCK{endraw}").text == r"\VAR{x}"


def test_blocks_alone_on_a_line_leave_no_line(typeset):
    """Loops do not add empty lines, which would be paragraphs; ``-`` takes white space away."""
    source = "a\n  \\BLOCK{for i in [1, 2]}\n\\VAR{i}\n\\BLOCK{endfor}\nb\n c \\BLOCK{- if true -}  \n d\\BLOCK{endif}"
    assert typeset(source).text.replace(" ", "") == "a\n1\n2\nb\ncd"


def test_a_claim_prints_the_sentence_that_holds(typeset):
    """The variant is chosen by the claim; a negated claim is written with ``not``."""
    rendered = typeset(
        "\\claim{lda.better}{good \\VAR{lda.n}}{bad}\\claim{lda.sparser}{sparse}\n  {not {\\bf sparse}}"
        "\\claim{not lda.sparser}{dense}\\claim{not lda.better}{worse}{fine}"
    )
    assert rendered.text == r"good \ensuremath{-}12not {\bf sparse}densefine"
    claims = [use for use in rendered.uses if use.kind == "claim"]
    assert [(use.id, use.text, use.extra["holds"], use.extra["negated"]) for use in claims] == [
        ("lda.better", r"good \ensuremath{-}12", True, False),
        ("lda.sparser", r"not {\bf sparse}", False, True),
        ("lda.sparser", "dense", False, True),
        ("lda.better", "fine", True, False),
    ]


def test_uses_are_recorded_where_they_stand(typeset):
    """Every kind of use has its id, its printed text and its place, also through includes and macros."""
    rendered = typeset(
        "x\n\\BLOCK{include 'part.tex'}",
        part="\\BLOCK{macro m(v)}\\VAR{v | percent(1)}\\BLOCK{endmacro}\n"
        "a \\typed{lda.accuracy | percent(0)}{98\\%} \\exempt{28}{side {of} an image}\n\\VAR{m(lda.accuracy)}"
        "\\BLOCK{set unused}\\VAR{lda.n}\\BLOCK{endset}",
    )
    assert rendered.text == "x\na 98\\% 28\n97.7\\%"
    found = [(use.kind, use.id, use.text, str(use.location)) for use in rendered.uses]
    assert found == [
        ("typed", "lda.accuracy", r"98\%", "templates/part.tex:2:3"),
        ("exempt", "side {of} an image", "28", "templates/part.tex:2:43"),
        ("bound", "lda.accuracy", r"97.7\%", "templates/part.tex:1:19"),
    ]
    assert rendered.uses[0].extra["expected"] == r"98\%"
    assert [rendered.text[use.start : use.end] for use in rendered.uses] == [use.text for use in rendered.uses]


def test_constructs_work_in_loops_over_results(typeset):
    """The id of a claim can be a name of the template, such as a loop's."""
    rendered = typeset("\\BLOCK{for claim in [lda.better, lda.sparser]}\\claim{claim}{+}{-}\\BLOCK{endfor}")
    assert [use.id for use in rendered.uses] == ["lda.better", "lda.sparser"]
    assert rendered.text == "+-"


def test_a_table_is_bound_with_its_printed_cells(typeset):
    """The use of a table lists what each cell prints."""
    rendered = typeset(
        r"\VAR{lda.scores | tabular(columns={'digit': '$d$', 'accuracy': 'A'}, formats={'accuracy': 'percent(1)'})}"
    )
    assert rendered.uses[0].extra["cells"] == ((r"a\&b", r"91.2\%"), ("c", "–"))
    assert r"$d$&A\\" in rendered.text
    assert typeset(r"\VAR{lda.scores}").uses[0].id == "lda.scores"


def test_draft_mode_marks_what_is_contradicted(typeset):
    """Only in draft mode, and only around what does not hold; the macro is there without a package."""
    source = "\\begin{document}\\claim{lda.better}{a}\\claim{lda.sparser}{b}\\typed{lda.n}{13}\\end{document}"
    assert "reportdraft" not in typeset(source).text
    text = typeset(source, draft=True, judge=lambda typed, value: typed == str(value.number)).text
    assert r"a\reportdraft{b}{lda.sparser: 3 \& 4}\reportdraft{13}{lda.n: -12}\end" in text
    assert text.startswith(r"\providecommand\reportdraft")


def test_every_line_knows_its_template(typeset):
    """Through includes, loops, macros and values of several lines, a line maps to the line that made it."""
    rendered = typeset(
        "one\n\n\\BLOCK{include 'part.tex'}\nlast \\VAR{lda.scores | tabular}\nend",
        part="\\BLOCK{for i in [1, 2]}\n$x$\n  line \\VAR{i}\n\\BLOCK{endfor}\n",
    )
    places = [(place.file.removeprefix("templates/"), place.line) for place in rendered.lines]
    table = rendered.text.count("\n") - 7
    loop = [("part.tex", 2), ("part.tex", 3)]
    assert places == [("main.tex", 1), ("main.tex", 2), *loop, *loop, *[("main.tex", 4)] * (table + 1), ("main.tex", 5)]


def test_compiled_templates_are_kept_between_runs(tmp_path):
    """A second rendering takes the code from the file; a damaged file is as good as none."""
    (tmp_path / "main.tex").write_text(r"\VAR{1 + 1}", encoding="utf-8")
    cache = tmp_path / "out" / "codes"
    for damage in (None, b"", b"x" * 100):
        if damage is not None:
            cache.write_bytes(damage)
        assert render("main.tex", {}, templates=tmp_path, root=tmp_path, cache=cache).text == "2"
    (tmp_path / "main.tex").write_text(r"\VAR{1 + 2}", encoding="utf-8")
    assert render("main.tex", {}, templates=tmp_path, root=tmp_path, cache=cache).text == "3"


def test_a_claim_is_true_when_it_holds():
    """In a condition a claim stands for its verdict; nothing else has a truth value."""
    assert Named("a.b", Claim(holds=True, evidence="", slack=1.0))
    assert not Named("a.b", Claim(holds=False, evidence="", slack=-1.0))
    with pytest.raises(TemplateError, match="neither true nor false"):
        bool(Named("a.b", Value(0)))
