"""Runs, errors, data and code in a form that can travel: JSON, arrays and a zip, no pickles.

Local worker processes share this checkout and the store, so only :mod:`report.cluster` needs this: its workers
have neither, and get everything by content.
"""

from __future__ import annotations

import importlib
import io
import zipfile
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import report.errors
from report.closure import ENGINE, module_of
from report.errors import Location, ReportError, RunError
from report.fingerprint import settings_of
from report.model import Outcome, Run
from report.store import Store, decode_outcome, encode_outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from report.model import DataInfo

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest date a zip can state


def encode_run(run: Run) -> dict[str, Any]:
    """Describe a run by the name of its class and its settings, as JSON data."""
    return {
        "class": name_of(type(run)),
        "settings": {name: _encode_setting(value) for name, value in settings_of(run).items()},
    }


def decode_run(table: dict[str, Any]) -> Run:
    """Return the run that :func:`encode_run` described; :class:`RunError` when its class is no run here."""
    kind = class_of(table["class"])
    if not issubclass(kind, Run):
        raise RunError(f"{table['class']} is not a Run")
    run = object.__new__(kind)
    for name, value in table["settings"].items():
        object.__setattr__(run, name, _decode_setting(value))  # as it was: a frozen class is not initialised twice
    return run


def _encode_setting(value: object) -> object:
    if isinstance(value, tuple):
        return {"tuple": [_encode_setting(item) for item in value]}
    return {"run": encode_run(value)} if isinstance(value, Run) else value


def _decode_setting(value: Any) -> object:  # noqa: ANN401 - JSON data
    if not isinstance(value, dict):
        return value
    return tuple(map(_decode_setting, value["tuple"])) if "tuple" in value else decode_run(value["run"])


def name_of(kind: type) -> str:
    """Return ``module:name`` of a class that another process can import."""
    if "<locals>" in kind.__qualname__:
        raise RunError(f"class {kind.__qualname__} is defined inside a function: a worker elsewhere cannot import it")
    return f"{module_of(kind)}:{kind.__qualname__}"


def class_of(name: str) -> type:
    """Import the class that :func:`name_of` named."""
    module, _, path = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    if not isinstance(found, type):
        raise RunError(f"{name} is not a class")
    return found


def encode_error(error: ReportError) -> dict[str, Any]:
    """Describe an error with every part of its message, as JSON data."""
    place = error.location
    return {
        "class": type(error).__name__,
        "message": error.message,
        "location": [place.file, place.line, place.column] if place else None,
        "hint": error.hint,
        "source": error.source,
    }


def decode_error(table: dict[str, Any]) -> ReportError:
    """Return the error that :func:`encode_error` described."""
    kind = getattr(report.errors, table["class"], RunError)
    location = Location(*table["location"]) if table["location"] else None
    error: ReportError = kind(table["message"], location=location, hint=table["hint"], source=table["source"])
    return error


@dataclass(frozen=True, slots=True)
class PackedData:
    """Data that were loaded elsewhere and came as a blob of the store.

    Parameters
    ----------
    kind : str
        ``module:name`` of what was packed.
    store : Path
        The folder of the store.
    digest : str
        SHA-256 of the blob; checked on reading.
    """

    kind: str
    store: Path
    digest: str

    def identify(self) -> DataInfo:
        """Refuse: keys are made where the data come from."""
        raise RunError("packed data are identified where they come from")

    def load(self) -> Any:  # noqa: ANN401 - the project's own type
        """Unpack the data; :class:`RunError` when the blob is not what was sent."""
        content = Store(self.store).get_blob(self.digest)
        if content is None:
            raise RunError("the data arrived damaged, or have been removed from the worker's folder")
        packed = decode_outcome(content)
        return class_of(self.kind)(**packed.arrays, **packed.numbers)


def pack_data(loaded: object) -> tuple[str, bytes]:
    """Return the name of the class of loaded data, and their contents as bytes.

    Raises
    ------
    RunError
        When they are not an instance of a dataclass whose fields are arrays and plain values.
    """
    import numpy as np  # noqa: PLC0415 - kept out of the path that only renders prose

    if not is_dataclass(loaded) or isinstance(loaded, type):
        raise RunError(
            f"data of type {type(loaded).__name__} cannot be sent to a cluster",
            hint="let load() return an instance of a dataclass whose fields are arrays and plain values",
        )
    content = {part.name: getattr(loaded, part.name) for part in fields(loaded)}
    arrays = {name: value for name, value in content.items() if isinstance(value, np.ndarray)}
    plain = {name: value for name, value in content.items() if name not in arrays}
    return name_of(type(loaded)), encode_outcome(Outcome(arrays, plain))


def pack_code(root: Path, files: Iterable[str]) -> bytes:
    """Return a zip of the engine and of the project's packages that contain any of the files; equal code, equal bytes.

    Parameters
    ----------
    root : Path
        The project folder.
    files : iterable of str
        Files of the project, relative to it: modules take their whole package along, other files go as they are.
    """
    engine = Path(__file__).resolve().parent
    members = {f"{ENGINE}/{path.relative_to(engine).as_posix()}": path for path in engine.rglob("*.py")}
    for name in files:
        top = root / Path(name).parts[0]
        found = top.rglob("*.py") if name.endswith(".py") and top.is_dir() else [root / name]
        members.update({path.relative_to(root).as_posix(): path for path in found})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(members.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
