"""results.json, and doing nothing when nothing changed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from report.compute import Computed, SectionRecord
from report.config import BuildConfig
from report.model import Claim, DataInfo, Figure, Result, Table, Value
from report.publish import publish, template_context
from report.results import results_table

TEMPLATE = r"""\documentclass{article}
\begin{document}
\VAR{lda.p} in \VAR{seeds | length} seeds
\end{document}
"""


def record(p: float, *, holds: bool) -> SectionRecord:
    """Return a section with one of everything."""
    result = Result(
        values={"p": Value(p, digits=2)},
        tables={"t": Table(["a"], [[1]], [(0, "a")])},
        figures={"f": Figure(b"%PDF")},
        claims={"c": Claim(holds=holds, evidence="1 > 0", slack=1.0 if holds else -1.0)},
    )
    run = {
        "key": "k",
        "outcome": "o",
        "settings": {"rate": 0.1},
        "seconds": 1.0,
        "machine": "m",
        "peak_mib": 1.0,
        "upstream": {},
    }
    return SectionRecord("lda", f"key {p}", result, {"fit": {"rate": 0.1}}, {"fit": run})


def computed(*records: SectionRecord) -> Computed:
    """Return what a computation with one seed per record returns."""
    info = DataInfo("mnist", "digest", {"n_train": 6, "n_test": 1})
    return Computed(info, "full", tuple(range(len(records))), tuple({"lda": item} for item in records))


def test_results_json_has_the_documented_shape() -> None:
    """Others read results.json: its shape is part of the interface."""
    assert json.loads(
        json.dumps(results_table(computed(record(0.5, holds=True)), {"tab:lda.t": "3", "fig:lda.f": "S1"}))
    ) == {
        "schema": 1,
        "profile": "full",
        "seeds": [0],
        "data": {"name": "mnist", "n_train": 6, "n_test": 1, "digest": "digest"},
        "sections": {
            "lda": {
                "values": {"p": {"number": 0.5, "unit": "", "digits": 2}},
                "tables": {"t": {"number": 3, "columns": ["a"], "rows": [[1]], "emphasis": [[0, "a"]]}},
                "figures": {"f": {"number": "S1", "files": ["figures/lda.f.pdf"]}},
                "claims": {"c": {"holds": True, "evidence": "1 > 0", "slack": 1.0}},
                "settings": {"fit": {"rate": 0.1}},
            }
        },
    }


def test_several_seeds_give_spreads() -> None:
    """Values get mean and standard deviation (n-1), claims the number of seeds in which they hold."""
    section = results_table(computed(record(0.1, holds=True), record(0.2, holds=False), record(0.6, holds=True)), {})[
        "sections"
    ]["lda"]
    assert section["values"]["p"]["mean"] == pytest.approx(0.3)
    assert section["values"]["p"]["sd"] == pytest.approx(0.07**0.5)
    assert (section["claims"]["c"]["holds_in"], section["claims"]["c"]["n_seeds"]) == (2, 3)


def test_a_section_may_be_left_out_for_some_seeds() -> None:
    """``--only`` with several seeds: what is stored for the first seed alone is shown without a spread."""
    both, alone = computed(record(0.1, holds=True), record(0.2, holds=False)), record(0.9, holds=True)
    mixed = replace(both, replicates=({**both.replicates[0], "cnn": alone}, both.replicates[1]))
    sections = results_table(mixed, {})["sections"]
    assert sections["lda"]["values"]["p"]["n_seeds"] == 2
    assert "n_seeds" not in sections["cnn"]["values"]["p"]


def test_templates_see_every_claim_and_value() -> None:
    """The appendix lists them without naming each."""
    context = template_context(BuildConfig(Path("/p")), computed(record(0.5, holds=True)), {})
    assert [claim.id for claim in context["claims"]] == ["lda.c"]
    assert [value.id for value in context["values"]] == ["lda.p"]
    assert context["sections"] == ("lda",)


def test_nothing_is_done_when_nothing_changed(tmp_path: Path) -> None:
    """A second publication leaves every file alone; a lost, edited or outdated one is made again."""
    (tmp_path / "templates").mkdir()
    template = tmp_path / "templates/report.tex"
    template.write_text(TEMPLATE, encoding="utf-8")
    config = BuildConfig(tmp_path)
    first = computed(record(0.5, holds=True))
    assert publish(config, first).compiled is not None
    files = {path: path.stat().st_mtime_ns for path in config.out.rglob("*") if path.is_file()}
    assert publish(config, first).compiled is None
    assert {path: path.stat().st_mtime_ns for path in files} == files
    (config.out / "report.pdf").unlink()
    assert publish(config, first).compiled is not None
    (config.out / "results.json").write_text("{}", encoding="utf-8")
    assert publish(config, first).compiled is not None
    assert publish(config, computed(record(0.6, holds=True))).compiled is not None
    (config.out / "figures/stale.pdf").touch()
    template.write_text(TEMPLATE.replace("in ", "within "), encoding="utf-8")
    assert publish(config, first).compiled is not None
    assert not (config.out / "figures/stale.pdf").exists()
