"""Mistakes of authors, seeded one at a time: each is told at its place. docs/mistakes.md is the table of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e.mistakes import MISTAKES
from tests.e2e.seeded import ROOT, SmallReport

if TYPE_CHECKING:
    from pathlib import Path

    from _pytest.mark import ParameterSet

    from tests.e2e.mistakes import Mistake


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> SmallReport:
    """Build the report without any mistake, once."""
    return SmallReport(tmp_path_factory.mktemp("report"))


def test_without_a_mistake_nothing_is_told(report: SmallReport) -> None:
    """The report as it stands has no warning, nothing contradicted and nothing unchecked."""
    assert "warning" not in report.said
    assert "2 runs executed; 1 of 1 claims hold" in report.said
    assert "place" not in report.said


def parameter(mistake: Mistake) -> ParameterSet:
    """Return a mistake as a parameter; one that is known to be told at another place has to fail."""
    marks = [pytest.mark.xfail(reason=mistake.wrong, strict=True)] if mistake.wrong else []
    return pytest.param(mistake, id=mistake.name, marks=marks)


@pytest.mark.parametrize("mistake", [parameter(mistake) for mistake in MISTAKES])
def test_a_mistake_is_told_where_it_is(report: SmallReport, mistake: Mistake, tmp_path: Path) -> None:
    """File, line and, where it is certain, column; what is wrong; what to do. No PDF that looks finished is left."""
    told = report.told(mistake, tmp_path / "report")
    assert told is not None
    assert mistake.message in told.message
    assert mistake.hint in told.hint
    assert told.stands_at(mistake.place), f"{told.location}, not {mistake.place}: {told.message}"


def test_every_mistake_is_another_one() -> None:
    """Names are unique, and there are as many mistakes as the documentation promises at least."""
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 25


def test_the_page_lists_every_mistake() -> None:
    """docs/mistakes.md has one row per mistake, with the place and whether it is right, as the test above has it."""
    rows = [
        line.strip("| ").split(" | ")
        for line in (ROOT / "docs/mistakes.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and "`" in line
    ]
    assert [re.sub(r"\\(.)", r"\1", row[0]) for row in rows] == [mistake.name for mistake in MISTAKES]
    for row, mistake in zip(rows, MISTAKES, strict=True):
        place, verdict = row[1].strip("`"), row[2]
        assert verdict == ("wrong" if mistake.wrong else "right"), mistake.name
        assert (place == mistake.place or place.startswith(f"{mistake.place}:")) == (verdict == "right"), mistake.name
