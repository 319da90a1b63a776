"""LaTeX source → PDF, with latexmk and XeLaTeX, the same bytes in every folder.

Everything LaTeX writes lies in ``.tex/`` below the output folder; the finished PDF is moved to its place in one
step, so that a failed or killed compilation leaves the last good one.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from report.braces import check_groups
from report.errors import LatexError, MissingToolError
from report.files import write_if_changed
from report.latexlog import Diagnostic, diagnose, pages_of, read_log
from report.texlive import apt_command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from report.rendermap import Rendered

_WORK = ".tex"
_TIMEOUT = 600.0
_GRACE = 2.0  # seconds between asking a process group to end and ending it
_POLL = 0.02
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
    out: Path, name: str, rendered: Rendered, *, epoch: int, root: Path, timeout: float = _TIMEOUT
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
    work = out / _WORK
    work.mkdir(parents=True, exist_ok=True)
    write_if_changed(out / f"{name}.tex", rendered.text.encode())
    ended = work / f"{name}.ended"
    if not ended.exists():
        _clean(work, name)  # the last run was killed: what it left may be cut off anywhere
    fresh = not (work / f"{name}.aux").exists()
    ended.unlink(missing_ok=True)
    output = _latexmk(out, name, rendered, epoch, timeout)
    found = diagnose(work, name, rendered, root)
    if not fresh and _worth_a_clean_start(work, name, found):
        _clean(work, name)
        output = _latexmk(out, name, rendered, epoch, timeout)
        found = diagnose(work, name, rendered, root)
    ended.touch()
    errors = [item for item in found if item.severity == "error"]
    if errors or not _complete(work / f"{name}.pdf"):
        (work / f"{name}.fdb_latexmk").unlink(missing_ok=True)  # else latexmk would refuse to try again
        raise _failure(errors, output, rendered)
    for suffix in ("pdf", "synctex.gz"):
        if (work / f"{name}.{suffix}").exists():
            write_if_changed(out / f"{name}.{suffix}", (work / f"{name}.{suffix}").read_bytes())
    return Compiled(
        pdf=out / f"{name}.pdf",
        pages=pages_of(work / f"{name}.log"),
        passes=len(_RUN.findall(output)),
        seconds=time.perf_counter() - started,
        warnings=tuple(found),
        numbers=_numbers(work / f"{name}.aux"),
    )


def _require(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            package = {"latexmk": "latexmk", "xelatex": "texlive-xetex"}[program]
            raise MissingToolError(f"{program} is not installed", hint=apt_command([package]))


def _latexmk(out: Path, name: str, rendered: Rendered, epoch: int, timeout: float) -> str:
    command = [
        *("latexmk", "-norc", "-xelatex", f"-outdir={_WORK}", "-no-shell-escape", "-interaction=nonstopmode"),
        *("-file-line-error", "-synctex=1", "-recorder", f"{name}.tex"),
    ]
    return _run(command, out, _environment(rendered, epoch), timeout)


def _environment(rendered: Rendered, epoch: int) -> dict[str, str]:
    """Return the environment of LaTeX: fixed times, unbroken log lines, no files outside its folders."""
    folder = f".:{rendered.folder}:" if rendered.folder else ".:"  # the last colon adds TeX's own folders
    return {
        **os.environ,
        **dict.fromkeys(("TEXINPUTS", "BIBINPUTS", "BSTINPUTS"), folder),
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


def _run(command: list[str], folder: Path, environment: Mapping[str, str], timeout: float) -> str:
    """Run a command in a process group of its own, and end the whole group if we are stopped."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise LatexError(
            f"LaTeX did not end within {timeout:.0f} s", hint="look for a macro that calls itself"
        ) from error
    finally:
        if process.returncode is None:
            _end_group(process)
    return output.decode("utf-8", "replace")


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Leave no process of the group, however the waiting ended."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + _GRACE
        with suppress(ProcessLookupError, PermissionError):  # raised when nothing of the group is left
            os.killpg(process.pid, sign)
            while time.monotonic() < deadline:
                process.poll()  # the leader stays in the group until somebody asks how it ended
                os.killpg(process.pid, 0)
                time.sleep(_POLL)
    if process.stdout is not None:
        process.stdout.close()


def _worth_a_clean_start(work: Path, name: str, found: list[Diagnostic]) -> bool:
    """Whether a failure may come from damaged files of an earlier run."""
    errors = [item for item in found if item.severity == "error"]
    if errors:
        return any(item.auxiliary for item in errors)
    whole = (
        _complete(work / f"{name}.pdf"),
        pages_of(work / f"{name}.log") > 0,
        read_log(work / f"{name}.aux").startswith(r"\relax"),
    )
    return not all(whole)


def _complete(pdf: Path) -> bool:
    try:
        content = pdf.read_bytes()
    except OSError:
        return False
    return content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")


def _clean(work: Path, name: str) -> None:
    for path in work.glob(f"{name}.*"):
        path.unlink()


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


def _numbers(aux: Path) -> dict[str, str]:
    return {label: number for label, number in _LABEL.findall(read_log(aux)) if "@" not in label}
