"""The simulation of a schedule, what it is fed with, and what ``--plan`` prints."""

import re
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.compute import Computation
from report.config import BuildConfig
from report.estimate import Task, simulate
from report.model import Section
from report.progress import Live, Plain


@pytest.mark.parametrize(
    ("workers", "wall"),
    [(1, 12.0), (2, 6.0), (3, 5.0), (9, 5.0)],
)
def test_the_dearest_chain_goes_first(workers: int, wall: float) -> None:
    """By hand: a chain of 3 + 2 and runs of 4, 2 and 1 seconds; on two workers 3 2 1 beside 4 2."""
    tasks = [Task(3, 5), Task(2, 2, (0,)), Task(4, 4), Task(2, 2), Task(1, 1)]
    assert simulate(tasks, workers) == wall


def test_a_task_waits_for_all_it_needs() -> None:
    """The analysis starts when the last of its runs has ended, before runs that are ready."""
    assert simulate([Task(1, 1), Task(3, 3), Task(1, float("inf"), (0, 1)), Task(5, 0.5)], 1) == 10
    assert simulate([Task(1, 1), Task(3, 3), Task(1, float("inf"), (0, 1))], 2) == 4


def test_each_process_starts_once() -> None:
    """Importing the numerics is paid per worker, not per run."""
    assert simulate([Task(1, 1)] * 6, 2, process_seconds=0.5) == 3.5
    assert simulate([], 2, process_seconds=0.5) == 0


@given(st.lists(st.tuples(st.floats(0, 100), st.sets(st.integers(0, 8))), max_size=9), st.integers(1, 5))
def test_bounds_hold_for_every_graph(parts: list[tuple[float, set[int]]], workers: int) -> None:
    """No schedule beats the work divided by the workers or the longest chain; greedy ones stay below their sum."""
    tasks = [
        Task(seconds, seconds, tuple(sorted(needed for needed in needs if needed < index)))
        for index, (seconds, needs) in enumerate(parts)
    ]
    ends: list[float] = []
    for task in tasks:
        ends.append(task.seconds + max((ends[needed] for needed in task.needs), default=0.0))
    chain, work = max(ends, default=0.0), sum(task.seconds for task in tasks)
    wall = simulate(tasks, workers)
    assert max(chain, work / workers) <= wall + 1e-9
    assert wall <= chain + work / workers + 1e-9


SECTION = """
    import time
    from dataclasses import dataclass

    from report import Outcome, Result, Run, Value

    @dataclass(frozen=True)
    class Sleep(Run):
        seconds: float

        def compute(self, context):
            for step in range(10):
                time.sleep(self.seconds / 10)
                context.progress(step + 1, 10, "")
            return Outcome(numbers={"x": self.seconds + context.seed})

        def cost(self):
            return 100 * self.seconds

    @dataclass(frozen=True)
    class After(Run):
        sleep: Sleep

        def compute(self, context):
            time.sleep(0.2)
            return Outcome(numbers=context.upstream["sleep"].numbers)

    def runs(profile):
        sleeps = {f"sleep_{i}": Sleep(0.1 * (i + 1)) for i in range(5)}
        return sleeps | {"after": After(Sleep(0.5))}

    def analyse(runs, outcomes):
        return Result(values={"x": Value(outcomes["after"].numbers["x"])})
"""


@pytest.fixture
def computation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that makes a computation of a project whose runs sleep."""
    package = "sleeping_project"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").touch()
    (tmp_path / package / "section.py").write_text(dedent(SECTION), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    section = Section("naps", f"{package}.section")
    yield lambda watcher=None, **options: Computation(
        BuildConfig(tmp_path, (section,), profile="quick", **options), None, watcher or Plain()
    )
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]


def seconds_for(lines: list[str], workers: int) -> float:
    """Return the wall time that the lines of --plan state for so many workers."""
    found = next(
        re.fullmatch(rf" +{workers} +([\d.]+) s +\d+%", line) for line in lines if line.split()[0] == str(workers)
    )
    return float(found[1])


def test_the_plan_learns_from_recorded_times(computation, monkeypatch) -> None:
    """Before the first build it goes by what runs declare, then by what they took: also for seeds not yet seen."""
    monkeypatch.setattr("report.estimate._PROCESS_SECONDS", 0.0)
    before = list(computation().forecast([1]))
    assert before[0] == "runs       6 to execute, 0 stored; 1 analyses"
    assert "(0 runs as recorded, 6 as they declare)" in before[1]
    computation(jobs=2).run()
    assert list(computation().forecast([1])) == ["runs       0 to execute, 0 stored; 0 analyses"]
    after = list(computation(seeds=4).forecast([1, 2]))
    assert after[0] == "runs       18 to execute, 0 stored; 3 analyses"
    assert "(18 runs as recorded, 0 as they declare)" in after[1]
    assert 3 * 1.7 <= seconds_for(after, 1) < 3 * 1.7 + 3
    assert seconds_for(after, 2) == pytest.approx(seconds_for(after, 1) / 2, abs=0.8)
    assert after[-1].startswith("Runs that follow others")


def test_another_setting_is_not_taken_for_the_recorded_one(computation, tmp_path) -> None:
    """The time of a quick run says nothing of the full one."""
    computation(jobs=2).run()
    source = tmp_path / "sleeping_project" / "section.py"
    source.write_text(source.read_text(encoding="utf-8").replace("0.1 * (i + 1)", "0.11 * (i + 1)"), encoding="utf-8")
    del sys.modules["sleeping_project.section"]
    assert "(0 runs as recorded, 5 as they declare)" in list(computation().forecast([1]))[1]


def test_the_simulation_against_a_measured_build(computation, monkeypatch) -> None:
    """Three more seeds on two processes take about what was foretold."""
    computation(jobs=2).run()
    monkeypatch.setattr("report.estimate._PROCESS_SECONDS", 0.5)
    foretold = seconds_for(list(computation(seeds=4).forecast([2])), 2)
    started = time.monotonic()
    computation(seeds=4, jobs=2).run()
    assert 0.3 < foretold / (time.monotonic() - started) < 1.5


def test_the_table_counts_what_waits_runs_and_has_finished(computation, capsys) -> None:
    """A pool of runs is one line above the table: finished, running, waiting, and the time left."""
    seen = []

    class Watching(Live):
        def _draw(self):
            super()._draw()
            seen.append(self._counts())

    watcher = Watching()
    computation(watcher, jobs=2, seeds=2).run()
    watcher.close()
    assert any(re.fullmatch(r"4 finished, 2 running, 8 waiting, about \d.* left", line) for line in seen)
    assert seen[-1] == "14 finished, 0 running, 0 waiting"
    assert "14/14" in capsys.readouterr().err
