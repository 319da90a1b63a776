"""MNIST files that are damaged, through ``python build.py --data``: one message that names the file, no run."""

import gzip
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.conftest import Ledger
from tests.faults.lab import LONG, ROOT

FILES = {
    "train-images-idx3-ubyte": (60_000, 28, 28),
    "train-labels-idx1-ubyte": (60_000,),
    "t10k-images-idx3-ubyte": (10_000, 28, 28),
    "t10k-labels-idx1-ubyte": (10_000,),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the sources, so that nothing is written into this folder, and put down a last good PDF."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("analyses", "mnistkit", "report", "templates"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("build.py", "report.toml"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "build").mkdir()
    (folder / "build/report.pdf").write_bytes(b"the last good one")
    return folder


def idx(shape: tuple[int, ...]) -> bytes:
    """Return an IDX file full of zeros."""
    size = 1
    for length in shape:
        size *= length
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + bytes(size)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Link the real files where MNIST_DIR names them; elsewhere write files of the right shapes."""
    folder = tmp_path_factory.mktemp("data")
    real = Path(os.environ.get("MNIST_DIR", "/nowhere"))
    for name, shape in FILES.items():
        found = [path for path in (real / name, real / f"{name}.gz") if path.exists()]
        if found:
            (folder / found[0].name).symlink_to(found[0].resolve())
        else:
            (folder / name).write_bytes(idx(shape))
    return folder


def cut(path: Path) -> None:
    """Lose the end of a file."""
    path.write_bytes(path.read_bytes()[:-1000])


def flip(path: Path) -> None:
    """Turn one bit in the middle of the content."""
    content = bytearray(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(gzip.compress(bytes(content), 1) if path.suffix == ".gz" else bytes(content))


def page(path: Path) -> None:
    """Hold the error page of a server."""
    path.write_bytes(b"<!DOCTYPE html><html>404</html>")


def empty(path: Path) -> None:
    """Hold nothing."""
    path.write_bytes(b"")


def lost(path: Path) -> None:
    """Be absent."""
    path.unlink()


def garbled(path: Path) -> None:
    """Be a damaged gzip file."""
    path.write_bytes(gzip.compress(bytes(5000))[:-9] + b"123456789")


def swapped(path: Path) -> None:
    """Hold what belongs to another of the four files."""
    stem = "t10k-labels" if "train-labels" in path.name else "train-labels"
    other = next(file for file in path.parent.iterdir() if file.name.startswith(stem))
    content = other.read_bytes()
    other.write_bytes(path.read_bytes())
    path.write_bytes(content)


WORDS = {
    cut: "a file cut off",
    flip: "a flipped bit",
    page: "an error page in place of a file",
    empty: "an empty file",
    lost: "a file that is absent",
    garbled: "a damaged gzip file",
    swapped: "two files swapped",
}
CASES = [(harm, name) for harm in WORDS for name in FILES]


@pytest.mark.parametrize(
    ("harm", "name"), CASES if LONG else CASES[::13], ids=lambda part: getattr(part, "__name__", part)
)
def test_a_damaged_file_is_named(harm, name: str, project: Path, data: Path, tmp_path: Path, ledger: Ledger) -> None:
    """The message says which file, what was found and what to do; the last good PDF stays, no other data are used."""
    with ledger.trial(f"MNIST, --data: {WORDS[harm]}", "message"):
        folder = tmp_path / "data"
        folder.mkdir()
        for path in data.iterdir():
            shutil.copy(path, folder / path.name)
        harm(next(path for path in folder.iterdir() if path.name.startswith(name)))
        environment = {key: value for key, value in os.environ.items() if key not in {"MNIST_DIR", "PYTHONPATH"}}
        done = subprocess.run(
            [sys.executable, "build.py", "--data", str(folder), "--only", "lda", "--profile", "quick"],
            cwd=project, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        assert done.stderr.count("\nerror: ") == 1
        assert "Traceback" not in done.stderr
        assert "-ubyte" in done.stderr
        assert "→" in done.stderr
        assert "start" not in done.stderr
        assert (project / "build/report.pdf").read_bytes() == b"the last good one"
