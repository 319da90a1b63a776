"""How long an author waits after a change of the text, as ratios to the floor measured in the same round.

The floor is ``latexmk -xelatex`` on the finished .tex after the same edit: what no report generator that calls latexmk
can beat. A Chinese report of 16 pages with 14 figures is made in a temporary folder; then every round edits one
character and times, in turn,

  floor     latexmk -xelatex report.tex
  cold      python -m report
  no-op     python -m report, once more (in seconds)
  watch     from the save to the new PDF in the state of ``python -m report watch``
  shown     … to the picture of the changed page, fetched as the page fetches it (--browser: drawn in Chromium)

Run ``python benchmarks/editing.py [--rounds N] [--browser]``. The median of the ratios is printed, with the quartiles.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
SECTIONS = 14
GOALS = {"cold": 1.1, "watch": 0.9, "shown": 0.9}
WORDS = (
    "本节比较若干分类器在手写数字数据上的表现，并讨论正则化与学习率的影响。训练集与测试集的划分沿用惯例，"
    "所有数值由程序计算后写入正文；图中曲线表示每一轮之后的损失，而表格列出各个模型的准确率。"
)
MODULE = '''\
"""Fourteen curves."""
from dataclasses import dataclass

from matplotlib.figure import Figure as Drawing

from report import Figure, Outcome, Result, Run, Value


@dataclass(frozen=True)
class Walks(Run):
    number: int = 14

    def compute(self, context):
        return Outcome({"walks": context.generator("walks").normal(size=(self.number, 200)).cumsum(1)})


def runs(profile):
    return {"main": Walks()}


def analyse(runs, outcomes):
    walks = outcomes["main"].arrays["walks"]
    figures = {}
    for number, walk in enumerate(walks):
        drawing = Drawing(figsize=(5, 2.6))
        drawing.subplots().plot(walk)
        figures[f"walk_{number}"] = Figure.of(drawing)
    values = {f"end_{number}": Value(float(walk[-1]), digits=2) for number, walk in enumerate(walks)}
    return Result(values=values, figures=figures)
'''
REPORT = r"""\documentclass[fontset=fandol,a4paper,zihao=-4]{ctexart}
\usepackage{amsmath,array,bm,booktabs,caption,fancyhdr,graphicx,longtable,xcolor,xurl}
\usepackage[numbers]{natbib}
\usepackage[hidelinks,bookmarksnumbered]{hyperref}
\begin{document}
\tableofcontents
\clearpage
\BLOCK{include "body.tex"}
\bibliographystyle{unsrtnat}
\bibliography{references}
\end{document}
"""
BIBLIOGRAPHY = "@article{fisher1936,author={R. A. Fisher},title={T},journal={J},year=1936}\n"
MARK = "改动之处"


def make_project(folder: Path) -> None:
    """Write the report's files."""
    parts = []
    for number in range(SECTIONS):
        value = rf"其值为 \VAR{{walks.end_{number}}}，参见图 \ref{{fig:walks.walk_{(number + 3) % SECTIONS}}}"
        paragraph = f"{WORDS * 2}{value} 与第 \\ref{{sec:{number}}} 节，$E=mc^2$。{MARK if number == 0 else ''}\n\n"
        parts.append(f"\\section{{第 {number + 1} 次实验}}\\label{{sec:{number}}}\n{paragraph * 3}")
        parts.append(
            f"\\begin{{figure}}[htbp]\\centering\n\\includegraphics[width=.8\\linewidth]{{\\VAR{{walks.walk_{number}}}}}\n"
            f"\\caption{{曲线}}\\label{{fig:walks.walk_{number}}}\n\\end{{figure}}\n"
        )
    (folder / "templates").mkdir(parents=True)
    (folder / "walks.py").write_text(MODULE, encoding="utf-8")
    (folder / "report.toml").write_text('sections = ["walks"]\n[document]\ndate = 2024-01-01\n', encoding="utf-8")
    (folder / "templates/report.tex").write_text(REPORT, encoding="utf-8")
    (folder / "templates/body.tex").write_text("文献 \\cite{fisher1936}。\n" + "".join(parts), encoding="utf-8")
    (folder / "templates/references.bib").write_text(BIBLIOGRAPHY, encoding="utf-8")


def edit(path: Path, number: int) -> None:
    """Change one character of the first section."""
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(f"{MARK}.?\n", f"{MARK}{WORDS[number]}\n", text, count=1), encoding="utf-8")


def timed(command: list[str], folder: Path) -> float:
    """Return the seconds that a command takes; it must succeed."""
    started = time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return seconds


class Watched:
    """A running preview, followed as its page follows it."""

    def __init__(self, address: str) -> None:
        self._host = address.removeprefix("http://").rstrip("/")
        connection = http.client.HTTPConnection(self._host, timeout=120)
        connection.request("GET", "/events")
        self._events = connection.getresponse()

    def state(self) -> dict[str, Any]:
        """Return the next state."""
        while True:
            line = self._events.readline()
            if line.startswith(b"data: "):
                return dict(json.loads(line[6:]))

    def settled(self, newer_than: int) -> int:
        """Wait until a document newer than a version stands still; return its version."""
        while True:
            state = self.state()
            if state["errors"]:
                sys.exit(str(state["errors"]))
            if state["version"] > newer_than and state["phase"] == "ready" and not state["settling"]:
                return int(state["version"])

    def shown(self, newer_than: int) -> int:
        """Wait for a document newer than a version; return its version."""
        while True:
            version = int(self.state()["version"])
            if version > newer_than:
                return version

    def picture(self, version: int) -> None:
        """Fetch the page with the change at the size of a common window."""
        connection = http.client.HTTPConnection(self._host, timeout=60)
        connection.request("GET", f"/picture?version={version}&page=2&width=1000")
        connection.getresponse().read()
        connection.close()


@contextmanager
def watched(folder: Path) -> Iterator[str]:
    """Run a preview; the value is its address."""
    command = [sys.executable, "-m", "report", "watch", "--no-browser", "--port", "0"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None  # noqa: S101 - a pipe was asked for
        yield next(line.split()[0] for line in process.stderr if line.startswith("http://"))
    finally:
        process.terminate()
        process.communicate()


def rounds(folder: Path, number: int, drawn: Callable[[str], Callable[[], float]] | None) -> list[dict[str, float]]:
    """Time everything a number of times, in turn."""
    floor, cold, live = folder / "floor", folder / "cold", folder / "live"
    make_project(cold)
    build = [sys.executable, "-m", "report"]
    latexmk = ["latexmk", "-xelatex", "-interaction=nonstopmode", "report.tex"]
    timed(build, cold)
    shutil.copytree(cold, live)
    floor.mkdir()
    for name in ("report.tex", "figures"):
        (shutil.copytree if name == "figures" else shutil.copyfile)(cold / "build" / name, floor / name)
    shutil.copyfile(cold / "templates/references.bib", floor / "references.bib")
    timed(latexmk, floor)
    found = []
    with watched(live) as address:
        preview = Watched(address)
        version = preview.settled(0)
        wait = drawn(address) if drawn else None
        for index in range(number):
            row = {}
            edit(floor / "report.tex", index)
            row["floor"] = timed(latexmk, floor)
            edit(cold / "templates/body.tex", index)
            row["cold"] = timed(build, cold)
            row["no-op"] = timed(build, cold)
            time.sleep(1.0)  # the preview's XeLaTeX has read the preamble: an author pauses longer than that
            started = time.perf_counter()
            edit(live / "templates/body.tex", index)
            version = preview.shown(version)
            row["watch"] = time.perf_counter() - started
            if wait is None:
                preview.picture(version)
                row["shown"] = time.perf_counter() - started
            else:
                row["shown"] = wait() - started
            found.append(row)
            version = max(version, preview.settled(version - 1))
    return found


@contextmanager
def chromium() -> Iterator[Callable[[str], Callable[[], float]]]:
    """Provide what opens a preview in Chromium and then waits until its second page was drawn anew."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only with --browser

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        picture = "document.querySelector('.page[data-page=\"2\"] img').src"

        def opened(address: str) -> Callable[[], float]:
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.goto(address)
            page.wait_for_selector(".page[data-version]")
            page.evaluate("document.querySelector('#view').scrollTop = document.querySelector('.page').offsetHeight")
            page.wait_for_selector(".page[data-page='2'][data-version]")
            time.sleep(2)
            last = page.evaluate(picture)

            def wait() -> float:
                nonlocal last
                while (now := page.evaluate(picture)) == last:
                    time.sleep(0.002)
                last = now
                return time.perf_counter()

            return wait

        yield opened
        browser.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="how often everything is timed (9)")
    parser.add_argument("--browser", action="store_true", help="look at the page in Chromium")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="editing-") as folder:
        if options.browser:
            with chromium() as drawn:
                found = rounds(Path(folder), options.rounds, drawn)
        else:
            found = rounds(Path(folder), options.rounds, None)
    floor = statistics.median(row["floor"] for row in found)
    print(
        f"floor (latexmk -xelatex): {floor:.2f} s, median of {len(found)} rounds; ratios to it, quartiles in brackets"
    )
    for name, goal in GOALS.items():
        low, middle, high = statistics.quantiles([row[name] / row["floor"] for row in found], n=4)
        print(f"  {name:6} {middle:.2f}  [{low:.2f}, {high:.2f}]   goal ≤ {goal}")
    print(f"  no-op  {statistics.median(row['no-op'] for row in found):.2f} s            goal ≤ 0.20 s")


if __name__ == "__main__":
    main()
