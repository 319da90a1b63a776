"""What happens inside a Dask worker: runs are handed to child processes that execute the client's code.

Loaded by file from the unpacked code, under a name with the code's digest, into a process that may have another
version of everything; hence it uses the standard library alone, and no child serves two versions of the code. A
child also keeps the worker responsive, computes with one thread as local processes do, and can be stopped when the
client is gone.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FOLDER = Path(__file__).resolve().parent.parent
_ENGINE = Path(__file__).resolve().parent.name
_POLL_SECONDS = 0.3
_ATTEMPTS = 2  # a child may have gone to sleep for good, or been killed, just when it was needed
_lock = threading.Lock()
_idle: list[Child] = []


class Child:
    """A process that executes one run after another: a line of JSON in, a line out."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", f"{_ENGINE}.cluster_child", str(os.getpid()), str(FOLDER)]
        paths = (str(FOLDER), os.environ.get("PYTHONPATH", ""))
        self._process = subprocess.Popen(
            command,
            cwd=FOLDER,
            env=os.environ | environment | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._input: IO[bytes] | None = self._process.stdin
        self._output: IO[bytes] | None = self._process.stdout

    def ask(self, job: Mapping[str, Any], look: Callable[[], bool]) -> dict[str, Any] | None:
        """Send a job and wait for the answer; None when the child has died, or ``look`` says that nobody waits."""
        assert self._input is not None  # noqa: S101 - opened as a pipe
        assert self._output is not None  # noqa: S101 - likewise
        answer = b""
        with suppress(BrokenPipeError):
            self._input.write(json.dumps(job).encode() + b"\n")
            self._input.flush()
            while not answer.endswith(b"\n"):
                if not select.select([self._output], [], [], _POLL_SECONDS)[0]:
                    if not look():
                        break
                    continue
                part = os.read(self._output.fileno(), 65536)
                if not part:
                    break
                answer += part
        if not answer.endswith(b"\n"):
            self.close()
            return None
        decoded: dict[str, Any] = json.loads(answer)
        return decoded

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.communicate()


def perform(
    job: Mapping[str, Any], blobs: Mapping[str, bytes], look: Callable[[object], bool]
) -> tuple[dict[str, Any], bytes]:
    """Execute one run: return the child's answer, and the outcome's bytes where there is one.

    Parameters
    ----------
    job : mapping
        JSON data, see ``report.cluster``.
    blobs : mapping of str to bytes
        The data and the upstream outcomes, by SHA-256; the child verifies what it reads.
    look : callable (progress) -> bool
        Receives the run's progress now and then; returns whether somebody still waits for the run.
    """
    for digest, content in blobs.items():
        _keep(digest, content)
    progress = FOLDER / "progress" / f"{job['id']}.json"
    progress.parent.mkdir(exist_ok=True)
    for _ in range(_ATTEMPTS):
        with _lock:
            child = _idle.pop() if _idle else None
        child = child or Child(job["environment"])
        answer = child.ask(job, lambda: look(_read_json(progress)))
        progress.unlink(missing_ok=True)
        if answer is not None:
            with _lock:
                _idle.append(child)
            return answer, _take_outcome(answer)
        if not look(None):
            break
    return {"killed": True}, b""


def close_idle() -> None:
    """End the children that wait for work."""
    with _lock:
        children, _idle[:] = list(_idle), []
    for child in children:
        child.close()


def _path(digest: str) -> Path:
    """Return where ``report.store`` looks for a blob."""
    return FOLDER / "objects" / digest[:2] / digest


def _keep(digest: str, content: bytes) -> None:
    path = _path(digest)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{threading.get_ident()}")
        temporary.write_bytes(content)
        temporary.replace(path)


def _take_outcome(answer: Mapping[str, Any]) -> bytes:
    if "finished" not in answer:
        return b""
    return _path(answer["finished"]["digest"]).read_bytes()


def _read_json(path: Path) -> object:
    with suppress(OSError, ValueError):
        return json.loads(path.read_text(encoding="utf-8"))
    return None
