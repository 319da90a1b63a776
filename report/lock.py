"""One build at a time per output folder."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from report.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def locked(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the folder's lock; wait, and say so, while another build holds it.

    The lock belongs to the process: it ends with it, however it ends, so a killed build blocks nobody.

    Raises
    ------
    StoreError
        When the folder cannot be made or written.
    """
    told = False
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stream = (folder / ".lock").open("w")
        except OSError as error:
            raise StoreError(
                f"cannot write {error.filename or folder}: {error.strerror or error}",
                hint="choose another folder with --out",
            ) from error
        with stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not told:
                    say(f"another build is writing to {folder}; waiting for it to end")
                told = True
                fcntl.flock(stream, fcntl.LOCK_EX)
            if not _is(folder / ".lock", stream.fileno()):
                continue  # `clean` removed the folder while we waited: this lock keeps nobody out
            yield
            return


def _is(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
