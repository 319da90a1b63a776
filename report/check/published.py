"""Published numbers beside the recomputed ones.

The numbers come in as data, a TOML file with tables, values, claims and sets by the id of what is computed for them;
its form stands at the top of ``analyses/published.toml``. Verdicts: ``equal`` (rounds to the printed digits),
``within-spread`` (at least 3 seeds, and no further from their mean than 2 standard deviations), ``differs``, or
``unchecked`` where nothing is computed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from report.check.items import Item
from report.check.match import exact, rounds_to
from report.check.replicates import MIN_FOR_SPREAD, Spread
from report.errors import Location
from report.model import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from report.check.facts import Facts
    from report.check.items import Kind, Verdict

WITHIN = 2
"""A published number lies within the spread of the seeds when it is no more standard deviations than this away."""

NOT_PRINTED = "–"
_HEADER = re.compile(r'\[(?:tables|values|claims|sets)\."([^"]+)"\]')


@dataclass(frozen=True, slots=True)
class Published:
    """The published numbers and where each entry stands in its file.

    Parameters
    ----------
    entries : mapping
        Kind (``tables``, ``values``, ``claims``, ``sets``) → id → entry.
    file : str
        The file's name as messages show it.
    lines : mapping of (kind, id) to int
        The line of each entry.
    """

    entries: Mapping[str, Mapping[str, Mapping[str, Any]]]
    file: str = "published.toml"
    lines: Mapping[tuple[str, str], int] | None = None

    @classmethod
    def read(cls, text: str, file: str) -> Published:
        """Read the file's text; entries know their line."""
        import tomllib  # noqa: PLC0415 - only here

        lines = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if match := _HEADER.match(line):
                lines[line[1 : line.index(".")], match[1]] = number
        return cls(tomllib.loads(text), file, lines)

    def place(self, kind: str, name: str) -> Location:
        """Return where an entry stands."""
        return Location(self.file, (self.lines or {}).get((kind, name)))


def check_published(published: Published, facts: Facts) -> list[Item]:
    """Hold every published number against what was computed for it, in the order of the file.

    Parameters
    ----------
    published : Published
        What was printed.
    facts : Facts
        What was computed, with the spread over the seeds where there are several.
    """
    items: list[Item] = []
    for kind, check in (("tables", _tables), ("values", _values), ("claims", _claims), ("sets", _sets)):
        for name, entry in published.entries.get(kind, {}).items():
            items += check(name, entry, published.place(kind, name), facts)
    return items


def published_table(items: Iterable[Item], kind: Kind = "published") -> Table:
    """Return verdicts as a table for the report's appendix: those on published numbers, or on their ``consistency``."""
    rows = [
        (item.id, item.sentence, item.actual, item.expected, item.evidence, item.verdict)
        for item in items
        if item.kind == kind
    ]
    return Table(("id", "where", "printed", "computed", "difference", "verdict"), rows)


def compare(printed: Decimal, rounding: Decimal, computed: Decimal, scattered: Spread | None) -> tuple[Verdict, str]:
    """Return the verdict on one published number, and by how much it differs."""
    if rounds_to(computed, printed, rounding):
        return "equal", ""
    difference = f"{_short(computed - printed)}" + (
        f" ({float((computed - printed) / printed):+.1%})" if printed else ""
    )
    if scattered is not None and scattered.n >= MIN_FOR_SPREAD:
        off = abs(float(printed) - scattered.mean)
        note = f"{difference}; {scattered}"
        return ("within-spread" if off <= WITHIN * scattered.sd else "differs"), note
    return "differs", difference


def _values(name: str, entry: Mapping[str, Any], place: Location, facts: Facts) -> Iterator[Item]:
    text = str(entry.get("text", entry["number"]))
    beside = str(entry.get("computed", name))
    if beside not in set(facts.ids()):
        yield _item(name, text, place, entry, "unchecked", "", "nothing is computed under this id")
        return
    computed = facts.number(beside)
    printed, number = _decimal(entry["number"]), exact(computed.number)
    verdict, note = compare(printed, _decimal(entry["rounding"]), number, facts.spreads.get(beside))
    yield _item(name, text, place, entry, verdict, _short(number, sign=False), note)


def _claims(name: str, entry: Mapping[str, Any], place: Location, facts: Facts) -> Iterator[Item]:
    printed = _yes(entry["holds"])
    claim = facts.claims.get(name)
    if claim is None:
        yield _item(name, printed, place, entry, "unchecked", "", "nothing is computed under this id")
        return
    over_seeds = facts.held.get(name)
    note = f"; {over_seeds}" if over_seeds else ""
    same = claim.holds == entry["holds"]
    within = over_seeds and over_seeds.total >= MIN_FOR_SPREAD and 0 < over_seeds.count < over_seeds.total
    verdict: Verdict = "equal" if same else "within-spread" if within else "differs"
    yield _item(name, printed, place, entry, verdict, _yes(claim.holds), claim.evidence + note)


def _sets(name: str, entry: Mapping[str, Any], place: Location, facts: Facts) -> Iterator[Item]:
    printed = ", ".join(map(str, entry["members"]))
    table = facts.tables.get(name)
    if table is None or not table.columns:
        yield _item(name, printed, place, entry, "unchecked", "", "no table is computed under this id")
        return
    flags = [column for column in table.columns if all(isinstance(cell, bool) for cell in table.column(column))]
    chosen = table.column(flags[0]) if flags else (True,) * len(table.rows)
    members = [cell for cell, wanted in zip(table.column(table.columns[0]), chosen, strict=True) if wanted]
    members = [member for member in members if member not in entry.get("besides", [])]
    missing = [str(member) for member in entry["members"] if member not in members]
    extra = [str(member) for member in members if member not in entry["members"]]
    notes = [f"not found: {', '.join(missing)}"] if missing else []
    notes += [f"found too: {', '.join(extra)}"] if extra else []
    yield _item(
        name, printed, place, entry, "differs" if notes else "equal", ", ".join(map(str, members)), "; ".join(notes)
    )


def _tables(name: str, entry: Mapping[str, Any], place: Location, facts: Facts) -> Iterator[Item]:
    printed = Table(entry["columns"], entry["rows"])
    for computed_name in (name, *entry.get("beside", ())):
        table = facts.tables.get(computed_name)
        if table is None:
            yield _item(computed_name, "", place, entry, "unchecked", "", "no table is computed under this id")
            continue
        for row in printed.rows:
            cells = dict(zip(printed.columns, row, strict=True))
            key = {column: cells[column] for column in entry["key"]}
            found = _row_of(table, key)
            for column in printed.columns:
                if column not in key and cells[column] != NOT_PRINTED:
                    yield _cell(computed_name, (table, found), (key, column, cells[column]), entry, place, facts)


def _row_of(table: Table, key: Mapping[str, Any]) -> int | None:
    """Return the row whose cells have the values of a key; numbers are equal up to the noise of floats."""
    for index in range(len(table.rows)):
        if all(
            column in table.columns and _same(table.column(column)[index], wanted) for column, wanted in key.items()
        ):
            return index
    return None


def _same(cell: object, wanted: object) -> bool:
    numeric = (int, float)
    if isinstance(cell, numeric) and isinstance(wanted, numeric):
        return exact(cell) == exact(wanted)
    return cell == wanted


def _cell(
    name: str,
    where: tuple[Table, int | None],
    what: tuple[Mapping[str, Any], str, Any],
    entry: Mapping[str, Any],
    place: Location,
    facts: Facts,
) -> Item:
    table, row = where
    key, column, printed = what
    label = f"{name}[{', '.join(map(str, key.values()))}].{column}"
    if row is None or column not in table.columns:
        return _item(label, str(printed), place, entry, "unchecked", "", "the computed table has no such cell")
    computed = table.column(column)[row]
    if isinstance(printed, str) or not isinstance(computed, int | float):
        same = "".join(str(computed).split()) == "".join(str(printed).split())
        return _item(label, str(printed), place, entry, "equal" if same else "differs", str(computed), "")
    number = exact(computed)
    verdict, note = compare(
        _decimal(printed),
        _decimal(entry["rounding"][column]),
        number,
        facts.spreads.get(facts.cell_id(name, row, column)),
    )
    return _item(
        label,
        _printed_like(printed, entry["rounding"][column]),
        place,
        entry,
        verdict,
        _short(number, sign=False),
        note,
    )


def _item(
    name: str, printed: str, place: Location, entry: Mapping[str, Any], verdict: Verdict, computed: str, note: str
) -> Item:
    return Item(
        "published", verdict, name, printed, place, computed, printed, str(entry.get("where", "")), evidence=note
    )


def _decimal(number: float | str) -> Decimal:
    return Decimal(str(number))


def _printed_like(number: float, rounding: float) -> str:
    return f"{_decimal(number).quantize(_decimal(rounding)):f}"


def _short(number: Decimal, *, sign: bool = True) -> str:
    text = f"{float(number):+.5g}" if sign else f"{float(number):.5g}"
    return text if abs(number) < 10**5 else f"{number:f}"


def _yes(holds: object) -> str:
    return "holds" if holds else "does not hold"
