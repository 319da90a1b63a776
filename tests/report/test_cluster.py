"""Runs on a real Dask scheduler with worker processes that know nothing of the project."""

import importlib
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from report.compute import Computation, Computed
from report.config import BuildConfig
from report.errors import ConfigError, RunError
from report.model import Section
from report.progress import Plain, Watcher

pytest.importorskip("distributed")
from report import cluster_crew  # needs Dask

DATA = """
    from dataclasses import dataclass
    from hashlib import sha256
    from pathlib import Path

    import numpy as np

    from report import DataInfo

    @dataclass(frozen=True)
    class Points:
        x: np.ndarray
        name: str

    @dataclass(frozen=True)
    class Source:
        folder: Path

        def identify(self):
            return DataInfo("points", sha256((self.folder / "x.npy").read_bytes()).hexdigest())

        def load(self):
            return Points(np.load(self.folder / "x.npy"), "points")
"""
SECTION = """
    import os
    import time
    from dataclasses import dataclass
    from pathlib import Path

    import numpy as np

    from {package}.kit import fit
    from report import Outcome, Result, Run, Value

    LOG = Path({log!r})

    def log(text):
        with LOG.open("a") as stream:
            threads = os.environ["OMP_NUM_THREADS"]
            stream.write(f"{{text}} {{os.getpid()}} {{os.getppid()}} {{Path.cwd()}} {{threads}}\\n")

    @dataclass(frozen=True)
    class Fit(Run):
        rate: float
        sizes: tuple = (3, 2.5)

        def compute(self, context):
            log(f"fit-{{self.rate}}-{{context.seed}}")
            print("a run may print")
            for step in range(STEPS):
                context.progress(step, STEPS, "step")
                time.sleep(SECONDS / STEPS)
            noise = context.generator("noise").normal(size=context.data.x.shape)
            return Outcome({{"w": fit(context.data.x + noise, self.rate)}}, {{"name": context.data.name}})

    @dataclass(frozen=True)
    class Sum(Run):
        fit: Fit

        def compute(self, context):
            log("sum")
            return Outcome(numbers={{"sum": float(context.upstream["fit"].arrays["w"].sum())}})

    STEPS, SECONDS = 4, {seconds}

    def runs(profile):
        fits = {{f"fit_{{i}}": Fit(0.1 * (i + 1)) for i in range({count})}}
        return fits | {{"sum": Sum(Fit(0.1))}}

    def analyse(runs, outcomes):
        log("analyse")
        return Result(values={{"sum": Value(outcomes["sum"].numbers["sum"])}})
"""
KIT = """
    import numpy as np

    def fit(x, rate):
        w = np.zeros((x.shape[1], x.shape[1]), dtype=np.float32)
        for _ in range(50):
            w += rate * np.tanh((x.T @ x) @ w - w + 1) / len(x)
        return w
"""
_numbers = iter(range(10**6))


class Project:
    """A project folder whose runs write into a log where they are executed."""

    def __init__(self, folder: Path, *, seconds: float = 0.0, count: int = 3) -> None:
        self.folder = folder
        self.package = f"cluster_project_{next(_numbers)}"
        self.log = folder / "log.txt"
        (folder / self.package).mkdir()
        (folder / self.package / "__init__.py").touch()
        self.write("kit", KIT)
        self.write("data", DATA)
        self.write("section", SECTION.format(package=self.package, log=str(self.log), seconds=seconds, count=count))
        np.save(folder / "x.npy", np.random.default_rng(0).normal(size=(200, 20)).astype(np.float32))

    def write(self, module: str, text: str) -> None:
        """Write a module of the project."""
        (self.folder / self.package / f"{module}.py").write_text(dedent(text), encoding="utf-8")

    def edit(self, module: str, old: str, new: str) -> None:
        """Replace text in a module; the text must be there."""
        path = self.folder / self.package / f"{module}.py"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def computation(self, cluster: str = "", watcher: Watcher | None = None, **options: object) -> Computation:
        """Return a computation as a new process would see it, on a cluster or in local processes."""
        for name in [name for name in sys.modules if name.partition(".")[0] == self.package]:
            del sys.modules[name]
        section = Section("numbers", f"{self.package}.section")
        options = {"profile": "quick", "cluster": cluster, "cache": Path("cluster" if cluster else "local")} | options
        config = BuildConfig(self.folder, (section,), **options)  # type: ignore[arg-type]
        source = importlib.import_module(f"{self.package}.data").Source(self.folder)
        return Computation(config, source, watcher or Plain())

    def compute(self, cluster: str = "", **options: object) -> Computed:
        """Compute the project."""
        return self.computation(cluster, **options).run()

    def lines(self) -> list[list[str]]:
        """Return what was executed so far: name, process, parent process, folder, threads."""
        return [line.split() for line in self.log.read_text(encoding="utf-8").splitlines()] if self.log.exists() else []


def outcomes(computed: Computed) -> list[dict[str, str]]:
    """Return the digest of every run's outcome, for each seed."""
    sections = [replicate["numbers"] for replicate in computed.replicates]
    return [{name: run["outcome"] for name, run in section.runs.items()} for section in sections]


class Dask:
    """A scheduler and its workers as processes of their own, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "scheduler.json"
        self.scheduler = self._start(
            "scheduler", "--scheduler-file", str(self.file), "--host", "127.0.0.1", "--port", "0"
        )
        self.workers: list[subprocess.Popen[bytes]] = []
        wait_for(self.file.exists)

    def add_worker(self, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker with one thread, without a nanny that would start it again."""
        name = f"w{len(self.workers)}"
        common = ("--nthreads", "1", "--no-nanny", "--host", "127.0.0.1", "--name", name)
        common += ("--local-directory", str(self.folder / name))
        self.workers.append(self._start("worker", "--scheduler-file", str(self.file), *common, *options, **environment))
        return self.workers[-1]

    def _start(self, command: str, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "OMP_NUM_THREADS"}}
        arguments = [sys.executable, "-m", "dask", command, *options, "--no-dashboard"]
        with (self.folder / f"{command}.log").open("ab") as log:
            return subprocess.Popen(
                arguments, cwd=self.folder, env=clean | environment, stdout=log, stderr=log, start_new_session=True
            )

    def close(self) -> None:
        """End everything."""
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()


def wait_for(condition, seconds: float = 60.0) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


@contextmanager
def dask_in(folder: Path, workers: int = 2):
    """Provide a scheduler with workers in a folder."""
    dask = Dask(folder)
    try:
        for _ in range(workers):
            dask.add_worker()
        yield dask
    finally:
        dask.close()


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory):
    """Provide a scheduler with two workers that no test harms, one of them with two threads."""
    with dask_in(tmp_path_factory.mktemp("elsewhere"), workers=1) as running:
        running.add_worker("--nthreads", "2")
        yield running


@pytest.fixture
def make_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that makes a project which can be imported here and in local processes."""
    monkeypatch.syspath_prepend(tmp_path)
    return lambda **options: Project(tmp_path, **options)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the outcomes that local processes compute; neither the names of modules nor pauses matter to them."""
    folder = tmp_path_factory.mktemp("reference")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        return outcomes(Project(folder, count=6).compute(jobs=2))[0]


def test_results_are_those_of_the_local_processes(dask, make_project) -> None:
    """Two seeds, runs that follow runs, data, settings and printing: equal bytes, on workers that had nothing."""
    project = make_project()
    local = project.compute(seeds=2, jobs=2)
    project.log.unlink()
    remote = project.compute(str(dask.file), seeds=2)
    assert outcomes(remote) == outcomes(local)
    assert remote.sections["numbers"].result == local.sections["numbers"].result
    executed = project.lines()
    assert len(executed) == 2 * (3 + 1 + 1)
    for name, _, parent, folder, threads in executed:
        at_home = name == "analyse"
        assert (int(parent) in {worker.pid for worker in dask.workers}) != at_home
        assert (folder.startswith(str(dask.folder))) != at_home
        assert threads == "1"
    assert project.compute(str(dask.file), seeds=2).executed == ()


def test_an_edit_reaches_workers_that_have_the_old_code(dask, make_project) -> None:
    """A worker that has executed one version of the code executes the next one."""
    project = make_project(count=1)
    before = outcomes(project.compute(str(dask.file)))
    project.edit("kit", "range(50)", "range(51)")
    after = outcomes(project.compute(str(dask.file)))
    assert after != before
    assert after == outcomes(project.compute())


def test_a_failing_run_is_the_same_message_as_locally(dask, make_project) -> None:
    """The error names the run and the project's own line, wherever it was executed."""
    project = make_project(count=1)
    project.edit("kit", "np.tanh", "np.tan_h")
    messages = []
    for cluster in ("", str(dask.file)):
        with pytest.raises(RunError) as caught:
            project.compute(cluster)
        messages.append(str(caught.value))
    assert f"{project.package}/kit.py:7: numbers.fit_0 failed: AttributeError" in messages[0]
    assert messages[1] == messages[0]


def test_progress_comes_from_the_workers(dask, make_project) -> None:
    """What a run says of its progress on a worker is seen here."""
    project = make_project(count=1, seconds=1.5)
    seen = []

    class Watching(Plain):
        def look(self, label, progress_file):
            super().look(label, progress_file)
            seen.append((self._tasks[label].done, self._tasks[label].note))

    project.computation(str(dask.file), watcher=Watching()).run()
    assert (2, "step") in seen


def test_a_worker_killed_in_the_middle_of_a_run(tmp_path, make_project, reference) -> None:
    """Its run is executed again on the other worker, with the same result, and its child does not outlive it."""
    project = make_project(seconds=1.5)
    with dask_in(tmp_path) as dask:
        victim = dask.workers[0]

        class Killing(Plain):
            def look(self, label, progress_file):
                super().look(label, progress_file)
                if victim.poll() is None and any(parent == str(victim.pid) for _, _, parent, *_ in project.lines()):
                    os.kill(victim.pid, signal.SIGKILL)
                    victim.wait()

        remote = project.computation(str(dask.file), watcher=Killing()).run()
        executed = project.lines()
    orphans = [pid for _, pid, parent, *_ in executed if parent == str(victim.pid)]
    assert len(orphans) == 1
    wait_for(lambda: not Path(f"/proc/{orphans[0]}").exists(), seconds=10)
    assert len([name for name, *_ in executed if name.startswith("fit")]) == 4
    assert outcomes(remote)[0].items() <= reference.items()


BUILD = """
    from pathlib import Path

    import report
    from {package}.data import Source

    ROOT = Path(__file__).parent
    raise SystemExit(report.main((report.Section("numbers", "{package}.section"),), root=ROOT,
                                 data=lambda folder, cache: Source(ROOT)))
"""


def test_a_scheduler_that_vanishes_is_one_message(tmp_path, make_project, reference) -> None:
    """The command ends with code 1 and what to do, keeps what had finished, and continues later without the cluster."""
    project = make_project(seconds=1.0)
    script = tmp_path / "build.py"
    script.write_text(dedent(BUILD.format(package=project.package)), encoding="utf-8")
    root = str(Path(__file__).resolve().parents[2])
    with dask_in(tmp_path) as dask:
        command = [sys.executable, str(script), "--cluster", str(dask.file), "--profile", "quick"]
        build = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": root}, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: len(project.lines()) >= 3)  # two have finished, or one and its worker has the next
        dask.scheduler.kill()
        _, said = build.communicate(timeout=60)
    assert build.returncode == 1
    assert "error: the Dask scheduler at tcp://" in said
    assert "what had finished is kept" in said
    assert "Traceback" not in said, said
    assert "never retrieved" not in said
    again = project.compute(cache=Path(".cache"))
    assert 1 < len(again.executed) < 5
    assert outcomes(again)[0].items() <= reference.items()


def test_a_slow_worker_gets_less_to_do(tmp_path, make_project, reference) -> None:
    """The fast worker takes what the slow one does not; the results do not tell them apart."""
    project = make_project(count=6, seconds=0.1)
    project.edit("section", "STEPS, SECONDS = 4,", "STEPS, SECONDS = 4, float(os.environ.get('SLOW', 0)) +")
    with dask_in(tmp_path, workers=1) as dask:
        dask.add_worker(SLOW="2")
        wait_for(lambda: "w1" in (tmp_path / "scheduler.log").read_text(encoding="utf-8"))
        remote = project.compute(str(dask.file))
        slow = sum(int(parent) == dask.workers[1].pid for _, _, parent, *_ in project.lines())
    assert slow in {1, 2}
    assert outcomes(remote)[0].items() <= reference.items()


def test_other_versions_are_refused_before_anything_runs(dask, make_project, tmp_path, monkeypatch) -> None:
    """The message names the package, its version here and there; a package of the project counts as much as NumPy."""
    project = make_project()
    packages = tmp_path / "packages"
    packages.mkdir()
    monkeypatch.syspath_prepend(packages)
    (packages / "fine_numerics.py").write_text("", encoding="utf-8")
    metadata = packages / "fine_numerics-2.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: fine_numerics\nVersion: 2.0\n", encoding="utf-8")
    project.edit("kit", "import numpy as np", "import fine_numerics\nimport numpy as np")
    project.edit("kit", "return w", "return w + 0 * len(fine_numerics.__name__)")
    with pytest.raises(RunError, match=r"fine_numerics is 2\.0 here and absent on tcp://(.|\n)*requirements\.lock"):
        project.compute(str(dask.file))
    assert project.lines() == []


def test_a_late_worker_with_other_versions_refuses_by_itself(tmp_path) -> None:
    """A run that Dask moves to a worker nobody has looked at is not computed there."""
    from report.cluster_child import answer

    job = {"label": "numbers.fit", "schema": 0, "versions": {"python": "2.7", "numpy": np.__version__}}
    assert "python is 2.7 here and 3" in answer(job, tmp_path)["error"]["message"]
    assert "schema is 0 here and 1 on the worker" in answer(job, tmp_path)["error"]["message"]


def test_a_run_that_kills_its_process_is_one_message(dask, make_project) -> None:
    """As when memory runs out: it is tried twice, the workers live on."""
    project = make_project(count=1)
    project.edit("section", 'log(f"fit-', 'os.kill(os.getpid(), 9) if context.seed == 0 else log(f"fit-')
    with pytest.raises(RunError, match=r"computed numbers.fit_0 were killed, on every attempt(.|\n)*memory ran out"):
        project.compute(str(dask.file))
    assert len(project.compute(str(dask.file), seed=1).executed) == 3
    assert all(worker.poll() is None for worker in dask.workers)


def test_data_that_cannot_be_sent_are_named(dask, make_project) -> None:
    """What is no dataclass of arrays and plain values is refused with what to do."""
    project = make_project()
    project.edit("data", 'return Points(np.load(self.folder / "x.npy"), "points")', "return [1, 2]")
    with pytest.raises(RunError, match=r"data of type list cannot be sent(.|\n)*dataclass"):
        project.compute(str(dask.file))


def test_without_a_scheduler_or_workers(tmp_path, make_project, monkeypatch) -> None:
    """A wrong address, a missing file and a cluster without workers are three messages, none of them a hang."""
    monkeypatch.setattr("report.cluster.CONNECT_SECONDS", 1.0)
    monkeypatch.setattr(cluster_crew, "_WORKER_SECONDS", 0.5)
    project = make_project(count=1)
    with pytest.raises(RunError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1"):
        project.compute("tcp://127.0.0.1:1")
    with pytest.raises(ConfigError, match="no such scheduler file"):
        project.compute(str(tmp_path / "absent.json"))
    with dask_in(tmp_path, workers=0) as dask, pytest.raises(RunError, match="no worker is connected"):
        project.compute(str(dask.file))


def test_what_is_given_up_is_stopped(dask, make_project) -> None:
    """A build that is interrupted leaves nothing computing on the cluster."""
    project = make_project(count=2, seconds=60.0)

    class Interrupting(Plain):
        def look(self, label, progress_file):
            super().look(label, progress_file)
            if len(project.lines()) == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        project.computation(str(dask.file), watcher=Interrupting()).run()
    children = [int(pid) for _, pid, *_ in project.lines()]
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), seconds=10)


def test_no_process_of_a_build_stays_on_the_cluster(dask, make_project) -> None:
    """The children that executed the runs are gone when the build has ended."""
    project = make_project(count=2)
    project.compute(str(dask.file))
    children = [int(pid) for name, pid, *_ in project.lines() if name != "analyse"]
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), seconds=10)
