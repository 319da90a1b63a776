"""Runs on the workers of a Dask cluster, through the interface of a local process pool.

A worker has neither this checkout nor its data nor its store. Everything is sent by content: the code as a zip, the
data and the outcomes a run needs as blobs, settings as JSON; the outcome comes back as bytes and is stored here. What
the workers do with it stands in :mod:`report.cluster_worker`. Analyses are short and run in local processes.
"""

from __future__ import annotations

import logging
from collections import Counter
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import dask
import distributed

from report.cluster_crew import CONNECT_SECONDS, KEPT, NETWORK_ERRORS, Crew, gone
from report.cluster_entry import make_entry, make_exit
from report.errors import ConfigError, ReportError, RunError
from report.fingerprint import versions_of
from report.model import SCHEMA
from report.store import Store
from report.wire import decode_error, encode_run, pack_code, pack_data
from report.worker import THREAD_LIMITS, Finished, RunRequest, perform_run, record_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from report.model import DataSource
    from report.plan import Plan

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Cargo:
    """What every worker gets: the code, the data (class and contents), and the versions it must have."""

    code: bytes
    data: tuple[str, bytes] | None
    versions: dict[str, str]

    @classmethod
    def of(cls, plan: Plan, data: DataSource | None) -> Cargo:
        """Pack what the runs of a plan reach."""
        closures = [plan.closure(state.run) for state in plan.runs.values()]
        packages = frozenset[str]().union(*(closure.packages for closure in closures))
        code = pack_code(plan.root, plan.project.files())
        return cls(code, pack_data(data.load()) if data else None, versions_of(packages | {"safetensors"}))


class Cluster(Executor):
    """Submits runs to Dask workers, each to the least busy one, and everything else to a local executor."""

    def __init__(self, client: distributed.Client, cargo: Cargo, local: Executor) -> None:
        self._client = client
        self._address = client.scheduler.address if client.scheduler else "?"
        self._cargo = cargo
        self._local = local
        self._crew = Crew(client, self._address, cargo.versions)
        self._topic = f"report-progress-{uuid4().hex}"
        self._enter = make_entry(self._name, self._topic)
        self._running: dict[str, tuple[str, Path]] = {}
        client.subscribe_topic(self._topic, self._hear)

    @cached_property
    def _name(self) -> str:
        return f"report_code_{sha256(self._cargo.code).hexdigest()}"

    @cached_property
    def _constant(self) -> tuple[distributed.Future, dict[str, distributed.Future]]:
        """The code and the data on the cluster; kept as long as this is."""
        data = self._cargo.data
        return self._put(self._cargo.code), {_digest(data[1]): self._put(data[1])} if data else {}

    def _put(self, content: bytes) -> distributed.Future:
        """Place bytes on the cluster. As a task: the scheduler can bring it back when a worker dies with it."""
        return self._client.submit(bytes, content, key=f"report-blob-{_digest(content)}")

    def slots(self) -> int:
        """Return how many runs the cluster can execute at a time; called every moment while a build waits.

        Raises
        ------
        RunError
            When the scheduler has gone, no worker is left, or a new one has other versions.
        """
        return sum(self._crew.threads().values())

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:  # noqa: ANN401 - as inherited
        """Submit :func:`report.worker.perform_run` to the cluster, other functions to local processes."""
        if fn is not perform_run:
            return self._local.submit(fn, *args, **kwargs)
        promise: Future[Any] = Future()
        promise.set_running_or_notify_cancel()
        with self._scheduler():
            self._submit(args[0], promise)
        return promise

    def _submit(self, request: RunRequest, promise: Future[Finished]) -> None:
        key = f"report-run-{uuid4().hex}"
        job = self._job(request, key)
        store = Store(request.store)
        code, blobs = self._constant
        upstream = {digest: self._put(_blob(store, digest)) for digest in request.upstream.values()}
        worker = self._crew.least_busy(Counter(address for address, _ in self._running.values()))
        self._running[key] = worker, request.progress_file
        task = self._client.submit(
            self._enter, code, job, blobs | upstream, key=key, workers=[worker], allow_other_workers=True
        )
        task.add_done_callback(partial(self._deliver, promise, request))

    def _job(self, request: RunRequest, identifier: str) -> dict[str, Any]:
        data = self._cargo.data if request.data else None
        return {
            "id": identifier,
            "schema": SCHEMA,
            "versions": self._cargo.versions,
            "environment": THREAD_LIMITS,
            "label": request.label,
            "run": encode_run(request.run),
            "key": request.fingerprint.key,
            "upstream": dict(request.upstream),
            "data_class": data[0] if data else "",
            "data": _digest(data[1]) if data else "",
            "seed": request.seed,
            "device": request.device,
            "precision": request.precision,
        }

    def _hear(self, event: tuple[float, dict[str, Any]]) -> None:
        """Note the progress of a run where its watcher looks for it."""
        with suppress(OSError, KeyError):
            self._running[event[1]["id"]][1].write_text(event[1]["progress"], encoding="utf-8")

    def _deliver(self, promise: Future[Finished], request: RunRequest, task: distributed.Future) -> None:
        self._running.pop(task.key, None)
        try:
            if task.cancelled():
                raise gone(self._address)  # noqa: TRY301 - told below, as all that goes wrong here
            with self._scheduler():
                answer, content = task.result()
            promise.set_result(_take(request, answer, content))
        except distributed.KilledWorker as error:
            promise.set_exception(_killed(request.label, error))
        except BaseException as error:  # noqa: BLE001 - this is a thread of Dask's: the build must learn of it
            promise.set_exception(error)

    @contextmanager
    def _scheduler(self) -> Iterator[None]:
        try:
            yield
        except (ReportError, distributed.KilledWorker):
            raise
        except Exception as error:
            if self._client.status != "running" or isinstance(error, NETWORK_ERRORS):
                raise gone(self._address) from error
            raise RunError(f"the cluster failed: {type(error).__name__}: {error}") from error


@contextmanager
def dask_cluster(address: str, plan: Plan, data: DataSource | None, local: Executor) -> Iterator[Cluster]:
    """Connect to a scheduler, named by its address or its file, and leave it as it was found.

    Raises
    ------
    ConfigError
        When a scheduler file does not exist.
    RunError
        When nobody answers.
    """
    for name in ("distributed", "distributed.client"):  # Dask gives each a level of its own
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is raised
    large = {"distributed.admin.large-graph-warning-threshold": "1 TiB"}  # the data go this way on purpose
    with dask.config.set(large):
        client = _connect(address)
        try:
            cluster = Cluster(client, Cargo.of(plan, data), local)
            yield cluster
            with suppress(Exception):  # all is done; what is left behind there ends by itself
                client.run(make_exit(cluster._name), on_error="ignore")  # noqa: SLF001 - the two belong together
        finally:
            with suppress(Exception):  # the scheduler may be gone; that has been said
                client.close(timeout=CONNECT_SECONDS)


def _connect(address: str) -> distributed.Client:
    by_address = "://" in address
    if not by_address and not Path(address).is_file():
        raise ConfigError(
            f"--cluster {address}: no such scheduler file", hint="give an address such as tcp://host:8786, or a file"
        )
    named = {"address": address} if by_address else {"scheduler_file": address}
    try:
        return distributed.Client(**named, timeout=CONNECT_SECONDS, set_as_default=False, name="report")
    except (OSError, ValueError) as error:
        raise RunError(
            f"no Dask scheduler answers at {address}: {error}", hint="start one as docs/cluster.md shows"
        ) from error


def _take(request: RunRequest, answer: dict[str, Any], content: bytes) -> Finished:
    """Store what came back."""
    if "error" in answer:
        raise decode_error(answer["error"])
    if "killed" in answer:
        raise _killed(request.label, None)
    finished = Finished(**answer["finished"])
    if _digest(content) != finished.digest:
        raise RunError(f"{request.label}: its outcome was damaged on the way", hint=KEPT)
    store = Store(request.store)
    store.put_blob(content)
    store.put_record("runs", request.fingerprint.key, record_of(request, finished))
    return finished


def _killed(label: str, error: Exception | None) -> RunError:
    return RunError(
        f"the processes that computed {label} were killed, on every attempt{f': {error}' if error else ''}",
        hint=f"most often memory ran out: start workers with fewer threads; {KEPT}",
    )


def _blob(store: Store, digest: str) -> bytes:
    content = store.get_blob(digest)
    if content is None:
        raise RunError(f"the stored outcome {digest[:12]} is missing or damaged", hint="run the build again")
    return content


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
