"""What changed between two results, and which sentences stand on it."""

import json
import subprocess

import pytest

from report.check.diff import compare_results, find_results, read_results, remember, touched_items
from report.check.facts import Facts
from report.check.items import Check, Item
from report.config import BuildConfig
from report.errors import ConfigError, Location, ReportError
from report.model import Claim, Result, Table, Value


def results(p=0.2, *, holds=True, extra=None):
    """Return facts with one value, cell and claim."""
    values = {"p": Value(p)} | ({extra: Value(1)} if extra else {})
    claim = Claim(holds, f"p = {p}", 0.1 if holds else -0.1)
    table = Table(("digit", "accuracy"), [(0, 1 - p)])
    section = Result(values=values, tables={"t": table}, claims={"c": claim})
    return Facts.of_results({"lda": section}, {"lda": {"run": {"epochs": 5}}})


def results_json(number):
    """Return a results file with one value."""
    return json.dumps(
        {"schema": 1, "sections": {"lda": {"values": {"p": {"number": number, "unit": "", "digits": 2}}}}}
    )


def test_nothing_changed():
    """Equal results differ in nothing."""
    assert compare_results(results(), results()) == ()


def test_changes():
    """Values, cells and claims are listed old and new, a flipped claim first; what is new has no old text."""
    changes = compare_results(results(), results(0.01, holds=False, extra="new"))
    assert [(change.kind, change.id, change.old, change.new, change.flipped) for change in changes] == [
        ("claim", "lda.c", "holds: p = 0.2", "does not hold: p = 0.01", True),
        ("value", "lda.p", "0.2", "0.01", False),
        ("value", "lda.new", "", "1", False),
        ("cell", "lda.t[0].accuracy", "0.8", "0.99", False),
    ]


def test_touched_sentences():
    """A change touches the typed numbers, claims and bound places of its id, and the table of a cell, each once."""
    place = Location("a.tex", 1)
    items = (
        Item("typed", "supported", "lda.p", location=place),
        Item("claim", "supported", "not lda.c", location=place),
    )
    bound = tuple(Item("bound", "supported", name, location=place) for name in ("lda.t", "lda.p", "lda.other"))
    changes = compare_results(results(), results(0.01, holds=False))
    touched = touched_items(changes, Check(items, bound=bound))
    assert [item.id for item in touched] == ["lda.p", "not lda.c", "lda.t"]


def test_history(tmp_path):
    """The results before the present ones are kept, building the same again does not lose them."""
    config = BuildConfig(tmp_path)
    with pytest.raises(ConfigError, match="no earlier results"):
        find_results(None, config)
    for number in (1, 2, 2):
        remember(config.cache, results_json(number), "")
    assert find_results(None, config)[1].values["lda.p"].number == 1


def test_a_results_file(tmp_path):
    """A file is read; one of another schema, or no JSON at all, is refused with the way out."""
    config = BuildConfig(tmp_path)
    (tmp_path / "old.json").write_text(results_json(3))
    assert find_results("old.json", config)[1].values["lda.p"].number == 3
    (tmp_path / "old.json").write_text('{"schema": 7}')
    with pytest.raises(ReportError, match="found schema 7"):
        find_results("old.json", config)
    (tmp_path / "old.json").write_text('{"schema": 1, "sections": {"a": {"values": {"b": {}}}}}')
    with pytest.raises(ReportError, match=r"old.json is damaged"):
        find_results("old.json", config)
    (tmp_path / "old.json").write_text("{")
    with pytest.raises(ReportError, match="not JSON"):
        read_results(tmp_path / "old.json")
    with pytest.raises(ReportError, match=r"cannot read results.json"):
        read_results(tmp_path / "results.json")


def test_a_git_revision(tmp_path):
    """A revision stands for the results that a build at that commit left; another one says what is kept."""
    config = BuildConfig(tmp_path)
    for command in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x", "--allow-empty"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    with pytest.raises(ConfigError, match="no results of revision 'HEAD'"):
        find_results("HEAD", config)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    remember(config.cache, results_json(4), f"{head[:12]}-dirty")
    assert find_results("HEAD", config)[1].values["lda.p"].number == 4
    with pytest.raises(ConfigError, match="neither a results file nor a git revision"):
        find_results("nonsense", config)


def test_facts_from_json_and_from_results_agree(world):
    """What results.json holds is what the results hold."""
    table = {
        "schema": 1,
        "data": {"name": "mnist", "n_test": 10000},
        "sections": {
            name: {
                "values": {
                    key: {"number": v.number, "unit": v.unit, "digits": v.digits} for key, v in item.values.items()
                },
                "tables": {key: {"number": 3, "columns": t.columns, "rows": t.rows} for key, t in item.tables.items()},
                "claims": {
                    key: {"holds": c.holds, "evidence": c.evidence, "slack": c.slack} for key, c in item.claims.items()
                },
            }
            for name, item in world.items()
        },
    }
    read, made = Facts.of_json(json.loads(json.dumps(table))), Facts.of_results(world)
    assert (read.values, read.cells, read.claims) == (made.values, made.cells, made.claims)
    assert read.settings == {"data.n_test": 10000}
    assert read.numbers["lda.accuracy"] == "3"
