"""How long a build will take: recorded times, and a simulation of the schedule on any number of workers.

The simulation does what :class:`report.execute.Execution` does: what is ready starts, the dearest chain first, and
analyses before runs.
"""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from report.fingerprint import encode, settings_of
from report.progress import duration

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from report.plan import Plan, RunState, SectionState
    from report.store import Store

ANALYSIS_COST = float("inf")
_RUNS_NOW = float("inf")
_REFRESH_SECONDS = 1.0
_ANALYSIS_SECONDS = 2.0
_PROCESS_SECONDS = 3.0
"""What a new process spends on importing numerics before its first run or analysis."""


@dataclass(frozen=True, slots=True)
class Task:
    """A run or an analysis in a simulation.

    Parameters
    ----------
    seconds : float
        How long it takes.
    priority : float
        Of the tasks that are ready, the one with the highest starts first.
    needs : tuple of int
        Positions of the tasks it waits for.
    """

    seconds: float
    priority: float
    needs: tuple[int, ...] = ()


def simulate(tasks: Sequence[Task], workers: int, process_seconds: float = 0.0) -> float:
    """Return the wall seconds of executing tasks on equal workers, each of which takes a while to start.

    List scheduling: R. L. Graham, Bounds on Multiprocessing Timing Anomalies, SIAM J. Appl. Math. 17 (1969) 416.
    """
    waiting = [len(task.needs) for task in tasks]
    dependents: list[list[int]] = [[] for _ in tasks]
    for index, task in enumerate(tasks):
        for needed in task.needs:
            dependents[needed].append(index)
    ready = [(-task.priority, index) for index, task in enumerate(tasks) if not task.needs]
    heapq.heapify(ready)
    running: list[tuple[float, int]] = []
    now, processes = 0.0, 0
    while ready or running:
        while ready and len(running) < workers:
            _, index = heapq.heappop(ready)
            delay = process_seconds if len(running) == processes else 0.0  # nobody is idle: another one starts
            processes = max(processes, len(running) + 1)
            heapq.heappush(running, (now + delay + tasks[index].seconds, index))
        now, finished = heapq.heappop(running)
        for index in dependents[finished]:
            waiting[index] -= 1
            if waiting[index] == 0:
                heapq.heappush(ready, (-tasks[index].priority, index))
    return now


def recorded_seconds(store: Store, state: RunState) -> float | None:
    """Return how long a run with these settings took last, with this seed or another; None when it never ran."""
    settings = {name: encode(value) for name, value in settings_of(state.run).items() if name not in state.upstream}
    for label in (state.label, state.name):
        last = store.get_record("last-runs", label)
        if last and last["components"].get("settings") == settings:
            return float(last["seconds"])
    return None


def run_seconds(store: Store, state: RunState) -> float:
    """Return the estimated seconds of a run: its recorded time, or what it declares."""
    recorded = recorded_seconds(store, state)
    return state.run.cost() if recorded is None else recorded


def chain_seconds(store: Store, state: RunState) -> float:
    """Return the estimated seconds of a run and of the dearest chain of runs that waits for it."""
    waiting = max((chain_seconds(store, dependent) for dependent in state.dependents), default=0.0)
    return run_seconds(store, state) + waiting


def analysis_seconds(store: Store, state: SectionState) -> float:
    """Return the estimated seconds of an analysis."""
    last = store.get_record("last-analyses", state.section.name)
    return float(last["seconds"]) if last else _ANALYSIS_SECONDS


@dataclass(slots=True)
class Forecast:
    """The simulation of what is missing of a plan, corrected by what has finished."""

    plan: Plan
    _estimates: dict[int, tuple[float, float]] = field(default_factory=dict)
    _started: dict[int, float] = field(default_factory=dict)
    _asked: float = 0.0
    _answer: float = 0.0

    def remaining(self, running: Collection[int], workers: int) -> float:
        """Return the estimated seconds until all is done; ``running`` holds the ``id`` of every state that runs now."""
        now = time.monotonic()
        for state in running:
            self._started.setdefault(state, now)
        if now - self._asked >= _REFRESH_SECONDS:
            self._asked = now
            self._answer = simulate(self.tasks(running), workers)
        return self._answer

    def tasks(self, running: Collection[int] = ()) -> list[Task]:
        """Return what is missing as tasks; what may yet turn out to be stored counts as missing."""
        runs = [state for state in self.plan.runs.values() if not state.digest]
        places = {id(state): index for index, state in enumerate(runs)}
        pace, tasks = self._pace, []
        for state in runs:
            seconds, priority = self._estimate(state)
            seconds *= pace
            needs = tuple(places[id(needed)] for needed in state.upstream.values() if id(needed) in places)
            if id(state) in running:
                passed = time.monotonic() - self._started.get(id(state), time.monotonic())
                seconds, priority = max(0.0, seconds - passed), _RUNS_NOW
            tasks.append(Task(seconds, priority, needs))
        for section in self.plan.sections.values():
            if section.missing or section.fingerprint is None:
                needs = tuple({places[id(run)] for run in section.runs.values() if id(run) in places})
                tasks.append(Task(analysis_seconds(self.plan.store, section), ANALYSIS_COST, needs))
        return tasks

    @property
    def _pace(self) -> float:
        """How much longer than estimated the runs of this build have taken."""
        done = [state for state in self.plan.runs.values() if state.executed and id(state) in self._estimates]
        estimated = sum(self._estimates[id(state)][0] for state in done)
        return sum(state.seconds for state in done) / estimated if estimated else 1.0

    def _estimate(self, state: RunState) -> tuple[float, float]:
        """Return the seconds of a run and of its chain, as they were when first asked for."""
        if id(state) not in self._estimates:
            store = self.plan.store
            self._estimates[id(state)] = run_seconds(store, state), chain_seconds(store, state)
        return self._estimates[id(state)]


def describe(plan: Plan, workers: Sequence[int]) -> Iterator[str]:
    """Yield the lines of ``--plan``: how much there is to do, and how long it takes on how many workers."""
    tasks = Forecast(plan).tasks()
    missing = [state for state in plan.runs.values() if not state.digest]
    known = sum(recorded_seconds(plan.store, state) is not None for state in missing)
    analyses = len(tasks) - len(missing)
    yield f"runs       {len(missing)} to execute, {len(plan.runs) - len(missing)} stored; {analyses} analyses"
    if not tasks:
        return
    work = sum(task.seconds for task in tasks)
    yield f"work       {work / 3600:.3g} core-hours ({known} runs as recorded, {len(missing) - known} as they declare)"
    yield f"at least   {duration(simulate(tasks, len(tasks)))}, the longest chain"
    yield "workers    wall time   busy"
    for count in workers:
        wall = simulate(tasks, count, _PROCESS_SECONDS)
        yield f"{count:>7}    {duration(wall):>9}   {work / (wall * count):4.0%}"
    if any(state.fingerprint is None for state in missing):
        yield "Runs that follow others are counted; they are skipped where the others' outcomes come out as before."
