"""Everything a document can be held against, flat and by id: from the results of a build or from results.json."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from report.check.replicates import Held, Spread, held_over, spreads_over
from report.errors import ReportError, did_you_mean
from report.model import SCHEMA, Claim, Table, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from report.check.replicates import Replicates
    from report.model import Result


@dataclass(frozen=True, slots=True)
class Facts:
    """Values, tables, claims and settings by id.

    Parameters
    ----------
    values : mapping of str to Value
        ``section.key``.
    settings : mapping of str to value
        ``section.settings.run.field``: numbers, strings, or tuples of numbers; and ``data.name``.
    cells : mapping of str to number
        The numeric cells of all tables: ``section.key[row].column``; the row is named by the text of its first
        cell, or, where that is not unique, counted from 0.
    numbers : mapping of str to str
        The printed number of each table and figure by id, where the document has been compiled.
    spreads : mapping of str to Spread
        Mean and deviation of values and cells over the seeds, where there are several.
    held : mapping of str to Held
        In how many seeds each claim holds, where there are several.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    figures: tuple[str, ...] = ()
    claims: Mapping[str, Claim] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    cells: Mapping[str, float] = field(default_factory=dict)
    numbers: Mapping[str, str] = field(default_factory=dict)
    spreads: Mapping[str, Spread] = field(default_factory=dict)
    held: Mapping[str, Held] = field(default_factory=dict)

    @classmethod
    def of_results(
        cls,
        results: Mapping[str, Result],
        settings: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None,
        replicates: Replicates = (),
        data: Mapping[str, Any] | None = None,
    ) -> Self:
        """Collect the results of sections.

        Parameters
        ----------
        results : mapping of str to Result
            By section.
        settings : mapping
            Section → run → field → value, of the runs behind the results.
        replicates : sequence of mappings
            Section → result for each seed, the first equal to ``results``.
        data : mapping
            What is known of the data, such as the number of images.
        """
        tables = _tables(results)
        many = len(replicates) > 1
        return cls(
            values={f"{name}.{key}": item for name, result in results.items() for key, item in result.values.items()},
            tables=tables,
            figures=tuple(f"{name}.{key}" for name, result in results.items() for key in result.figures),
            claims={f"{name}.{key}": item for name, result in results.items() for key, item in result.claims.items()},
            settings=_flat_settings(settings or {}) | _flat_data(data or {}),
            cells=dict(_cells(tables)),
            spreads=spreads_over(_all_numbers(each) for each in replicates) if many else {},
            held=held_over(replicates) if many else {},
        )

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Self:
        """Read results.json.

        Raises
        ------
        ReportError
            When it is of another schema.
        """
        if data.get("schema") != SCHEMA or not isinstance(data.get("sections"), dict):
            raise ReportError(
                f"not a results file of schema {SCHEMA}: found schema {data.get('schema')!r}",
                hint="run 'python build.py' to write build/results.json anew",
            )
        sections: dict[str, Any] = data["sections"]
        tables = {
            f"{name}.{key}": Table(table["columns"], table["rows"])
            for name, section in sections.items()
            for key, table in section.get("tables", {}).items()
        }
        return cls(
            values={
                f"{name}.{key}": Value(item["number"], item.get("unit", ""), item.get("digits"))
                for name, section in sections.items()
                for key, item in section.get("values", {}).items()
            },
            tables=tables,
            figures=tuple(f"{name}.{key}" for name, section in sections.items() for key in section.get("figures", {})),
            claims={
                f"{name}.{key}": Claim(item["holds"], item["evidence"], item["slack"])
                for name, section in sections.items()
                for key, item in section.get("claims", {}).items()
            },
            settings=_flat_settings({name: section.get("settings", {}) for name, section in sections.items()})
            | _flat_data(data.get("data", {})),
            cells=dict(_cells(tables)),
            numbers={
                f"{name}.{key}": str(item["number"])
                for name, section in sections.items()
                for kind in ("tables", "figures")
                for key, item in section.get(kind, {}).items()
                if item.get("number") is not None
            },
            spreads={
                f"{name}.{key}": Spread(item["n_seeds"], item["mean"], item["sd"])
                for name, section in sections.items()
                for key, item in section.get("values", {}).items()
                if item.get("sd") is not None
            },
            held={
                f"{name}.{key}": Held(item["holds_in"], item["n_seeds"])
                for name, section in sections.items()
                for key, item in section.get("claims", {}).items()
                if item.get("n_seeds", 1) > 1
            },
        )

    def number(self, name: str) -> Value:
        """Return the number with an id: a value, a setting or a cell.

        Raises
        ------
        ReportError
            When there is none, with the nearest id that there is.
        """
        if name in self.values:
            return self.values[name]
        if name in self.cells:
            return Value(self.cells[name])
        if name in self.settings and _is_number(self.settings[name]):
            return Value(self.settings[name])
        raise ReportError(f"'{name}' is not a number of the results", hint=did_you_mean(name, self.ids()))

    def claim(self, name: str) -> Claim:
        """Return a claim by id; an error names the nearest one."""
        if name not in self.claims:
            raise ReportError(f"'{name}' is not a claim of the results", hint=did_you_mean(name, self.claims))
        return self.claims[name]

    def cell_id(self, name: str, row: int, column: str) -> str:
        """Return the id of a cell; rows are counted from 0."""
        return f"{name}[{_row_labels(self.tables[name])[row]}].{column}"

    def ids(self) -> Iterator[str]:
        """Yield the ids of all numbers."""
        yield from self.values
        yield from (name for name, setting in self.settings.items() if _is_number(setting))
        yield from self.cells


def _is_number(thing: object) -> bool:
    return isinstance(thing, int | float) and not isinstance(thing, bool)


def _flat_settings(sections: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    return dict(entry for name, runs in sections.items() for entry in _flattened(f"{name}.settings", runs))


def _flat_data(data: Mapping[str, Any]) -> dict[str, Any]:
    return {f"data.{name}": fact for name, fact in data.items() if _is_number(fact)}


def _flattened(path: str, entries: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, entry in entries.items():
        if isinstance(entry, dict):
            yield from _flattened(f"{path}.{name}", entry)
        elif isinstance(entry, list | tuple):
            yield f"{path}.{name}", tuple(entry)
            yield from ((f"{path}.{name}[{index}]", part) for index, part in enumerate(entry) if _is_number(part))
        else:
            yield f"{path}.{name}", entry


def _tables(results: Mapping[str, Result]) -> dict[str, Table]:
    return {f"{name}.{key}": table for name, result in results.items() for key, table in result.tables.items()}


def _all_numbers(results: Mapping[str, Result]) -> dict[str, float]:
    values = {f"{name}.{key}": item.number for name, result in results.items() for key, item in result.values.items()}
    return values | dict(_cells(_tables(results)))


def _cells(tables: Mapping[str, Table]) -> Iterator[tuple[str, float]]:
    for name, table in tables.items():
        labels = _row_labels(table)
        for label, row in zip(labels, table.rows, strict=True):
            for column, cell in zip(table.columns, row, strict=True):
                if isinstance(cell, int | float) and not isinstance(cell, bool):
                    yield f"{name}[{label}].{column}", cell


def _row_labels(table: Table) -> list[str]:
    first = [str(row[0]) for row in table.rows]
    unique = len(set(first)) == len(first)
    return first if unique else [str(index) for index in range(len(first))]
