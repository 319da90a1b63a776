r"""A XeLaTeX that has read the preamble already and waits for the text.

Loading classes, packages and fonts takes most of the time of a short report. A format dumped with ``\dump`` cannot
hold OpenType fonts, so Chinese documents cannot use one; a running process holds whatever it has loaded. It reads a
copy of the preamble, waits at its standard input, and is then let go over the document itself, whose preamble it
skips line by line: numbers of lines, file names and the finished bytes are those of an ordinary run.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from report.passes import OPTIONS, PRODUCTS, WORK, Typesetter, direct_pass
from report.program import Program

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Self

    from report.passes import Job
    from report.program import Done

_FOLDER = ".head"
_BODY = re.compile(r"^\\begin\{document\}", re.MULTILINE)
_DRIVER = r"""\makeatletter
\begingroup\lccode`\~=13 \lowercase{\endgroup
  \def\reportskip#1~}{\ifnum\inputlineno<@LINES@ \expandafter\reportskip\else\endgroup\fi}
\def\reportbody{\begingroup\let\do\@makeother\dospecials\catcode13=13
  \expandafter\reportskip\@@input @NAME@.tex }
\makeatother
\csname @@input\endcsname report-head.tex
\scrollmode\message{report: ready}\read-1 to\reportready\nonstopmode
\reportbody
"""


class WarmTex(Typesetter):
    """At most one waiting process, which runs the first pass; where it does not fit, an ordinary one does."""

    def __init__(self) -> None:
        self._process: Program | None = None
        self._key: object = None
        self._started = 0.0

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Leave no process."""
        self.stop()

    def stop(self) -> None:
        """End the waiting process."""
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def prepare(self, out: Path, name: str, text: str, environment: Mapping[str, str]) -> None:
        """Start a process on the preamble of a document, unless one waits that fits.

        Parameters
        ----------
        out, name : Path, str
            As in :class:`report.passes.Job`.
        text : str
            The document, of which the preamble counts.
        environment : mapping
            The environment of LaTeX.
        """
        preamble = _preamble(text)
        key = (out, name, preamble, dict(environment))
        if preamble is None or (self._key == key and self._process is not None and self._process.poll() is None):
            return
        self.stop()
        head = out / _FOLDER
        shutil.rmtree(head, ignore_errors=True)
        (head / WORK).mkdir(parents=True)
        (head / "report-head.tex").write_text(preamble, encoding="utf-8")
        driver = _DRIVER.replace("@LINES@", str(preamble.count("\n"))).replace("@NAME@", name)
        (head / "report-driver.tex").write_text(driver, encoding="utf-8")
        self._started = time.time()
        search = f"{environment.get('TEXINPUTS', ':')}{head}:"
        self._process = Program(
            ["xelatex", *OPTIONS, f"-jobname={name}", f"-output-directory={_FOLDER}/{WORK}", "report-driver.tex"],
            out,
            head / WORK,
            {**environment, "TEXINPUTS": search},
            stdin=subprocess.PIPE,
        )
        self._key = key

    def first(self, job: Job) -> Done:
        """Run XeLaTeX once over a job."""
        process, self._process = self._process, None
        key = (job.out, job.name, _preamble(job.rendered.text), dict(job.environment))
        if process is None or key != self._key or process.poll() is not None:
            if process is not None:
                process.end()
            return direct_pass(job)
        head = job.out / _FOLDER / WORK
        for path in job.work.glob(f"{job.name}.*"):
            if path.name.split(".", 1)[-1] not in PRODUCTS or path.suffix in {".bbl", ".ind"}:
                shutil.copyfile(path, head / path.name)
        done = process.finish(job.timeout, b"\n")
        told = ("report-head.tex:", "report-driver.tex:")  # errors there are better told by an ordinary run
        if any(file in done.output for file in told) or _outdated(job, head, self._started):
            return direct_pass(job)
        for path in head.glob(f"{job.name}.*"):
            with suppress(FileNotFoundError):
                path.replace(job.work / path.name)
        return done


def _preamble(text: str) -> str | None:
    found = _BODY.search(text)
    return text[: found.start()] if found and found.start() else None


def _outdated(job: Job, head: Path, started: float) -> bool:
    """Tell whether a file that the preamble read was written after it was read, or is not known."""
    end = f"INPUT {job.name}.tex"
    try:
        lines = (head / f"{job.name}.fls").read_text(encoding="utf-8", errors="replace").splitlines()
        read = {line[6:] for line in lines[: lines.index(end)] if line.startswith("INPUT ")}
    except (OSError, ValueError):
        return True
    paths = [job.out / name for name in read]
    return any(path.exists() and path.stat().st_mtime > started for path in paths)
