"""Every number of the prose is typed, exempt or unchecked, wherever it stands; what is no prose is left alone."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.check.audit import audit, audited_sources
from report.check.numbers import find_numerals
from report.check.plain import of_text
from report.check.prose import counts_as_number, not_prose
from report.check.rules import exemption
from report.check.source import read_source


def unchecked(template):
    """Return the unchecked numbers of one template as (text, line, column)."""
    found = audit({"a.tex": template}).unchecked
    return [(item.text, item.location.line, item.location.column) for item in found]


def test_an_unchecked_number_has_its_place():
    """Line and column lead to the number in the template, behind tags and constructs of any length."""
    template = "首行\n\\VAR{a.b | percent}与\\typed{a.c}{5}，\\exempt{6}{理由}，还有 97\\% 不明。\n"
    assert unchecked(template) == [("97%", 2, template.split("\n")[1].index("97") + 1)]


def test_counts():
    """Typed, exempt and unchecked numbers are told apart, and an exempt one keeps its reason."""
    found = audit({"a.tex": r"\typed{a.c}{5} 与 \exempt{6}{侧边长}，第 3 节，共 8 轮。"})
    assert found.typed == 1
    assert [(item.text, item.evidence) for item in found.exempt] == [("6", "侧边长"), ("3", "an ordinal")]
    assert [item.text for item in found.unchecked] == ["8"]


def test_an_exemption_needs_a_reason():
    """A number that is exempt for no reason is unchecked."""
    found = audit({"a.tex": r"共 \exempt{6}{ } 个"})
    assert [(item.text, item.evidence) for item in found.unchecked] == [("6", "exempt without a reason")]


@pytest.mark.parametrize(
    "template",
    [
        r"\caption{共 8 轮}",
        r"\section{8 轮}",
        r"\footnote{8 轮}",
        r"\textbf{8} 轮",
        r"\begin{center}8 轮\end{center}",
        r"\begin{itemize}\item 8 轮\end{itemize}",
        r"\begin{tabular}{rr} 8 & 甲 \end{tabular}",
        r"取 $n=8$ 轮",
        r"\multicolumn{2}{c}{8 轮}",
        r"\textcolor{red}{8 轮}",
        r"\BLOCK{if x}8 轮\BLOCK{endif}",
        r"\unknown{8 轮}",
        r"\BLOCK{macro m()}8 轮\BLOCK{endmacro}",
        r"\claim{a.b}{8 轮}",
        r"\claim{a.b}{好}{8 轮}",
        '\\VAR{figure("a", "训练 8 轮后的图")}',
        r"\BLOCK{raw}8 轮\BLOCK{endraw}",
        r"\href{https://a.b/9}{8 轮}",
    ],
)
def test_prose_is_everywhere(template):
    """Headings, captions, notes, cells, both variants of a claim, macros and captions given to macros are prose."""
    assert [text for text, _, _ in unchecked(template)] == ["8"]


@pytest.mark.parametrize(
    "template",
    [
        r"\label{fig:8}",
        r"\ref{8}",
        r"\cite[第 8 页]{a8}",
        r"\vspace{8pt}",
        r"\hspace*{8em}",
        r"\includegraphics[width=8cm]{a8}",
        r"\begin{tabular}{p{8cm}*{8}{r}} 甲 \end{tabular}",
        r"甲 \\[8pt] 乙",
        r"\cmidrule(lr){8-9}",
        r"\setlength{\x}{8}",
        r"\newcommand{\x}{8}",
        r"\definecolor{a}{RGB}{8,8,8}",
        r"\url{https://a.b/8}",
        r"\[ x = 8 \]",
        r"$$ x = 8 $$",
        r"\begin{align} x &= 8 \end{align}",
        "% 8\n",
        r"\verb|8|",
        r"\begin{lstlisting} 8 \end{lstlisting}",
        r"$\sum_{i=1}^{8} x_i$",
        r"$2\gamma L$",
        r"$x_8$",
        r"\rule{8pt}{8pt}",
        r"\begin{minipage}[t]{8cm}甲\end{minipage}",
        r"\usepackage[8pt]{a}\begin{document}甲\end{document}",
        r"\VAR{a.b | fixed(8)}",
        r"\BLOCK{set x = 8}",
        '\\VAR{a.b | tabular(formats={"x": "percent(8)"})}',
        r"\#{8}",
        r"\tag{8}",
        r"\hyperlink{8}{甲}",
    ],
)
def test_what_is_no_prose(template):
    """Labels, references, lengths, options, column specs, formulas, code and comments hold no number of the prose."""
    assert unchecked(template) == []


@pytest.mark.parametrize(
    ("formula", "counts"),
    [
        (r"$98\%$", True),
        (r"$\gamma=0.3$", True),
        ("$B = 100$", True),
        (r"$p<0.05$", True),
        (r"$10^{-4}$", True),
        (r"$784\to300\to10$", True),
        (r"$2\gamma$", False),
        (r"$\gamma L\le 1/2$", False),
        (r"$\gamma\to 0$", False),
        (r"$x_1$", False),
        (r"$\frac{1}{B}$", False),
        (r"$f(0)$", False),
        (r"$(t+q)/2$", False),
        (r"$1-2\gamma\lambda$", False),
    ],
)
def test_inline_formulas(formula, counts):
    """An inline formula counts as a number when it is one, or says what a symbol is."""
    assert counts_as_number(formula) is counts


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2018 年", "a year"),
        ("(2015)", "a year"),
        ("5 月", "a date"),
        ("第 3 层", "an ordinal"),
        ("第三", "an ordinal"),
        ("图 3", "a reference"),
        ("3 节", "a reference"),
        ("Table 2", "a reference"),
        ("附录 2", "a reference"),
        ("数字 5", "the name of a digit"),
        ("类别 3", "the name of a digit"),
        ("digit 7", "the name of a digit"),
        ("5 号数字", "the name of a digit"),
        ("28 × ", None),
        ("一致", "a word"),
        ("统一", "a word"),
        ("唯一", "a word"),
        ("十分", "a word"),
        ("三者", "a word"),
        ("二维", "a word"),
        ("一个", "an article"),
        ("两种方法", "a count of things that the text names"),
        ("三个隐藏层", None),
        ("十轮", None),
        ("两次", None),
        ("只有一个", None),
        ("90%", None),
        ("98 张", None),
        ("趋于 0", "a limit"),
        ("one of", "an article"),
        ("one epoch", None),
        ("零", "the word zero"),
    ],
)
def test_rules(text, reason):
    """Each rule exempts what it names, and numbers that could be results stay unchecked."""
    plain = of_text(f"其中{text}。" if not text[0].isascii() or text[0].isdigit() else text)
    numeral = find_numerals(plain)[0]
    assert exemption(numeral, plain.text) == reason


def test_the_name_of_several_digits():
    """A list or range of digits behind the word is a list of names."""
    plain = of_text("数字 0 至 9，数字 1、3 和 8，数字 4 与 7")
    assert {exemption(numeral, plain.text) for numeral in find_numerals(plain)} == {"the name of a digit"}


@given(st.text(alphabet="\\{}[]$%&ab1 \n一。", max_size=40))
def test_any_latex_can_be_parsed(text):
    """However broken a source is, its prose is found or not, but nothing breaks."""
    assert all(0 <= start <= end for start, end in not_prose(text))


def test_the_parts_that_are_prose_are_remembered(tmp_path):
    """A second audit reads what the first found, and a damaged memory is made anew."""
    template = {"a.tex": r"\label{fig:8} 共 8 轮"}
    first = audit(template, cache=tmp_path)
    (known,) = tmp_path.iterdir()
    assert json.loads(known.read_text()) == [[6, 13]]
    assert audit(template, cache=tmp_path) == first
    known.write_text("[")
    assert audit(template, cache=tmp_path) == first


def test_only_what_stands_behind_the_preamble_is_audited(render_text, tmp_path):
    """A file that is included in the preamble is not prose; the same words behind it are."""
    (tmp_path / "pre.tex").write_text("\\newlength{\\x} 8\n", encoding="utf-8")
    (tmp_path / "body.tex").write_text("9 轮\n", encoding="utf-8")
    text = '\\BLOCK{include "pre.tex"}\n7\n\\begin{document}\n\\BLOCK{include "body.tex"}\n6 轮\n\\end{document}\n'
    found = audit(audited_sources(render_text(text, "report.tex")))
    assert [(item.location.file, item.text) for item in found.unchecked] == [("report.tex", "6"), ("body.tex", "9")]


def test_regions_nest():
    """A typed number inside a claim belongs to the typed construct."""
    source = read_source(r"\claim{a.b}{共 \typed{a.c}{5} 轮}", "a.tex")
    start = source.text.index("5")
    assert source.region(start, start + 1).name == "a.c"
    assert source.region(0, 1) is None
