"""Writing files so that a reader never sees half of one, whatever happens to the writer."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from report.errors import StoreError

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


def remove_stale_temporaries(folder: Path) -> None:
    """Remove what a killed writer left behind more than an hour ago."""
    oldest = time.time() - _STALE_SECONDS
    for path in folder.rglob(f"{TEMPORARY}*") if folder.is_dir() else ():
        with suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()
