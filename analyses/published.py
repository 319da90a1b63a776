"""The numbers that the original report printed, for checks of that publication; never an input to a result."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from report.errors import DataError, did_you_mean
from report.model import Table

SOURCES = ("analyses/published.toml",)
"""Counts as source: what is checked against these numbers is checked again when they are edited."""

NOT_PRINTED = "–"


def number(name: str) -> float:
    """Return a single published number by the id of the value that stands beside it."""
    return float(_entry("values", name)["number"])


def rounding(name: str) -> float:
    """Return one unit of the last digit with which a single number was printed."""
    return float(_entry("values", name)["rounding"])


def table(name: str) -> Table:
    """Return a published table by the id of the computed one; cells that were not printed are None."""
    entry = _entry("tables", name)
    rows = [[None if cell == NOT_PRINTED else cell for cell in row] for row in entry["rows"]]
    return Table(entry["columns"], rows)


def table_rounding(name: str) -> dict[str, float]:
    """Return for each compared column of a published table one unit of its last printed digit."""
    return {column: float(unit) for column, unit in _entry("tables", name)["rounding"].items()}


@cache
def everything() -> dict[str, dict[str, dict[str, Any]]]:
    """Return the whole file: kind (tables, values, claims, sets) → id → entry."""
    text = Path(__file__).with_name("published.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _entry(kind: str, name: str) -> dict[str, Any]:
    entries = everything()[kind]
    if name not in entries:
        raise DataError(f"published.toml has no {kind} entry '{name}'", hint=did_you_mean(name, entries))
    return entries[name]
