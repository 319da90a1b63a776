"""Write requirements.lock: the exact version of every package that pyproject.toml asks for, direct and transitive.

``python tools/lock.py --direct`` prints the direct requirements, one per line.
``python tools/lock.py`` prints a lock of the environment it runs in; ``make lock`` runs it in a fresh one.

The lock is for Linux. It leaves out the CUDA libraries, which come with a CUDA build of torch only, and the
local part of a version (``2.13.0+cpu``), so that one lock serves every build of torch.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from collections import defaultdict
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OF_CUDA = re.compile(r"(nvidia|cuda)-.*|triton")
HEADER = """\
# Written by `make lock` from pyproject.toml; do not edit. `pip install -r requirements.lock` installs it.
# No hashes and no CUDA libraries: see docs/decisions.md, "One lock without hashes".
"""


def direct_requirements() -> dict[str, list[str]]:
    """Return the requirements of pyproject.toml as written: for running, for each option, for development."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = table["project"]
    return {
        "runtime": project["dependencies"],
        **project["optional-dependencies"],
        "development": table["dependency-groups"]["dev"],
    }


def closure(requirements: list[str]) -> dict[str, set[str]]:
    """Follow requirements through the installed packages; return each package's name with what asked for it."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - --direct must work in a bare Python
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - same

    wanted_by: dict[str, set[str]] = defaultdict(set)
    followed: set[tuple[str, frozenset[str]]] = set()
    queue = [(Requirement(text), "pyproject.toml") for text in requirements]
    while queue:
        requirement, parent = queue.pop()
        name = canonicalize_name(requirement.name)
        if OF_CUDA.fullmatch(name):
            continue
        wanted_by[name].add(parent)
        step = (name, frozenset(requirement.extras))
        if step in followed:
            continue
        followed.add(step)
        for text in distribution(name).requires or []:
            child = Requirement(text)
            extras = requirement.extras or {""}
            if child.marker is None or any(child.marker.evaluate({"extra": extra}) for extra in extras):
                queue.append((child, name))
    return wanted_by


def lock() -> str:
    """Return the text of the lock for the environment this runs in."""
    lines = [HEADER]
    locked: set[str] = set()
    for group, requirements in direct_requirements().items():
        wanted_by = closure(requirements)
        lines.append(f"# {group}\n")
        for name in sorted(wanted_by.keys() - locked):
            version = distribution(name).version.partition("+")[0]
            lines.append(f"{name}=={version}  # {', '.join(sorted(wanted_by[name]))}\n")
        locked |= wanted_by.keys()
    return "".join(lines)


def main() -> None:
    """Print the direct requirements or the lock."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--direct", action="store_true", help="print the direct requirements instead of the lock")
    if parser.parse_args().direct:
        print("\n".join(text for group in direct_requirements().values() for text in group))
    else:
        print(lock(), end="")


if __name__ == "__main__":
    main()
