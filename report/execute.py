"""From sections to results: which runs are needed, in what order, on how many processes.

Runs form a graph: a field that is a run must be computed first, equal runs of different sections are one,
and a section is analysed as soon as its runs are there. Keys are found on the way, since a run's key
contains the digests of what it is computed from. What takes longest, with all that waits for it, starts first.
"""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report.errors import Location, ReportError, RunError, did_you_mean
from report.fingerprint import (
    Environment,
    Fingerprint,
    describe_settings,
    explain_change,
    fingerprint_of_analysis,
    fingerprint_of_run,
    upstream_of,
)
from report.model import Run, Section
from report.worker import AnalysisRequest, Finished, RunRequest, perform_analysis, perform_run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Executor

    from report.closure import Project
    from report.model import DataSource
    from report.progress import Watcher
    from report.store import Store

_POLL_SECONDS = 0.2
_ANALYSIS_COST = float("inf")


@dataclass(slots=True)
class RunState:
    """Where one run stands: its name, key and outcome, and whether it had to be computed."""

    run: Run
    label: str
    force: bool = False
    fingerprint: Fingerprint | None = None
    digest: str = ""
    seconds: float = 0.0
    machine: str = ""
    peak_mib: float = 0.0
    executed: bool = False
    cost: float = 0.0


@dataclass(slots=True)
class SectionState:
    """Where one section stands."""

    section: Section
    runs: Mapping[str, Run]
    force: bool = False
    analysed: str = ""
    missing: bool = False
    executed: bool = False


@dataclass(slots=True)
class Execution:
    """One execution of the missing parts of a build on an executor."""

    project: Project
    store: Store
    environment: Environment
    data: DataSource | None
    root: Path
    watcher: Watcher
    jobs: int
    runs: dict[Run, RunState] = field(default_factory=dict)
    sections: dict[str, SectionState] = field(default_factory=dict)
    _progress: Path = field(init=False)
    _pending: dict[Future[Finished], RunState | SectionState] = field(default_factory=dict, init=False)

    def add(self, section: Section, profile: str, *, force: bool) -> None:
        """Import a section's module and take in its runs."""
        runs = declare_runs(section, profile, self.root)
        self.sections[section.name] = SectionState(section, runs, force)
        for name, run in runs.items():
            self._add_run(run, f"{section.name}.{name}", force=force)

    def _add_run(self, run: Run, label: str, *, force: bool) -> None:
        """Take in a run after what it is computed from, so that ``self.runs`` stays in an order of execution."""
        for name, needed in upstream_of(run).items():
            self._add_run(needed, f"{label}.{name}", force=force)
        state = self.runs.setdefault(run, RunState(run, label))
        state.force = state.force or force

    def resolve(self) -> tuple[list[RunState], list[SectionState]]:
        """Look up everything whose inputs are known; return the runs and analyses that must be executed now."""
        missing_runs = []
        for state in self.runs.values():
            needs = upstream_of(state.run)
            if not state.digest and all(self.runs[needed].digest for needed in needs.values()):
                if state.fingerprint is None:
                    self._identify(state, {name: self.runs[needed].digest for name, needed in needs.items()})
                if not state.digest:
                    missing_runs.append(state)
        missing_sections = []
        for section in self.sections.values():
            if not section.analysed and all(self.runs[run].digest for run in section.runs.values()):
                self._find_analysis(section)
            if section.missing:
                missing_sections.append(section)
        return missing_runs, missing_sections

    def _identify(self, state: RunState, upstream: Mapping[str, str]) -> None:
        kind = type(state.run)
        closure = self.project.reach((kind.__module__, kind.__qualname__))
        state.fingerprint = fingerprint_of_run(state.run, closure, upstream, self.environment)
        record = self.store.get_record("runs", state.fingerprint.key)
        if record is not None and not state.force and self.store.has_blob(record["outcome"]):
            state.digest, state.seconds = record["outcome"], record["seconds"]
            state.machine, state.peak_mib = record["machine"], record["peak_mib"]
        state.cost = self._cost(state.run)

    def _cost(self, run: Run) -> float:
        """Return the estimated work of a run and of the dearest chain that waits for it."""
        waiting = [self._cost(other.run) for other in self.runs.values() if run in upstream_of(other.run).values()]
        last = self.store.get_record("last-runs", self.runs[run].label)
        return (last["seconds"] if last else run.cost()) + max(waiting, default=0.0)

    def _find_analysis(self, state: SectionState) -> None:
        module = state.section.module
        key = fingerprint_of_analysis(
            self.project.reach((module, "analyse")), state.runs,
            {name: self.runs[run].digest for name, run in state.runs.items()},
        )  # fmt: skip
        state.analysed = key.key
        body = None if state.force else self.store.get_record("analyses", key.key)
        state.missing = body is None or self.store.get_result(body) is None

    def execute(self, executor: Executor) -> None:
        """Run what is missing; each outcome is stored the moment it is there.

        Raises
        ------
        ReportError
            The first failure. What is running is given up; what has finished is kept.
        """
        self._progress = Path(tempfile.mkdtemp(prefix="report-progress-"))
        queue: list[RunState | SectionState] = []
        queued: set[int] = set()
        try:
            while True:
                for state in (part for parts in self.resolve() for part in parts):
                    if id(state) not in queued:
                        queued.add(id(state))
                        queue.append(state)
                queue.sort(key=_priority)
                while queue and len(self._pending) < self.jobs:
                    self._submit(executor, queue.pop())
                if not self._pending:
                    return
                self._collect()
        finally:
            shutil.rmtree(self._progress, ignore_errors=True)

    def _submit(self, executor: Executor, state: RunState | SectionState) -> None:
        if isinstance(state, RunState):
            self.watcher.started(state.label)
            future = executor.submit(perform_run, self._run_request(state))
        else:
            self.watcher.started(f"{state.section.name} · analysis")
            future = executor.submit(perform_analysis, self._analysis_request(state))
        self._pending[future] = state

    def _run_request(self, state: RunState) -> RunRequest:
        assert state.fingerprint is not None  # noqa: S101 - resolve() identified it
        upstream = {name: self.runs[needed].digest for name, needed in upstream_of(state.run).items()}
        uses_device = state.run.uses_device
        return RunRequest(
            label=state.label, run=state.run, fingerprint=state.fingerprint, upstream=upstream,
            store=self.store.folder, root=self.root, data=self.data, seed=self.environment.seed,
            device=self.environment.device if uses_device else "cpu",
            precision=self.environment.precision if uses_device else "fp32",
            progress_file=self._progress_file(state.label),
        )  # fmt: skip

    def _analysis_request(self, state: SectionState) -> AnalysisRequest:
        outcomes = {name: self.runs[run].digest for name, run in state.runs.items()}
        closure = self.project.reach((state.section.module, "analyse"))
        return AnalysisRequest(
            label=f"the analysis of section '{state.section.name}'", section=state.section.name,
            module=state.section.module, fingerprint=fingerprint_of_analysis(closure, state.runs, outcomes),
            runs=state.runs, outcomes=outcomes, store=self.store.folder, root=self.root,
        )  # fmt: skip

    def _progress_file(self, label: str) -> Path:
        return self._progress / f"{label}.json"

    def _collect(self) -> None:
        done, running = wait(self._pending, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in running:
            state = self._pending[future]
            if isinstance(state, RunState):
                self.watcher.look(state.label, self._progress_file(state.label))
        for future in done:
            state = self._pending.pop(future)
            finished = _result_of(future, _label(state))
            if isinstance(state, RunState):
                state.digest, state.seconds, state.machine = finished.digest, finished.seconds, finished.machine
                state.executed, state.peak_mib = True, finished.peak_mib
                self._remember(state)
            else:
                state.missing, state.executed = False, True
            self.watcher.finished(_label(state), finished.seconds)

    def _remember(self, state: RunState) -> None:
        """Keep what the latest run under this name was made of and took: for --explain and for scheduling."""
        if state.fingerprint is not None:
            last = {"components": state.fingerprint.components, "seconds": state.seconds}
            self.store.put_record("last-runs", state.label, last)

    def explain(self, run: Run) -> str:
        """Say whether a run will be executed, and why."""
        state = self.runs[run]
        if state.digest:
            return "stored"
        if state.force:
            return "will be executed: --force"
        if state.fingerprint is None:
            waits = [self.runs[needed].label for needed in upstream_of(run).values() if not self.runs[needed].digest]
            return f"depends on {', '.join(waits)}, which will be executed; skipped if that outcome stays the same"
        last = self.store.get_record("last-runs", state.label)
        changes = explain_change(last["components"] if last else None, state.fingerprint.components)
        return f"will be executed: {'; '.join(changes) or 'its stored outcome is gone'}"

    def describe(self, name: str) -> dict[str, Any]:
        """Return the record of a section: its analysis, and the settings, times and keys of its runs."""
        state = self.sections[name]
        return {
            "analysis": state.analysed,
            "settings": {run_name: describe_settings(run) for run_name, run in state.runs.items()},
            "runs": {run_name: self._describe_run(self.runs[run]) for run_name, run in state.runs.items()},
        }

    def _describe_run(self, state: RunState) -> dict[str, Any]:
        upstream = {name: self._describe_run(self.runs[needed]) for name, needed in upstream_of(state.run).items()}
        return {
            "key": state.fingerprint.key if state.fingerprint else "",
            "outcome": state.digest,
            "settings": describe_settings(state.run),
            "seconds": state.seconds,
            "machine": state.machine,
            "peak_mib": state.peak_mib,
            "upstream": upstream,
        }


def _label(state: RunState | SectionState) -> str:
    return state.label if isinstance(state, RunState) else f"{state.section.name} · analysis"


def _priority(state: RunState | SectionState) -> tuple[float, str]:
    return (state.cost if isinstance(state, RunState) else _ANALYSIS_COST, _label(state))


def _result_of(future: Future[Finished], label: str) -> Finished:
    try:
        return future.result()
    except ReportError:
        raise
    except BrokenExecutor as error:
        raise RunError(
            f"the process that computed {label} was killed ({type(error).__name__})",
            hint="most often memory ran out: try --jobs 1; what had finished is kept, so the next build continues",
        ) from error


def declare_runs(section: Section, profile: str, root: Path) -> dict[str, Run]:
    """Import a section's module and ask it for its runs, with a clear error for every way it can be wrong."""
    try:
        module = importlib.import_module(section.module)
    except ImportError as error:
        raise RunError(
            f"section '{section.name}': cannot import '{section.module}': {error}",
            hint="python build.py doctor lists what is not installed",
        ) from error
    for name in ("runs", "analyse"):
        if not callable(getattr(module, name, None)):
            location = Location(os.path.relpath(module.__file__ or section.module, root))
            raise RunError(f"section '{section.name}' needs a function {name}()", location=location)
    runs = module.runs(profile)
    for name, run in runs.items():
        if not isinstance(run, Run):
            raise RunError(f"runs() of section '{section.name}': '{name}' is a {type(run).__name__}, not a Run")
        if not name.isidentifier():
            raise RunError(
                f"runs() of section '{section.name}': '{name}' is not an identifier",
                hint="templates reach it as settings.<name>; " + did_you_mean(name, [name.replace(".", "_")]),
            )
    return dict(runs)
