"""The bibliography and the templates that cite it."""

import re

import pytest

CITED = re.compile(r"\\cite[tp]?\{([^}]+)\}")
ENTRY = re.compile(r"^@\w+\{([^,]+),", re.MULTILINE)


@pytest.fixture(scope="module")
def entries(root):
    """Return the keys of the bibliography, in order."""
    return ENTRY.findall((root / "templates/references.bib").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def cited(root):
    """Return the keys that some template cites."""
    texts = [path.read_text(encoding="utf-8") for path in (root / "templates").rglob("*.tex")]
    return {key.strip() for text in texts for keys in CITED.findall(text) for key in keys.split(",")}


def test_every_citation_has_an_entry(entries, cited):
    """A missing entry prints as a question mark."""
    assert cited <= set(entries)


def test_every_entry_is_cited_and_given_once(entries, cited):
    """The list holds what the text relies on and nothing else."""
    assert len(entries) == len(set(entries))
    assert set(entries) <= cited
