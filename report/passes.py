"""Running XeLaTeX: one pass of it, and whether the next one would print anything else.

latexmk is asked where a bibliography or an index has to be made; as long as only the text changes, XeLaTeX alone
settles the references, and starting it directly saves the start of latexmk and a conversion at the end.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from report.program import Done, Program

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from report.rendermap import Rendered

WORK = ".tex"
OPTIONS = ("-no-shell-escape", "-interaction=nonstopmode", "-file-line-error", "-synctex=1", "-recorder")
_LIMIT = 5
PRODUCTS = {
    *("pdf", "xdv", "log", "synctex.gz", "synctex(busy)", "fls", "fdb_latexmk"),
    *("bbl", "blg", "ind", "ilg", "ended"),
}
"""Suffixes of what a pass does not write for the next one."""
_OWN = {"aux", "toc", "lof", "lot", "lol", "out"}  # written and read by LaTeX alone
_FOR_TOOLS = re.compile(rb"^\\(?:citation|bibdata|bibstyle|abx@aux@cite)\b.*$", re.MULTILINE)
_ID = re.compile(rb"/ID ?\[ ?<([0-9A-Fa-f]{32})> ?<([0-9A-Fa-f]{32})> ?\]")


@dataclass(frozen=True, slots=True)
class Job:
    """What one compilation works on.

    Parameters
    ----------
    out : Path
        The output folder, in which LaTeX is started.
    name : str
        Base name of the document.
    rendered : Rendered
        The document; its text stands in ``out/name.tex``.
    environment : mapping
        The environment of LaTeX.
    timeout : float
        Seconds after which a program is ended.
    """

    out: Path
    name: str
    rendered: Rendered
    environment: Mapping[str, str]
    timeout: float

    @property
    def work(self) -> Path:
        """The folder of the files that LaTeX writes."""
        return self.out / WORK

    def file(self, suffix: str) -> Path:
        """Return one of the files that LaTeX writes."""
        return self.work / f"{self.name}.{suffix}"


class Typesetter:
    """How the first of the passes is run, and who sees its pages; ``watched`` if somebody waits for them."""

    watched = False

    def first(self, job: Job) -> Done:
        """Run XeLaTeX once over a job."""
        return direct_pass(job)

    def show(self, job: Job) -> None:
        """Take the pages of the first pass, while references may still point to old places."""


def environment_of(folder: Path | None, epoch: int) -> dict[str, str]:
    """Return the environment of LaTeX: fixed times, unbroken log lines, no files outside its folders.

    Parameters
    ----------
    folder : Path or None
        The templates, where LaTeX also looks for bibliographies, styles and pictures.
    epoch : int
        The time that the PDF states as its own, in seconds since 1970.
    """
    search = f".:{folder}:" if folder else ".:"  # the last colon adds TeX's own folders
    return {
        **os.environ,
        **dict.fromkeys(("TEXINPUTS", "BIBINPUTS", "BSTINPUTS"), search),
        "SOURCE_DATE_EPOCH": str(epoch),
        "FORCE_SOURCE_DATE": "1",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "max_print_line": "10000",
        "error_line": "254",
        "half_error_line": "238",
        "openin_any": "p",
        "openout_any": "p",
    }


def direct_pass(job: Job) -> Done:
    """Run XeLaTeX once; it hands its pages to the maker of the PDF while it works on the next."""
    return run(["xelatex", *OPTIONS, f"-output-directory={WORK}", f"{job.name}.tex"], job)


def latexmk(job: Job) -> Done:
    """Run XeLaTeX, BibTeX and the rest as often as references, contents and bibliography need."""
    return run(["latexmk", "-norc", "-xelatex", f"-outdir={WORK}", *OPTIONS, f"{job.name}.tex"], job)


def settle(job: Job, typesetter: Typesetter) -> tuple[Done, int, bool]:
    """Run XeLaTeX until its references stand still, for a document whose bibliography is made.

    Parameters
    ----------
    job : Job
        What to compile.
    typesetter : Typesetter
        Runs the first pass, and is shown its pages.

    Returns
    -------
    last : Done
        The end of the last pass.
    passes : int
        How often XeLaTeX ran.
    settled : bool
        False when latexmk must take over, since another program has to run.
    """
    before = auxiliaries(job)
    for number in range(1, _LIMIT + 1):
        done = typesetter.first(job) if number == 1 else direct_pass(job)
        if done.code:
            return done, number, True  # the caller looks at the errors
        if number == 1:
            typesetter.show(job)
        after = auxiliaries(job)
        if after == before:
            return done, number, True
        if _for_tools(after) != _for_tools(before):
            break
        before = after
    return done, number, False


def auxiliaries(job: Job) -> dict[str, bytes]:
    """Return the files that a pass writes for the next one."""
    files = (path for path in job.work.rglob("*") if path.is_file())
    return {path.name: path.read_bytes() for path in files if path.name.split(".", 1)[-1] not in PRODUCTS}


def _for_tools(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Keep what BibTeX, biber or an index would read."""
    return {
        name: b"\n".join(_FOR_TOOLS.findall(content)) if name.rpartition(".")[2] in _OWN else content
        for name, content in files.items()
    }


def bibliography(job: Job) -> str:
    """Return the digest of every file that BibTeX may read."""
    folders = (job.out, job.rendered.folder)
    files = {path for folder in folders if folder for kind in ("*.bib", "*.bst") for path in folder.rglob(kind)}
    digest = sha256(b"bibliography")
    for path in sorted(files):
        digest.update(path.name.encode() + b"\0" + sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def finished_pdf(path: Path) -> bytes:
    """Return a PDF with an identifier made from its content.

    The one it comes with is made from the names of files, which differ between ways to the same document.
    """
    content = path.read_bytes()
    tail = content.rfind(b"/ID")
    found = _ID.search(content, tail) if tail >= 0 else None
    if found is None:
        return content
    digest = sha256(content[: found.start()] + content[found.end() :]).hexdigest()[:32].encode()
    same = found[0].replace(found[1], digest).replace(found[2], digest)
    return content[: found.start()] + same + content[found.end() :]


def run(command: list[str], job: Job) -> Done:
    """Run a command to its end; if we are stopped, its whole process group ends."""
    return Program(command, job.out, job.work, job.environment).finish(job.timeout)
