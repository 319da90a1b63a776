"""What a computation says, as rows of the page."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from report.preview.computing import Event
    from report.preview.live import Live


class Running:
    """The runs of one computation: which of them run, how far they are, how many are done.

    Parameters
    ----------
    live : Live
        What the page shows.
    say : callable (text) → None
        Prints a line in the terminal.
    """

    def __init__(self, live: Live, say: Callable[[str], None]) -> None:
        self._live, self._say = live, say
        self._rows: dict[str, dict[str, Any]] = {}
        self._finished = self._total = 0
        self._left = 0.0

    def reset(self) -> None:
        """Show nothing: the computation has ended."""
        self._rows.clear()
        self._finished = self._total = 0
        self._left = 0.0
        self._show()

    def take(self, event: Event) -> None:
        """Take in one event, named after a method of :class:`report.progress.Watcher`."""
        actions: dict[str, Callable[..., None]] = {
            "say": self._say,
            "expect": self._expect,
            "pool": self._pool,
            "started": self._started,
            "look": self._look,
            "finished": self._finish,
        }
        actions[event.kind](*event.arguments)
        self._show()

    def _expect(self, total: int) -> None:
        self._total = total

    def _pool(self, seconds: float) -> None:
        self._left = seconds

    def _started(self, label: str) -> None:
        self._rows[label] = {"label": label, "done": 0, "total": 0, "note": ""}

    def _look(self, label: str, progress: str) -> None:
        with suppress(ValueError, KeyError):
            done, total, note = json.loads(progress)
            self._rows[label] = {"label": label, "done": done, "total": total, "note": note}

    def _finish(self, label: str, seconds: float) -> None:
        self._rows.pop(label, None)
        self._finished += 1
        self._say(f"  done  {label} in {seconds:.1f} s")

    def _show(self) -> None:
        self._live.update(
            runs=list(self._rows.values()), finished=self._finished, total=self._total, left=round(self._left)
        )
