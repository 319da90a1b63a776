"""Programs that LaTeX consists of: each leads a process group that ends with us, however we end, and stays in bounds.

A build that is killed cannot end what it started, and an abandoned XeLaTeX would go on writing into the files of the
next build. So a guard waits beside each program for the end of a pipe that only we hold open.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from report.errors import LatexError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_GRACE = 2.0  # seconds between asking a process group to end and ending it
_POLL = 0.02
_LOOK = 0.1  # seconds between looks at the sizes of the files
_CHUNK = 1 << 16
_GUARD = 'read -r word; [ "$word" = done ] || kill -s KILL -- "-$1"'
_LIMIT = 32 << 20
_LIMIT_OF_PAGES = 1 << 30
_PAGES = (".pdf", ".xdv", ".gz", "(busy)")


@dataclass(frozen=True, slots=True)
class Done:
    """How a program ended and what it printed."""

    code: int
    output: str


class Program(subprocess.Popen[bytes]):
    """A running program, and the guard that ends its group if we cannot.

    Parameters
    ----------
    command : sequence of str
        The program and its arguments.
    folder : Path
        Where it runs.
    writes : Path
        The folder it writes to.
    environment : mapping
        Its environment.
    stdin : int
        Where its input comes from: nothing, or ``subprocess.PIPE``.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        writes: Path,
        environment: Mapping[str, str],
        stdin: int = subprocess.DEVNULL,
    ) -> None:
        super().__init__(
            command,
            cwd=folder,
            env=environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._writes = writes
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "guard", str(self.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def finish(self, timeout: float, text: bytes = b"") -> Done:
        """Wait for the end, after giving some input.

        Raises
        ------
        LatexError
            When it does not end in time or writes without end. Nothing of its group is left then.
        """
        try:
            if self.stdin is not None:
                with suppress(BrokenPipeError):
                    self.stdin.write(text)
                    self.stdin.close()
            output = self._read(time.monotonic() + timeout, timeout)
            self.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise _endless(timeout) from error
        finally:
            if self.returncode is None:
                self.end()
            self._release()
        return Done(self.returncode, output.decode("utf-8", "replace"))

    def end(self) -> None:
        """Leave no process of the group."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + _GRACE
            with suppress(ProcessLookupError, PermissionError):  # raised when nothing of the group is left
                os.killpg(self.pid, sign)
                while time.monotonic() < deadline:
                    self.poll()  # the leader stays in the group until somebody asks how it ended
                    os.killpg(self.pid, 0)
                    time.sleep(_POLL)
        self._release()

    def _read(self, deadline: float, timeout: float) -> bytes:
        """Return what it prints until it ends, and look at the clock and at its files meanwhile."""
        assert self.stdout is not None  # noqa: S101 - a pipe, see __init__
        output = bytearray()
        looked = 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(self.stdout, selectors.EVENT_READ)
            while True:
                if selector.select(_LOOK):
                    chunk = os.read(self.stdout.fileno(), _CHUNK)
                    if not chunk:
                        return bytes(output)
                    output += chunk
                if (now := time.monotonic()) > deadline:
                    raise _endless(timeout)
                if now - looked > _LOOK:
                    looked = now
                    self._refuse_floods(len(output))

    def _refuse_floods(self, printed: int) -> None:
        sizes = {"what LaTeX prints": printed}
        with suppress(OSError):  # a file may vanish between the two looks
            sizes |= {path.name: path.stat().st_size for path in self._writes.iterdir()}
        for name, size in sizes.items():
            limit = _LIMIT_OF_PAGES if name.endswith(_PAGES) else _LIMIT
            if size > limit:
                raise LatexError(
                    f"{name} grew beyond {limit >> 20} MB; LaTeX was ended",
                    hint=rf"look for a loop, or for \tracingall; how it starts is in {self._writes.name}/{name}",
                )

    def _release(self) -> None:
        """Let the guard go, and close what is open."""
        with suppress(ValueError, OSError):  # gone already
            self._guard.communicate(b"done\n")
        for stream in (self.stdin, self.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def _endless(timeout: float) -> LatexError:
    return LatexError(f"LaTeX did not end within {timeout:.0f} s", hint="look for a macro that calls itself")
