"""What templates see of the results: ``section.key``, and ``section.settings.run.field``.

A view never hides a mistake: a name that does not exist raises, with the nearest name that does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from report.errors import TemplateError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from report.model import Claim, Figure, Result, Table, Value


@dataclass(frozen=True, slots=True)
class SectionResult:
    """A section's result together with the settings of the runs that were executed for it.

    ``settings`` maps run name → field → plain value, e.g. ``{"ridge": {"learning_rate": 0.1, …}, …}``.
    """

    result: Result
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Named:
    """A value, table, figure or claim with its id ``section.key``."""

    id: str
    item: Value | Table | Figure | Claim

    def __bool__(self) -> bool:
        """Return whether a claim holds; anything else in a condition is a slip, even a number that is 0."""
        holds = getattr(self.item, "holds", None)
        if holds is None:
            kind = type(self.item).__name__.lower()
            raise TemplateError(f"the {kind} '{self.id}' is neither true nor false", hint=f"compare {self.id}.number")
        return bool(holds)


class Namespace:
    """Attribute and item access to a mapping, with a helpful error for a name that is not there."""

    def __init__(self, path: str, entries: Mapping[str, Any], what: str) -> None:
        self._path = path
        self._entries = entries
        self._what = what

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - holds every kind of entry
        if name not in self._entries:
            full = f"{self._path}.{name}" if self._path else name
            known = [f"{self._path}.{key}" if self._path else key for key in self._entries]
            raise TemplateError(f"'{full}' is not {self._what}.", hint=did_you_mean(full, known))
        return self._entries[name]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - holds every kind of entry
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def items(self) -> list[tuple[str, Any]]:
        """Return the entries, in the order the section gave them."""
        return list(self._entries.items())


def section_view(name: str, section: SectionResult) -> Namespace:
    """Return what a template reaches under the section's name: every item as :class:`Named`, and ``settings``."""
    result = section.result
    entries: dict[str, Any] = {
        key: Named(f"{name}.{key}", item)
        for kind in (result.values, result.tables, result.figures, result.claims)
        for key, item in kind.items()
    }
    runs = {run: Namespace(f"{name}.settings.{run}", fields, "a setting") for run, fields in section.settings.items()}
    entries["settings"] = Namespace(f"{name}.settings", runs, "a run")
    return Namespace(name, entries, "a result")
