"""Hostile strings in data are inert; hostile templates reach neither Python nor, but for pictures, files outside."""

import re
import zlib
from pathlib import Path

import pytest

from report.errors import ReportError
from report.model import Claim, Figure, Result, Table, Value
from report.render import render
from report.views import SectionResult, section_view
from tests.faults.conftest import Ledger
from tests.faults.lab import LONG, Lab, long_only

SECRET = "SECRETSECRET"  # noqa: S105 - a word to look for
STRINGS = [
    r"\input{/etc/passwd}",
    r"\immediate\write18{touch pwned}",
    r"\openin1=/etc/passwd \read1 to\x \x",
    r"\catcode`\%=12 \def\x{\x}\x",
    r"\end{document}",
    r"\csname end\endcsname",
    r"\special{pdf:fstream @x (/etc/passwd)}",
    r"}}} \par { $$ ^^5cinput{x} ^^M",
    r"100% of # & _ ~ ^ < > | ` ' * [x] {y}",
    r"\VAR{''.__class__.__mro__} \BLOCK{include '/etc/passwd'} \#{x}",
    r"{{ 7*7 }} {% raw %} \claim{means.close}{x} \typed{a}{1}",
    "-- --- ,, `` '' ?` !` << >>",
    r"\\[1em] \\* \item[x] \hline & \multicolumn{2}{l}{x}",
    "=cmd|' /C calc'!A0 <script>alert(1)</script> '; DROP TABLE x; --",
]
BLANKS = ["one\n\ntwo\r\nthree\x00four\x1b[31m", "abc \u2028x", "\U00100001\U0010ffff tail", "% not a comment\n"]
ATTEMPTS = {  # TeX → whether the build ends with a message
    r"\input{../../secret}": True,
    r"\input{@DIR@/secret}": True,
    r"\csname @@input\endcsname @DIR@/secret.tex ": True,
    r'\input{|"cat @DIR@/secret.tex"}': True,
    r"\input{.hidden}": True,
    r"\newread\r\openin\r=@DIR@/secret.tex \ifeof\r none\else\read\r to\x \x\fi": False,
    r"\newread\r\openin\r=../../secret.tex \ifeof\r none\else\read\r to\x \x\fi": False,
    r"\immediate\write18{cat @DIR@/secret.tex > leak.tex; touch @DIR@/pwned}x": False,
    r"\immediate\write18{touch ../../pwned}x": False,
    r"\newwrite\w\immediate\openout\w=../../pwned \immediate\write\w{x}": True,
    r"\newwrite\w\immediate\openout\w=@DIR@/pwned \immediate\write\w{x}": True,
    r"\newwrite\w\immediate\openout\w=../results.json \immediate\write\w{x}": True,
    r"\newwrite\w\immediate\openout\w=results.json \immediate\write\w{x}\immediate\closeout\w": False,
    r'\font\f="[@DIR@/secret.tex]" \f x': True,
    r"\filedump length 40 {@DIR@/secret.tex}": False,
    r"\makeatletter\immediate\write\@auxout{\string\bibdata{@DIR@/secret}}\makeatother": True,
}
READS_OUTSIDE = [r"\special{pdf:fstream @s (@DIR@/secret.tex)}\special{pdf:docview << /S @s >>}x"]
ESCAPES = [
    r"\VAR{''.__class__}",
    r"\VAR{''['__class__']}",
    r"\VAR{s.v.__class__}",
    r"\VAR{s.v.item}",
    r"\VAR{s._entries}",
    r"\VAR{s.v.number.__class__.__base__.__subclasses__()}",
    r"\VAR{[s.v] | map(attribute='__class__') | join}",
    r"\VAR{[s.v] | join('', attribute='__class__')}",
    r"\VAR{['x'] | join('', attribute='__class__.__name__')}",
    r"\VAR{'x' | attr('__class__')}",
    r"\VAR{'{0.__class__}'.format(1)}",
    r"\VAR{'{0.__class__}'.format_map({'0': 1})}",
    r"\VAR{('%s' % s.v.__init__.__globals__)}",
    r"\VAR{cycler.__init__.__globals__}",
    r"\VAR{joiner.__init__.__globals__['__builtins__']}",
    r"\VAR{namespace.__class__}",
    r"\VAR{self.__init__.__globals__}",
    r"\VAR{s.f.of.__globals__}",
    r"\VAR{open('/etc/passwd').read()}",
    r"\VAR{__import__('os').getcwd()}",
    r"\VAR{range(10 ** 12) | list}",
    r"\VAR{s.t.rows.append(1)}",
    r"\VAR{[1].append(2)}",
    r"\BLOCK{set s.v = 1}",
    r"\BLOCK{include '../secret.tex'}",
    r"\BLOCK{include '@DIR@/secret.tex'}",
    r"\BLOCK{include 'link.tex'}",
    r"\BLOCK{include 'sub/../../secret.tex'}",
    r"\BLOCK{import '../secret.tex' as x}",
    r"\BLOCK{extends '../secret.tex'}",
    r"\BLOCK{from '@DIR@/secret.tex' import x}",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_no_way_from_a_template_into_python(text: str, tmp_path: Path, ledger: Ledger) -> None:
    """Attributes with underscores, builtins, changes of results and files outside end in one message with a place."""
    with ledger.trial("A template that tries to leave Jinja's sandbox", "message"):
        (tmp_path / "templates").mkdir()
        (tmp_path / "secret.tex").write_text(SECRET, encoding="utf-8")
        (tmp_path / "templates/link.tex").symlink_to(tmp_path / "secret.tex")
        (tmp_path / "templates/main.tex").write_text(text.replace("@DIR@", str(tmp_path)), encoding="utf-8")
        result = Result(
            {"v": Value(1.5)},
            {"t": Table(["a"], [[1]])},
            {"f": Figure(b"")},
            {"c": Claim(holds=True, evidence="", slack=1)},
        )
        context = {"s": section_view("s", SectionResult(result))}
        with pytest.raises(ReportError) as caught:
            render("main.tex", context, templates=tmp_path / "templates", root=tmp_path)
        assert SECRET not in str(caught.value)
        assert "<class" not in str(caught.value)


def test_hostile_strings_in_data_are_printed_and_do_nothing(built: Lab, ledger: Ledger) -> None:
    """Commands, delimiters and control characters from data appear as they are in cells, text, titles and captions."""
    cells = [*STRINGS, *BLANKS]
    built.edit("means.py", "list(means.items())", f"[*means.items(), *((text, 0.0) for text in {cells!r})]")
    built.edit("means.py", '"all within 1"', repr(STRINGS[0]))
    built.write("report.toml", f'sections = ["means"]\n[document]\ntitle = """{STRINGS[8]}"""\ndate = 2024-05-01\n')
    built.edit("templates/report.tex", r"\section{Means}", r"\section{\VAR{document.title}}")
    built.edit("templates/report.tex", r"\caption{Means.}\label{tab", r"\caption{\VAR{means.close.evidence}}\label{tab")
    built.good()
    content = plain(built.text())
    for text in STRINGS:
        with ledger.trial("A hostile string in data, printed in a table, a title or a caption"):
            assert plain(text) in content
    with ledger.trial("A string with control characters or of blank lines in data"):
        assert plain("one two three four[31m") in content
    assert "root:" not in content
    assert not list(built.folder.rglob("pwned*"))


def plain(text: str) -> str:
    """Leave out blanks, in which layout and wrapping differ."""
    return re.sub(r"\s+", "", text.replace("’", "'").replace("‘", "`"))


@pytest.mark.parametrize("tex", list(ATTEMPTS) if LONG else list(ATTEMPTS)[1:8:6])
def test_tex_reads_and_writes_nothing_outside(tex: str, built: Lab, ledger: Ledger) -> None:
    """What TeX itself opens stays inside the project and its own installation, and no program is started."""
    with ledger.trial("A template whose TeX reads, writes or runs outside", "message") as ends:
        before = built.results()
        attempt(built, tex)
        if ATTEMPTS[tex]:
            built.bad()
        else:
            ends("recovered")
            built.good()
            assert SECRET.encode() not in unpacked(built.out / "report.pdf")
        assert built.results() == before
        assert not list(built.folder.parent.rglob("pwned*"))


@long_only
@pytest.mark.parametrize("tex", READS_OUTSIDE)
def test_what_the_maker_of_the_pdf_reads_is_not_limited(tex: str, built: Lab) -> None:
    """docs/faults.md says that a template can put any file into the PDF; when this fails, it no longer can."""
    attempt(built, tex)
    built.good()
    assert SECRET.encode() in unpacked(built.out / "report.pdf")


def attempt(lab: Lab, tex: str) -> None:
    """Put TeX into the template, and what it tries to read beside the project."""
    beside = lab.folder.parent
    (beside / "secret.tex").write_text(f"{SECRET}\n", encoding="utf-8")
    (beside / "secret.bib").write_text(f"@book{{gauss, title={{{SECRET}}}}}\n", encoding="utf-8")
    (lab.out / ".hidden.tex").write_text(SECRET, encoding="utf-8")
    lab.write("templates/part.tex", tex.replace("@DIR@", str(beside)) + "\n")


def unpacked(pdf: Path) -> bytes:
    """Return the bytes of a PDF with its streams unpacked."""
    content = pdf.read_bytes()
    for match in re.finditer(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        try:
            content += zlib.decompress(match[1])
        except zlib.error:
            continue
    return content
