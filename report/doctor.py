"""What a build needs: what is present, what is missing, and the command that brings it.

It is asked for when something is missing, so it needs nothing beyond Python's standard library.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from report import texlive
from report.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from report.config import BuildConfig
    from report.model import DataSource

OLDEST_PYTHON = (3, 11)
FREE_DISK = 1e9
"""Bytes that stored results, figures and TeX's files need at most."""
MEMORY = 4e9
"""Bytes within which the trainings of a full build stay."""
_FEW = 4
_PROGRAMS = {
    "xelatex": "texlive-xetex",
    "latexmk": "latexmk",
    "bibtex": "texlive-xetex",
    "pdftotext": "poppler-utils",
    "pdftoppm": "poppler-utils",
}
_TORCH_PROBE = """\
import torch
cuda = torch.cuda.is_available()
device = torch.cuda.get_device_name() if cuda else f"cpu with {torch.get_num_threads()} threads"
print(torch.__version__, "on", device)
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    name : str
        What it is.
    ok : bool
        Whether it is as it should be.
    required : bool
        Whether a build is impossible without it.
    found : str
        What is there.
    remedy : str
        The command that mends it; empty where nothing is wrong.
    """

    name: str
    ok: bool
    required: bool
    found: str
    remedy: str = ""


def _present(name: str, found: str) -> Finding:
    return Finding(name, ok=True, required=True, found=found)


def _missing(name: str, found: str, remedy: str) -> Finding:
    return Finding(name, ok=False, required=True, found=found, remedy=remedy)


def _note(name: str, found: str, remedy: str) -> Finding:
    return Finding(name, ok=False, required=False, found=found, remedy=remedy)


def read_pins(lock: Path) -> list[str]:
    """Return the ``name==version`` lines of a lock that a build needs: those before ``# development``."""
    runtime, _, _ = lock.read_text(encoding="utf-8").partition("\n# development")
    return [pin for line in runtime.splitlines() if (pin := line.partition("#")[0].strip())]


def examine(config: BuildConfig, *, packages: Sequence[str], data: DataSource | None) -> list[Finding]:
    """Look at everything that a build needs.

    Parameters
    ----------
    config : BuildConfig
        Names the templates and the folders that are written.
    packages : sequence of str
        Python packages as ``name==version`` (see :func:`read_pins`), or ``name`` where any version will do.
    data : DataSource, optional
        Asked to identify its data.
    """
    return [
        _python(),
        *_packages(packages),
        *_torch(packages),
        *_programs(),
        *_tex_files(config.templates),
        *_data(data),
        *_folders(config),
        _machine(config.jobs),
    ]


def healthy(findings: Sequence[Finding]) -> bool:
    """Return whether nothing that a build cannot do without is missing."""
    return all(finding.ok or not finding.required for finding in findings)


def doctor_table(findings: Sequence[Finding], *, width: int = 110) -> str:
    """Return the findings as plain text: one row each, its remedy under it, and a last line that sums up."""
    label = max(len(finding.name) for finding in findings)
    indent = " " * (label + 11)
    lines: list[str] = []
    for finding in findings:
        verdict = "ok" if finding.ok else "MISSING" if finding.required else "note"
        found = textwrap.wrap(finding.found, max(width - len(indent), 20), break_on_hyphens=False) or [""]
        lines.append(f"{verdict:<9}{finding.name:<{label}}  {found[0]}".rstrip())
        lines += [indent + line for line in found[1:]]
        if finding.remedy:
            lines.append(f"{indent}→ {finding.remedy}")
    missing = sum(not finding.ok and finding.required for finding in findings)
    lines += ["", f"{missing} required, missing" if missing else "everything that a build requires is there"]
    return "\n".join(lines)


def _python() -> Finding:
    found = f"{sys.version.split()[0]} in {sys.prefix}"
    if sys.version_info >= OLDEST_PYTHON:
        return _present("Python", found)
    return _missing(
        "Python", found, f"{texlive.apt_command(['python3', 'python3-venv'])} (3.11 or later), then make setup"
    )


def _packages(packages: Sequence[str]) -> Iterator[Finding]:
    """Yield a row each for the packages that are as pinned, absent, and there in another version."""
    good, absent, other = [], [], []
    for pin in packages:
        name, _, wanted = pin.partition("==")
        version = _installed(name)
        if not version:
            absent.append(pin)
        elif wanted in ("", version):
            good.append(f"{name} {version}")
        else:
            other.append((pin, f"{name} {version} instead of {wanted}"))
    if good:
        yield _present("Python packages", f"{len(good)} of {len(packages)} as in the lock: {', '.join(good)}")
    if absent:
        yield _missing("not installed", ", ".join(absent), _pip_command(absent))
    if other:
        yield _note("other versions", ", ".join(text for _, text in other), _pip_command([pin for pin, _ in other]))


def _installed(name: str) -> str:
    """Return the version of a package without its local part (2.13.0+cpu), which says how it was built; '' if none."""
    try:
        return metadata.version(name).partition("+")[0]
    except metadata.PackageNotFoundError:
        return ""


def _pip_command(pins: Sequence[str]) -> str:
    """Return the command for this environment, or one that makes an environment: a system's Python refuses pip."""
    what = " ".join(f"'{pin}'" for pin in pins) if len(pins) <= _FEW else "-r requirements.lock"
    if sys.prefix == sys.base_prefix:
        return f"python3 -m venv .venv && .venv/bin/python -m pip install {what}"
    return f"{sys.executable} -m pip install {what}"


def _torch(packages: Sequence[str]) -> Iterator[Finding]:
    """Import torch in a process of its own: it is slow, and a broken build of it may not even raise."""
    if not (any(pin.partition("==")[0] == "torch" for pin in packages) and _installed("torch")):
        return
    run = subprocess.run([sys.executable, "-c", _TORCH_PROBE], capture_output=True, text=True, check=False)
    if run.returncode == 0:
        yield _present("import torch", run.stdout.strip())
    else:
        lines = run.stderr.strip().splitlines() or [f"exit status {run.returncode}"]
        yield _missing("import torch", lines[-1], _pip_command(["torch"]) + " --force-reinstall")


def _programs() -> Iterator[Finding]:
    for program, package in _PROGRAMS.items():
        version = texlive.version(program)
        yield (
            _present(program, version) if version else _missing(program, "not on PATH", texlive.apt_command([package]))
        )


def _tex_files(templates: Path) -> Iterator[Finding]:
    """Yield a row for the classes and packages that the templates name, and one for the Chinese fonts."""
    wanted = texlive.template_files(templates)
    groups = {"LaTeX packages": wanted}
    if any(texlive.CHINESE.fullmatch(file.rpartition(".")[0]) for file in wanted):
        groups["Chinese fonts"] = list(texlive.FANDOL)
    there = texlive.locate([file for files in groups.values() for file in files])
    for name, files in groups.items():
        absent = [file for file in files if file not in there]
        if absent:
            yield _missing(name, f"not found: {', '.join(absent)}", texlive.install_command(absent))
        elif files:
            yield _present(name, f"{len(files)}: {', '.join(files)}")


def _data(data: DataSource | None) -> Iterator[Finding]:
    """Have the data identified, which reads and verifies them where that was not done before."""
    if data is None:
        return
    try:
        info = data.identify()
    except (ReportError, OSError, ValueError, ImportError) as error:
        yield _missing("data", str(error), "python build.py doctor --data DIR")
        return
    facts = ", ".join(f"{key} {value}" for key, value in info.facts.items() if isinstance(value, int))
    found = f"{info.name}: {facts}, digest {info.digest[:16]}… verified"
    yield _present("data", found)
    if info.notice:
        yield _note("data notice", info.notice, "python build.py --data DIR, with the full data in DIR")


def _folders(config: BuildConfig) -> Iterator[Finding]:
    """Yield whether the folders can be written, and hold what a build writes."""
    for name, folder in {"output folder": config.out, "result store": config.cache}.items():
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        where = config.relative(folder)
        try:
            with tempfile.TemporaryFile(dir=existing):
                free = shutil.disk_usage(existing).free
        except OSError as error:
            yield _missing(
                name, f"{where} cannot be written: {error.strerror}", "choose another: 'out' or 'cache' in report.toml"
            )
            continue
        found = f"{where}, {free / 1e9:.1f} GB free"
        remedy = f"free {FREE_DISK / 1e9:.0f} GB, or choose another disk: 'out' and 'cache' in report.toml"
        yield _present(name, found) if free >= FREE_DISK else _missing(name, found, remedy)


def _machine(jobs: int) -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    found = f"{cores} cores, {memory / 1e9:.0f} GB, {jobs} jobs at a time"
    if jobs <= cores and memory >= MEMORY:
        return _present("machine", found)
    return _note("machine", found, f"python build.py --jobs {cores if memory >= MEMORY else 1}")
