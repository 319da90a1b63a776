"""The command line: ``python build.py [options]`` and its sub-commands."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import warnings
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report.config import BuildConfig, read_toml
from report.errors import ConfigError, ReportError
from report.files import system_errors_told
from report.lock import locked
from report.options import COMMANDS, parser_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from report.check.items import Check
    from report.compute import Computed
    from report.config import ProjectChecks
    from report.engine import Build
    from report.model import DataSource, Section

    DataFactory = Callable[[Path | None, Path], DataSource]
    DeviceChoice = Callable[[str, Path], str]

_PLANNED = (1, 2, 4, 8, 16)
OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(
    sections: Sequence[Section] = (),
    *,
    root: Path | None = None,
    data: DataFactory | None = None,
    device: DeviceChoice | None = None,
    checks: ProjectChecks | None = None,
    argv: Sequence[str] | None = None,
) -> int:
    """Run the command line of a project and return its exit code.

    Parameters
    ----------
    sections : sequence of Section
        The sections in the order of the report; by default those that report.toml lists.
    root : Path
        The project folder, with report.toml and the templates; by default the current folder.
    data : callable (folder or None, cache folder) -> DataSource
        Makes the data source from ``--data``; None for a project without data of its own.
    device : callable (choice, cache folder) -> str
        Settles ``--device auto``; by default everything runs on the CPU.
    checks : ProjectChecks, optional
        What is checked beyond the templates: published numbers, and whether they fit each other.
    argv : sequence of str
        The arguments; by default those of the process.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    root = (root or Path.cwd()).resolve()
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))  # sections are imported from the project folder
    warnings.showwarning = _print_warning
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with system_errors_told():
            return _dispatch(arguments, _Project(root, tuple(sections), data, device, checks))
    except ReportError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return USAGE if isinstance(error, ConfigError) else FAILED
    except BrokenPipeError:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - what is still to be printed goes nowhere
        return OK
    except KeyboardInterrupt:
        print("\ninterrupted; finished runs are kept, the next build continues there", file=sys.stderr)
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, previous)


@dataclass(frozen=True, slots=True)
class _Project:
    """What a project's build.py hands over."""

    root: Path
    sections: tuple[Section, ...]
    data: DataFactory | None
    device: DeviceChoice | None
    checks: ProjectChecks | None

    def config(self, options: argparse.Namespace) -> BuildConfig:
        """Return the settings of a build; watch asks again after an edit of report.toml."""
        config = _configure(options, self)
        choice = getattr(options, "device", None)
        return config if choice is None else _settle_device(config, choice, self.device)


def _dispatch(arguments: list[str], project: _Project) -> int:
    command = arguments.pop(0) if arguments and arguments[0] in COMMANDS else "build"
    options = parser_of(command).parse_args(arguments)
    if command in {"clean", "archive"}:
        config = _configure(options, project)
        return _clean(config, everything=options.all) if command == "clean" else _archive(config, options.to)
    source = project.data(options.data, _configure(options, project).cache) if project.data else None
    if command == "doctor":
        return _doctor(_configure(options, project), source)
    if command == "watch":
        return _watch(lambda: project.config(options), source, options)
    config = project.config(options)
    if command in {"check", "diff"}:
        from report.check.cli import run  # noqa: PLC0415 - only these commands need it

        return run(command, options, config, source)
    if options.explain or options.plan is not None:
        return _tell(config, source, options)
    from report.engine import build  # noqa: PLC0415 - keeps --help and clean instant

    done = build(config, source)
    _summarise(config, done)
    return OK


def _configure(options: argparse.Namespace, project: _Project) -> BuildConfig:
    settings: dict[str, Any] = read_toml(project.root / "report.toml")
    if project.sections:
        settings["sections"] = project.sections
    if project.checks is not None:
        settings["checks"] = project.checks
    for name in ("profile", "only", "force", "seed", "seeds", "precision", "draft", "cluster", "shared_cache"):
        value = getattr(options, name, None)
        if value is not None:
            settings[name] = tuple(value) if isinstance(value, list) else value
    if options.out is not None:
        settings["out"] = options.out.absolute()
    jobs = getattr(options, "jobs", None)
    settings["jobs"] = jobs if jobs is not None else _cores()
    return BuildConfig(root=project.root, **settings)


def _settle_device(config: BuildConfig, choice: str, device: DeviceChoice | None) -> BuildConfig:
    settled = device(choice, config.cache) if device else "cpu"
    # One process at a time owns a GPU: two would share its memory and run no faster.
    return replace(config, device=settled, jobs=config.jobs if settled == "cpu" else 1)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _clean(config: BuildConfig, *, everything: bool) -> int:
    for folder in (config.out, *([config.cache] if everything else [])):
        if folder == config.root or config.root.is_relative_to(folder):
            raise ConfigError(f"will not remove {folder}: the project lies in it")
        if folder.exists():
            _refuse_foreign(folder, config)
            with locked(folder, print) if folder == config.out else nullcontext():
                shutil.rmtree(folder)
            print(f"removed {config.relative(folder)}")
    return OK


def _refuse_foreign(folder: Path, config: BuildConfig) -> None:
    marks = (".lock", ".stamp.json") if folder == config.out else ("objects", "records", "index")
    if any(folder.iterdir()) and not any((folder / mark).exists() for mark in marks):
        raise ConfigError(f"will not remove {folder}: it was not made by a build", hint="remove it by hand")


def _archive(config: BuildConfig, to: Path | None) -> int:
    from report.archive import archive  # noqa: PLC0415 - only this command needs it

    print(config.relative(archive(config, to.absolute() if to is not None else None)))
    return OK


def _doctor(config: BuildConfig, source: DataSource | None) -> int:
    from report.doctor import doctor_table, examine, healthy, read_pins  # noqa: PLC0415 - only this command needs it

    lock = config.root / "requirements.lock"
    findings = examine(config, packages=read_pins(lock) if lock.exists() else [], data=source)
    print(doctor_table(findings, width=shutil.get_terminal_size((110, 24)).columns))
    return OK if healthy(findings) else FAILED


def _tell(config: BuildConfig, source: DataSource | None, options: argparse.Namespace) -> int:
    from report.compute import Computation  # noqa: PLC0415 - only this option needs it
    from report.progress import Plain  # noqa: PLC0415 - likewise

    computation = Computation(config, source, Plain())
    counts = options.plan or sorted({config.jobs, *_PLANNED})
    for line in computation.explain() if options.explain else computation.forecast(counts):
        print(line)
    return OK


def _watch(configure: Callable[[], BuildConfig], source: DataSource | None, options: argparse.Namespace) -> int:
    from report.preview import PreviewOptions, watch  # noqa: PLC0415 - only this command needs it

    watch(configure, source, PreviewOptions(options.port, not options.no_browser, options.editor))
    return OK


def _summarise(config: BuildConfig, done: Build) -> None:
    if done.compiled is not None:
        for warning in done.compiled.warnings:
            print(f"warning: {warning}", file=sys.stderr)
    if done.check is not None:
        _tell_check(done.check)
    print(_what_was_done(done.computed), file=sys.stderr)
    pages = f", {done.compiled.pages} pages" if done.compiled else ", unchanged"
    print(f"{config.relative(done.pdf)}{pages} ({done.seconds:.1f} s)")


def _tell_check(check: Check) -> None:
    from report.check.terminal import check_lines  # noqa: PLC0415 - only after a report was written

    if check.of("contradicted", "fragile", "unchecked"):
        for line in check_lines(check, colour=sys.stderr.isatty()):
            print(line, file=sys.stderr)


def _what_was_done(computed: Computed) -> str:
    runs = [name for name in computed.executed if not name.endswith("analysis")]
    parts = [f"{len(runs)} runs executed" if runs else "no run executed"]
    holds = [claim.holds for record in computed.sections.values() for claim in record.result.claims.values()]
    if holds:
        parts.append(f"{sum(holds)} of {len(holds)} claims hold")
    if computed.left_out:
        parts.append(f"left out: {', '.join(computed.left_out)}")
    return "; ".join(parts)


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _print_warning(message: Warning | str, *_rest: object, **_more: object) -> None:
    print(f"warning: {message}", file=sys.stderr)
