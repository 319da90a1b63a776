"""What the fault tests share: a project built once, copies of it to damage, and the ledger behind docs/faults.md."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.lab import Lab, copy_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OUTCOMES = ("recovered", "message", "failed")


class Ledger:
    """Counts what was tried and how it ended."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {}

    @contextmanager
    def trial(self, fault: str, outcome: str = "recovered") -> Iterator[Callable[[str], None]]:
        """Count one try; the outcome holds unless the body fails, or names another."""
        counts = self.counts.setdefault(fault, Counter())
        chosen = [outcome]
        try:
            yield chosen.append
        except BaseException:
            counts["failed"] += 1
            raise
        counts[chosen[-1]] += 1


_LEDGER = Ledger()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)


def pytest_sessionfinish() -> None:
    """Write the ledger where the campaign asks for it."""
    if path := os.environ.get("FAULTS_LEDGER"):
        Path(path).write_text(json.dumps(_LEDGER.counts, ensure_ascii=False, indent=1), encoding="utf-8")


@pytest.fixture
def ledger() -> Ledger:
    """Return the ledger of this session."""
    return _LEDGER


class Reference:
    """An undisturbed build, how long it took, and what it gave."""

    def __init__(self, folder: Path) -> None:
        started = time.monotonic()
        self.lab = Lab(folder)
        self.lab.good()
        self.seconds = time.monotonic() - started
        self.products = self.lab.products()
        self.results = self.lab.results()


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """Build once, undisturbed; nobody changes this one."""
    return Reference(tmp_path_factory.mktemp("reference") / "p")


@pytest.fixture
def fresh(tmp_path: Path) -> Lab:
    """Return a project that was never built."""
    return Lab(tmp_path / "p")


@pytest.fixture
def built(reference: Reference, tmp_path: Path) -> Lab:
    """Return a copy of the built project."""
    return copy_of(reference.lab, tmp_path / "p")
