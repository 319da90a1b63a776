"""A cache that several people share, in a folder, on S3 or behind a web server: what one has computed all have.

It has the layout of :mod:`report.store`, with the outcomes of runs alone: a record per key and a blob per outcome.
Digests protect against damage on the way and on the disk. They do not protect against a person: whoever may write
here says which outcome belongs to a key, and is trusted with that (docs/shared-cache.md). Nothing read is executed.

A cache that does not answer costs one warning and is left alone for the rest of the build.
"""

from __future__ import annotations

import math
import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from report.errors import ConfigError, MissingToolError
from report.files import write_atomic
from report.store import Store, blob_name, decode_outcome, read_record, record_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
"""Without a single byte."""
TOTAL_SECONDS = 300.0
"""For one outcome."""
_READERS = 8
_DIGEST = re.compile("[0-9a-f]{64}")
_FIELDS: dict[str, Any] = {
    "label": str,
    "outcome": str,
    "seconds": float | int,
    "machine": str,
    "peak_mib": float | int,
}


class CacheWarning(UserWarning):
    """An entry of the shared cache was refused, or the cache cannot be used."""


@dataclass(slots=True)
class SharedCache:
    """The shared cache at a URL; see :func:`open_cache`.

    Parameters
    ----------
    url : str
        As the user gave it, for messages.
    files : fsspec.AbstractFileSystem
        Where it lies.
    root : str
        The folder within.
    writable : bool
        Whether outcomes are offered to it.
    """

    url: str
    files: Any
    root: str
    writable: bool
    _usable: bool = True
    _pushes: list[Future[None]] = field(default_factory=list)
    _writer: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="cache"))

    def fetch(self, store: Store, keys: Sequence[str]) -> list[str]:
        """Copy the outcomes of runs into the local store where the cache has them; return their keys."""
        records: dict[str, dict[str, Any]] = {}
        found = self._read([record_name("runs", key) for key in keys])
        for key, content in zip(keys, found, strict=True):
            with self._refusals(key):
                record = check_record(content, key) if content is not None else None
                if record is not None:
                    records[key] = record
        blobs = self._read([blob_name(record["outcome"]) for record in records.values()])
        fetched = []
        for (key, record), content in zip(records.items(), blobs, strict=True):
            with self._refusals(key):
                store.put_blob(check_outcome(content, record["outcome"]))
                store.put_record("runs", key, record)
                fetched.append(key)
        return fetched

    def push(self, store: Store, key: str) -> None:
        """Offer the outcome of a run to the others; it is written while the build goes on."""
        if self.writable and self._usable:
            self._pushes.append(self._writer.submit(self._write, store.folder, key))

    def close(self) -> None:
        """Wait for what is being written; warn once when something could not be."""
        self._writer.shutdown(wait=True)
        errors = [error for push in self._pushes if (error := push.exception()) is not None]
        if errors:
            warnings.warn(
                f"outcomes could not be written to {self.url}: {_said(errors[0])}", CacheWarning, stacklevel=2
            )

    def _read(self, names: Sequence[str]) -> list[bytes | None]:
        """Read files side by side, the first alone as it may take long to fail; None for what is not there."""
        first = [self._read_one(name) for name in names[:1]]
        with ThreadPoolExecutor(_READERS) as readers:
            return [*first, *readers.map(self._read_one, names[1:])]

    def _read_one(self, name: str) -> bytes | None:
        if not self._usable:
            return None
        try:
            content: bytes = self.files.cat_file(f"{self.root}/{name}")
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001 - each kind of storage has errors of its own, and none may end a build
            if self._usable:
                self._usable = False
                warnings.warn(f"the cache {self.url} is not used: {_said(error)}", CacheWarning, stacklevel=4)
            return None
        return content

    def _write(self, folder: Path, key: str) -> None:
        """Write the blob, then the record that names it: a reader never finds the second without the first."""
        if not self.writable:
            return
        try:
            record = (folder / record_name("runs", key)).read_bytes()
            body = check_record(record, key) or {}
            blob = blob_name(body["outcome"])
            for name, content in ((blob, (folder / blob).read_bytes()), (record_name("runs", key), record)):
                path = f"{self.root}/{name}"
                if isinstance(self.files, LocalFileSystem):
                    write_atomic(Path(path), content)
                else:
                    self.files.pipe_file(path, content)
        except BaseException:
            self.writable = False
            raise

    @contextmanager
    def _refusals(self, key: str) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            warnings.warn(
                f"the cache {self.url} has a bad entry for {key[:16]} ({error}); it is computed",
                CacheWarning,
                stacklevel=4,
            )


def check_record(content: bytes, key: str) -> dict[str, Any] | None:
    """Return the body of a run's record, or None when it has another schema; ValueError when it is not to be used."""
    body = read_record(content, f"runs/{key}", keyless=False)
    if body is None:
        return None
    if not isinstance(body, dict):
        raise ValueError("it is not a table")  # noqa: TRY004 - the caller warns of a ValueError
    for name, kind in _FIELDS.items():
        if not isinstance(body.get(name), kind) or isinstance(body[name], bool):
            raise ValueError(f"its '{name}' is {body.get(name)!r}")  # noqa: TRY004 - likewise
    if not _DIGEST.fullmatch(body["outcome"]):
        raise ValueError("its outcome is no digest")
    if not all(math.isfinite(body[name]) and body[name] >= 0 for name in ("seconds", "peak_mib")):
        raise ValueError("its times are impossible")
    return {name: body[name] for name in _FIELDS}


def check_outcome(content: bytes | None, digest: str) -> bytes:
    """Return the bytes of an outcome; ValueError when they are missing, damaged or no outcome."""
    if content is None:
        raise ValueError("its outcome is missing")
    if sha256(content).hexdigest() != digest:
        raise ValueError("its outcome does not have the digest it should")
    try:
        decode_outcome(content)
    except Exception as error:
        raise ValueError(f"its outcome cannot be read: {error}") from error
    return content


def open_cache(url: str) -> SharedCache:
    """Open the cache at a URL: a folder, ``file://``, ``s3://``, ``http(s)://`` (read-only) or what else fsspec knows.

    Raises
    ------
    ConfigError
        When the kind of URL is unknown.
    MissingToolError
        When the package for that kind of URL is not installed.
    """
    protocol = url.partition("://")[0] if "://" in url else "file"
    try:
        files, root = url_to_fs(url, use_listings_cache=False, skip_instance_cache=True, **_limits(protocol))
    except ImportError as error:
        raise MissingToolError(
            f"--cache {url}: {error}", hint="pip install the package for this kind of URL"
        ) from error
    except ValueError as error:
        raise ConfigError(
            f"--cache {url}: {error}", hint="give a folder, or a URL that starts with file://, s3:// or https://"
        ) from error
    usable = not isinstance(files, LocalFileSystem) or Path(root).is_dir()
    if not usable:  # perhaps a share that is not mounted: it must not be made here
        warnings.warn(f"the cache {url} is not used: there is no such folder", CacheWarning, stacklevel=2)
    return SharedCache(url, files, root.rstrip("/"), protocol not in {"http", "https"}, usable)


def _limits(protocol: str) -> dict[str, Any]:
    """Return the options that keep a storage which does not answer from holding up the build."""
    if protocol in {"http", "https"}:
        from aiohttp import ClientTimeout  # noqa: PLC0415 - only for this kind of URL

        timeout = ClientTimeout(total=TOTAL_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
        return {"client_kwargs": {"timeout": timeout}}
    if protocol in {"s3", "s3a"}:
        retries = {"max_attempts": 2, "mode": "standard"}
        return {"config_kwargs": {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS, "retries": retries}}
    return {}


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
