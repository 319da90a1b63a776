"""The workers of a Dask cluster: how many there are, whether they may be used, whether the scheduler still lives."""

from __future__ import annotations

import importlib.metadata
import platform
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import distributed

from report.errors import RunError

if TYPE_CHECKING:
    from collections import Counter

CONNECT_SECONDS = 10.0
KEPT = "what had finished is kept, so the next build continues there"
NETWORK_ERRORS = (OSError, distributed.client.ClosedClientError, distributed.client.FutureCancelledError)
_WORKER_SECONDS = 60.0
_REFRESH_SECONDS = 1.0


@dataclass(slots=True)
class Crew:
    """The workers that may be used: how many runs each takes at a time."""

    client: distributed.Client
    address: str
    versions: dict[str, str]
    _threads: dict[str, int] = field(default_factory=dict)
    _checked: set[str] = field(default_factory=set)
    _refreshed: float = 0.0
    _present: float = field(default_factory=time.monotonic)

    def threads(self) -> dict[str, int]:
        """Return the workers and their threads; look for new ones now and then."""
        now = time.monotonic()
        if now - self._refreshed < _REFRESH_SECONDS:
            return self._threads
        if self.client.status != "running":
            raise gone(self.address)
        try:
            self._threads = self.client.sync(self.client.scheduler.ncores, callback_timeout=CONNECT_SECONDS)
            fresh = sorted(self._threads.keys() - self._checked)
            if fresh:
                check_versions(self.client, fresh, self.versions)
                self._checked.update(fresh)
        except NETWORK_ERRORS as error:
            raise gone(self.address) from error
        self._refreshed = now
        if self._threads:
            self._present = now
        elif now - self._present > _WORKER_SECONDS:
            raise RunError(f"no worker is connected to {self.address}", hint=f"start some (docs/cluster.md); {KEPT}")
        return self._threads

    def least_busy(self, running: Counter[str]) -> str:
        """Return the worker with the most free threads."""
        return max(self._threads, key=lambda address: (self._threads[address] - running[address], address))


def check_versions(client: distributed.Client, workers: list[str], wanted: dict[str, str]) -> None:
    """Refuse workers on which the same code could compute something else.

    Raises
    ------
    RunError
        Names each package with the version here and there.
    """
    # Only functions that every Python has are sent, by name: another Python could not read functions of ours.
    pythons = client.run(platform.python_version_tuple, workers=workers)
    found = {"python": {worker: ".".join(parts[:2]) for worker, parts in pythons.items()}}
    for name in wanted.keys() - {"python"}:
        answers = client.run(importlib.metadata.version, name, workers=workers, on_error="return")
        found[name] = {worker: there if isinstance(there, str) else "absent" for worker, there in answers.items()}
    wrong = [
        f"{name} is {expected} here and {found[name][worker]} on {worker}"
        for name, expected in sorted(wanted.items())
        for worker in sorted(found[name])
        if found[name][worker] != expected
    ]
    if wrong:
        raise RunError(
            "the cluster's packages differ from those here: " + "; ".join(wrong),
            hint="install requirements.lock with the same Python on every worker; other versions give other results",
        )


def gone(address: str) -> RunError:
    """Return the error for a scheduler that no longer answers."""
    return RunError(
        f"the Dask scheduler at {address} is gone", hint=f"{KEPT}, on the cluster started again or without --cluster"
    )
