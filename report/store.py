"""Results on disk, addressed by content, verified on reading, without pickles.

``objects/ab/<sha256>``      blobs: outcomes (safetensors with the numbers as JSON in the header) and figures
``records/<kind>/<key>.json``  what a key stands for; the file carries the digest of its own body

A damaged or half-written entry is never returned: it is set aside with a warning and computed anew.
"""

from __future__ import annotations

import json
import warnings
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from report.errors import RunError, StoreError
from report.files import remove_stale_temporaries, write_atomic
from report.model import SCHEMA, Claim, Figure, Outcome, Result, Table, Value

if TYPE_CHECKING:
    from pathlib import Path

_NUMBERS = "numbers"
_PARTS = ("objects", "records", "index")


class StoreWarning(UserWarning):
    """A stored entry was damaged and is computed anew."""


class Store:
    """A content-addressed store under one folder; several processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in _PARTS:
            remove_stale_temporaries(folder / part)

    def put_blob(self, content: bytes) -> str:
        """Store bytes, return their SHA-256; an intact copy that is there already is kept."""
        digest = sha256(content).hexdigest()
        path = self._blob_path(digest)
        if not (path.exists() and _read(path) == content):
            write_atomic(path, content)
        return digest

    def get_blob(self, digest: str) -> bytes | None:
        """Return the bytes with this digest, or None when they are missing or damaged."""
        path = self._blob_path(digest)
        content = _read(path)
        if content is not None and sha256(content).hexdigest() != digest:
            _set_aside(path, "its content does not have the digest it is stored under")
            return None
        return content

    def put_record(self, kind: str, key: str, body: dict[str, Any]) -> None:
        """Store what a key stands for."""
        text = json.dumps(body, ensure_ascii=False)
        record = {"schema": SCHEMA, "key": f"{kind}/{key}", "digest": sha256(text.encode()).hexdigest(), "body": text}
        write_atomic(self._record_path(kind, key), json.dumps(record, ensure_ascii=False).encode())

    def get_record(self, kind: str, key: str) -> dict[str, Any] | None:
        """Return the body stored for a key, or None when it is missing, damaged or of another schema."""
        path = self._record_path(kind, key)
        content = _read(path)
        if content is None:
            return None
        try:
            return read_record(content, f"{kind}/{key}")
        except ValueError as error:
            _set_aside(path, str(error))
            return None

    def put_outcome(self, outcome: Outcome) -> str:
        """Store the outcome of a run, return its digest."""
        return self.put_blob(encode_outcome(outcome))

    def get_outcome(self, digest: str) -> Outcome:
        """Return a stored outcome; :class:`StoreError` when it has been lost since it was looked up."""
        content = self.get_blob(digest)
        if content is None:
            raise StoreError(f"the stored outcome {digest[:12]} is missing or damaged", hint="run the build again")
        return decode_outcome(content)

    def has_blob(self, digest: str) -> bool:
        """Tell whether an intact blob is stored."""
        return self.get_blob(digest) is not None

    def put_result(self, result: Result) -> dict[str, Any]:
        """Store the figures of a result; return the rest as JSON data that refers to them by digest."""
        return {
            "values": {name: [item.number, item.unit, item.digits] for name, item in result.values.items()},
            "tables": {
                name: {"columns": item.columns, "rows": item.rows, "emphasis": sorted(item.emphasis)}
                for name, item in result.tables.items()
            },
            "figures": {name: self.put_blob(item.pdf) for name, item in result.figures.items()},
            "claims": {name: [item.holds, item.evidence, item.slack] for name, item in result.claims.items()},
        }

    def get_result(self, body: dict[str, Any]) -> Result | None:
        """Return the result that :meth:`put_result` described, or None when a figure is missing or damaged."""
        figures = {name: self.get_blob(digest) for name, digest in body["figures"].items()}
        intact = {name: Figure(pdf) for name, pdf in figures.items() if pdf is not None}
        if len(intact) < len(figures):
            return None
        return Result(
            values={name: Value(*parts) for name, parts in body["values"].items()},
            tables={
                name: Table(part["columns"], part["rows"], [tuple(cell) for cell in part["emphasis"]])
                for name, part in body["tables"].items()
            },
            figures=intact,
            claims={name: Claim(*parts) for name, parts in body["claims"].items()},
        )

    def _blob_path(self, digest: str) -> Path:
        return self.folder / blob_name(digest)

    def _record_path(self, kind: str, key: str) -> Path:
        return self.folder / record_name(kind, key)


def blob_name(digest: str) -> str:
    """Return where a blob lies in a store."""
    return f"objects/{digest[:2]}/{digest}"


def record_name(kind: str, key: str) -> str:
    """Return where a record lies in a store."""
    return f"records/{kind}/{key}.json"


def read_record(content: bytes, key: str, *, keyless: bool = True) -> dict[str, Any] | None:
    """Return the body of a record, or None when it has another schema.

    Parameters
    ----------
    content : bytes
        The file.
    key : str
        ``kind/key`` it was found under.
    keyless : bool
        Whether a record that does not state its key is taken, as they were first written.

    Raises
    ------
    ValueError
        When the record is damaged or belongs to another key.
    """
    try:
        record = json.loads(content)
        schema, text, digest = record["schema"], record["body"], record["digest"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"not a record: {error}") from error
    if schema != SCHEMA:
        return None
    if not isinstance(text, str) or sha256(text.encode()).hexdigest() != digest:
        raise ValueError("its content does not have the digest it states")
    stated = record.get("key", key if keyless else "that states no key")
    if stated != key:
        raise ValueError(f"it is the entry {stated}")
    body: dict[str, Any] = json.loads(text)
    return body


def encode_outcome(outcome: Outcome) -> bytes:
    """Encode arrays and numbers into one safetensors file; equal outcomes give equal bytes."""
    import numpy as np  # noqa: PLC0415 - kept out of the path that only renders prose
    from safetensors.numpy import save  # noqa: PLC0415 - likewise

    arrays = {name: np.ascontiguousarray(array) for name, array in outcome.arrays.items()}
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise RunError(f"array '{name}' of an outcome holds Python objects; store numbers or strings as numbers")
    try:
        numbers = json.dumps(outcome.numbers, ensure_ascii=False, sort_keys=True, default=_plain_number)
    except (TypeError, ValueError) as error:
        raise RunError(f"the numbers of an outcome cannot be stored: {error}") from error
    return save(arrays, metadata={_NUMBERS: numbers})


def decode_outcome(content: bytes) -> Outcome:
    """Decode what :func:`encode_outcome` wrote; the arrays are read-only."""
    from safetensors.numpy import load  # noqa: PLC0415 - kept out of the path that only renders prose

    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    arrays = load(content)
    for array in arrays.values():
        array.flags.writeable = False
    return Outcome(arrays, json.loads(header["__metadata__"][_NUMBERS]))


def _plain_number(value: object) -> object:
    item = getattr(value, "tolist", None)
    if item is None:
        raise TypeError(f"{type(value).__name__} is no number, string or list: {value!r}")
    return item()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from error


def _set_aside(path: Path, why: str) -> None:
    """Remove a damaged entry, with a warning."""
    warnings.warn(f"stored entry {path.name[:16]} is damaged ({why}); it is computed anew", StoreWarning, stacklevel=3)
    with suppress(OSError):
        path.unlink()
