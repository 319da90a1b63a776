"""Checking MNIST files: what is wrong with a file is named, from the coarsest difference to the finest."""

import gzip
import hashlib
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnistkit import idx
from mnistkit.idx import MNIST_FILES, DataFileError, IdxFile

IMAGES = IdxFile("train-images-idx3-ubyte", (3, 2, 2), "")


def idx_bytes(shape: tuple[int, ...], data: bytes) -> bytes:
    """Return an IDX file of unsigned bytes."""
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + data


def expected(contents: bytes, file: IdxFile = IMAGES) -> IdxFile:
    """Return the description of a file with these contents."""
    return replace(file, md5=hashlib.md5(contents).hexdigest())  # noqa: S324 - no security


GOOD = idx_bytes((3, 2, 2), bytes(range(12)))


def test_intact_contents_pass_and_become_an_array(tmp_path: Path) -> None:
    """Contents with the known digest are accepted, and read as an array of the expected shape."""
    idx.check(tmp_path / "x", GOOD, expected(GOOD))
    array = idx.to_array(GOOD, (3, 2, 2))
    np.testing.assert_array_equal(array, np.arange(12).reshape(3, 2, 2))


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (GOOD[:-3], "truncated: expected 12 bytes after the header, found 9"),
        (GOOD + b"\0", "too long: expected 12 bytes after the header, found 13"),
        (GOOD[:-1] + b"\xff", "corrupted: expected md5"),
        (idx_bytes((3, 4), bytes(12)), "found shape 3×4"),
        (b"PK\x03\x04", "expected the magic number 00 00 08 and 01 .* found 50 4b 03 04"),
        (b"", "found an empty file"),
        (GOOD[:9], "the file ends inside its header"),
    ],
)
def test_damage_is_named(tmp_path: Path, contents: bytes, message: str) -> None:
    """Every kind of damage has its own message, which names the file and offers a next step."""
    path = tmp_path / "train-images-idx3-ubyte"
    with pytest.raises(DataFileError, match=message) as caught:
        idx.check(path, contents, expected(GOOD))
    assert str(path) in str(caught.value)
    assert caught.value.hint


def test_swapped_files_are_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The contents of another MNIST file under this name are reported as a swap, with the right name."""
    monkeypatch.setitem(MNIST_FILES, "test_images", expected(GOOD, MNIST_FILES["test_images"]))
    with pytest.raises(DataFileError, match="t10k-images-idx3-ubyte: two files are swapped"):
        idx.check(tmp_path / "train-images-idx3-ubyte", GOOD, MNIST_FILES["train_images"])


def test_gzip_is_told_by_contents_and_damage_in_it_is_named(tmp_path: Path) -> None:
    """A gzipped file is unpacked whatever its name; a truncated or corrupted one is named."""
    path = tmp_path / "no-suffix"
    packed = gzip.compress(GOOD)
    path.write_bytes(packed)
    assert idx.read_bytes(path) == GOOD
    for damaged in (packed[:-5], packed[:12] + b"\xff" + packed[13:]):
        path.write_bytes(damaged)
        with pytest.raises(DataFileError, match="no-suffix: the gzip file is truncated or corrupted"):
            idx.read_bytes(path)
