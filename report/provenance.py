"""Where a report comes from: versions, commit, data, settings and times, for its appendix and for results.json."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report.fingerprint import versions_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from report.compute import Computed, SectionRecord
    from report.config import BuildConfig

PACKAGES = frozenset(
    {"torch", "torchvision", "numpy", "matplotlib", "scipy", "jinja2", "pylatex", "statsmodels", "sklearn"}
)
_GIT_SECONDS = 10.0


def describe_build(config: BuildConfig, computed: Computed) -> dict[str, Any]:
    """Return what appendix C prints. Holds no time of day, so that an equal build gives an equal report."""
    runs = list(all_runs(computed.sections))
    return {
        "versions": {"python": platform.python_version(), **_versions(), "xelatex": xelatex_version(config.cache)},
        "commit": commit(config.root),
        "profile": computed.profile,
        "seed": config.seed,
        "device": config.device,
        "precision": config.precision,
        "data": {"name": computed.info.name, "digest": computed.info.digest, **computed.info.facts},
        "machines": sorted({run["machine"] for _, run in runs}),
        "runs": [
            {"name": name, "settings": _printable(run["settings"]), "seconds": run["seconds"]} for name, run in runs
        ],
        "total_seconds": sum(run["seconds"] for _, run in runs),
        "peak_mib": max((run["peak_mib"] for _, run in runs), default=0.0),
        "left_out": list(computed.left_out),
    }


def all_runs(sections: Mapping[str, SectionRecord]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every distinct run once, under the first name it has in the report; upstream runs come first."""
    seen: set[str] = set()

    def walk(name: str, run: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for field, needed in run["upstream"].items():
            yield from walk(f"{name}.{field}", needed)
        if run["key"] not in seen:
            seen.add(run["key"])
            yield name, run

    for section in sections.values():
        for name, run in section.runs.items():
            yield from walk(f"{section.name}.{name}", run)


def _versions() -> dict[str, str]:
    return {name: text for name, text in versions_of(PACKAGES).items() if name != "python" and text != "absent"}


def _printable(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing (None, empty) and upstream runs, which have their own row; write truth as text."""
    kept = {name: value for name, value in settings.items() if value not in (None, []) and not isinstance(value, dict)}
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in kept.items()}


def commit(root: Path) -> str:
    """Return the git commit of the project, with ``-dirty`` for uncommitted changes; empty outside git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=_GIT_SECONDS, check=True)
        return done.stdout.strip()
    return ""


def source_date_epoch(config: BuildConfig) -> int:
    """Return the one date of the document: SOURCE_DATE_EPOCH, else report.toml's, else that of the commit."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if text.isdigit():
        return int(text)
    given = config.document.get("date")
    if isinstance(given, date):
        return int(datetime(given.year, given.month, given.day, tzinfo=UTC).timestamp())
    with suppress(OSError, subprocess.SubprocessError, ValueError):
        done = subprocess.run(
            ["git", "log", "-1", "--format=%ct"],
            cwd=config.root, capture_output=True, text=True, timeout=_GIT_SECONDS, check=True,
        )  # fmt: skip
        return int(done.stdout)
    return 0


def xelatex_version(cache: Path) -> str:
    """Return XeLaTeX's version and its TeX distribution; asked once per installed binary."""
    from report.store import Store  # noqa: PLC0415 - used here alone

    found = shutil.which("xelatex")
    if found is None:
        return ""
    status = Path(found).stat()
    store, key = Store(cache), f"xelatex-{status.st_size}-{status.st_mtime_ns}"
    if (known := store.get_record("tools", key)) is not None:
        return str(known["version"])
    with suppress(OSError, subprocess.SubprocessError):
        command = [found, "--version"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        matched = re.match(r"XeTeX (\S+) \(([^)]*)\)", done.stdout)
        text = f"{matched[1].split('-')[-1]} ({matched[2]})" if matched else done.stdout.partition("\n")[0]
        store.put_record("tools", key, {"version": text})
        return text
    return ""
