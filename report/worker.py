"""What happens inside a worker process: one run or one analysis, from the store and back into it.

Functions here are called by name in spawned processes. They take and return small plain objects; arrays
travel through the store, never through the pipe.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import resource
import signal
import sys
import threading
import time
import traceback
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report.errors import Location, ReportError, RunError
from report.model import Outcome, Result, Run, RunContext
from report.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from report.fingerprint import Fingerprint
    from report.model import DataSource

_PROGRESS_SECONDS = 0.2
_PARENT_POLL_SECONDS = 1.0
THREAD_LIMITS = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
"""One thread per process: measured faster than one process with all threads, and bit-reproducible."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Everything a process needs to compute one run."""

    label: str
    run: Run
    fingerprint: Fingerprint
    upstream: Mapping[str, str]
    store: Path
    root: Path
    data: DataSource | None
    seed: int
    device: str
    precision: str
    progress_file: Path


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """Everything a process needs to analyse the outcomes of one section."""

    label: str
    section: str
    module: str
    fingerprint: Fingerprint
    runs: Mapping[str, Run]
    outcomes: Mapping[str, str]
    store: Path
    root: Path


@dataclass(frozen=True, slots=True)
class Finished:
    """What comes back: the digest of the outcome (empty for an analysis) and what it took."""

    digest: str = ""
    seconds: float = 0.0
    peak_mib: float = 0.0
    machine: str = field(default="", compare=False)


def prepare_process(parent: int) -> None:
    """Set up a worker: Ctrl-C is the parent's business, and a worker never outlives its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_POLL_SECONDS)
    os._exit(1)


def perform_run(request: RunRequest) -> Finished:
    """Compute a run and store its outcome.

    Raises
    ------
    RunError
        With the innermost line of the project's own code when the run fails.
    """
    store = Store(request.store)
    started = time.perf_counter()
    with _failures_located(request.label, request.root):
        context = RunContext(
            data=_load(request.data) if request.data else None,
            seed=request.seed,
            upstream={name: store.get_outcome(digest) for name, digest in request.upstream.items()},
            device=request.device,
            precision=request.precision,
            progress=_progress_writer(request.progress_file),
        )
        outcome = request.run.compute(context)
        if not isinstance(outcome, Outcome):
            raise TypeError(f"compute() must return an Outcome, got {type(outcome).__name__}")
        digest = store.put_outcome(outcome)
    finished = Finished(digest, time.perf_counter() - started, peak_memory_mib(), describe_machine(request.device))
    store.put_record("runs", request.fingerprint.key, record_of(request, finished))
    return finished


def record_of(request: RunRequest, finished: Finished) -> dict[str, Any]:
    """Return what is stored for the key of a run."""
    return {
        "label": request.label,
        "outcome": finished.digest,
        "seconds": finished.seconds,
        "machine": finished.machine,
        "peak_mib": finished.peak_mib,
    }


def perform_analysis(request: AnalysisRequest) -> Finished:
    """Turn outcomes into a section's result and store it.

    Raises
    ------
    RunError
        With the innermost line of the project's own code when the analysis fails.
    """
    store = Store(request.store)
    started = time.perf_counter()
    with _failures_located(request.label, request.root):
        module = importlib.import_module(request.module)
        outcomes = {name: store.get_outcome(digest) for name, digest in request.outcomes.items()}
        result = module.analyse(dict(request.runs), outcomes)
        if not isinstance(result, Result):
            raise TypeError(f"analyse() must return a Result, got {type(result).__name__}")
        body = store.put_result(result)
    store.put_record("analyses", request.fingerprint.key, body)
    return Finished(seconds=time.perf_counter() - started, peak_mib=peak_memory_mib())


@contextmanager
def _failures_located(label: str, root: Path) -> Iterator[None]:
    """Turn every failure into one error that names what was computed and the project's own line."""
    try:
        yield
    except ReportError as error:
        if error.location is not None:
            raise
        location, source = _innermost(error, root)
        raise type(error)(f"{label}: {error.message}", location=location, hint=error.hint, source=source) from error
    except Exception as error:
        location, source = _innermost(error, root)
        hint = "memory ran out: try --jobs 1" if isinstance(error, MemoryError) else ""
        message = f"{label} failed: {type(error).__name__}: {error}"
        raise RunError(message, location=location, hint=hint, source=source) from error


_loaded: dict[str, Any] = {}


def _load(source: DataSource) -> Any:  # noqa: ANN401 - the project's own type
    """Load the data once per process."""
    name = repr(source)
    if name not in _loaded:
        _loaded[name] = source.load()
    return _loaded[name]


def peak_memory_mib() -> float:
    """Return the peak resident memory of this process in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak) / (1024 if sys.platform != "darwin" else 1024**2)


@cache
def describe_machine(device: str) -> str:
    """Name the processor this runs on, e.g. ``AMD EPYC, 2 cores``, and the GPU where one is used."""
    model = platform.processor() or platform.machine()
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    machine = f"{model}, {cores} cores"
    return f"{machine}, {_gpu_name()}" if device != "cpu" else machine


def _gpu_name() -> str:
    torch = sys.modules.get("torch")
    return str(torch.cuda.get_device_name()) if torch is not None else "GPU"


def _progress_writer(path: Path) -> Callable[[int, int, str], None]:
    last = 0.0

    def write(done: int, total: int, note: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _PROGRESS_SECONDS and done < total:
            return
        last = now
        with suppress(OSError):  # progress is a courtesy; a full disk shows where a result is written
            temporary = path.with_suffix(".part")
            temporary.write_text(json.dumps([done, total, note]), encoding="utf-8")
            temporary.replace(path)

    return write


def _innermost(error: BaseException, root: Path) -> tuple[Location | None, str]:
    """Find the deepest frame in the project's own code (not the engine's, not a package's)."""
    engine = Path(__file__).resolve().parent
    found: tuple[Location | None, str] = (None, "")
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename).resolve()
        inside = path.is_relative_to(root) and not path.is_relative_to(engine)
        if inside and "site-packages" not in path.parts:
            found = Location(path.relative_to(root).as_posix(), frame.lineno), frame.line or ""
    return found
