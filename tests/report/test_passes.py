"""Only as many passes as references need, with the same bytes on every way to the document."""

import subprocess

import pytest

from report.compile import compile_pdf
from report.errors import LatexError
from report.passes import Job, Typesetter, environment_of, finished_pdf
from report.render import render
from report.warmtex import WarmTex

PREAMBLE = r"""\documentclass{article}
\usepackage{own}
"""
TEXT = r"""\begin{document}
\tableofcontents
\section{One}\label{one}
WORDS
\section{Two}\label{two}
See \ref{one}, \ref{two} and \own.
\end{document}
"""


class Project:
    """A folder with one template, compiled by :meth:`build`."""

    def __init__(self, root):
        self.root, self.templates, self.out = root, root / "templates", root / "build"
        self.templates.mkdir(parents=True)
        (self.templates / "own.sty").write_text("\\newcommand\\own{first}\n")

    def rendered(self, words, preamble=PREAMBLE):
        """Render the document with some words in it."""
        (self.templates / "main.tex").write_text(preamble + TEXT.replace("WORDS", words), encoding="utf-8")
        return render("main.tex", {}, templates=self.templates, root=self.root)

    def build(self, words, typesetter=None, preamble=PREAMBLE):
        """Render and compile."""
        rendered = self.rendered(words, preamble)
        return compile_pdf(self.out, "report", rendered, epoch=1, root=self.root, typesetter=typesetter)

    def prepare(self, warm, words="first"):
        """Let a XeLaTeX read the preamble of the document."""
        rendered = self.rendered(words)
        warm.prepare(self.out, "report", rendered.text, environment_of(rendered.folder, 1))


class Shown(Typesetter):
    """Remembers what it was shown."""

    def __init__(self):
        self.seen = []

    def show(self, job):
        """Keep the pages of the first pass."""
        self.seen.append(finished_pdf(job.file("pdf")))


@pytest.fixture
def project(tmp_path):
    """Return a project."""
    return Project(tmp_path)


def text_of(pdf):
    """Return the text of a PDF."""
    return subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout


def test_a_change_of_words_takes_one_pass_and_gives_the_bytes_of_a_fresh_build(project, tmp_path):
    """One pass without latexmk, and nothing in the PDF tells which way it was made."""
    assert project.build("first").passes > 1
    edited = project.build("second")
    assert edited.passes == 1
    fresh = Project(tmp_path / "fresh").build("second")
    assert edited.pdf.read_bytes() == fresh.pdf.read_bytes()


def test_moved_references_take_two_passes_and_the_first_is_shown(project):
    """A new section moves numbers and contents; the pages of the first pass are shown meanwhile."""
    project.build("first")
    shown = Shown()
    compiled = project.build(r"\section{Between}\newpage", shown)
    assert compiled.passes == 2
    assert len(shown.seen) == 1
    assert shown.seen[0] != compiled.pdf.read_bytes()
    assert "See 1, 3 and first" in text_of(compiled.pdf)


def test_a_new_citation_calls_latexmk(project):
    """What BibTeX has to do is not left out, and an edited bibliography is read again."""
    bibliography = r"\cite{a}\bibliographystyle{plain}\bibliography{references}"
    references = project.templates / "references.bib"
    references.write_text("@book{a, title={First Title}, author={A}, publisher={P}, year=2000}\n")
    project.build("first")
    assert "First Title" in text_of(project.build(bibliography).pdf)
    assert project.build(f"more {bibliography}").passes == 1
    references.write_text(references.read_text().replace("First", "Second"))
    assert "Second title" in text_of(project.build(f"still more {bibliography}").pdf).replace("Title", "title")


def test_an_error_does_not_cost_the_next_build_anything(project):
    """After a mistake and its correction, one pass is enough again."""
    project.build("first")
    with pytest.raises(LatexError, match=r"\\nosuchcommand"):
        project.build(r"\nosuchcommand")
    mended = project.build("second")
    assert mended.passes <= 2
    assert "second" in text_of(mended.pdf)


def test_a_waiting_xelatex_gives_the_same_bytes_and_places(project, tmp_path):
    """The preamble is read before the text is known; PDF, line numbers and errors are those of an ordinary run."""
    fresh = Project(tmp_path / "fresh").build("second")
    project.build("first")
    with WarmTex() as warm:
        project.prepare(warm)
        compiled = project.build("second", warm)
        assert compiled.pdf.read_bytes() == fresh.pdf.read_bytes()
        assert compiled.passes == 1
        project.prepare(warm)
        with pytest.raises(LatexError) as caught:
            project.build(r"\nosuchcommand", warm)
    assert (caught.value.location.file, caught.value.location.line) == ("templates/main.tex", 6)


def test_a_waiting_xelatex_is_used_only_where_it_fits(project):
    """Another preamble, or a style that was edited since, is read anew."""
    project.build("first")
    with WarmTex() as warm:
        project.prepare(warm)
        other = project.build("first", warm, PREAMBLE + "\\renewcommand\\own{renewed}\n")
        assert "renewed" in text_of(other.pdf)
        project.prepare(warm)
        (project.templates / "own.sty").write_text("\\newcommand\\own{edited}\n")
        assert "edited" in text_of(project.build("third", warm).pdf)


def test_errors_of_the_preamble_are_told_at_their_line(project):
    """The copy of the preamble that the waiting process reads is never named."""
    project.build("first")
    wrong = PREAMBLE + "\\nosuchcommand\n"
    with WarmTex() as warm:
        rendered = project.rendered("first", wrong)
        warm.prepare(project.out, "report", rendered.text, environment_of(rendered.folder, 1))
        with pytest.raises(LatexError) as caught:
            project.build("first", warm, wrong)
    assert (caught.value.location.file, caught.value.location.line) == ("templates/main.tex", 3)


def test_nothing_waits_after_the_end(project):
    """A process that was not needed is ended; one that ended by itself is not waited for."""
    project.build("first")
    with WarmTex() as warm:
        project.prepare(warm)
        process = warm._process
    assert process.poll() is not None
    with WarmTex() as warm:
        project.prepare(warm)
        warm._process.kill()
        warm._process.wait()
        assert project.build("second", warm).passes == 1


def test_the_identifier_of_a_pdf_comes_from_its_content(tmp_path):
    """Two files that differ in their identifiers alone become equal; other files stay as they are."""
    one, other = tmp_path / "one.pdf", tmp_path / "other.pdf"
    one.write_bytes(b"%PDF-1.5 x /ID[<" + b"0" * 32 + b"><" + b"0" * 32 + b">] %%EOF")
    other.write_bytes(b"%PDF-1.5 x /ID [<" + b"1" * 32 + b"> <" + b"1" * 32 + b">] %%EOF")
    assert finished_pdf(one)[16:48] == finished_pdf(one)[50:82] != b"0" * 32
    one.write_bytes(other.read_bytes().replace(b"1" * 32, b"2" * 32))
    assert finished_pdf(one) == finished_pdf(other)
    one.write_bytes(b"no PDF")
    assert finished_pdf(one) == b"no PDF"


def test_a_job_names_its_files(tmp_path):
    """Everything LaTeX writes lies in one folder."""
    job = Job(tmp_path, "report", None, {}, 1.0)
    assert job.file("aux") == tmp_path / ".tex" / "report.aux"
