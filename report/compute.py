"""From a configuration to the results of its sections: stored where nothing changed, computed where it did."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from report.closure import Project
from report.fingerprint import Environment, explain_change, fingerprint_of_section
from report.model import DataInfo
from report.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Executor

    from report.config import BuildConfig
    from report.execute import Execution
    from report.fingerprint import Fingerprint
    from report.model import DataSource, Result, Section
    from report.progress import Watcher

NO_DATA = DataInfo("none", "")


@dataclass(frozen=True, slots=True)
class SectionRecord:
    """A section's result, with the settings, times and keys of the runs behind it."""

    name: str
    key: str
    result: Result
    settings: Mapping[str, Mapping[str, Any]]
    runs: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Computed:
    """All sections that have a result, in the order of the report, and what was done for it."""

    info: DataInfo
    profile: str
    sections: Mapping[str, SectionRecord]
    executed: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(slots=True)
class Computation:
    """Looks up every section by its key, and executes the sections that are asked for and missing."""

    config: BuildConfig
    data: DataSource | None
    watcher: Watcher
    info: DataInfo = field(init=False)
    profile: str = field(init=False)
    project: Project = field(init=False)
    store: Store = field(init=False)
    environment: Environment = field(init=False)
    _keys: dict[str, Fingerprint] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Identify the data and settle the profile."""
        self.info = self.data.identify() if self.data else NO_DATA
        self.profile = self.config.profile or self.info.default_profile
        self.project = Project(self.config.root, self.config.cache)
        self.store = Store(self.config.cache)
        self.environment = Environment(self.info, self.config.seed, self.config.device, self.config.precision)

    def key(self, section: Section) -> Fingerprint:
        """Return a section's key; the module is read, not imported."""
        if section.name not in self._keys:
            closure = self.project.reach((section.module, "runs"), (section.module, "analyse"))
            self._keys[section.name] = fingerprint_of_section(closure, self.profile, self.environment)
        return self._keys[section.name]

    def stored(self, section: Section) -> SectionRecord | None:
        """Return what is stored for a section as it now stands, if all of it is intact."""
        key = self.key(section).key
        record = self.store.get_record("sections", key)
        body = self.store.get_record("analyses", record["analysis"]) if record else None
        result = self.store.get_result(body) if body else None
        if record is None or result is None:
            return None
        return SectionRecord(section.name, key, result, record["settings"], record["runs"])

    def forced(self, section: Section) -> bool:
        """Tell whether ``--force`` names the section."""
        return section.name in self.config.force or "all" in self.config.force

    def wanted(self, section: Section) -> bool:
        """Tell whether the section may be executed: ``--only`` names it, or nothing."""
        return not self.config.only or section.name in self.config.only

    def run(self) -> Computed:
        """Load or compute every section.

        Raises
        ------
        ReportError
            When a run or an analysis fails; what had finished is kept.
        """
        records: dict[str, SectionRecord] = {}
        missing = []
        for section in self.config.sections:
            record = None if self.forced(section) and self.wanted(section) else self.stored(section)
            if record is not None:
                records[section.name] = record
            elif self.wanted(section):
                missing.append(section)
        executed = self._execute(missing, records) if missing else ()
        order = [section.name for section in self.config.sections]
        return Computed(
            info=self.info,
            profile=self.profile,
            sections={name: records[name] for name in order if name in records},
            executed=executed,
            left_out=tuple(name for name in order if name not in records),
        )

    def _execute(self, missing: list[Section], records: dict[str, SectionRecord]) -> tuple[str, ...]:
        execution = self.execution()
        for section in missing:
            execution.add(section, self.profile, force=self.forced(section))
        runs, analyses = execution.resolve()
        if runs or analyses:
            self.watcher.expect(len(runs) + len(missing))
            with local_processes(self.config.jobs) as executor:
                execution.execute(executor)
        for section in missing:
            self.store.put_record("sections", self.key(section).key, execution.describe(section.name))
            last = {"components": self.key(section).components}
            self.store.put_record("last-sections", section.name, last)
            record = self.stored(section)
            assert record is not None  # noqa: S101 - written two lines above
            records[section.name] = record
        executed = [state.label for state in execution.runs.values() if state.executed]
        return (*executed, *(f"{name} · analysis" for name, state in execution.sections.items() if state.executed))

    def execution(self) -> Execution:
        """Return an empty execution on this computation's store."""
        from report.execute import Execution  # noqa: PLC0415 - a prose edit executes nothing

        return Execution(
            self.project, self.store, self.environment, self.data, self.config.root, self.watcher, self.config.jobs
        )

    def explain(self) -> Iterator[str]:
        """Say for every section and run whether it will be executed, and why; execute nothing."""
        execution = self.execution()
        missing = []
        for section in self.config.sections:
            if not self.wanted(section):
                yield f"{section.name}: not named by --only"
            elif self.stored(section) and not self.forced(section):
                yield f"{section.name}: stored, nothing it depends on has changed"
            else:
                missing.append(section)
                execution.add(section, self.profile, force=self.forced(section))
        execution.resolve()
        for section in missing:
            yield from self._explain_section(section, execution)

    def _explain_section(self, section: Section, execution: Execution) -> Iterator[str]:
        state = execution.sections[section.name]
        if self.forced(section):
            yield f"{section.name}: --force"
        else:
            last = self.store.get_record("last-sections", section.name)
            changes = explain_change(last["components"] if last else None, self.key(section).components)
            yield f"{section.name}: {'; '.join(changes) or 'its stored result is gone'}"
        for name, run in state.runs.items():
            yield f"  {section.name}.{name}: {execution.explain(run)}"
        if state.analysed:
            yield f"  {section.name} analysis: {'will be executed' if state.missing else 'stored, equal outcomes'}"
        else:
            yield f"  {section.name} analysis: after its runs, if their outcomes change"


@contextmanager
def local_processes(jobs: int) -> Iterator[Executor]:
    """Provide spawned worker processes with one thread each; on any error they are killed, none is left."""
    from loky import ProcessPoolExecutor  # noqa: PLC0415 - a prose edit executes nothing

    from report.worker import THREAD_LIMITS, prepare_process  # noqa: PLC0415 - likewise

    executor = ProcessPoolExecutor(
        max_workers=jobs, env=dict(THREAD_LIMITS), initializer=prepare_process, initargs=(os.getpid(),)
    )
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=True, kill_workers=True)
        raise
    executor.shutdown(wait=True)
