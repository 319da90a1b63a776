"""The settings of one build, from ``report.toml`` and the command line, as one frozen object."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report.errors import ConfigError, Location, did_you_mean
from report.model import Section

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from report.check.facts import Facts
    from report.check.items import Item

_TOML_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")
PROFILES = ("full", "quick")
_KEYS = {
    "template": str,
    "templates": str,
    "out": str,
    "cache": str,
    "shared_cache": str,
    "published": str,
    "sections": list,
    "document": dict,
}


@dataclass(frozen=True, slots=True)
class ProjectChecks:
    """What a project checks beyond its templates.

    Parameters
    ----------
    published : Path, optional
        The TOML file of published numbers, relative to the project.
    consistency : callable (facts) → items, optional
        Checks of the published numbers among themselves, see :mod:`report.check.consistency`.
    ties : Path
        The folder with the ties of written reports: ``report-zh.toml``, ``report-en.toml`` …
    """

    published: Path | None = None
    consistency: Callable[[Facts], Sequence[Item]] | None = None
    ties: Path = Path("checks")


@dataclass(frozen=True, slots=True)
class BuildConfig:
    """Everything a build needs to know.

    Parameters
    ----------
    root : Path
        The project folder; every path in messages is relative to it.
    sections : tuple of Section
        In the order of the report.
    template : str
        The main template, relative to ``templates``.
    templates, out, cache : Path
        Folders: templates, build products, stored results.
    shared_cache : str
        Folder or URL of the cache that is shared with others; empty for none.
    document : mapping
        The table ``[document]`` of report.toml (title, author, date …), printed by the templates.
    profile : str or None
        ``full``, ``quick``, or None for what the data ask for.
    only, force : tuple of str
        Sections to compute, and sections to compute anew whatever is stored (``all`` for every one).
    jobs : int
        Local worker processes.
    cluster : str
        Address or scheduler file of the Dask cluster that executes the runs; empty for none.
    device, precision : str
        ``cpu`` or ``cuda``; ``fp32`` or ``bf16``.
    checks : ProjectChecks
        What is checked beyond the templates.
    draft : bool
        Whether the PDF shows what the results contradict.
    seed, seeds : int
        The seed every random stream starts from, and how many seeds from there on are computed.
    """

    root: Path
    sections: tuple[Section, ...] = ()
    template: str = "report.tex"
    templates: Path = Path("templates")
    out: Path = Path("build")
    cache: Path = Path(".cache")
    shared_cache: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)
    profile: str | None = None
    only: tuple[str, ...] = ()
    force: tuple[str, ...] = ()
    jobs: int = 1
    cluster: str = ""
    device: str = "cpu"
    precision: str = "fp32"
    seed: int = 0
    seeds: int = 1
    draft: bool = False
    checks: ProjectChecks = field(default_factory=ProjectChecks)

    def __post_init__(self) -> None:
        """Refuse a profile, section or job count that does not exist; make the folders absolute."""
        for name in ("templates", "out", "cache"):
            object.__setattr__(self, name, self.root / getattr(self, name))
        if self.profile is not None and self.profile not in PROFILES:
            raise ConfigError(f"no profile '{self.profile}'", hint=did_you_mean(self.profile, PROFILES))
        if self.jobs < 1:
            raise ConfigError(f"--jobs must be at least 1, got {self.jobs}")
        if self.seed < 0:
            raise ConfigError(f"--seed must be at least 0, got {self.seed}")
        if self.seeds < 1:
            raise ConfigError(f"--seeds must be at least 1, got {self.seeds}")
        known = [section.name for section in self.sections]
        for option, names in (("--only", self.only), ("--force", self.force)):
            for name in names:
                if name not in known and not (option == "--force" and name == "all"):
                    raise ConfigError(f"{option}: no section '{name}'", hint=did_you_mean(name, known))

    def relative(self, path: Path) -> str:
        """Return a path as messages show it: relative to the project where it lies inside."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)


def read_toml(path: Path) -> dict[str, Any]:
    """Read report.toml into keyword arguments of :class:`BuildConfig`; no file means the defaults.

    Raises
    ------
    ConfigError
        When the file is not TOML, has an unknown key, or a value of the wrong type.
    """
    if not path.exists():
        return {}
    table = _table(path)
    for key, value in table.items():
        place = place_of_key(path, key)
        if key not in _KEYS:
            raise ConfigError(f"unknown key '{key}'", **place, hint=did_you_mean(key, _KEYS))
        if not isinstance(value, _KEYS[key]):
            expected = _KEYS[key].__name__
            raise ConfigError(f"'{key}' must be a {expected}, got {value!r}", **place)
    sections = table.pop("sections", [])
    settings: dict[str, Any] = {
        key: Path(value) if key in {"templates", "out", "cache"} else value for key, value in table.items()
    }
    if "published" in settings:
        settings["checks"] = ProjectChecks(Path(settings.pop("published")))
    if sections:
        settings["sections"] = tuple(Section(name.rpartition(".")[2], name) for name in sections)
    return settings


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        found = _TOML_PLACE.search(str(error))
        location = Location(path.name, int(found[1]), int(found[2])) if found else Location(path.name)
        message = _TOML_PLACE.sub("", str(error))
        raise ConfigError(f"not valid TOML: {message}", location=location) from error


def place_of_key(path: Path, key: str) -> dict[str, Any]:
    """Return the keywords ``location`` and ``source`` of an error at a top-level key; none without the file."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    start = re.compile(rf"""\s*\[?\s*["']?{re.escape(key)}["']?\s*[].=]""")
    for number, line in enumerate(lines, 1):
        if start.match(line):
            return {"location": Location(path.name, number), "source": line}
    return {"location": Location(path.name)}
