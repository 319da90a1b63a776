"""A running preview of a small report, and a page of it in a real Chromium."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in BROWSERS if (found := shutil.which(name))), "")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
SECONDS = 60.0

SECTION = '''\
"""How often does a coin show heads?"""
from dataclasses import dataclass

from report import Claim, Outcome, Result, Run, Table, Value


@dataclass(frozen=True)
class Toss(Run):
    tosses: int

    def compute(self, context):
        return Outcome(numbers={"heads": int(context.generator("coin").integers(0, 2, self.tosses).sum())})


def runs(profile):
    return {"few": Toss(NUMBER)}


def analyse(runs, outcomes):
    heads = outcomes["few"].numbers["heads"]
    return Result(
        values={"heads": Value(heads, digits=0), "tosses": Value(NUMBER, digits=0)},
        tables={"counts": Table(["side", "count"], [["heads", heads], ["tails", NUMBER - heads]])},
        claims={"many": Claim.of_margins([heads - 10], f"{heads} heads")},
    )
'''
FILES = {
    "coins.py": SECTION.replace("NUMBER", "100"),
    "dice.py": SECTION.replace("NUMBER", "60"),
    "report.toml": 'sections = ["coins", "dice"]\n[document]\ntitle = "Coins & <dice>"\n',
    "templates/report.tex": r"""\documentclass{article}
\usepackage{booktabs}
\begin{document}
\title{\VAR{document.title}}\maketitle
First words of the report.
\BLOCK{include "part.tex"}
\newpage
The third page closes with section~\ref{sec:end}.
\section{End}\label{sec:end}
Nothing more.
\end{document}
""",
    "templates/part.tex": r"""\newpage
\section{Tosses}

Of \VAR{coins.tosses} tosses, \VAR{coins.heads} were heads.

\claim{coins.many}{Heads came often.}

There were \typed{coins.heads}{999} heads, somebody wrote.

\newpage
""",
}


class Preview:
    """A running ``python -m report watch`` in a folder of its own."""

    def __init__(self, folder):
        self.folder, self.lines = folder, []
        for name, text in FILES.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        editor = folder / "editor.sh"
        editor.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {folder}/opened\n')
        editor.chmod(0o755)
        command = ["watch", "--no-browser", "--port", "0", "--editor", f"'{editor}' '{{file}}' '{{line}}'"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "report", *command],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.address = self.wait_for(r"(http://127\.0\.0\.1:\d+/)")[1]
        self.wait_for(r"report\.pdf, \d+ pages")

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)

    def wait_for(self, pattern, after=0):
        """Wait for a line of the terminal and return the match."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            found = [match for line in self.lines[after:] if (match := re.search(pattern, line))]
            if found:
                return found[0]
            time.sleep(0.02)
        raise AssertionError("".join(self.lines))

    def builds(self):
        """Return how many builds have ended."""
        return sum("report.pdf," in line for line in self.lines)

    def edit(self, name, old, new):
        """Replace text in a file; the text must be there."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def restore(self):
        """Bring every file back, and wait for the build that follows."""
        before = self.builds()
        changed = [name for name, text in FILES.items() if (self.folder / name).read_text(encoding="utf-8") != text]
        for name in changed:
            (self.folder / name).write_text(FILES[name], encoding="utf-8")
        deadline = time.monotonic() + SECONDS
        while changed and self.builds() == before and time.monotonic() < deadline:
            time.sleep(0.02)

    def end(self):
        """End it as Ctrl-C does; return its exit code."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(20)
        self._reader.join()
        self.process.stderr.close()
        return code


def processes_in(folder):
    """Return the processes that work in a folder or below."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").resolve().is_relative_to(folder):
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


class Window:
    """A page in the browser: Playwright's, and a few questions about the report it shows."""

    def __init__(self, page):
        self.page = page

    def __getattr__(self, name):
        return getattr(self.page, name)

    def until(self, code, *argument):
        """Wait until an expression is true on the page; Playwright's own way is refused by the page's policy."""
        deadline = time.monotonic() + SECONDS
        while not self.page.evaluate(code, *argument):
            assert time.monotonic() < deadline, code
            time.sleep(0.02)

    def text(self, number):
        """Return the text over one page's picture."""
        return " ".join(self.page.locator(f".page[data-page='{number}'] .text span").all_inner_texts())

    def wait_for_text(self, number, text):
        """Wait until a page's text holds some words."""
        words = "[...document.querySelectorAll(`.page[data-page='${n}'] .text span`)].map(s => s.textContent).join(' ')"
        self.until(f"([n, t]) => {words}.includes(t)", [number, text])

    def settle(self):
        """Wait until the page says that it is up to date."""
        self.until("document.querySelector('#status').className === 'good'")


@pytest.fixture(scope="session")
def start():
    """Return what starts a preview in a folder; skip where there is no browser to look at it."""
    if not CHROMIUM:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    return Preview


@pytest.fixture(scope="session")
def processes():
    """Return what lists the processes that work in a folder."""
    return processes_in


@pytest.fixture(scope="session")
def preview(start, tmp_path_factory):
    """Start the preview once; at the end it leaves no process."""
    preview = start(tmp_path_factory.mktemp("live").resolve())
    yield preview
    assert preview.end() == 0
    assert not processes_in(preview.folder)


@pytest.fixture(scope="session")
def browser(start):  # noqa: ARG001 - skips where there is none
    """Start Chromium once."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(preview, browser):
    """Open the page on the report as it was at the start; no script may fail on it."""
    faults = []
    page = browser.new_page(viewport={"width": 1300, "height": 700})
    page.set_default_timeout(SECONDS * 1000)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Content Security" in message.text else None)
    page.goto(preview.address)
    page.wait_for_selector(".page[data-version] .text span")
    window = Window(page)
    window.settle()
    yield window
    page.close()
    assert faults == []
    preview.restore()
