"""Writing files so that a reader never sees half of one, whatever happens to the writer."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from report.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TEMPORARY = ".tmp-"
_STALE_SECONDS = 3600.0


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: temporary file beside it, fsync, rename.

    Raises
    ------
    StoreError
        When the folder cannot be written or the disk is full; nothing is left behind.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), 0o644)
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        raise StoreError(
            f"cannot write {path}: {error.strerror or error}",
            hint="free some space or choose another folder with --out (products) or 'cache' in report.toml (results)",
        ) from error


def write_if_changed(path: Path, content: bytes) -> bool:
    """Write a file only if its bytes differ; return whether it was written."""
    try:
        if path.read_bytes() == content:
            return False
    except OSError:
        pass
    write_atomic(path, content)
    return True


@contextmanager
def system_errors_told() -> Iterator[None]:
    """Turn what the operating system refuses, wherever it does, into one :class:`StoreError` that names the file."""
    try:
        yield
    except BrokenPipeError:
        raise  # nobody reads on, as behind `| head`: no failure to tell of
    except OSError as error:
        names = [str(name) for name in (error.filename, error.filename2) if name is not None]
        raise StoreError(
            ": ".join([*names[-1:], error.strerror or str(error) or type(error).__name__]), hint=_hint(error)
        ) from error


def _hint(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return "free some space and build again; finished runs are kept"
    return "see whether something else lies there and whether it can be written; --out names another folder"


def remove_stale_temporaries(folder: Path) -> None:
    """Remove what a killed writer left behind more than an hour ago, at any depth."""
    _remove(folder.rglob(f"{TEMPORARY}*") if folder.is_dir() else (), time.time() - _STALE_SECONDS)


def remove_temporaries(folder: Path) -> None:
    """Remove what a killed writer left behind in a folder to which nobody else writes now."""
    _remove(folder.glob(f"{TEMPORARY}*"), float("inf"))


def _remove(paths: Iterable[Path], oldest: float) -> None:
    for path in paths:
        with suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()
