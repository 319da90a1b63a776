"""From a configuration to the results of its sections: stored where nothing changed, computed where it did."""

from __future__ import annotations

import os
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from report.closure import Project, module_of
from report.errors import MissingToolError
from report.fingerprint import Environment, explain_change, fingerprint_of_section, told
from report.model import DataInfo
from report.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager

    from report.cluster import Cluster
    from report.config import BuildConfig
    from report.fingerprint import Fingerprint
    from report.model import DataSource, Result, Section
    from report.plan import Plan, RunState, SectionState
    from report.progress import Watcher
    from report.remote_cache import SharedCache

NO_DATA = DataInfo("none", "")
_DATA_BYTES = "4e9"
"""Data stay in a worker on purpose: below this, loky must not take what was loaded for a leak and start it anew."""


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
    """All sections that have a result, in the order of the report, and what was done for it.

    ``replicates`` holds the sections of every seed, the first of them equal to ``sections``.
    """

    info: DataInfo
    profile: str
    seeds: tuple[int, ...]
    replicates: tuple[Mapping[str, SectionRecord], ...]
    executed: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def sections(self) -> Mapping[str, SectionRecord]:
        """The sections of the first seed: what the report prints."""
        return self.replicates[0]


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

    def __post_init__(self) -> None:
        """Identify the data and settle the profile."""
        self.info = self.data.identify() if self.data else NO_DATA
        self.profile = self.config.profile or self.info.default_profile
        self.project = Project(self.config.root, self.config.cache)
        self.store = Store(self.config.cache)
        # What the data are turned into on loading is not in their digest: the code that does it counts.
        kind = type(self.data)
        loader = self.project.reach((module_of(kind), kind.__qualname__)).sources if self.data else {}
        self.environment = Environment(self.info, self.config.seed, self.config.device, self.config.precision, loader)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of this build, from ``--seed`` on."""
        return tuple(range(self.config.seed, self.config.seed + self.config.seeds))

    def key(self, section: Section, seed: int) -> Fingerprint:
        """Return a section's key; the module is read, not imported."""
        closure = self.project.reach((section.module, "runs"), (section.module, "analyse"))
        return fingerprint_of_section(closure, self.profile, replace(self.environment, seed=seed))

    def stored(self, section: Section, seed: int) -> SectionRecord | None:
        """Return what is stored for a section as it now stands, if all of it is intact."""
        key = self.key(section, seed).key
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
        """Load or compute every section with every seed.

        Raises
        ------
        ReportError
            When a run or an analysis fails; what had finished is kept.
        """
        records, missing = self.look_up()
        return self.collect(records, self._execute(missing, records) if missing else ())

    def look_up(self) -> tuple[dict[tuple[int, str], SectionRecord], list[tuple[Section, int]]]:
        """Return the stored records by seed and name, and the sections that must be executed."""
        records: dict[tuple[int, str], SectionRecord] = {}
        missing = []
        for seed in self.seeds:
            for section in self.config.sections:
                record = None if self.forced(section) and self.wanted(section) else self.stored(section, seed)
                if record is not None:
                    records[seed, section.name] = record
                elif self.wanted(section):
                    missing.append((section, seed))
        return records, missing

    def collect(self, records: Mapping[tuple[int, str], SectionRecord], executed: tuple[str, ...] = ()) -> Computed:
        """Put records into the order of the report."""
        order = [section.name for section in self.config.sections]
        return Computed(
            info=self.info,
            profile=self.profile,
            seeds=self.seeds,
            replicates=tuple(
                {name: records[seed, name] for name in order if (seed, name) in records} for seed in self.seeds
            ),
            executed=executed,
            left_out=tuple(name for name in order if (self.config.seed, name) not in records),
        )

    def plan(self, missing: Iterable[tuple[Section, int]]) -> Plan:
        """Return the runs and analyses of these sections and seeds."""
        from report.plan import Plan  # noqa: PLC0415 - a prose edit executes nothing

        plan = Plan(self.project, self.store, self.environment, self.config.root, self._shared())
        for section, seed in missing:
            plan.add(section, self.profile, seed, force=self.forced(section))
        return plan

    def _execute(
        self, missing: list[tuple[Section, int]], records: dict[tuple[int, str], SectionRecord]
    ) -> tuple[str, ...]:
        from report.execute import Execution  # noqa: PLC0415 - a prose edit executes nothing

        plan = self.plan(missing)
        runs, analyses = plan.resolve()
        if runs or analyses:
            self.watcher.expect(sum(not state.digest for state in plan.runs.values()) + len(missing))
            with (
                self._sharing(plan),
                local_processes(self.config.jobs) as local,
                self._cluster(plan, local) if runs and self.config.cluster else nullcontext() as cluster,
            ):
                slots = cluster.slots if cluster else None
                Execution(plan, self.data, self.watcher, self.config.jobs, slots).run(cluster or local)
        for section, seed in missing:
            key = self.key(section, seed)
            self.store.put_record("sections", key.key, plan.describe(plan.sections[seed, section.name]))
            self.store.put_record("last-sections", section.name, {"components": key.components})
            record = self.stored(section, seed)
            assert record is not None  # noqa: S101 - written three lines above
            records[seed, section.name] = record
        states: list[RunState | SectionState] = [*plan.runs.values(), *plan.sections.values()]
        return tuple(state.label for state in states if state.executed)

    def _shared(self) -> SharedCache | None:
        if not self.config.shared_cache:
            return None
        from report.remote_cache import open_cache  # noqa: PLC0415 - needed by this option alone

        return open_cache(self.config.shared_cache)

    @contextmanager
    def _sharing(self, plan: Plan) -> Iterator[None]:
        """Let the shared cache take in what has been computed, also when the build fails."""
        try:
            yield
        finally:
            if plan.shared is not None:
                plan.shared.close()

    def _cluster(self, plan: Plan, local: Executor) -> AbstractContextManager[Cluster]:
        try:
            from report.cluster import dask_cluster  # noqa: PLC0415 - needed by this option alone
        except ImportError as error:
            raise MissingToolError(
                f"--cluster needs Dask: {error}", hint="pip install 'distributed', or build without --cluster"
            ) from error
        return dask_cluster(self.config.cluster, plan, self.data, local)

    def forecast(self, workers: Sequence[int]) -> Iterator[str]:
        """Say what is missing, with every seed, and how long it takes on how many workers; execute nothing."""
        from report.estimate import describe  # noqa: PLC0415 - needed by this option alone

        _, missing = self.look_up()
        plan = self.plan(missing)
        plan.resolve()
        yield from describe(plan, workers)

    def explain(self) -> Iterator[str]:
        """Say for every section and run whether it will be executed, and why; execute nothing."""
        missing = []
        for section in self.config.sections:
            if not self.wanted(section):
                yield f"{section.name}: not named by --only"
            elif self.stored(section, self.config.seed) and not self.forced(section):
                yield f"{section.name}: stored, nothing it depends on has changed"
            else:
                missing.append((section, self.config.seed))
        plan = self.plan(missing)
        plan.resolve()
        for section, _ in missing:
            yield from self._explain_section(section, plan)

    def _explain_section(self, section: Section, plan: Plan) -> Iterator[str]:
        seed = self.config.seed
        state = plan.sections[seed, section.name]
        if self.forced(section):
            yield f"{section.name}: --force"
        else:
            last = self.store.get_record("last-sections", section.name)
            changes = explain_change(last["components"] if last else None, self.key(section, seed).components)
            yield f"{section.name}: {told(changes) or 'its stored result is gone'}"
        for name, run in state.runs.items():
            yield f"  {section.name}.{name}: {plan.explain(run)}"
        if state.fingerprint is None:
            yield f"  {section.name} analysis: after its runs, if their outcomes change"
        else:
            yield f"  {section.name} analysis: {'will be executed' if state.missing else 'stored, equal outcomes'}"


@contextmanager
def local_processes(jobs: int) -> Iterator[Executor]:
    """Provide spawned worker processes with one thread each; on any error they are killed, none is left."""
    from multiprocessing import resource_tracker  # noqa: PLC0415 - a prose edit executes nothing

    from loky import ProcessPoolExecutor  # noqa: PLC0415 - likewise

    from report.worker import THREAD_LIMITS, prepare_process  # noqa: PLC0415 - likewise

    resource_tracker.ensure_running()  # its start lets Ctrl-C through, which is held back while workers start
    executor = ProcessPoolExecutor(
        max_workers=jobs,
        env={**THREAD_LIMITS, "LOKY_MAX_MEMORY_LEAK_SIZE": _DATA_BYTES},
        initializer=prepare_process,
        initargs=(os.getpid(),),
    )
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=True, kill_workers=True)
        raise
    executor.shutdown(wait=True)
