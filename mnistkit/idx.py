"""The IDX file format of MNIST, read without NumPy so that a file can be checked before anything heavy is imported.

An IDX file is: two zero bytes, a type code (8 = unsigned byte), the number of dimensions, each dimension as a
big-endian 32-bit integer, then the data. Source: Y. LeCun, C. Cortes, C. Burges, The MNIST database of
handwritten digits, "File formats for the MNIST database", http://yann.lecun.com/exdb/mnist/.
"""

from __future__ import annotations

import gzip
import hashlib
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_UNSIGNED_BYTE = 8
_GZIP_MAGIC = b"\x1f\x8b"


class DataFileError(ValueError):
    """A data file is missing, truncated, swapped or damaged.

    Parameters
    ----------
    message : str
        Which file, what was expected and what was found.
    hint : str
        The next step.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n    → {self.hint}" if self.hint else self.message


@dataclass(frozen=True, slots=True)
class IdxFile:
    """What one of the four MNIST files must contain.

    Parameters
    ----------
    name : str
        Its usual name, without ``.gz``.
    shape : tuple of int
        The dimensions in its header.
    md5 : str
        Digest of the uncompressed file. (The compressed one says nothing: gzip files of equal contents differ.)
    """

    name: str
    shape: tuple[int, ...]
    md5: str


MNIST_FILES = {
    "train_images": IdxFile("train-images-idx3-ubyte", (60_000, 28, 28), "6bbc9ace898e44ae57da46a324031adb"),
    "train_labels": IdxFile("train-labels-idx1-ubyte", (60_000,), "a25bea736e30d166cdddb491f175f624"),
    "test_images": IdxFile("t10k-images-idx3-ubyte", (10_000, 28, 28), "2646ac647ad5339dbf082846283269ea"),
    "test_labels": IdxFile("t10k-labels-idx1-ubyte", (10_000,), "27ae3e4e09519cfbb04c329615203637"),
}
"""The four files; digests of the files that torchvision downloads, uncompressed."""


def read_bytes(path: Path) -> bytes:
    """Return the contents of a file, unpacked if it is gzipped (told by its first bytes, not by its name)."""
    raw = path.read_bytes()
    if raw[:2] != _GZIP_MAGIC:
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataFileError(
            f"{path}: the gzip file is truncated or corrupted ({error})",
            "copy it again from its source, or delete it together with its folder to have it downloaded",
        ) from error


def check(path: Path, contents: bytes, expected: IdxFile) -> None:
    """Hold the contents of a file against what it must be.

    Raises
    ------
    DataFileError
        Names the file, what was expected and what was found, from the coarsest difference to the finest.
    """
    found = hashlib.md5(contents, usedforsecurity=False).hexdigest()
    if found == expected.md5:
        return
    wanted = f"expected {expected.name} with shape {_times(expected.shape)}"
    for other in MNIST_FILES.values():
        if found == other.md5:
            raise DataFileError(
                f"{path}: {wanted}, found the contents of {other.name}: two files are swapped",
                f"rename it to {other.name}",
            )
    shape = header(path, contents)
    again = "copy it again from its source; only the original MNIST files are accepted"
    if shape != expected.shape:
        raise DataFileError(f"{path}: {wanted}, found shape {_times(shape)}", again)
    n_expected, n_found = _size(expected.shape), len(contents) - 4 - 4 * len(shape)
    if n_found != n_expected:
        state = "truncated" if n_found < n_expected else "too long"
        raise DataFileError(f"{path}: {state}: expected {n_expected} bytes after the header, found {n_found}", again)
    raise DataFileError(f"{path}: corrupted: expected md5 {expected.md5}, found {found}", again)


def header(path: Path, contents: bytes) -> tuple[int, ...]:
    """Return the dimensions that the header of an IDX file of unsigned bytes states."""
    magic = contents[:4]
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] != _UNSIGNED_BYTE or not 1 <= magic[3] <= 3:  # noqa: PLR2004
        raise DataFileError(
            f"{path}: not an IDX file of unsigned bytes: expected the magic number 00 00 08 and 01 (labels) "
            f"or 03 (images), found {magic.hex(' ') or 'an empty file'}",
            "give the four MNIST files in IDX format, gzipped or not",
        )
    n_dimensions = magic[3]
    if len(contents) < 4 + 4 * n_dimensions:
        raise DataFileError(f"{path}: truncated: the file ends inside its header", "copy it again from its source")
    return struct.unpack(f">{n_dimensions}I", contents[4 : 4 + 4 * n_dimensions])


def to_array(contents: bytes, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the data behind the header as a read-only array of ``shape``, without copying them."""
    import numpy as np  # noqa: PLC0415 - checking a file must not import NumPy

    return np.frombuffer(contents, dtype=np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(str(length) for length in shape)
