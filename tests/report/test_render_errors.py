"""Mistakes of an author: each ends in one error with the place in the template and a suggestion."""

import pytest

from report.errors import Location, TableError, TemplateError
from report.model import Claim, Result, Table, Value
from report.render import render
from report.views import Namespace, SectionResult, section_view

RESULT = Result(
    values={"p_value": Value(0.59123, digits=3), "accuracy": Value(0.9766), "size": Value(3.25, "MB"), "n": Value(-12)},
    tables={"scores": Table(["digit", "accuracy"], [["a&b", 0.9123], ["c", None]])},
    claims={
        "better": Claim(holds=True, evidence="0.9 > 0.8", slack=0.1),
        "sparser": Claim(holds=False, evidence="3 & 4", slack=-1.0),
    },
)
SETTINGS = {"ridge": {"learning_rate": 0.001, "layers": (784, 10), "name": "a_b"}}


@pytest.fixture
def typeset(tmp_path):
    """Return a function that renders a template text, with others beside it."""
    folder = tmp_path / "templates"
    folder.mkdir()

    def run(main, **others):
        for name, text in {"main": main, **others}.items():
            (folder / f"{name}.tex").write_text(text, encoding="utf-8")
        context = {
            "lda": section_view("lda", SectionResult(RESULT, SETTINGS)),
            "document": Namespace("document", {"title": "T & S"}, "a key of [document]"),
        }
        return render("main.tex", context, templates=folder, root=tmp_path)

    return run


ERRORS = [
    (r"\VAR{lad.p_value}", "'lad' is not defined", "Did you mean 'lda'?"),
    (r"\VAR{lda.pvalue}", "'lda.pvalue' is not a result", "Did you mean 'lda.p_value'?"),
    (r"\VAR{lda.settings.ridge.learning_rat}", "'lda.settings.ridge.learning_rat' is not a setting", "learning_rate'"),
    (r"\VAR{document.titel}", "'document.titel' is not a key of [document]", "Did you mean 'document.title'?"),
    (r"\VAR{lda.p_value | percnt}", "there is no filter 'percnt'", "Did you mean 'percent'?"),
    (r"\BLOCK{if 1 is od}\BLOCK{endif}", "there is no test 'od'", "Did you mean 'odd'?"),
    (r"\VAR{lda.p_value.numbr}", "value 'lda.p_value' has no 'numbr'", "Did you mean 'number'?"),
    (r"\VAR{lda.scores | percent}", "'lda.scores' is a table, not a number", ""),
    (r"\VAR{lda.p_value | tabular}", "tabular prints a table, not the value 'lda.p_value'", ""),
    (r"\VAR{lda.p_value | fixed | percent}", "this is printed text already", "one format only"),
    (r"\VAR{lda.p_value * 2}", "a result cannot be compared or calculated with", "raw number"),
    (r"\BLOCK{if lda.p_value}\BLOCK{endif}", "neither true nor false", "lda.p_value.number"),
    (r"\VAR{lda.better}", "a claim prints nothing: 'lda.better'", r"\claim{lda.better}{sentence}"),
    (r"\VAR{lda}", "a group of names cannot be printed", "p_value"),
    (r"\VAR{none}", "None cannot be printed", r"\BLOCK{if …}"),
    (r"\claim{lda.beter}{x}", "'lda.beter' is not a result", "Did you mean 'lda.better'?"),
    (r"\claim{lda.p_value}{x}", "'lda.p_value' is a value, not a claim", ""),
    (r"\claim{lad.better}{x}", "'lad' is not defined", "Did you mean 'lda'?"),
    (r"\claim{lda.better} x", r"\claim lacks its second argument", r"\claim{id}{sentence}"),
    (r"\typed{lda.scores}{3}", "'lda.scores' is a table", ""),
    (r"\exempt{28}", r"\exempt lacks its second argument", r"\exempt{number}{reason}"),
    (r"\VAR{lda.p_value", r"'\VAR{' is never closed", "every { needs its }"),
    (r"\VAR{}", r"\VAR{} is empty", ""),
    (r"\VAR{1 ? 2}", "unexpected char '?'", ""),
    (r"\#{ never", r"'\#{' is never closed", ""),
    (r"\BLOCK{for x in y}", r"\BLOCK{for …} is never closed", r"\BLOCK{endfor}"),
    (r"\BLOCK{endfor}", r"\BLOCK{endfor} closes nothing", "no block is open here"),
    (r"\BLOCK{iff x}", r"there is no \BLOCK{iff}", "Did you mean 'if'?"),
    (r"\BLOCK{else}", r"\BLOCK{else} stands in no \BLOCK{if …}", ""),
    (r"\BLOCK{raw}", r"\BLOCK{raw} is never closed", ""),
    (r"\BLOCK{include 'man.tex'}", "there is no template 'man.tex'", "Did you mean 'main.tex'?"),
    (r"\BLOCK{include '../main.tex'}", "'../main.tex' lies outside the folder of the templates", ""),
    (r"\BLOCK{include '/etc/passwd'}", "'/etc/passwd' lies outside", ""),
    (r"\VAR{lda.__class__}", "unsafe", ""),
    (r"\VAR{[].append(1)}", "unsafe", ""),
    ("\U0010ff01", "private-use character", ""),
]


@pytest.mark.parametrize(("fault", "message", "hint"), ERRORS)
def test_errors_name_the_place_in_the_template(typeset, fault, message, hint):
    """Every mistake ends in one error with file, line, column, source line and a suggestion."""
    with pytest.raises(TemplateError) as caught:
        typeset("x\n\\BLOCK{include 'part.tex'}", part=f"y\nab {fault}\n")
    error = caught.value
    assert error.location == Location("templates/part.tex", 2, 4)
    assert message in error.message
    assert hint in error.hint
    assert error.source == f"ab {fault}"


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ("columns={'digt': 'D'}", "the table has no column 'digt'", "Did you mean 'digit'?"),
        ("formats={'acuracy': 'percent'}", "the table has no column 'acuracy'", "Did you mean 'accuracy'?"),
        ("formats={'accuracy': 'percnt(1)'}", "there is no format 'percnt'", "Did you mean 'percent'?"),
        ("formats={'digit': 'percent'}", "the format of column 'digit' does not fit 'a&b'", ""),
        ("colums={'digit': 'D'}", "tabular has no option 'colums'", ""),
        ("align='lrr'", "align 'lrr' is for 3 columns, the table prints 2", ""),
        ("groups=[('x', 3)]", "the groups span 3 columns, the table has 2", ""),
    ],
)
def test_errors_of_tables_name_the_place_too(typeset, arguments, message, hint):
    """A wrong column, format or layout is an error at the tag that prints the table."""
    with pytest.raises(TableError) as caught:
        typeset(f"a\nb \\VAR{{lda.scores | tabular(\n  {arguments})}}")
    assert caught.value.location == Location("templates/main.tex", 2, 3)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_an_error_in_a_macro_names_the_macro_and_its_caller(typeset):
    """The place is that of the fault; the hint says which call led there, and suggests local names too."""
    with pytest.raises(TemplateError) as caught:
        typeset(
            "\\BLOCK{from 'part.tex' import m}\n\nsee \\VAR{m(1)}",
            part="\\BLOCK{macro m(number)}\n\\VAR{numbr}\n\\BLOCK{endmacro}",
        )
    assert caught.value.location == Location("templates/part.tex", 2, 1)
    assert caught.value.hint == "Did you mean 'number'? (in a macro called at templates/main.tex:3:5)"


@pytest.mark.parametrize("claim", ["lda.better", "not lda.better"])
def test_names_are_looked_up_in_both_sentences_of_a_claim(typeset, claim):
    """A slip in the sentence that is not printed is found too; what a loop or a condition guards is left alone."""
    fine = r"\BLOCK{for x in [1]}\VAR{loop.index}\BLOCK{endfor}\BLOCK{if 'cnn' in []}\VAR{cnn.x}\BLOCK{endif}"
    assert typeset(rf"\claim{{{claim}}}{{a{fine}}}{{b{fine}}}").text.strip()[0] in "ab"
    for sentences, column in ((r"{\VAR{lda.pvalue | fixed(1)}}{y}", 2), (r"{y}{\VAR{lda.pvalue | fixed(1)}}", 5)):
        with pytest.raises(TemplateError, match=r"'lda\.pvalue' is not a result") as caught:
            typeset(f"\\claim{{{claim}}}\n{sentences}")
        assert caught.value.location == Location("templates/main.tex", 2, column)


def test_templates_that_include_each_other_end(typeset):
    """An endless inclusion is reported, not followed."""
    with pytest.raises(TemplateError, match="include each other without end"):
        typeset(r"\BLOCK{include 'main.tex'}")


def test_a_template_that_is_not_utf8_is_named_with_its_line(typeset, tmp_path):
    """A file in another encoding is refused where it stops being UTF-8."""
    typeset("a")
    (tmp_path / "templates" / "main.tex").write_bytes(b"a\nb\xff")
    with pytest.raises(TemplateError, match=r"templates/main.tex:2: not UTF-8") as caught:
        render("main.tex", {}, templates=tmp_path / "templates", root=tmp_path)
    assert caught.value.location == Location("templates/main.tex", 2)
