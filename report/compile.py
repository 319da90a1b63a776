"""LaTeX source → PDF, with XeLaTeX and latexmk, the same bytes in every folder.

Everything LaTeX writes lies in ``.tex/`` below the output folder; the finished PDF is moved to its place in one
step, so that a failed or killed compilation leaves the last good one.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from report.braces import check_groups
from report.errors import LatexError, MissingToolError
from report.files import write_atomic, write_if_changed
from report.latexlog import Diagnostic, diagnose, pages_of, read_log
from report.passes import Job, Typesetter, bibliography, environment_of, finished_pdf, latexmk, settle
from report.texlive import apt_command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from report.program import Done
    from report.rendermap import Rendered

_TIMEOUT = 600.0
_SHOWN = 5
_RUN = re.compile(r"^Run number \d+ of rule '(?:xelatex|pdflatex)'", re.MULTILINE)
_LABEL = re.compile(r"^\\newlabel\{([^{}]+)\}\{\{((?:[^{}]|\{[^{}]*\})*)\}", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a compilation gave.

    Parameters
    ----------
    pdf : Path
        The finished document.
    pages : int
        Its pages.
    passes : int
        How often XeLaTeX ran; 0 when nothing had changed.
    seconds : float
        Wall time.
    warnings : tuple of Diagnostic
        What should be looked at, such as overfull boxes, at the templates' lines.
    numbers : mapping of str to str
        LaTeX label → the number it prints, e.g. ``{"tab:lda.accuracy": "3"}``.
    """

    pdf: Path
    pages: int
    passes: int
    seconds: float
    warnings: tuple[Diagnostic, ...] = ()
    numbers: Mapping[str, str] = field(default_factory=dict)


def compile_pdf(
    out: Path,
    name: str,
    rendered: Rendered,
    *,
    epoch: int,
    root: Path,
    timeout: float = _TIMEOUT,
    typesetter: Typesetter | None = None,
) -> Compiled:
    """Compile a rendered document to ``out/name.pdf``.

    Parameters
    ----------
    out : Path
        The output folder; the figures lie in it.
    name : str
        Base name of the document.
    rendered : Rendered
        The document and where its lines come from.
    epoch : int
        The time that the PDF states as its own, in seconds since 1970.
    root : Path
        The project, to which paths in messages are relative.
    timeout : float
        Seconds after which LaTeX is ended.
    typesetter : Typesetter, optional
        How the first pass is run, and who sees its pages before the references stand still.

    Raises
    ------
    LatexError
        With the first errors, at the templates' lines. ``out/name.pdf`` is as it was.
    MissingToolError
        When latexmk or xelatex is not installed.
    """
    _require("latexmk", "xelatex")
    check_groups(rendered)
    started = time.perf_counter()
    job = Job(out, name, rendered, environment_of(rendered.folder, epoch), timeout)
    job.work.mkdir(parents=True, exist_ok=True)
    done, passes, found = _typeset(job, root, typesetter or Typesetter())
    errors = [item for item in found if item.severity == "error"]
    if errors or not _complete(job.file("pdf")):
        job.file("fdb_latexmk").unlink(missing_ok=True)  # else latexmk would refuse to try again
        raise _failure(errors, done.output, rendered)
    write_if_changed(out / f"{name}.pdf", finished_pdf(job.file("pdf")))
    if job.file("synctex.gz").exists():
        write_if_changed(out / f"{name}.synctex.gz", job.file("synctex.gz").read_bytes())
    return Compiled(
        pdf=out / f"{name}.pdf",
        pages=pages_of(job.file("log")),
        passes=passes,
        seconds=time.perf_counter() - started,
        warnings=tuple(found),
        numbers=numbers_of(job.file("aux")),
    )


def _typeset(job: Job, root: Path, typesetter: Typesetter) -> tuple[Done, int, list[Diagnostic]]:
    """Run what is needed; return how it ended, how often XeLaTeX ran, and what the logs say."""
    changed = write_if_changed(job.out / f"{job.name}.tex", job.rendered.text.encode())
    ended = job.file("ended")
    known = _known(job)
    if known is None:
        _clean(job)  # the last run was killed, or a file was damaged since: what is there may be cut off anywhere
    fresh = not job.file("aux").exists()
    ended.unlink(missing_ok=True)
    used, passes, settled = bibliography(job), 0, False
    if changed and not fresh and known == used:
        done, passes, settled = settle(job, typesetter)
    if not settled:
        if known and known != used:  # latexmk looks for the .bib where it was, which may be another copy of the project
            job.file("fdb_latexmk").unlink(missing_ok=True)
        done = latexmk(job)
    found = diagnose(job.work, job.name, job.rendered, root)
    if not fresh and _worth_a_clean_start(job, found):
        _clean(job)
        done, settled = latexmk(job), False
        found = diagnose(job.work, job.name, job.rendered, root)
    good = not any(item.severity == "error" for item in found)
    state = {"bibliography": used if good or settled else "", "files": _digests(job)}
    write_atomic(ended, json.dumps(state).encode())
    return done, passes + (0 if settled else len(_RUN.findall(done.output))), found


def _known(job: Job) -> str | None:
    """Return the bibliography that the last complete run knew; None if it did not end, or a file of it has changed."""
    try:
        state = json.loads(job.file("ended").read_bytes())
        files = state["files"]
        if not job.file("fdb_latexmk").exists():  # thrown away after an error: latexmk looks at everything anew
            files.pop(job.file("fdb_latexmk").name, None)
        return str(state["bibliography"]) if files.items() <= _digests(job).items() else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _digests(job: Job) -> dict[str, str]:
    paths = sorted(path for path in job.work.rglob("*") if path.is_file() and path != job.file("ended"))
    return {path.relative_to(job.work).as_posix(): sha256(path.read_bytes()).hexdigest() for path in paths}


def _require(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            package = {"latexmk": "latexmk", "xelatex": "texlive-xetex"}[program]
            raise MissingToolError(f"{program} is not installed", hint=apt_command([package]))


def _worth_a_clean_start(job: Job, found: list[Diagnostic]) -> bool:
    """Whether a failure may come from damaged files of an earlier run."""
    errors = [item for item in found if item.severity == "error"]
    if errors:
        return any(item.auxiliary for item in errors)
    whole = (
        _complete(job.file("pdf")),
        pages_of(job.file("log")) > 0,
        read_log(job.file("aux")).startswith(r"\relax"),
    )
    return not all(whole)


def _complete(pdf: Path) -> bool:
    try:
        content = pdf.read_bytes()
    except OSError:
        return False
    return content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")


def _clean(job: Job) -> None:
    shutil.rmtree(job.work)  # with its folders, in which the files of \include lie
    job.work.mkdir()


def _failure(errors: list[Diagnostic], output: str, rendered: Rendered) -> LatexError:
    """Return one error that shows the first few; the place, source line and hint are those of the first."""
    if not errors:
        tail = "\n".join(output.strip().splitlines()[-8:])
        return LatexError(f"latexmk made no PDF and gave no reason; it said last:\n{tail}")
    first, *rest = errors
    message = first.message
    for item in rest[: _SHOWN - 1]:
        place = f"{item.location}: " if item.location else ""
        message += f"\n  also {place}{item.message}"
    if len(rest) >= _SHOWN:
        message += f"\n  and {len(rest) - _SHOWN + 1} more"
    return LatexError(
        message, location=first.location, hint=first.hint, source=first.source or rendered.source(first.location)
    )


def numbers_of(aux: Path) -> dict[str, str]:
    """Return what each label of a run of LaTeX prints."""
    return {label: number for label, number in _LABEL.findall(read_log(aux)) if "@" not in label}
