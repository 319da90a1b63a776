"""The store: what comes out is what went in, or nothing at all."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from report.errors import RunError, StoreError
from report.files import TEMPORARY, write_atomic, write_if_changed
from report.model import Claim, Figure, Outcome, Result, Table, Value
from report.store import Store, StoreWarning, decode_outcome, encode_outcome

DTYPES = st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_])
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
NUMBERS = st.dictionaries(
    NAMES, st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text() | st.lists(st.floats(allow_nan=False))
)
RESULT = Result(
    values={"p": Value(0.25, digits=4), "n": Value(3)},
    tables={"t": Table(["a", "b"], [[1, "x"], [None, 2.5]], [(1, "b")])},
    figures={"f": Figure(b"%PDF-1.7")},
    claims={"c": Claim(holds=True, evidence="3 > 2", slack=1.0)},
)


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(
        NAMES.filter(lambda name: name != "__metadata__"),
        DTYPES.flatmap(lambda kind: arrays(kind, array_shapes(max_dims=3))),
    ),
    NUMBERS,
)
def test_an_outcome_survives_the_round_trip(kept: dict[str, Any], numbers: dict[str, Any]) -> None:
    """Arrays keep shape, type and every bit; numbers keep their values; equal outcomes are equal bytes."""
    outcome = Outcome(kept, numbers)
    content = encode_outcome(outcome)
    loaded = decode_outcome(content)
    assert loaded.numbers == numbers
    assert {name: (a.dtype, a.shape, a.tobytes()) for name, a in loaded.arrays.items()} == {
        name: (a.dtype, a.shape, a.tobytes()) for name, a in kept.items()
    }
    assert encode_outcome(loaded) == content


def test_loaded_arrays_are_read_only() -> None:
    """An analysis cannot change what another one reads."""
    loaded = decode_outcome(encode_outcome(Outcome({"a": np.zeros(3)})))
    with pytest.raises(ValueError, match="read-only"):
        loaded.arrays["a"][0] = 1


@pytest.mark.parametrize("outcome", [Outcome({"a": np.array([object()])}), Outcome(numbers={"a": object()})])
def test_python_objects_are_refused(outcome: Outcome) -> None:
    """Nothing that would need a pickle can be stored."""
    with pytest.raises(RunError, match=r"objects|cannot be stored"):
        encode_outcome(outcome)


def test_a_result_survives_the_round_trip(tmp_path: Path) -> None:
    """Values, tables, figures and claims come back equal, and in order."""
    store = Store(tmp_path)
    store.put_record("analyses", "k", store.put_result(RESULT))
    body = store.get_record("analyses", "k")
    assert body is not None
    loaded = store.get_result(body)
    assert loaded == RESULT
    assert list(loaded.values) == ["p", "n"]


@pytest.mark.parametrize("position", [0, 10, -1])
def test_a_flipped_bit_in_a_blob_is_found(tmp_path: Path, position: int) -> None:
    """A damaged blob is never returned; it is removed, and storing it again mends it."""
    store = Store(tmp_path)
    digest = store.put_blob(b"some outcome")
    path = tmp_path / "objects" / digest[:2] / digest
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.warns(StoreWarning, match="damaged"):
        assert store.get_blob(digest) is None
    assert store.put_blob(b"some outcome") == digest
    assert store.get_blob(digest) == b"some outcome"


def test_storing_over_a_damaged_blob_mends_it(tmp_path: Path) -> None:
    """A blob that is there but damaged is not taken for stored."""
    store = Store(tmp_path)
    digest = store.put_blob(b"some outcome")
    (tmp_path / "objects" / digest[:2] / digest).write_bytes(b"some outcomf")
    store.put_blob(b"some outcome")
    assert store.get_blob(digest) == b"some outcome"


@pytest.mark.parametrize(
    "damage", [lambda t: t[: len(t) // 2], lambda t: t.replace("0.5", "0.6"), lambda _t: "", lambda _t: "[]"]
)
def test_a_damaged_record_is_a_miss(tmp_path: Path, damage: Any) -> None:
    """A record that is cut, edited or empty is not believed."""
    store = Store(tmp_path)
    store.put_record("runs", "k", {"seconds": 0.5})
    path = tmp_path / "records/runs/k.json"
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.warns(StoreWarning):
        assert store.get_record("runs", "k") is None
    assert not path.exists()


def test_a_record_under_another_key_is_a_miss(tmp_path: Path) -> None:
    """An intact record that was copied or renamed does not answer for a key it was not made for."""
    store = Store(tmp_path)
    store.put_record("runs", "a", {"outcome": "1"})
    store.put_record("runs", "b", {"outcome": "2"})
    (tmp_path / "records/runs/a.json").replace(tmp_path / "records/runs/b.json")
    with pytest.warns(StoreWarning, match="it is the entry runs/a"):
        assert store.get_record("runs", "b") is None


def test_a_record_of_another_schema_is_a_silent_miss(tmp_path: Path) -> None:
    """A store of an older version is left alone and not read."""
    store = Store(tmp_path)
    store.put_record("runs", "k", {"seconds": 0.5})
    path = tmp_path / "records/runs/k.json"
    record = json.loads(path.read_text(encoding="utf-8")) | {"schema": 0}
    path.write_text(json.dumps(record), encoding="utf-8")
    assert store.get_record("runs", "k") is None
    assert path.exists()


def test_a_result_without_its_figure_is_a_miss(tmp_path: Path) -> None:
    """A lost figure makes the analysis run again instead of a report without it."""
    store = Store(tmp_path)
    body = store.put_result(RESULT)
    digest = body["figures"]["f"]
    (tmp_path / "objects" / digest[:2] / digest).unlink()
    assert store.get_result(body) is None


def test_an_outcome_that_is_gone_is_an_error(tmp_path: Path) -> None:
    """Asking for an outcome by a digest nobody stored fails with a next step."""
    with pytest.raises(StoreError, match="run the build again"):
        Store(tmp_path).get_outcome("0" * 64)


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    """Where a file cannot be written, the error names it and no temporary file stays."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="folder"):
        write_atomic(tmp_path / "folder", b"a folder stands where the file should be")
    assert not list(tmp_path.glob(f"{TEMPORARY}*"))


def test_an_equal_file_is_not_written_again(tmp_path: Path) -> None:
    """The time stamp of an unchanged file stays, so that others see nothing to do."""
    path = tmp_path / "a"
    assert write_if_changed(path, b"1")
    before = path.stat().st_mtime_ns
    assert not write_if_changed(path, b"1")
    assert path.stat().st_mtime_ns == before
    assert write_if_changed(path, b"2")
