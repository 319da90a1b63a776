"""``check`` and ``diff`` on a small project that is built once."""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from report.check import cli
from report.check.diff import remember
from report.config import BuildConfig, ProjectChecks
from report.errors import ReportError
from report.model import Section

ROOT = Path(__file__).parents[3]
MODULE = """
from dataclasses import dataclass
from report.model import Claim, Outcome, Result, Run, Value

@dataclass(frozen=True)
class Count(Run):
    epochs: int = 10
    def compute(self, context):
        return Outcome(numbers={"accuracy": 0.9868})

def runs(profile):
    return {"base": Count()}

def analyse(runs, outcomes):
    accuracy = outcomes["base"].numbers["accuracy"]
    return Result(values={"accuracy": Value(accuracy)}, claims={"good": Claim.of_margins([accuracy - 0.9], "high")})
"""
TEMPLATE = r"""\documentclass{article}
\begin{document}
Bound: \VAR{net.accuracy | percent}, typed: \typed{net.accuracy}{99\%}
after \typed{net.settings.base.epochs}{ten} epochs.
\claim{net.good}{The net is good.}
\end{document}
"""
PUBLISHED = '[values."net.accuracy"]\nwhere = "page 3"\nnumber = 0.98\nrounding = 0.01\ntext = "98%"\n'
TIES = '[[tie]]\nid = "net.accuracy"\npattern = "accuracy <~8><n>"\n'


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return the folder of a project with one section, built."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "templates").mkdir()
    (folder / "checks").mkdir()
    (folder / "net.py").write_text(MODULE, encoding="utf-8")
    (folder / "templates" / "report.tex").write_text(TEMPLATE, encoding="utf-8")
    (folder / "published.toml").write_text(PUBLISHED, encoding="utf-8")
    (folder / "checks" / "report-en.toml").write_text(TIES, encoding="utf-8")
    (folder / "report.toml").write_text('sections = ["net"]\n', encoding="utf-8")
    command = [sys.executable, "-m", "report", "--jobs", "1"]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def run(project, command, *arguments):
    """Run a command of the checker."""
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser, command)
    config = BuildConfig(project, (Section("net", "net"),))
    checked = replace(config, checks=ProjectChecks(Path("published.toml")))
    return cli.run(command, parser.parse_args(arguments), checked, None)


def edited(project, old, new):
    """Write the template with an edit."""
    (project / "templates" / "report.tex").write_text(TEMPLATE.replace(old, new), encoding="utf-8")


def test_a_right_report(project, capsys):
    """Everything supported: exit code 0, check.json and the page are written, the published number is counted."""
    assert run(project, "check", "--strict") == 0
    assert "1 differs, 3 supported" in capsys.readouterr().out
    table = json.loads((project / "build" / "check.json").read_text(encoding="utf-8"))
    assert table["coverage"] == {"bound": 1, "typed": 2, "exempt": 0, "unchecked": 0}
    assert {item["kind"] for item in table["items"]} == {"typed", "setting", "claim", "published"}
    assert "net.py:" in (project / "build" / "check.html").read_text(encoding="utf-8")


def test_a_contradicted_report(project, capsys):
    """A wrong number: exit code 3, and its line; nothing is computed."""
    edited(project, "{ten}", "{twelve}")
    assert run(project, "check") == 3
    assert "templates/report.tex:4:" in capsys.readouterr().out
    edited(project, "The net", "In 7 of 8 cases the net")
    assert run(project, "check") == 0
    assert run(project, "check", "--strict") == 3
    edited(project, "", "")


def test_json(project, capsys):
    """With --json the output is check.json and nothing else."""
    run(project, "check", "--json")
    assert json.loads(capsys.readouterr().out)["schema"] == 1


def test_a_document(project, capsys, tmp_path):
    """A written report is checked with the ties of its language, or with those that are named."""
    document = tmp_path / "text.md"
    document.write_text("# Results\n\nThe accuracy is 98%.\n", encoding="utf-8")
    assert run(project, "check", str(document)) == 3
    out = capsys.readouterr().out
    assert "text.md:3:17" in out
    assert (project / "build" / "check-text.html").exists()
    (tmp_path / "ties.toml").write_text("", encoding="utf-8")
    assert (
        run(project, "check", str(document), "--ties", str(tmp_path / "ties.toml"), "--html", str(tmp_path / "a.html"))
        == 0
    )
    assert "could be net.accuracy (98.7%)" in capsys.readouterr().out
    assert (tmp_path / "a.html").exists()


def test_diff(project, capsys):
    """What changed since the results before, and the sentences that stand on it."""
    cache, results = project / ".cache", (project / "build" / "results.json").read_text(encoding="utf-8")
    remember(cache, results.replace("0.9868", "0.9"), "")
    remember(cache, results, "")
    run(project, "check")
    capsys.readouterr()
    assert run(project, "diff") == 0
    out = capsys.readouterr().out
    assert "value net.accuracy: 0.9 → 0.9868" in out
    assert "templates/report.tex:3:8  net.accuracy" in out
    assert run(project, "diff", "--json", "build/results.json") == 0
    assert json.loads(capsys.readouterr().out) == {"changes": [], "touched": []}


def test_without_results(project, tmp_path):
    """Before the first build there is nothing to check against, and the message says what to do."""
    config = BuildConfig(project, (Section("net", "net"),), cache=tmp_path)
    with pytest.raises(ReportError, match="no results are stored"):
        cli.stored_results(config, None)
    with pytest.raises(ReportError, match="cannot read"):
        run(tmp_path, "check", str(project / "report.toml").replace(".toml", ".txt"))


@pytest.mark.parametrize("command", ["check", "diff"])
def test_help(command, capsys):
    """Both commands explain themselves."""
    parser = argparse.ArgumentParser(prog="x")
    cli.add_arguments(parser, command)
    parser.print_help()
    assert len(capsys.readouterr().out.splitlines()) > 8
