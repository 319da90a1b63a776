"""What changed between two results: values, claims that flipped, settings, and the sentences they touch."""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from report.check.facts import Facts
from report.check.match import exact
from report.errors import ConfigError, ReportError
from report.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from report.check.items import Check, Item
    from report.config import BuildConfig
    from report.model import Claim

HISTORY = "history"
PREVIOUS = "previous.json"
_SECONDS = 20.0
_COMMIT = re.compile(r"[0-9a-f]{12,40}(?:-dirty)?")


@dataclass(frozen=True, slots=True)
class Change:
    """One result that is another, new or gone.

    Parameters
    ----------
    kind : str
        ``value``, ``cell``, ``claim``, ``setting`` or ``figure``.
    id : str
        The result.
    old, new : str
        As text; empty for what was not there.
    flipped : bool
        Whether a claim changed its verdict.
    """

    kind: str
    id: str
    old: str
    new: str
    flipped: bool = False


def compare_results(old: Facts, new: Facts) -> tuple[Change, ...]:
    """Return what differs between two results, flipped claims first."""
    changes = [
        *_claims(old, new),
        *_numbers("value", {k: v.number for k, v in old.values.items()}, {k: v.number for k, v in new.values.items()}),
        *_numbers("cell", old.cells, new.cells),
        *_numbers("setting", old.settings, new.settings),
    ]
    return tuple(sorted(changes, key=lambda change: not change.flipped))


def touched_items(changes: Iterable[Change], check: Check) -> tuple[Item, ...]:
    """Return the sentences and numbers of a check that stand on something that changed, each once."""
    names = {change.id for change in changes}
    names |= {name.partition("[")[0] for name in names}
    found = [item for item in (*check.items, *check.bound) if item.id.removeprefix("not ") in names]
    seen: set[tuple[str, str]] = set()
    kept = []
    for item in found:
        key = (str(item.location), item.id)
        if key not in seen:
            seen.add(key)
            kept.append(item)
    return tuple(kept)


def remember(folder: Path, text: str, commit: str) -> None:
    """Keep results for later comparison: as those of this commit, and the ones before as the previous ones.

    Parameters
    ----------
    folder : Path
        Where stored results lie (``config.cache``).
    text : str
        What results.json now holds.
    commit : str
        The commit of the project; empty outside git.
    """
    history = folder / HISTORY
    last = history / "last.json"
    before = ""
    with suppress(OSError):
        before = last.read_text(encoding="utf-8")
    if before != text:
        if before:
            write_atomic(history / PREVIOUS, before.encode())
        write_atomic(last, text.encode())
    if _COMMIT.fullmatch(commit):
        write_atomic(history / f"{commit}.json", text.encode())


def find_results(which: str | None, config: BuildConfig) -> tuple[str, Facts]:
    """Return other results: of a file, of a git revision, or of the build before the last.

    Parameters
    ----------
    which : str or None
        A file, or a revision: its results are those that a build at that commit left in the cache, or a tracked
        ``results.json``.

    Raises
    ------
    ConfigError
        When there are none, with what can be named.
    """
    history = config.cache / HISTORY
    if which is None:
        path = history / PREVIOUS
        if not path.exists():
            raise ConfigError("no earlier results are known", hint="name a results file or a git revision")
        return "the results before", _read(path)
    path = config.root / which
    if path.is_file():
        return which, _read(path)
    commit = _git(config.root, "rev-parse", "--verify", "--quiet", f"{which}^{{commit}}")
    if not commit:
        raise ConfigError(f"'{which}' is neither a results file nor a git revision")
    for stored in sorted(history.glob("*.json")):
        if stored.stem and commit.startswith(stored.stem.removesuffix("-dirty")):
            return which, _read(stored)
    tracked = _git(config.root, "show", f"{commit}:{config.relative(config.out / 'results.json')}")
    if tracked:
        return which, _facts(json.loads(tracked), which)
    known = [path.stem[:12] for path in history.glob("*.json") if _COMMIT.fullmatch(path.stem)]
    raise ConfigError(
        f"no results of revision '{which}' are kept",
        hint=f"kept are those of {', '.join(sorted(known))}" if known else "build it once: its results are then kept",
    )


def read_results(path: Path) -> Facts:
    """Read a results file.

    Raises
    ------
    ReportError
        When it is missing, no JSON, or of another schema.
    """
    return _read(path)


def _read(path: Path) -> Facts:
    try:
        return _facts(json.loads(path.read_bytes()), path.name)
    except OSError as error:
        raise ReportError(
            f"cannot read {path.name}: {error.strerror or error}", hint="run 'python build.py' first"
        ) from error
    except ValueError as error:
        raise ReportError(f"{path.name} is not JSON: {error}") from error


def _facts(data: Any, name: str) -> Facts:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(data, dict):
        raise ReportError(f"{name} does not hold results")
    try:
        return Facts.of_json(data)
    except (KeyError, TypeError, AttributeError) as error:
        raise ReportError(f"{name} is damaged: {error!r}", hint="run 'python build.py' to write it anew") from error


def _claims(old: Facts, new: Facts) -> list[Change]:
    changes = []
    for name in {**old.claims, **new.claims}:
        before, after = old.claims.get(name), new.claims.get(name)
        if before == after:
            continue
        flipped = before is not None and after is not None and before.holds != after.holds
        old_text, new_text = (
            "" if claim is None else f"{_holds(claim)}: {claim.evidence}" for claim in (before, after)
        )
        changes.append(Change("claim", name, old_text, new_text, flipped=flipped))
    return changes


def _numbers(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    names = {**old, **new}
    pairs = [(name, old.get(name), new.get(name)) for name in names]
    return [Change(kind, name, _text(before), _text(after)) for name, before, after in pairs if before != after]


def _text(thing: object) -> str:
    if thing is None:
        return ""
    if isinstance(thing, int | float) and not isinstance(thing, bool):
        return f"{exact(thing):f}"
    return str(thing)


def _holds(claim: Claim) -> str:
    return "holds" if claim.holds else "does not hold"


def _git(root: Path, *arguments: str) -> str:
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, timeout=_SECONDS, check=True
        )
        return done.stdout.strip()
    return ""
