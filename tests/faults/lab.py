"""A small second report to do harm to: cheap runs that take a moment, a figure, a table, references, a bibliography.

The harm is done from outside, to the real command line with real processes and real XeLaTeX.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONG = os.environ.get("FAULTS") == "long"
"""Whether the long campaign was asked for: ``FAULTS=long``."""
long_only = pytest.mark.skipif(not LONG, reason="part of the long campaign: FAULTS=long")

MODULE = r'''
    """Does the mean of a sample come close to that of its distribution?"""
    import time
    from dataclasses import dataclass

    from report import Claim, Figure, Outcome, Result, Run, Table, Value

    NAP = 0.15


    @dataclass(frozen=True)
    class Draw(Run):
        n_samples: int

        def compute(self, context):
            time.sleep(NAP)
            return Outcome({"x": context.generator("draw", self.n_samples).normal(size=self.n_samples)})


    @dataclass(frozen=True)
    class Mean(Run):
        draw: Draw

        def compute(self, context):
            time.sleep(NAP)
            return Outcome(numbers={"mean": float(context.upstream["draw"].arrays["x"].mean())})


    def runs(profile):
        return {f"n{n}": Mean(Draw(n)) for n in (100, 1000, 10000)}


    def drawing(heights):
        """Draw bars as a PDF by hand: importing matplotlib would take longer than the rest."""
        bars = "".join(f"{20 + 40 * i} 10 30 {5 + 200 * abs(height):.3f} re f\n" for i, height in enumerate(heights))
        objects = [
            "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 160 80] /Contents 4 0 R /Resources << >> >>",
            f"<< /Length {len(bars)} >>\nstream\n{bars}endstream",
        ]
        text, places = "%PDF-1.4\n", []
        for number, content in enumerate(objects, 1):
            places.append(len(text))
            text += f"{number} 0 obj\n{content}\nendobj\n"
        table = "".join(f"{place:010} 00000 n \n" for place in places)
        places.append(len(text))
        text += f"xref\n0 5\n0000000000 65535 f \n{table}trailer\n<< /Size 5 /Root 1 0 R >>\n"
        return f"{text}startxref\n{places[-1]}\n%%EOF\n".encode()


    def analyse(runs, outcomes):
        means = {name: outcome.numbers["mean"] for name, outcome in outcomes.items()}
        return Result(
            values={"worst": Value(max(abs(mean) for mean in means.values()), digits=4)},
            tables={"means": Table(["sample", "mean"], list(means.items()))},
            figures={"bars": Figure(drawing(list(means.values())))},
            claims={"close": Claim.of_margins([1 - abs(mean) for mean in means.values()], "all within 1")},
        )
'''
TEMPLATE = r"""\documentclass{article}
\usepackage{booktabs,graphicx}
\usepackage{own}
\begin{document}
\tableofcontents
\section{Means}\label{sec:means}
The worst of the means in table~\ref{tab:means.means} and figure~\ref{fig:means.bars} is off by \VAR{means.worst},
see section~\ref{sec:end} and \cite{gauss}. \claim{means.close}{All are close.}
\BLOCK{include "part.tex"}
\begin{table}[ht]\centering
  \VAR{means.means | tabular(formats={"mean": "fixed(4)"})}
  \caption{Means.}\label{tab:means.means}
\end{table}
\begin{figure}[ht]\centering
  \includegraphics{\VAR{means.bars}}
  \caption{Means.}\label{fig:means.bars}
\end{figure}
\section{End}\label{sec:end}
\bibliographystyle{plain}
\bibliography{references}
\end{document}
"""
STYLE = "\\ProvidesPackage{own}\n\\newcommand\\own[1]{#1}\n\\endinput\n"
BIBLIOGRAPHY = "@book{gauss, title={Theoria motus}, author={C. F. Gauss}, publisher={Perthes}, year=1809}\n"
SETTINGS = 'sections = ["means"]\n[document]\ntitle = "Means"\ndate = 2024-05-01\n'


class Lab:
    """A project folder and what is done to it.

    Parameters
    ----------
    folder : Path
        Where the project is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in {
            "means.py": dedent(MODULE),
            "templates/report.tex": TEMPLATE,
            "templates/part.tex": "\\own{A part.}\n",
            "templates/own.sty": STYLE,
            "templates/references.bib": BIBLIOGRAPHY,
            "report.toml": SETTINGS,
        }.items():
            self.write(name, text)

    @property
    def out(self) -> Path:
        """The folder of the products."""
        return self.folder / "build"

    @property
    def cache(self) -> Path:
        """The folder of the stored results."""
        return self.folder / ".cache"

    def write(self, name: str, text: str) -> None:
        """Write a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace text in a file; the text must be there."""
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text, (name, old)
        self.write(name, text.replace(old, new))

    def start(self, *options: str, **settings: Any) -> subprocess.Popen[str]:
        """Start a build."""
        environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
        environment |= {"PYTHONPATH": str(ROOT), **settings.pop("env", {})}
        command = [*settings.pop("prefix", []), sys.executable, "-m", "report", *options]
        return subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            **settings,
        )  # fmt: skip

    def run(self, *options: str, **settings: Any) -> subprocess.CompletedProcess[str]:
        """Build and wait for the end."""
        process = self.start(*options, **settings)
        try:
            out, errors = process.communicate(timeout=240)
        finally:
            process.kill()
        return subprocess.CompletedProcess(options, process.returncode, out, errors)

    def good(self, *options: str, **settings: Any) -> subprocess.CompletedProcess[str]:
        """Build; it must succeed without a traceback."""
        done = self.run(*options, **settings)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done

    def bad(self, *options: str, **settings: Any) -> str:
        """Build; it must fail with one message and no traceback. Return the message."""
        done = self.run(*options, **settings)
        assert done.returncode in {1, 2}, (done.returncode, done.stdout, done.stderr)
        assert done.stderr.count("\nerror: ") == 1, done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.stderr.partition("\nerror: ")[2]

    def kill_after(self, seconds: float, *options: str, group: bool = False) -> tuple[bool, str]:
        """Start a build and kill it without warning, alone or with its group; tell whether it ran, and its words."""
        process = self.start(*options, start_new_session=True)
        try:
            return False, process.communicate(timeout=seconds)[1]
        except subprocess.TimeoutExpired:
            if group:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            return True, process.communicate(timeout=20)[1]

    def products(self) -> dict[str, str]:
        """Return the digests of everything a reader gets."""
        paths = [self.out / name for name in ("report.pdf", "report.tex", "results.json")]
        paths += sorted((self.out / "figures").glob("*"))
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    def results(self) -> dict[str, Any]:
        """Return results.json."""
        content: dict[str, Any] = json.loads((self.out / "results.json").read_text(encoding="utf-8"))
        return content

    def text(self) -> str:
        """Return the text of the PDF."""
        return text_of(self.out / "report.pdf")

    def orphans(self) -> list[str]:
        """Return the processes that work in the project."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if (entry / "cwd").resolve().is_relative_to(self.folder.resolve()):
                    found.append((entry / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue
        return found

    def wait_for_orphans(self, seconds: float = 5.0) -> list[str]:
        """Give the processes of a killed build a moment to end; return those that did not."""
        deadline = time.monotonic() + seconds
        while (left := self.orphans()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    def litter(self) -> list[Path]:
        """Return the temporary files that were left behind."""
        return [path for folder in (self.out, self.cache) for path in folder.rglob(".tmp-*")]


def text_of(pdf: Path) -> str:
    """Return the text of a PDF."""
    return subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout


def copy_of(lab: Lab, folder: Path) -> Lab:
    """Return a copy of a project with all it has built; times of change are kept."""
    copy = Lab(folder)
    shutil.rmtree(folder)
    shutil.copytree(lab.folder, folder, symlinks=True)
    return copy


def moments(count: int, longest: float, seed: int = 0) -> list[float]:
    """Return seeded random moments of a build."""
    generator = random.Random(seed)  # noqa: S311 - no secret
    return [generator.uniform(0.05, longest) for _ in range(count)]
