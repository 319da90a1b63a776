"""The adapter between MNIST and the engine."""

from pathlib import Path

import pytest

from analyses.source import MnistData
from mnistkit.data import MnistSource
from report.errors import DataError
from report.model import DataInfo, DataSource


def test_it_is_a_data_source_of_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What mnistkit knows of the data arrives as the engine's own type, part by part."""
    monkeypatch.delenv("MNIST_DIR", raising=False)
    monkeypatch.setenv("MNIST_DOWNLOAD", "0")
    source: DataSource = MnistData(None, tmp_path)
    found = MnistSource(None, tmp_path).identify()
    assert source.identify() == DataInfo(found.name, found.digest, found.facts, found.notice, found.default_profile)


@pytest.mark.parametrize("action", ["identify", "load"])
def test_a_problem_with_a_file_is_an_error_of_the_report(tmp_path: Path, action: str) -> None:
    """A missing folder becomes a DataError with the same message and next step."""
    source = MnistData(tmp_path / "absent", tmp_path)
    with pytest.raises(DataError, match="there is no such folder") as caught:
        getattr(source, action)()
    assert "--data" in caught.value.hint


def test_paths_are_settled_when_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths and MNIST_DIR mean what they mean to the build, wherever a worker runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MNIST_DIR", "d")
    source = MnistData(None, Path("cache"))
    assert source == MnistData(tmp_path / "d", tmp_path / "cache")
