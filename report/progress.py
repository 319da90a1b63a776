"""Telling the person at the terminal what runs, how far it is, and how long it will take.

On a terminal a live table; elsewhere plain lines that a log can keep.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from pathlib import Path

_LINE_SECONDS = 15.0
_POOL_SECONDS = 60.0


class Watcher(Protocol):
    """Receives the events of a build."""

    def say(self, text: str) -> None:
        """Print one line."""
        ...

    def expect(self, total: int) -> None:
        """Learn how many runs and analyses will be executed."""
        ...

    def started(self, label: str) -> None:
        """Learn that a run or analysis has started."""
        ...

    def pool(self, seconds: float) -> None:
        """Learn the estimated seconds until all is done."""
        ...

    def look(self, label: str, progress_file: Path) -> None:
        """Read the progress of something that runs."""
        ...

    def finished(self, label: str, seconds: float) -> None:
        """Learn that something has finished."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was found."""
        ...


@dataclass(slots=True)
class _Task:
    started: float
    done: int = 0
    total: int = 0
    note: str = ""
    shown: float = 0.0

    def remaining(self, now: float) -> float | None:
        return (now - self.started) * (self.total - self.done) / self.done if self.done else None


class Plain:
    """One line per event, and one every 15 seconds for a run that takes long."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._tasks: dict[str, _Task] = {}
        self._finished = 0
        self._total = 0
        self._left = 0.0
        self._told = time.monotonic()

    def say(self, text: str) -> None:
        """Print one line."""
        with suppress(BrokenPipeError):
            print(text, file=self._stream, flush=True)

    def expect(self, total: int) -> None:
        """Remember the total for the counter."""
        self._total = max(total, self._finished + len(self._tasks))

    def started(self, label: str) -> None:
        """Print what starts."""
        self._tasks[label] = _Task(time.monotonic(), shown=time.monotonic())
        self._total = max(self._total, self._finished + len(self._tasks))
        self.say(f"  start {label}")

    def pool(self, seconds: float) -> None:
        """Print the state of a build that takes minutes, every minute."""
        self._left = seconds
        now = time.monotonic()
        if seconds > _POOL_SECONDS and now - self._told > _POOL_SECONDS:
            self._told = now
            self.say(f"  {self._counts()}")

    def _counts(self) -> str:
        waiting = self._total - self._finished - len(self._tasks)
        left = f", about {duration(self._left)} left" if self._left >= 1 and self._finished < self._total else ""
        return f"{self._finished} finished, {len(self._tasks)} running, {waiting} waiting{left}"

    def look(self, label: str, progress_file: Path) -> None:
        """Read the progress; print it now and then."""
        task = self._tasks[label]
        with suppress(OSError, ValueError):
            task.done, task.total, task.note = json.loads(progress_file.read_text(encoding="utf-8"))
        now = time.monotonic()
        if task.done and now - task.shown > _LINE_SECONDS:
            task.shown = now
            self.say(f"        {label} {_state(task, now)}")

    def finished(self, label: str, seconds: float) -> None:
        """Print what has finished and the counter."""
        self._tasks.pop(label, None)
        self._finished += 1
        self.say(f"  done  {label} in {duration(seconds)} ({self._finished}/{self._total})")

    def close(self) -> None:
        """Nothing to restore."""


class Live(Plain):
    """A table of what runs, redrawn in place; finished work scrolls up as lines."""

    def __init__(self) -> None:
        super().__init__()
        self._live: Any = None

    def say(self, text: str) -> None:
        """Print one line, above the table once there is one."""
        if self._live is None:
            super().say(text)
        else:
            self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def started(self, label: str) -> None:
        """Add a row; the first one starts the display."""
        if self._live is None:
            from rich.console import Console  # noqa: PLC0415 - slow, and not needed when nothing is executed
            from rich.live import Live as RichLive  # noqa: PLC0415 - likewise

            self._live = RichLive(console=Console(stderr=True), refresh_per_second=5, transient=True)
            self._live.start()
        self._tasks[label] = _Task(time.monotonic())
        self._total = max(self._total, self._finished + len(self._tasks))
        self._draw()

    def pool(self, seconds: float) -> None:
        """Remember the forecast for the first row of the table."""
        self._left = seconds

    def look(self, label: str, progress_file: Path) -> None:
        """Read the progress and redraw."""
        self._tasks[label].shown = time.monotonic()
        super().look(label, progress_file)
        self._draw()

    def finished(self, label: str, seconds: float) -> None:
        """Turn the row into a line."""
        super().finished(label, seconds)
        self._draw()

    def close(self) -> None:
        """Remove the table."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _draw(self) -> None:
        if self._live is None:
            return
        from rich.console import Group  # noqa: PLC0415 - not needed when nothing is executed
        from rich.table import Table as RichTable  # noqa: PLC0415 - not needed when nothing is executed

        now = time.monotonic()
        grid = RichTable.grid(padding=(0, 2))
        for label, task in self._tasks.items():
            bar = "━" * int(20 * task.done / task.total) if task.total else ""
            grid.add_row(f"  {label}", f"{bar:<20}", _state(task, now))
        self._live.update(Group(f"  {self._counts()}", grid))


def watcher() -> Watcher:
    """Return the display that suits where standard error goes."""
    return Live() if sys.stderr.isatty() else Plain()


def _state(task: _Task, now: float) -> str:
    elapsed = duration(now - task.started)
    if not task.total:
        return elapsed
    remaining = task.remaining(now)
    left = f", about {duration(remaining)} left" if remaining is not None else ""
    note = f" · {task.note}" if task.note else ""
    return f"{task.done}/{task.total}{note} · {elapsed}{left}"


def duration(seconds: float) -> str:
    """Return seconds in the unit that helps: ``3.2 s``, ``12 min``, ``1 h 05 min``."""
    if seconds < 10:  # noqa: PLR2004 - below ten seconds tenths are worth showing
        return f"{seconds:.1f} s"
    if seconds < 100:  # noqa: PLR2004 - below a hundred seconds minutes say too little
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"  # noqa: PLR2004 - an hour
