"""The small parts of the preview: editors, watched files, the shared state, a computation's rows."""

import threading
import time

import pytest

from report.config import BuildConfig
from report.errors import Location, RunError
from report.model import Section
from report.preview.computing import Computing, Event
from report.preview.editor import Editor
from report.preview.live import Live, error_row
from report.preview.running import Running
from report.preview.sources import Sources, Watching

MODULE = '''
"""A section."""
from dataclasses import dataclass
from report import Outcome, Result, Run
from helpers.deep import number


@dataclass(frozen=True)
class Count(Run):
    n: int = 1

    def compute(self, context):
        context.progress(1, 2, "half")
        return Outcome(numbers={"n": number()})


def runs(profile):
    return {"one": Count()}


def analyse(runs, outcomes):
    return Result()
'''


@pytest.fixture
def config(tmp_path):
    """Return a project whose section reaches a helper in a package."""
    root = tmp_path.resolve()
    for name, text in {
        "part.py": MODULE,
        "helpers/__init__.py": "",
        "helpers/deep.py": "def number():\n    return 1\n",
        "other/__init__.py": "",
        "templates/report.tex": "",
    }.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    return BuildConfig(root=root, sections=(Section("part", "part"),))


@pytest.mark.parametrize(
    ("option", "environment", "command"),
    [
        ("env x {file}", {"EDITOR": "true"}, ["env", "x", "/a b.tex"]),
        ("", {"REPORT_EDITOR": "env '{file}:{line}'"}, ["env", "/a b.tex:7"]),
        ("", {"VISUAL": "vim", "EDITOR": "nano"}, []),
        ("nosuchprogram {file}", {}, []),
        ("'unclosed", {}, []),
    ],
)
def test_the_editor_is_a_list_of_arguments(option, environment, command):
    """Names with spaces stay one argument; what needs a terminal or is not there is not started."""
    editor = Editor.choose(option, environment)
    assert editor.command("/a b.tex", 7) == command
    if not command:
        assert editor.open("/a b.tex", 7) is False


def test_known_editors_need_no_template(tmp_path, monkeypatch):
    """For the usual ones it is known how they take a line."""
    program = tmp_path / "code"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Editor.choose("", {"EDITOR": "code --wait"}).command("a.tex", 3) == ["code", "--wait", "-g", "a.tex:3"]


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("templates/sections/a.tex", "prose"),
        ("templates/references.bib", "prose"),
        ("templates/.a.tex.swp", None),
        ("templates/a.tex~", None),
        ("part.py", "code"),
        ("helpers/deep.py", "code"),
        ("helpers/table.toml", "code"),
        ("helpers/__pycache__/deep.pyc", None),
        ("other/__init__.py", None),
        ("report.toml", "config"),
        ("build.py", "entry"),
        ("build/report.tex", None),
        (".cache/objects/x", None),
        ("notes.txt", None),
        ("../elsewhere.py", None),
    ],
)
def test_what_a_change_means(config, file, kind):
    """Templates, code that sections reach, and the configuration count; products and temporary files do not."""
    path = (config.root / file).resolve()
    assert Sources.of(config).kind(path) == kind


def test_code_that_cannot_be_read_is_still_watched(config):
    """A module that an editor has left half written keeps its place among the watched."""
    before = Sources.of(config)
    (config.root / "part.py").write_text("def runs(:\n")
    assert Sources.of(config, before).packages == before.packages >= {"part", "helpers"}


def test_changes_are_reported_soon(config):
    """A saved file is reported within a fraction of a second, and nothing after the end."""
    seen = []
    found = threading.Event()

    def report(paths):
        seen.extend(paths)
        found.set()

    watching = Watching(report)
    watching.follow(Sources.of(config).folders())
    deadline = time.monotonic() + 20
    while not found.is_set() and time.monotonic() < deadline:
        (config.templates / "report.tex").write_text(str(time.monotonic()))
        found.wait(0.5)
    assert config.templates / "report.tex" in seen
    watching.stop()
    seen.clear()
    (config.templates / "report.tex").write_text("after the end")
    time.sleep(0.1)
    assert seen == []


def test_who_waits_is_woken_by_a_change_alone():
    """An update that changes nothing wakes nobody; one that does carries the new state."""
    live = Live()
    assert live.wait(-1, 0.01)[1]["phase"] == "starting"
    assert live.wait(0, 0.01) is None
    live.update(phase="starting")
    assert live.wait(0, 0.01) is None
    timer = threading.Timer(0.05, live.update, kwargs={"phase": "ready"})
    timer.start()
    number, state = live.wait(0, 10)
    timer.join()
    assert (number, state["phase"]) == (1, "ready")


def test_errors_carry_their_place():
    """An error of ours has file, line and hint; any other shows what it is."""
    row = error_row(RunError("failed", location=Location("a.py", 3), hint="look", source="x = 1"))
    assert row == {
        "kind": "RunError",
        "message": "failed",
        "file": "a.py",
        "line": 3,
        "column": None,
        "source": "x = 1",
        "hint": "look",
    }
    assert error_row(ZeroDivisionError("by zero"))["kind"] == "ZeroDivisionError"


def collect(config):
    """Run a computation to its end and return its events."""
    events = []
    ended = threading.Event()

    def tell(event):
        events.append(event)
        if event.kind == "ended":
            ended.set()

    computing = Computing(config, None, tell)
    assert ended.wait(60)
    computing.stop()
    return events


def test_a_computation_tells_what_it_does(config, monkeypatch):
    """It runs in a process of its own, imports the code as it stands, and hands its error over whole."""
    monkeypatch.syspath_prepend(str(config.root))
    live, said = Live(), []
    running = Running(live, said.append)
    *events, last = collect(config)
    assert last == Event("ended", (None,))
    for event in events:
        running.take(event)
    assert live.get("finished") == 2
    assert live.get("runs") == []
    assert any("part.one" in line for line in said)
    running.reset()
    assert live.get("finished") == 0
    (config.root / "helpers/deep.py").write_text("def number():\n    return 1 / 0\n")
    error = collect(config)[-1].arguments[0]
    assert isinstance(error, RunError)
    assert (error.location.file, error.location.line) == ("helpers/deep.py", 2)
