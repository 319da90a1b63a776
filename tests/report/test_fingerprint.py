"""Keys: every component counts, and equal settings have equal keys."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.closure import Closure
from report.errors import RunError
from report.fingerprint import (
    Environment,
    describe_settings,
    encode,
    explain_change,
    fingerprint_of_run,
    upstream_of,
)
from report.model import DataInfo, Outcome, Run, RunContext

SETTINGS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


@dataclass(frozen=True)
class Train(Run):
    """A run with one setting of each common type."""

    rate: float = 0.1
    epochs: int = 5
    loss: str = "mse"

    def compute(self, context: RunContext) -> Outcome:
        """Compute nothing."""
        return Outcome(numbers={"seed": context.seed})


@dataclass(frozen=True)
class OnDevice(Train):
    """The same on a device."""

    uses_device = True


@dataclass(frozen=True)
class Use(Run):
    """A run on top of another one."""

    net: Train = Train()

    def compute(self, context: RunContext) -> Outcome:
        """Pass the outcome on."""
        return context.upstream["net"]


CLOSURE = Closure({"kit.py:f": "1"}, frozenset({"numpy"}))
ENVIRONMENT = Environment(DataInfo("mnist", "digest"), 0, "cpu", "fp32")


def key(run: Run, closure: Closure = CLOSURE, upstream: Any = None, environment: Environment = ENVIRONMENT) -> str:
    """Return the key of a run."""
    return fingerprint_of_run(run, closure, upstream or {}, environment).key


@pytest.mark.parametrize(
    "other",
    [
        key(Train(rate=0.2)),
        key(Train(), Closure({"kit.py:f": "2"}, frozenset({"numpy"}))),
        key(Train(), Closure({"kit.py:f": "1", "kit.py:g": "1"}, frozenset({"numpy"}))),
        key(Train(), Closure({"kit.py:f": "1"}, frozenset({"numpy", "matplotlib"}))),
        key(Train(), environment=replace(ENVIRONMENT, data=DataInfo("mnist", "other"))),
        key(Train(), environment=replace(ENVIRONMENT, loader={"kit.py:load": "1"})),
        key(Train(), environment=replace(ENVIRONMENT, seed=1)),
        key(Use(), upstream={"net": "a"}),
    ],
    ids=["setting", "source", "new definition", "package", "data", "loader of the data", "seed", "upstream"],
)
def test_each_component_changes_the_key(other: str) -> None:
    """Mutating any one component gives another key."""
    assert other != key(Train())


def test_a_new_version_of_a_package_changes_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The installed version of a reached package is part of the key."""
    before = key(Train())
    monkeypatch.setattr("report.fingerprint.versions_of", lambda _packages: {"numpy": "99.0"})
    assert key(Train()) != before


def test_a_new_schema_changes_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results of an older engine are not mixed with new ones."""
    before = key(Train())
    monkeypatch.setattr("report.fingerprint.SCHEMA", 99)
    assert key(Train()) != before


@pytest.mark.parametrize("change", [{"device": "cuda"}, {"precision": "bf16"}])
def test_device_and_precision_count_for_runs_that_use_them(change: dict[str, str]) -> None:
    """A NumPy run is the same on every device; a network is not."""
    elsewhere = replace(ENVIRONMENT, **change)
    assert key(OnDevice(), environment=elsewhere) != key(OnDevice())
    assert key(Train(), environment=elsewhere) == key(Train())


def test_upstream_outcomes_count_by_content_only() -> None:
    """How an upstream outcome came about does not matter, only what it is."""
    assert key(Use(Train(rate=0.1)), upstream={"net": "a"}) == key(Use(Train(rate=0.2)), upstream={"net": "a"})
    assert key(Use(), upstream={"net": "a"}) != key(Use(), upstream={"net": "b"})


@given(SETTINGS, SETTINGS)
def test_encodings_are_equal_exactly_for_equal_settings(one: Any, other: Any) -> None:
    """Equality with types: 1, 1.0 and True are three settings."""

    def typed(value: Any) -> Any:
        return tuple(map(typed, value)) if isinstance(value, tuple) else (type(value), repr(value))

    assert (encode(one) == encode(other)) == (typed(one) == typed(other))


@pytest.mark.parametrize("value", [[1], {"a": 1}, object(), 1j])
def test_what_cannot_be_encoded_is_an_error(value: object) -> None:
    """A setting that has no canonical encoding is refused, with its type."""
    with pytest.raises(RunError, match=type(value).__name__):
        encode(value)


def test_settings_and_upstream_runs_are_read_off_the_fields() -> None:
    """Templates and results.json see plain data."""
    assert upstream_of(Use()) == {"net": Train()}
    assert describe_settings(Use()) == {"net": {"rate": 0.1, "epochs": 5, "loss": "mse"}}


def test_a_change_is_explained_by_name() -> None:
    """--explain names the component and the definition."""
    before = fingerprint_of_run(Train(), CLOSURE, {}, ENVIRONMENT).components
    closure = Closure({"kit.py:f": "2"}, frozenset({"numpy"}))
    after = fingerprint_of_run(Train(rate=0.5), closure, {}, replace(ENVIRONMENT, seed=3)).components
    assert explain_change(before, after) == [
        "seed changed from 0 to 3",
        f"settings rate changed from float {(0.1).hex()} to float {(0.5).hex()}",
        "source kit.py:f changed",
    ]
    assert explain_change(before, before) == []
    assert explain_change(None, after) == ["never computed before"]
