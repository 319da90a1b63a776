"""Executing what a plan misses on an executor: what takes longest, with all that waits for it, starts first."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from report.errors import ReportError, RunError
from report.estimate import ANALYSIS_COST, Forecast
from report.plan import Plan, RunState, SectionState
from report.worker import AnalysisRequest, Finished, RunRequest, perform_analysis, perform_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from report.model import DataSource
    from report.progress import Watcher

_PROGRESS = "report-progress-"
_POLL_SECONDS = 0.2


@dataclass(slots=True)
class Execution:
    """The execution of the missing parts of a plan.

    Parameters
    ----------
    plan, data, watcher
        What to execute, what the runs get, and who is told.
    jobs : int
        How many runs and analyses are executed at a time.
    slots : callable () -> int, optional
        How many runs, where they are executed elsewhere and leave the local jobs to the analyses.
    """

    plan: Plan
    data: DataSource | None
    watcher: Watcher
    jobs: int
    slots: Callable[[], int] | None = None
    _progress: Path = field(init=False)
    _pending: dict[Future[Finished], RunState | SectionState] = field(default_factory=dict, init=False)

    def run(self, executor: Executor) -> None:
        """Execute what is missing; each outcome is stored the moment it is there.

        Raises
        ------
        ReportError
            The first failure. What is running is given up; what has finished is kept.
        """
        self._progress = _progress_folder()
        forecast = Forecast(self.plan)
        queue: list[RunState | SectionState] = []
        queued: set[int] = set()
        try:
            while True:
                fresh = [state for states in self.plan.resolve() for state in states if id(state) not in queued]
                queued.update(id(state) for state in fresh)
                queue = self._start(executor, sorted([*queue, *fresh], key=_priority, reverse=True))
                if not queue and not self._pending:
                    return
                running = {id(state) for state in self._pending.values()}
                self.watcher.pool(forecast.remaining(running, self._workers()))
                self._collect()
        finally:
            shutil.rmtree(self._progress, ignore_errors=True)

    def _workers(self) -> int:
        return max(1, self.slots()) if self.slots is not None else self.jobs

    def _start(self, executor: Executor, queue: list[RunState | SectionState]) -> list[RunState | SectionState]:
        """Start what there is room for, in the order of the queue; return what is left of it."""
        left = []
        for state in queue:
            if self._has_room(state):
                self._submit(executor, state)
            else:
                left.append(state)
        return left

    def _has_room(self, state: RunState | SectionState) -> bool:
        if self.slots is None:
            return len(self._pending) < self.jobs
        same = sum(isinstance(other, type(state)) for other in self._pending.values())
        return same < (self.slots() if isinstance(state, RunState) else self.jobs)

    def _submit(self, executor: Executor, state: RunState | SectionState) -> None:
        self.watcher.started(state.label)
        with _workers_deaf_to_interrupts():
            if isinstance(state, RunState):
                future = executor.submit(perform_run, self._run_request(state))
            else:
                future = executor.submit(perform_analysis, self._analysis_request(state))
        self._pending[future] = state

    def _run_request(self, state: RunState) -> RunRequest:
        assert state.fingerprint is not None  # noqa: S101 - the plan looked it up
        environment = self.plan.environment
        return RunRequest(
            label=state.label,
            run=state.run,
            fingerprint=state.fingerprint,
            upstream=state.upstream_digests(),
            store=self.plan.store.folder,
            root=self.plan.root,
            data=self.data,
            seed=state.seed,
            device=environment.device if state.run.uses_device else "cpu",
            precision=environment.precision if state.run.uses_device else "fp32",
            progress_file=self._progress / f"{id(state)}.json",
        )

    def _analysis_request(self, state: SectionState) -> AnalysisRequest:
        assert state.fingerprint is not None  # noqa: S101 - the plan looked it up
        return AnalysisRequest(
            label=f"the analysis of section '{state.section.name}'",
            section=state.section.name,
            module=state.section.module,
            fingerprint=state.fingerprint,
            runs={name: run.run for name, run in state.runs.items()},
            outcomes=state.outcome_digests(),
            store=self.plan.store.folder,
            root=self.plan.root,
        )

    def _collect(self) -> None:
        """Wait a moment; show the progress of what runs, take in what has finished."""
        if not self._pending:
            time.sleep(_POLL_SECONDS)  # no worker is connected at the moment
        done, running = wait(self._pending, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in running:
            state = self._pending[future]
            self.watcher.look(state.label, self._progress / f"{id(state)}.json")
        for future in done:
            state = self._pending.pop(future)
            finished = _result_of(future, [state.label, *(other.label for other in self._pending.values())])
            state.executed = True
            if isinstance(state, RunState):
                state.digest, state.seconds = finished.digest, finished.seconds
                state.machine, state.peak_mib = finished.machine, finished.peak_mib
                self.plan.remember(state)
            else:
                state.missing = False
                self.plan.store.put_record("last-analyses", state.section.name, {"seconds": finished.seconds})
            self.watcher.finished(state.label, finished.seconds)


@contextmanager
def _workers_deaf_to_interrupts() -> Iterator[None]:
    """Let processes that are started here never hear Ctrl-C, not even before their first line: we end them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # children inherit the mask
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _progress_folder() -> Path:
    """Make the folder where runs say how far they are; remove those of builds that were killed."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PROGRESS}*"):
        pid = left.name.removeprefix(_PROGRESS).partition("-")[0]
        if pid.isdigit() and not _runs(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PROGRESS}{os.getpid()}-"))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # of another user
    return True


def _priority(state: RunState | SectionState) -> tuple[float, str]:
    return (state.cost if isinstance(state, RunState) else ANALYSIS_COST, state.label)


def _result_of(future: Future[Finished], labels: list[str]) -> Finished:
    """Return a result; when a process dies, all that were computed at that time break, and any may be the cause."""
    try:
        return future.result()
    except ReportError:
        raise
    except BrokenExecutor as error:
        raise RunError(
            f"a process that computed {' or '.join(labels)} was killed ({type(error).__name__})",
            hint="most often memory ran out: try --jobs 1; what had finished is kept, so the next build continues",
        ) from error
