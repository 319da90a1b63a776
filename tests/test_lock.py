"""requirements.lock against pyproject.toml."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@pytest.fixture
def pins(root):
    """Return the version of each locked package."""
    lines = (root / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return dict(line.partition("#")[0].strip().split("==") for line in lines if not line.startswith("#"))


def test_every_direct_requirement_is_locked_within_its_bound(root, pins):
    """A requirement added to pyproject.toml without `make lock` is noticed."""
    table = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    extras = [text for extra in table["project"]["optional-dependencies"].values() for text in extra]
    direct = table["project"]["dependencies"] + extras + table["dependency-groups"]["dev"]
    requirements = map(Requirement, direct)
    outside = [
        str(requirement)
        for requirement in requirements
        if pins.get(canonicalize_name(requirement.name)) not in requirement.specifier
    ]
    assert outside == []


def test_the_lock_holds_for_every_build_of_torch(pins):
    """No CUDA library and no local version (2.13.0+cpu) is pinned: they differ between machines."""
    assert [name for name in pins if re.match(r"(nvidia|cuda)-|triton", name)] == []
    assert [version for version in pins.values() if not re.fullmatch(r"[\w.]+", version)] == []
