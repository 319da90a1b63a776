"""From what a result depends on to its key, with every component kept by name so that a change can be explained.

Nothing but content enters a key: no time, no path outside the project, no comment.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field, fields
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from report.errors import RunError
from report.model import SCHEMA, Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from report.closure import Closure
    from report.model import DataInfo

_DISTRIBUTIONS = {"PIL": "pillow", "cv2": "opencv-python", "sklearn": "scikit-learn", "yaml": "pyyaml"}
_TOLD = 4
_NUMERICS = ("numpy", "scipy")
"""Always part of a key: most packages compute with these even where the project does not name them."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What all runs of a build have in common; ``loader`` is the source that loads the data."""

    data: DataInfo
    seed: int
    device: str
    precision: str
    loader: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A key and the components it is made of, ``{component: {name: digest or text}}``."""

    key: str
    components: Mapping[str, Mapping[str, str]]


def fingerprint(**components: Mapping[str, str] | str) -> Fingerprint:
    """Hash named components; each is text or a mapping of texts."""
    table = {
        name: ({"": part} if isinstance(part, str) else dict(sorted(part.items())))
        for name, part in sorted(components.items())
    }
    table["schema"] = {"": str(SCHEMA)}
    encoded = json.dumps(table, sort_keys=True, ensure_ascii=False).encode()
    return Fingerprint(sha256(encoded).hexdigest(), table)


def fingerprint_of_run(
    run: Run, closure: Closure, upstream: Mapping[str, str], environment: Environment
) -> Fingerprint:
    """Return the key of a run; ``upstream`` maps those fields that are runs to the digests of their outcomes."""
    return fingerprint(
        source=closure.sources,
        settings={name: encode(value) for name, value in settings_of(run).items() if name not in upstream},
        upstream=upstream,
        data={"": environment.data.digest, **environment.loader},
        seed=str(environment.seed),
        versions=versions_of(closure.packages),
        device=f"{environment.device}, {environment.precision}" if run.uses_device else "any",
    )


def fingerprint_of_section(closure: Closure, profile: str, environment: Environment) -> Fingerprint:
    """Return the key of a whole section, found without importing it."""
    return fingerprint(
        source=closure.sources,
        settings={"profile": profile},
        data={"": environment.data.digest, **environment.loader},
        seed=str(environment.seed),
        versions=versions_of(closure.packages),
        device=f"{environment.device}, {environment.precision}",
    )


def fingerprint_of_analysis(closure: Closure, runs: Mapping[str, Run], outcomes: Mapping[str, str]) -> Fingerprint:
    """Return the key of an analysis: equal outcomes mean that nothing downstream is computed again."""
    return fingerprint(
        source=closure.sources,
        settings={name: encode(run) for name, run in runs.items()},
        outcomes=outcomes,
        versions=versions_of(closure.packages),
    )


def settings_of(run: Run) -> dict[str, Any]:
    """Return the fields of a run by name, in order."""
    return {part.name: getattr(run, part.name) for part in fields(run)}


def upstream_of(run: Run) -> dict[str, Run]:
    """Return those fields of a run that are runs themselves."""
    return {name: value for name, value in settings_of(run).items() if isinstance(value, Run)}


def describe_settings(run: Run) -> dict[str, Any]:
    """Return a run's settings as plain data for templates and results.json; upstream runs are nested."""
    return {
        name: describe_settings(value) if isinstance(value, Run) else list(value) if isinstance(value, tuple) else value
        for name, value in settings_of(run).items()
    }


def encode(value: object) -> str:
    """Encode a setting canonically: equal settings, and only those, have equal encodings.

    Raises
    ------
    RunError
        For anything that is not bool, int, float, str, None, a tuple of those, or a run.
    """
    if value is None or isinstance(value, bool | int | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return f"float {value.hex()}"
    if isinstance(value, tuple):
        return f"({', '.join(encode(item) for item in value)})"
    if isinstance(value, Run):
        inner = ", ".join(f"{name}={encode(item)}" for name, item in settings_of(value).items())
        return f"{type(value).__module__}.{type(value).__qualname__}({inner})"
    raise RunError(
        f"a setting must be bool, int, float, str, None, a tuple of those, or a run; got"
        f" {type(value).__name__}: {value!r}",
        hint="put plain values into the run's fields and build the object inside compute()",
    )


@cache
def versions_of(packages: frozenset[str]) -> dict[str, str]:
    """Return the installed version of each foreign package (by import name), and of Python."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - after XeLaTeX was started

    names = {*(_DISTRIBUTIONS.get(name, name) for name in packages), *_NUMERICS}
    found = {"python": ".".join(map(str, sys.version_info[:2]))}
    for name in sorted(names):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def explain_change(before: Mapping[str, Mapping[str, str]] | None, after: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Name what differs between two sets of components, one line each; an empty list when nothing does."""
    if before is None:
        return ["never computed before"]
    changes: list[str] = []
    for component in sorted({*before, *after}):
        old, new = before.get(component, {}), after.get(component, {})
        changes.extend(
            _change(component, name, old.get(name), new.get(name))
            for name in sorted({*old, *new})
            if old.get(name) != new.get(name)
        )
    return changes


def told(changes: list[str]) -> str:
    """Join the first few changes to one line."""
    more = len(changes) - _TOLD
    return "; ".join(changes[:_TOLD]) + (f"; and {more} more" if more > 0 else "")


def _change(component: str, name: str, old: str | None, new: str | None) -> str:
    label = f"{component} {name}".strip()
    if old is None or new is None:
        return f"{label} {'is new' if old is None else 'is gone'}"
    if component in {"source", "data", "upstream", "outcomes"}:
        return f"{label} changed"
    return f"{label} changed from {old} to {new}"
