"""Which files are watched, what a change of one means, and the threads that wait for changes."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from report.closure import Project
from report.errors import MissingToolError, ReportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from report.config import BuildConfig

Kind = Literal["prose", "code", "config", "entry"]
_TEMPORARY = ("~", ".swp", ".swx", ".tmp", ".part", ".pyc", ".bak")
_AT_ROOT: dict[str, Kind] = {"report.toml": "config", "build.py": "entry"}
_DEBOUNCE_MS = 200  # changes that follow each other without a pause are gathered for so long at most
_STEP_MS = 12  # the pause that ends a save: editors write and rename within a few milliseconds
_STOP_MS = 500


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a project whose changes count.

    Parameters
    ----------
    config : BuildConfig
        The project.
    packages : frozenset of str
        The top-level names, folders or modules, that its sections reach by import.
    """

    config: BuildConfig
    packages: frozenset[str]

    @classmethod
    def of(cls, config: BuildConfig, before: Sources | None = None) -> Sources:
        """Find what the sections reach; a module that cannot be read yet keeps what was known before."""
        packages = {section.module.partition(".")[0] for section in config.sections}
        packages |= before.packages if before else set()
        project = Project(config.root, config.cache)
        for section in config.sections:
            try:
                reached = project.reach((section.module, "runs"), (section.module, "analyse")).sources
            except (ReportError, OSError):
                continue
            packages |= {Path(name.partition(":")[0]).parts[0].removesuffix(".py") for name in reached}
        return cls(config, frozenset(packages))

    def folders(self) -> frozenset[tuple[Path, bool]]:
        """Return the folders to watch, each with whether what lies deeper counts too."""
        packages = (self.config.root / name for name in self.packages)
        deep = {path for path in (self.config.templates, *packages) if path.is_dir()}
        return frozenset({(self.config.root, False), *((path, True) for path in deep)})

    def kind(self, path: Path) -> Kind | None:
        """Return what the change of a file touches, or None if it does not count."""
        config = self.config
        written = path.is_relative_to(config.out) or path.is_relative_to(config.cache)
        base = config.templates if path.is_relative_to(config.templates) else config.root
        if written or not path.is_relative_to(base) or path.name.endswith(_TEMPORARY):
            return None
        inside = path.relative_to(base)
        if any(part.startswith((".", "#")) or part == "__pycache__" for part in inside.parts):
            return None
        if base == config.templates:
            return "prose"
        package = inside.parts[0].removesuffix(".py") in self.packages
        is_code = package and (len(inside.parts) > 1 or inside.suffix == ".py")
        return "code" if is_code else _AT_ROOT.get(inside.as_posix())


class Watching:
    """Threads that report the changed files of some folders.

    Parameters
    ----------
    report : callable (paths) → None
        Called on those threads.
    """

    def __init__(self, report: Callable[[Iterable[Path]], None]) -> None:
        self._report = report
        self._folders: frozenset[tuple[Path, bool]] = frozenset()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def follow(self, folders: frozenset[tuple[Path, bool]]) -> None:
        """Watch these folders from now on, and no others."""
        if folders == self._folders:
            return
        self.stop()
        self._folders, self._stop = folders, threading.Event()
        for recursive in (False, True):
            chosen = [path for path, deep in folders if deep == recursive]
            if chosen:
                self._start(chosen, recursive=recursive)

    def stop(self) -> None:
        """Watch nothing more."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._threads, self._folders = [], frozenset()

    def _start(self, folders: list[Path], *, recursive: bool) -> None:
        watch = _watchfiles()
        options = {"debounce": _DEBOUNCE_MS, "step": _STEP_MS, "rust_timeout": _STOP_MS, "recursive": recursive}
        ready = threading.Event()

        def run() -> None:
            stop = self._stop
            changes = watch(
                *folders, watch_filter=None, stop_event=stop, raise_interrupt=False, yield_on_timeout=True, **options
            )
            ready.set()
            for batch in changes:
                if batch and not stop.is_set():
                    self._report([Path(path) for _, path in batch])

        thread = threading.Thread(target=run, name="watch", daemon=True)
        thread.start()
        ready.wait()
        self._threads.append(thread)


def _watchfiles() -> Any:  # noqa: ANN401 - a function
    try:
        from watchfiles import watch  # noqa: PLC0415 - the preview alone needs it
    except ImportError as error:
        raise MissingToolError(
            f"watching needs the package {error.name}", hint="python -m pip install -r requirements.lock"
        ) from error
    return watch
