"""LaTeX source → PDF with the real latexmk and XeLaTeX, and what its errors look like to an author."""

import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from report.compile import compile_pdf
from report.errors import LatexError, Location, MissingToolError
from report.render import render

MAIN = "\\documentclass{article}\nPREAMBLE\n\\begin{document}\n\\BLOCK{include 'part.tex'}\n\\end{document}\n"
CHINESE = r"""
\documentclass{ctexart}
\tracinglostchars=3
\begin{document}
\tableofcontents
\section{线性判别分析}\label{sec:lda}
见表~\ref{tab:lda.accuracy}，\VAR{evil}，\cite{zhou}。
\begin{table}\caption{准确率 $x$}\label{tab:lda.accuracy}\centering
\begin{tabular}{ll}a&b\end{tabular}\end{table}
\bibliographystyle{plain}
\bibliography{references}
\end{document}
"""
BIB = "@book{zhou, title={T}, author={A. B.}, publisher={P}, year=2015}\n"


class Project:
    """A folder with templates, rendered and compiled by :meth:`build`."""

    def __init__(self, root):
        self.root, self.templates, self.out = root, root / "templates", root / "build"
        self.templates.mkdir(parents=True)

    def write(self, **files):
        """Write templates, and the bibliography ``references``."""
        for name, text in files.items():
            (self.templates / (f"{name}.bib" if name == "references" else f"{name}.tex")).write_text(
                text, encoding="utf-8"
            )

    def build(self, epoch=1_700_000_000, **options):
        """Render and compile, with hostile data at hand."""
        context = {"evil": r"\input{/etc/passwd} 100% } \VAR{x} 「--」"}
        rendered = render("main.tex", context, templates=self.templates, root=self.root)
        return compile_pdf(self.out, "report", rendered, epoch=epoch, root=self.root, **options)

    def fail(self, part, preamble="", **files):
        """Compile a document that has an error and return the error."""
        self.write(main=MAIN.replace("PREAMBLE", preamble), part=part, **files)
        with pytest.raises(LatexError) as caught:
            self.build()
        return caught.value


@pytest.fixture
def project(tmp_path):
    """Return an empty project."""
    return Project(tmp_path)


def _text(pdf):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    return subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout


def _processes_in(folder):
    """Return the processes that work in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").resolve() == folder.resolve():
                found.append(entry.name)
        except OSError:
            continue
    return found


def test_a_chinese_document_is_the_same_bytes_in_every_folder(tmp_path):
    """Contents, references, bibliography and hostile data compile; place, time and earlier runs change nothing."""
    first, second = Project(tmp_path / "a"), Project(tmp_path / "b" / "deeper")
    for project in (first, second):
        project.write(main=CHINESE, references=BIB)
    compiled = first.build()
    assert (compiled.pages, compiled.warnings) == (1, ())
    assert compiled.passes > 1
    assert compiled.numbers["tab:lda.accuracy"] == "1"
    assert second.build().pdf.read_bytes() == compiled.pdf.read_bytes()
    again = first.build()
    assert (again.passes, again.pages, again.numbers) == (0, 1, compiled.numbers)
    text = _text(compiled.pdf)
    assert r"\input{/etc/passwd} 100% } \VAR{x} 「--」" in text
    assert "见表 1" in text


def test_a_latex_error_names_the_template_that_caused_it(project):
    """An error in an included file inside a loop: its own file, line and column, and what was probably meant."""
    error = project.fail("x\n\\BLOCK{for i in [1, 2]}\n\n  $a$ \\textbff{\\VAR{i}}\n\\BLOCK{endfor}\n")
    assert error.location == Location("templates/part.tex", 4, 7)
    assert error.message.startswith(r"the command \textbff is not defined")
    assert error.hint == r"Did you mean '\textbf'?"
    assert error.source.strip() == r"$a$ \textbff{\VAR{i}}"


@pytest.mark.parametrize(
    ("part", "place", "message", "hint"),
    [
        ("ok\na 龘 b", (2, 3), "Missing character: no 龘", "no font of the text"),
        ("see \\ref{fig:a}\\label{fig:b}", (1, 10), "undefined reference 'fig:a'", "Did you mean 'fig:b'?"),
        ("x\n\\label{a} \\label{a}", (2, 11), "label 'a' is defined twice", "first defined at templates/part.tex:2:1"),
        ("a_b", (1, 2), "Missing $ inserted", r"\_"),
        ("\\begin{itemiz}\\end{itemiz}", (1, 14), "Environment itemiz undefined", "Did you mean 'itemize'?"),
        ("\\includegraphics{figures/a.pdf}", (1, 31), "figures/a.pdf", "Did you mean 'figures/b.pdf'?"),
        ("\\input{other}", None, r"the command \VAR is not defined", r"\BLOCK{include …}, not with \input"),
        ("\\emph{a", (1, 6), "'{' is never closed", ""),
    ],
)
def test_errors_stand_at_the_template(project, part, place, message, hint):
    """What goes wrong in LaTeX is told in terms of the template, with a suggestion."""
    (project.out / "figures").mkdir(parents=True)
    (project.out / "figures" / "b.pdf").write_bytes(b"")
    error = project.fail(part, r"\usepackage{graphicx}", other=r"\VAR{x}")
    assert error.location == (Location("templates/part.tex", *place) if place else Location("templates/other.tex", 1))
    assert message in error.message
    assert hint in error.hint


def test_errors_of_the_preamble_and_of_bibtex_are_placed(project):
    """A package, a font and an entry of the bibliography that are wrong are named with their line."""
    error = project.fail("x", r"\usepackage{nosuch}")
    assert error.location == Location("templates/main.tex", 2, 12)
    assert "texlive" in error.hint
    error = project.fail("x", "\\usepackage{fontspec}\\setmainfont{No Such}")
    assert 'The font "No Such" cannot be found' in error.message
    assert "fc-list" in error.hint
    bibliography = "\\cite{zho}\\bibliographystyle{plain}\\bibliography{references}"
    error = project.fail(bibliography, references=BIB)
    assert error.location == Location("templates/part.tex", 1, 7)
    assert (error.message, error.hint) == ("undefined citation 'zho'", "Did you mean 'zhou'?")
    error = project.fail(bibliography, references="@book{zho,\n title={x}\n author={y}}")
    assert error.location == Location("templates/references.bib", 2)  # BibTeX notices in line 3


def test_an_overfull_box_is_a_warning_at_its_line(project):
    """What sticks out by more than a point is reported, at the line of its paragraph, and the PDF is made."""
    project.write(main=MAIN.replace("PREAMBLE", ""), part=f"fine\n\n\\noindent {'a' * 90}\n\n\\hbox to 9.5pt{{aa}}\n")
    compiled = project.build()
    (warning,) = compiled.warnings
    assert (warning.severity, warning.location) == ("warning", Location("templates/part.tex", 3, 1))
    assert warning.message.startswith("line too wide by")
    assert warning.message.endswith("aaaa")


def test_a_failed_run_leaves_the_last_good_document(project):
    """The PDF is replaced only by a good one, and the next run needs no cleaning."""
    project.write(main=MAIN.replace("PREAMBLE", ""), part="good")
    good = project.build().pdf.read_bytes()
    project.fail(r"\undefined")
    assert (project.out / "report.pdf").read_bytes() == good
    project.fail(r"\undefined")  # latexmk alone would say that there is nothing to do
    project.write(part="good")
    assert project.build().pdf.read_bytes() == good


def test_what_a_killed_run_left_behind_does_no_harm(project):
    """Files cut off in the middle, or filled with zeros, are thrown away, whichever they are."""
    preamble = "\\usepackage[hidelinks]{hyperref}"
    part = "\\tableofcontents\\section{One}\\label{a}\\ref{b}\\section{Two}\\label{b}"
    project.write(main=MAIN.replace("PREAMBLE", preamble), part=part)
    compiled = project.build()
    good = (compiled.pdf.read_bytes(), 1, {"a": "1", "b": "2"})
    work = project.out / ".tex"
    for suffix in ("aux", "toc", "log", "pdf"):
        path = work / f"report.{suffix}"
        content = path.read_bytes()
        path.write_bytes(bytes(len(content)) if suffix == "log" else content[: len(content) * 2 // 3])
        compiled = project.build()
        assert (compiled.pdf.read_bytes(), compiled.pages, compiled.numbers) == good, suffix
    (work / "report.ended").unlink()
    assert project.build().passes > 1  # a run that did not end is not built upon


def test_a_document_without_end_is_stopped(project):
    """A timeout ends every process of the compilation."""
    project.write(main=MAIN.replace("PREAMBLE", ""), part="\\def\\x{\\relax\\x}\\x")
    with pytest.raises(LatexError, match="did not end within 2 s"):
        project.build(timeout=2)
    assert not _processes_in(project.out)


def test_an_interrupt_leaves_no_process(project):
    """Ctrl-C ends XeLaTeX too."""
    project.write(main=MAIN.replace("PREAMBLE", ""), part="\\def\\x{\\relax\\x}\\x")
    script = f"""
        import sys
        sys.path.insert(0, {str(Path.cwd())!r})
        from pathlib import Path
        from report.compile import compile_pdf
        from report.render import render
        root = Path({str(project.root)!r})
        rendered = render("main.tex", {{}}, templates=root / "templates", root=root)
        compile_pdf(root / "build", "report", rendered, epoch=1, root=root)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while len(_processes_in(project.out)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _processes_in(project.out)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) != 0
    assert not _processes_in(project.out)


def test_the_settings_of_the_user_do_not_interfere(project, tmp_path, monkeypatch):
    """A ~/.latexmkrc and TeX variables of the shell change nothing."""
    (tmp_path / ".latexmkrc").write_text("die 'read';")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TEXINPUTS", "/nowhere")
    project.write(main=MAIN.replace("PREAMBLE", ""), part="good")
    assert project.build().pages == 1


def test_nothing_outside_is_read_or_run(project):
    """A template cannot run a program, nor read or write files above the project."""
    marker = project.root / "marker"
    error = project.fail(f"\\immediate\\write18{{touch {marker}}}\\input{{../../../etc/hostname}}")
    assert "not found" in error.message
    assert not marker.exists()


def test_a_missing_program_is_named_with_its_package(project, monkeypatch):
    """Without latexmk the error says how to get it."""
    project.write(main=MAIN.replace("PREAMBLE", ""), part="x")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingToolError, match="latexmk is not installed"):
        project.build()
