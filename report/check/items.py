"""What a check finds: one item per number or statement, with a verdict, and how much of the prose is covered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self

from report.errors import Location
from report.model import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Kind = Literal["typed", "claim", "number", "published", "consistency", "setting", "bound"]
Verdict = Literal["supported", "contradicted", "fragile", "unchecked", "exempt", "differs", "equal", "within-spread"]
WORST_FIRST: tuple[Verdict, ...] = (
    "contradicted", "fragile", "unchecked", "differs", "within-spread", "equal", "supported", "exempt",
)  # fmt: skip
OK, CONTRADICTED = 0, 3
ABOUT_OTHERS = frozenset({"published", "consistency"})


@dataclass(frozen=True, slots=True)
class Item:
    """One checked number or statement.

    Parameters
    ----------
    kind, verdict : str
        See check.json in the documentation.
    id : str
        The result it is held against; empty for a number that nothing is held against.
    text : str
        The number or sentence as it is written.
    location : Location or None
        Where it stands.
    expected, actual : str
        What the results give, and what is written.
    sentence : str
        The bare sentence around it; ``mark`` is the number's place in it.
    evidence : str
        Why: the evidence of a claim, the reason of an exemption, proposals for an unchecked number.
    slack : float, optional
        How far a claim is from flipping.
    """

    kind: Kind
    verdict: Verdict
    id: str = ""
    text: str = ""
    location: Location | None = None
    expected: str = ""
    actual: str = ""
    sentence: str = ""
    mark: tuple[int, int] = (0, 0)
    evidence: str = ""
    slack: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the item as check.json holds it."""
        place = self.location
        table: dict[str, Any] = {
            "kind": self.kind,
            "id": self.id,
            "text": self.text,
            "file": place.file if place else None,
            "line": place.line if place else None,
            "column": place.column if place else None,
            "expected": self.expected,
            "actual": self.actual,
            "verdict": self.verdict,
            "sentence": self.sentence,
            "mark": list(self.mark),
            "evidence": self.evidence,
        }
        return table if self.slack is None else {**table, "slack": self.slack}

    @classmethod
    def from_json(cls, table: Mapping[str, Any]) -> Self:
        """Read an item of check.json."""
        names = ("kind", "verdict", "id", "text", "expected", "actual", "sentence", "evidence")
        place = Location(table["file"], table["line"], table["column"]) if table.get("file") else None
        known = {name: table[name] for name in names}
        return cls(**known, location=place, mark=(table["mark"][0], table["mark"][1]), slack=table.get("slack"))


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many numbers of the prose are bound, typed, exempt and unchecked."""

    bound: int = 0
    typed: int = 0
    exempt: int = 0
    unchecked: int = 0

    @property
    def share(self) -> float:
        """Return the share of the numbers that something stands for; 1 where there are none."""
        total = self.bound + self.typed + self.exempt + self.unchecked
        return 1 - self.unchecked / total if total else 1.0

    def to_json(self) -> dict[str, int]:
        """Return the counts as check.json holds them."""
        return {"bound": self.bound, "typed": self.typed, "exempt": self.exempt, "unchecked": self.unchecked}


@dataclass(frozen=True, slots=True)
class Check:
    """All items of a check, in the order of the document.

    ``bound`` lists the places where the engine prints a result: right by construction, and touched when it changes.
    """

    items: tuple[Item, ...] = ()
    coverage: Coverage = field(default_factory=Coverage)
    bound: tuple[Item, ...] = ()

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def count(self) -> Mapping[Verdict, int]:
        """Return how many items have each verdict."""
        return Counter(item.verdict for item in self.items)

    def of(self, *verdicts: Verdict) -> tuple[Item, ...]:
        """Return the items with one of these verdicts."""
        return tuple(item for item in self.items if item.verdict in verdicts)

    def exit_code(self, *, strict: bool = False) -> int:
        """Return 3 when the prose says something wrong, else 0; ``strict`` minds fragile and unchecked too.

        What is found about published numbers is no fault of the prose that reports it.
        """
        bad: tuple[Verdict, ...] = ("contradicted", "fragile", "unchecked") if strict else ("contradicted",)
        return CONTRADICTED if any(item.kind not in ABOUT_OTHERS for item in self.of(*bad)) else OK

    def with_items(self, items: Iterable[Item]) -> Check:
        """Return the check with further items behind its own."""
        return replace(self, items=(*self.items, *items))

    def to_json(self) -> dict[str, Any]:
        """Return check.json as data."""
        return {
            "schema": SCHEMA,
            "items": [item.to_json() for item in self.items],
            "coverage": self.coverage.to_json(),
            "bound": [item.to_json() for item in self.bound],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read check.json."""
        items, bound = (tuple(map(Item.from_json, data.get(key, ()))) for key in ("items", "bound"))
        return cls(items, Coverage(**data.get("coverage", {})), bound)
