"""Computing in a process of its own: it imports the code as it now stands, and its failure is a message."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from report.errors import ReportError, RunError

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from pathlib import Path

    from report.config import BuildConfig
    from report.model import DataSource

_GRACE = 5.0


@dataclass(frozen=True, slots=True)
class Event:
    """What a computation says: ``kind`` is a method of :class:`report.progress.Watcher`, or ``ended``."""

    kind: str
    arguments: tuple[Any, ...] = ()


class Computing:
    """One computation that runs, as :meth:`report.compute.Computation.run` does it.

    Parameters
    ----------
    config, data : BuildConfig, DataSource or None
        What is computed.
    tell : callable (Event) → None
        Called on another thread; the last event is ``ended`` with the error or None.
    """

    def __init__(self, config: BuildConfig, data: DataSource | None, tell: Callable[[Event], None]) -> None:
        context = multiprocessing.get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=compute, args=(config, data, sender, os.getpid()), name="compute")
        self._process.start()
        sender.close()
        self.ended = False
        self._thread = threading.Thread(target=self._listen, args=(receiver, tell), name="compute", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Wait for its end if it has said so, else end it and all it has started; what had finished is kept."""
        if not self.ended:
            self._process.terminate()
        self._process.join(_GRACE)
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._thread.join()

    def _listen(self, receiver: Connection[Any, Any], tell: Callable[[Event], None]) -> None:
        event = Event("started")
        try:
            while event.kind != "ended":
                event = receiver.recv()
                self.ended = event.kind == "ended"
                tell(event)
        except (EOFError, OSError):
            tell(Event("ended", (RunError("the process that computes was ended from outside"),)))
        finally:
            receiver.close()


class _Telling:
    """A watcher whose events travel to the process that watches."""

    def __init__(self, sender: Connection[Any, Any]) -> None:
        self._sender = sender

    def say(self, text: str) -> None:
        """Pass one line on."""
        self._send("say", text)

    def expect(self, total: int) -> None:
        """Pass on how many runs and analyses there will be."""
        self._send("expect", total)

    def started(self, label: str) -> None:
        """Pass on that something has started."""
        self._send("started", label)

    def pool(self, seconds: float) -> None:
        """Pass on how long everything is expected to take."""
        self._send("pool", seconds)

    def look(self, label: str, progress_file: Path) -> None:
        """Read the progress here: the file lives as long as this process."""
        with suppress(OSError):
            self._send("look", label, progress_file.read_text(encoding="utf-8"))

    def finished(self, label: str, seconds: float) -> None:
        """Pass on that something has finished."""
        self._send("finished", label, seconds)

    def close(self) -> None:
        """Nothing to restore."""

    def _send(self, kind: str, *arguments: object) -> None:
        self._sender.send(Event(kind, arguments))


def compute(config: BuildConfig, data: DataSource | None, sender: Connection[Any, Any], parent: int) -> None:
    """Compute what is missing and store it; the main function of the process."""
    from report.compute import Computation  # noqa: PLC0415 - the parent may not need it
    from report.worker import prepare_process  # noqa: PLC0415 - likewise

    prepare_process(parent)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        Computation(config, data, _Telling(sender)).run()
    except KeyboardInterrupt:
        return
    except ReportError as error:
        sender.send(Event("ended", (error,)))
    except Exception as error:  # noqa: BLE001 - told to the author, who goes on editing
        sender.send(Event("ended", (RunError(f"{type(error).__name__}: {error}"),)))
    else:
        sender.send(Event("ended", (None,)))


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt
