"""Which runs and analyses a build needs, which of them are stored, and why the others must be executed.

Runs form a graph: a field that is a run must be computed first, equal runs of different sections are one,
and a section is analysed as soon as its runs are there. Keys are found on the way, since a run's key
contains the digests of what it is computed from.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from report.closure import module_of
from report.errors import Location, RunError, did_you_mean
from report.estimate import chain_seconds
from report.fingerprint import (
    Environment,
    Fingerprint,
    describe_settings,
    encode,
    explain_change,
    fingerprint_of_analysis,
    fingerprint_of_run,
    told,
    upstream_of,
)
from report.model import Run, Section

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from report.closure import Closure, Project
    from report.remote_cache import SharedCache
    from report.store import Store


@dataclass(slots=True, eq=False)
class RunState:
    """Where one run with one seed stands: its neighbours in the graph, its key, its outcome.

    ``name`` is its label without the seed; ``cost`` the estimated seconds of the dearest chain that starts with it.
    """

    run: Run
    name: str
    label: str
    seed: int
    upstream: Mapping[str, RunState]
    dependents: list[RunState] = field(default_factory=list)
    force: bool = False
    fingerprint: Fingerprint | None = None
    digest: str = ""
    seconds: float = 0.0
    machine: str = ""
    peak_mib: float = 0.0
    executed: bool = False
    cost: float = 0.0

    def upstream_digests(self) -> dict[str, str]:
        """Return the digests of the outcomes it is computed from, by field."""
        return {name: state.digest for name, state in self.upstream.items()}


@dataclass(slots=True, eq=False)
class SectionState:
    """Where one section with one seed stands; ``missing`` means that its analysis must be executed."""

    section: Section
    label: str
    seed: int
    runs: Mapping[str, RunState]
    force: bool = False
    fingerprint: Fingerprint | None = None
    missing: bool = False
    executed: bool = False

    def outcome_digests(self) -> dict[str, str]:
        """Return the digests of the outcomes of its runs, by name."""
        return {name: state.digest for name, state in self.runs.items()}


@dataclass(slots=True)
class Plan:
    """The runs and sections of a build, for any number of seeds."""

    project: Project
    store: Store
    environment: Environment
    root: Path
    shared: SharedCache | None = None
    runs: dict[tuple[int, Run], RunState] = field(default_factory=dict)
    sections: dict[tuple[int, str], SectionState] = field(default_factory=dict)

    def add(self, section: Section, profile: str, seed: int, *, force: bool) -> None:
        """Import a section's module and take in its runs with one seed."""
        suffix = "" if seed == self.environment.seed else f" · seed {seed}"
        states = {
            name: self._add_run(run, f"{section.name}.{name}", suffix, seed, force=force)
            for name, run in declare_runs(section, profile, self.root).items()
        }
        label = f"{section.name} · analysis{suffix}"
        self.sections[seed, section.name] = SectionState(section, label, seed, states, force)

    def _add_run(self, run: Run, name: str, suffix: str, seed: int, *, force: bool) -> RunState:
        """Take in a run after what it is computed from, so that ``self.runs`` stays in an order of execution."""
        encode(run)  # refuses a setting that has no key, before it is hashed here
        upstream = {
            field_name: self._add_run(needed, f"{name}.{field_name}", suffix, seed, force=force)
            for field_name, needed in upstream_of(run).items()
        }
        state = self.runs.get((seed, run))
        if state is None:
            state = self.runs[seed, run] = RunState(run, name, name + suffix, seed, upstream)
            for needed_state in upstream.values():
                needed_state.dependents.append(state)
        state.force = state.force or force
        return state

    def resolve(self) -> tuple[list[RunState], list[SectionState]]:
        """Look up everything whose inputs are known; return the runs and analyses that must be executed now."""
        while ready := [state for state in self.runs.values() if _may_be_looked_up(state)]:
            for state in ready:
                self._look_up(state)
            self._fetch([state for state in ready if not state.digest and not state.force])
        missing_runs = [state for state in self.runs.values() if state.fingerprint is not None and not state.digest]
        missing_sections = []
        for section in self.sections.values():
            if section.fingerprint is None and all(section.outcome_digests().values()):
                self._look_up_analysis(section)
            if section.missing:
                missing_sections.append(section)
        return missing_runs, missing_sections

    def _look_up(self, state: RunState) -> None:
        environment = replace(self.environment, seed=state.seed)
        closure = self.closure(state.run)
        state.fingerprint = fingerprint_of_run(state.run, closure, state.upstream_digests(), environment)
        if not state.force:
            self._load(state, state.fingerprint.key)
        state.cost = chain_seconds(self.store, state)

    def _load(self, state: RunState, key: str) -> None:
        record = self.store.get_record("runs", key)
        if record is not None and self.store.has_blob(record["outcome"]):
            state.digest, state.seconds = record["outcome"], record["seconds"]
            state.machine, state.peak_mib = record["machine"], record["peak_mib"]

    def _fetch(self, states: list[RunState]) -> None:
        """Take from the shared cache what others have computed."""
        if self.shared is None or not states:
            return
        keys = {state.fingerprint.key: state for state in states if state.fingerprint is not None}
        for key in self.shared.fetch(self.store, list(keys)):
            self._load(keys[key], key)

    def closure(self, run: Run) -> Closure:
        """Return the source that a run depends on."""
        kind = type(run)
        return self.project.reach((module_of(kind), kind.__qualname__))

    def _look_up_analysis(self, state: SectionState) -> None:
        closure = self.project.reach((state.section.module, "analyse"))
        runs = {name: run.run for name, run in state.runs.items()}
        state.fingerprint = fingerprint_of_analysis(closure, runs, state.outcome_digests())
        body = None if state.force else self.store.get_record("analyses", state.fingerprint.key)
        state.missing = body is None or self.store.get_result(body) is None

    def remember(self, state: RunState) -> None:
        """Keep what the latest run under this name was made of and took; share its outcome."""
        if state.fingerprint is not None:
            last = {"components": state.fingerprint.components, "seconds": state.seconds}
            self.store.put_record("last-runs", state.label, last)
            if self.shared is not None:
                self.shared.push(self.store, state.fingerprint.key)

    def explain(self, state: RunState) -> str:
        """Say whether a run will be executed, and why."""
        if state.digest:
            return "stored"
        if state.force:
            return "will be executed: --force"
        if state.fingerprint is None:
            waits = [needed.label for needed in state.upstream.values() if not needed.digest]
            return f"depends on {', '.join(waits)}, which will be executed; skipped if that outcome stays the same"
        last = self.store.get_record("last-runs", state.label)
        changes = explain_change(last["components"] if last else None, state.fingerprint.components)
        return f"will be executed: {told(changes) or 'its stored outcome is gone'}"

    def describe(self, state: SectionState) -> dict[str, Any]:
        """Return the record of a section: its analysis, and the settings, times and keys of its runs."""
        return {
            "analysis": _key(state.fingerprint),
            "settings": {name: describe_settings(run.run) for name, run in state.runs.items()},
            "runs": {name: _describe_run(run) for name, run in state.runs.items()},
        }


def _may_be_looked_up(state: RunState) -> bool:
    return state.fingerprint is None and all(state.upstream_digests().values())


def _describe_run(state: RunState) -> dict[str, Any]:
    return {
        "key": _key(state.fingerprint),
        "outcome": state.digest,
        "settings": describe_settings(state.run),
        "seconds": state.seconds,
        "machine": state.machine,
        "peak_mib": state.peak_mib,
        "upstream": {name: _describe_run(needed) for name, needed in state.upstream.items()},
    }


def _key(fingerprint: Fingerprint | None) -> str:
    return fingerprint.key if fingerprint else ""


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
