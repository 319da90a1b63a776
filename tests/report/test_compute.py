"""Execution on real processes: what runs, what does not, what happens when something fails."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest

from report.compute import Computation, Computed
from report.config import BuildConfig
from report.errors import RunError
from report.model import Section
from report.progress import Plain

KIT = """
    def double(x):
        return 2 * x

    def unused(x):
        return x
"""
SECTION = """
    from dataclasses import dataclass
    from pathlib import Path

    import numpy as np

    from {package}.kit import double
    from report import Claim, Outcome, Result, Run, Table, Value

    LOG = Path({log!r})

    @dataclass(frozen=True)
    class Draw(Run):
        n_samples: int = 4

        def compute(self, context):
            with LOG.open("a") as log:
                log.write(f"draw {{self.n_samples}}\\n")
            return Outcome({{"x": context.generator("draw").normal(size=self.n_samples)}})

    @dataclass(frozen=True)
    class Round(Run):
        draw: Draw

        def compute(self, context):
            with LOG.open("a") as log:
                log.write("round\\n")
            return Outcome(numbers={{"total": float(np.round(double(context.upstream["draw"].arrays["x"].sum())))}})

    def runs(profile):
        n = 4 if profile == "quick" else 6
        return {{"draw": Draw(n), "round": Round(Draw(n))}}

    def analyse(runs, outcomes):
        with LOG.open("a") as log:
            log.write("analyse\\n")
        total = outcomes["round"].numbers["total"]
        return Result(values={{"total": Value(total)}}, tables={{"t": Table(["n"], [[runs["draw"].n_samples]])}},
                      claims={{"finite": Claim.of_margins([1.0], f"{{total}}")}})
"""


class Project:
    """A project folder whose runs write into a log what they do."""

    def __init__(self, folder: Path, package: str) -> None:
        self.folder = folder
        self.package = package
        self.log = folder / "log.txt"
        (folder / package).mkdir()
        (folder / package / "__init__.py").touch()
        self.write("kit", KIT)
        self.write("section", SECTION.format(package=package, log=str(self.log)))

    def write(self, module: str, text: str) -> None:
        """Write a module of the project."""
        (self.folder / self.package / f"{module}.py").write_text(dedent(text), encoding="utf-8")

    def edit(self, module: str, old: str, new: str) -> None:
        """Replace text in a module; the text must be there."""
        path = self.folder / self.package / f"{module}.py"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def computation(self, **options: object) -> Computation:
        """Return a computation of the project as it stands, as a new process would see it."""
        for name in [name for name in sys.modules if name.partition(".")[0] == self.package]:
            del sys.modules[name]
        section = Section("numbers", f"{self.package}.section")
        config = BuildConfig(self.folder, (section,), profile="quick", **options)  # type: ignore[arg-type]
        return Computation(config, None, Plain())

    def compute(self, **options: object) -> Computed:
        """Compute the project."""
        return self.computation(**options).run()

    def done(self) -> list[str]:
        """Return what was executed since the last call."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def project(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Make a project that can be imported here and in workers."""
    monkeypatch.syspath_prepend(tmp_path)
    return Project(tmp_path, "p_" + re.sub(r"\W", "_", request.node.name)[-30:])


def test_a_second_build_executes_nothing(project: Project) -> None:
    """Equal runs are computed once, and nothing is computed twice."""
    first = project.compute(jobs=2)
    assert project.done() == ["draw 4", "round", "analyse"]
    second = project.compute()
    assert project.done() == []
    assert second.sections["numbers"].result == first.sections["numbers"].result
    assert second.executed == ()
    assert first.sections["numbers"].settings["round"] == {"draw": {"n_samples": 4}}


def test_an_edit_runs_what_reaches_it(project: Project) -> None:
    """A helper of one run re-runs that run; a comment, a neighbour and drawing code re-run no run."""
    project.compute()
    project.done()
    project.edit("kit", "return 2 * x", "return 3 * x")
    project.compute()
    assert project.done() == ["round", "analyse"]
    project.edit("kit", "return x\n", "return -x  # comment\n")
    project.compute()
    assert project.done() == []
    project.edit("section", "Value(total)", "Value(total, digits=1)")
    project.compute()
    assert project.done() == ["analyse"]


def test_an_equal_outcome_cuts_off_what_is_downstream(project: Project) -> None:
    """A run that is executed again with the same outcome leaves the rest alone."""
    project.compute()
    project.done()
    project.edit("section", "size=self.n_samples)", "size=self.n_samples + 0)")
    project.compute()
    assert project.done() == ["draw 4"]


def test_explain_says_what_and_why_and_does_nothing(project: Project) -> None:
    """--explain names the edited definition and what waits for it."""
    project.compute()
    project.done()
    project.edit("kit", "return 2 * x", "return 3 * x")
    lines = "\n".join(project.computation().explain())
    assert f"numbers: source {project.package}/kit.py:double changed" in lines
    assert "numbers.draw: stored" in lines
    assert f"numbers.round: will be executed: source {project.package}/kit.py:double changed" in lines
    assert project.done() == []


def test_force_executes_again(project: Project) -> None:
    """--force computes a section's runs and analysis whatever is stored."""
    project.compute()
    project.done()
    project.compute(force=("numbers",))
    assert project.done() == ["draw 4", "round", "analyse"]


def test_results_do_not_depend_on_the_number_of_processes(project: Project) -> None:
    """One process and two give the same bytes."""
    one = project.compute(jobs=1, cache=Path("one")).sections["numbers"].runs
    two = project.compute(jobs=2, cache=Path("two")).sections["numbers"].runs
    assert {name: run["outcome"] for name, run in one.items()} == {name: run["outcome"] for name, run in two.items()}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("double(context", "dubble(context", r"section\.py:28: numbers\.round failed: NameError"),
        ("Outcome(numbers=", "dict(numbers=", r"numbers\.round failed: TypeError: compute\(\) must return an Outcome"),
        ("Value(total)", "Value(float('nan'))", r"section\.py:38: .*'numbers': a Value must be finite"),
        ("def analyse", "def analyze", r"defines no 'analyse'"),
        ("Round(Draw(n))", "print", r"'round' is a builtin_function_or_method, not a Run"),
        ("import numpy as np", "import numpie as np", r"cannot import .*numpie"),
        ("n_samples: int = 4", "n_samples: object = None", None),
        ('"draw": Draw(n)', '"draw": Draw([n])', r"a setting must be .*got list: \[4\]"),
    ],
)
def test_every_failure_is_one_message_with_a_place(project: Project, old: str, new: str, message: str | None) -> None:
    """The error names the run, the project's own line and what went wrong."""
    project.edit("section", old, new)
    if message is None:
        project.compute()
        return
    with pytest.raises(RunError, match=message):
        project.compute()


def test_what_had_finished_is_kept_after_a_failure(project: Project) -> None:
    """The next build continues where the failing one stopped."""
    project.edit("section", "double(context", "dubble(context")
    with pytest.raises(RunError):
        project.compute()
    assert project.done() == ["draw 4", "round"]
    project.edit("section", "dubble(context", "double(context")
    project.compute()
    assert project.done() == ["round", "analyse"]


def test_a_killed_worker_is_one_message(project: Project) -> None:
    """A process that is killed, as by the kernel when memory runs out, does not hang the build."""
    project.edit(
        "section", "total = outcomes", "import os, signal; os.kill(os.getpid(), signal.SIGKILL); total = outcomes"
    )
    with pytest.raises(RunError, match=r"was killed(.|\n)*--jobs 1"):
        project.compute()


def test_an_interrupt_leaves_no_process(project: Project, tmp_path: Path) -> None:
    """Ctrl-C during a run ends every process with exit code 130, and what had finished is kept."""
    project.edit(
        "section",
        'log.write("round\\n")',
        "log.write(f\"{__import__('os').getpid()}\\n\")\n            import time; log.flush(); time.sleep(60)",
    )
    (tmp_path / "report.toml").write_text(f'sections = ["{project.package}.section"]\n', encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "report"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, start_new_session=True
    )
    worker = 0
    for _ in range(300):
        time.sleep(0.1)
        lines = project.log.read_text(encoding="utf-8").split() if project.log.exists() else []
        if lines and lines[-1].isdigit() and int(lines[-1]) > 100:
            worker = int(lines[-1])
            break
    assert worker, "the run did not start"
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"interrupted" in errors
    assert not Path(f"/proc/{worker}").exists()
    project.done()
    project.edit("section", "time.sleep(60)", "1")
    project.computation()
    assert "numbers.draw: stored" in "\n".join(
        Computation(
            BuildConfig(tmp_path, (Section("numbers", f"{project.package}.section"),), profile="full"), None, Plain()
        ).explain()
    )
