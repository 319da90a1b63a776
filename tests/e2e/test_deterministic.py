"""The same inputs give the same PDF: in another folder, on a second build, and whichever way an edit took."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = {
    "part.py": """\
from dataclasses import dataclass

from matplotlib.figure import Figure as Drawing

from report import Figure, Outcome, Result, Run, Table, Value


@dataclass(frozen=True)
class Walk(Run):
    steps: int = 50

    def compute(self, context):
        return Outcome({"walk": context.generator("walk").normal(size=self.steps).cumsum()})


def runs(profile):
    return {"walk": Walk()}


def analyse(runs, outcomes):
    walk = outcomes["walk"].arrays["walk"]
    drawing = Drawing(figsize=(3, 2))
    drawing.subplots().plot(walk)
    return Result(
        values={"end": Value(float(walk[-1]), digits=2)},
        tables={"ends": Table(["step", "place"], [[0, float(walk[0])], [1, float(walk[-1])]])},
        figures={"walk": Figure.of(drawing)},
    )
""",
    "report.toml": 'sections = ["part"]\n[document]\ndate = 2024-05-01\n',
    "templates/report.tex": r"""\documentclass{article}
\usepackage{booktabs,graphicx}
\begin{document}
\tableofcontents
\section{Walk}\label{walk}
It ends at \VAR{part.end}, see section~\ref{walk} and figure~\ref{fig:part.walk}; \today.

\VAR{part.ends | tabular(columns={"step": "Step", "place": "Place"}, formats={"place": "fixed(2)"})}
\begin{figure}\includegraphics{\VAR{part.walk}}\caption{Places}\label{fig:part.walk}\end{figure}
\end{document}
""",
}


def build(folder: Path) -> bytes:
    """Build the report of a folder and return its PDF."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TZ": "Asia/Shanghai"}
    command = [sys.executable, "-m", "report", "--jobs", "1"]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    return (folder / "build/report.pdf").read_bytes()


def write(folder: Path) -> Path:
    """Write the report's files."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """Build once; return the folder and the PDF."""
    folder = write(tmp_path_factory.mktemp("first"))
    return folder, build(folder)


def test_another_folder_gives_the_same_bytes(first: tuple[Path, bytes], tmp_path: Path) -> None:
    """Neither the place nor the time of a build, nor a computation made anew, shows in the PDF."""
    assert build(write(tmp_path / "much/deeper in 另一处")) == first[1]


def test_an_edit_and_its_undoing_give_the_same_bytes(first: tuple[Path, bytes]) -> None:
    """The passes of an edit start from other auxiliary files than a fresh build, and end in the same document."""
    folder, pdf = first
    template = folder / "templates/report.tex"
    text = template.read_text(encoding="utf-8")
    template.write_text(text.replace(r"\section{Walk}", "\\section{More}\\newpage\n\\section{Walk}"), encoding="utf-8")
    assert build(folder) != pdf
    template.write_text(text, encoding="utf-8")
    assert build(folder) == pdf
