"""results.json: the machine-readable face of a build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from report.model import SCHEMA
from report.spread import claim_spreads, value_spreads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from report.compute import Computed
    from report.model import Result
    from report.spread import ClaimSpread, ValueSpread


def results_table(computed: Computed, numbers: Mapping[str, str]) -> dict[str, Any]:
    """Return results.json as data; ``numbers`` maps LaTeX labels to the printed numbers of floats."""
    info = computed.info
    values, claims = value_spreads(computed.replicates), claim_spreads(computed.replicates)
    return {
        "schema": SCHEMA,
        "profile": computed.profile,
        "seeds": list(computed.seeds),
        "data": {"name": info.name, **info.facts, "digest": info.digest},
        "sections": {
            name: {
                "values": {key: _value_row(values[f"{name}.{key}"]) for key in record.result.values},
                **_floats(name, record.result, numbers),
                "claims": {key: _claim_row(claims[f"{name}.{key}"]) for key in record.result.claims},
                "settings": record.settings,
            }
            for name, record in computed.sections.items()
        },
    }


def _value_row(spread: ValueSpread) -> dict[str, Any]:
    row = {"number": spread.item.number, "unit": spread.item.unit, "digits": spread.item.digits}
    return row if spread.n_seeds == 1 else {**row, "mean": spread.mean, "sd": spread.sd, "n_seeds": spread.n_seeds}


def _claim_row(spread: ClaimSpread) -> dict[str, Any]:
    row = {"holds": spread.item.holds, "evidence": spread.item.evidence, "slack": spread.item.slack}
    return row if spread.n_seeds == 1 else {**row, "holds_in": spread.holds_in, "n_seeds": spread.n_seeds}


def _floats(name: str, result: Result, numbers: Mapping[str, str]) -> dict[str, Any]:
    def number(kind: str, key: str) -> int | str | None:
        text = numbers.get(f"{kind}:{name}.{key}")
        return int(text) if text is not None and text.isdigit() else text

    return {
        "tables": {
            key: {
                "number": number("tab", key),
                "columns": item.columns,
                "rows": item.rows,
                "emphasis": sorted(item.emphasis),
            }
            for key, item in result.tables.items()
        },
        "figures": {
            key: {"number": number("fig", key), "files": [f"figures/{name}.{key}.pdf"]} for key in result.figures
        },
    }
