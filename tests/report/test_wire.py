"""What travels to a cluster: runs, errors, data and code, and back."""

import io
import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.errors import DataError, Location, RunError
from report.model import Outcome, Run, RunContext
from report.store import Store
from report.wire import PackedData, decode_error, decode_run, encode_error, encode_run, pack_code, pack_data


@dataclass(frozen=True)
class Inner(Run):
    """A run that another one needs."""

    rate: float

    def compute(self, context: RunContext) -> Outcome:
        """Do nothing."""
        raise AssertionError(context)


@dataclass(frozen=True)
class Outer(Run):
    """A run with every kind of setting; it counts how often it is initialised."""

    setting: object
    inner: Inner

    def compute(self, context: RunContext) -> Outcome:
        """Do nothing."""
        raise AssertionError(context)


@dataclass(frozen=True)
class Points:
    """Data of two arrays and plain values."""

    x: np.ndarray
    y: np.ndarray
    name: str
    scale: float = 1.0


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
SETTINGS = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=6)


@given(SETTINGS, st.floats(allow_nan=False))
def test_a_run_arrives_as_it_was_sent(setting: object, rate: float) -> None:
    """Every setting that can stand in a key survives, with its type: 1 is not 1.0 and not True."""
    run = Outer(setting, Inner(rate))
    arrived = decode_run(json.loads(json.dumps(encode_run(run))))
    assert arrived == run
    assert repr(arrived) == repr(run)


def test_what_is_no_run_is_not_made() -> None:
    """A name that stands for another class, or for a function, is refused."""
    with pytest.raises(RunError, match="is not a Run"):
        decode_run({"class": f"{__name__}:Points", "settings": {}})
    with pytest.raises(RunError, match="is not a class"):
        decode_run({"class": "os:system", "settings": {}})


def test_a_class_inside_a_function_is_named() -> None:
    """Another process could not import it."""

    @dataclass(frozen=True)
    class Local(Inner):
        """A run of this function."""

    with pytest.raises(RunError, match="defined inside a function"):
        encode_run(Local(1.0))


def test_an_error_arrives_with_every_part() -> None:
    """Class, message, place, hint and source line."""
    error = DataError("no data", location=Location("a.py", 3, 4), hint="get some", source="load()")
    arrived = decode_error(encode_error(error))
    assert type(arrived) is DataError
    assert str(arrived) == str(error)
    assert str(decode_error(encode_error(RunError("broken")))) == "broken"


def test_data_arrive_as_they_were_sent(tmp_path: Path) -> None:
    """Arrays and plain values of a dataclass, verified: one flipped bit and they are refused."""
    points = Points(np.arange(6, dtype=np.uint8).reshape(2, 3), np.array([0.5, -0.0]), "points")
    kind, content = pack_data(points)
    assert pack_data(points) == (kind, content)
    store = Store(tmp_path)
    digest = store.put_blob(content)
    arrived = PackedData(kind, tmp_path, digest).load()
    assert isinstance(arrived, Points)
    assert arrived.x.dtype == np.uint8
    np.testing.assert_array_equal(arrived.x, points.x)
    assert arrived.y.tobytes() == points.y.tobytes()
    assert (arrived.name, arrived.scale) == ("points", 1.0)
    path = tmp_path / "objects" / digest[:2] / digest
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.warns(UserWarning, match="damaged"), pytest.raises(RunError, match="arrived damaged"):
        PackedData(kind, tmp_path, digest).load()


@pytest.mark.parametrize("loaded", [[1, 2], {"x": 1}, Points, None])
def test_data_of_another_kind_are_refused(loaded: object) -> None:
    """The message says what would do."""
    with pytest.raises(RunError, match=r"cannot be sent to a cluster(.|\n)*dataclass"):
        pack_data(loaded)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project with a package, a module beside it, a data file and things that do not matter."""
    for name, text in {
        "kit/__init__.py": "",
        "kit/deep/__init__.py": "",
        "kit/deep/part.py": "x = 1",
        "kit/table.toml": "a = 1",
        "kit/notes.txt": "large",
        "section.py": "import kit",
        "other.py": "unused = True",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_code_is_packed_by_content(project: Path) -> None:
    """Packages whole, data files that are named, the engine; equal bytes whatever the time and the place."""
    files = ["kit/deep/part.py", "kit/table.toml", "section.py"]
    code = pack_code(project, files)
    names = zipfile.ZipFile(io.BytesIO(code)).namelist()
    mine = {"kit/__init__.py", "kit/deep/__init__.py", "kit/deep/part.py", "kit/table.toml", "section.py"}
    assert {name for name in names if not name.startswith("report/")} == mine
    assert {"report/cluster_child.py", "report/worker.py"} < set(names)
    (project / "section.py").touch()
    assert pack_code(project, reversed(files)) == code
    (project / "kit/deep/part.py").write_text("x = 2", encoding="utf-8")
    assert pack_code(project, files) != code


def test_packed_code_is_all_that_a_child_needs(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Unpacked in an empty folder, the process that executes runs starts, and ends when nothing comes."""
    folder = tmp_path_factory.mktemp("worker")
    zipfile.ZipFile(io.BytesIO(pack_code(project, ["section.py"]))).extractall(folder)
    command = [sys.executable, "-m", "report.cluster_child", "0", str(folder)]
    child = subprocess.run(command, cwd=folder, env={}, input=b"", capture_output=True, check=False, timeout=60)
    assert child.stdout == b""
    assert b"Traceback" not in child.stderr
