"""Compiled templates kept between runs, so that a prose edit compiles only the file that was edited.

The file lies in the output folder of one user and holds Python code, like ``__pycache__``. It is no part of the
store of results, which may be shared and never runs anything.
"""

from __future__ import annotations

import marshal
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from report.errors import StoreError
from report.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

_MAKERS = ("blocks.py", "constructs.py", "latex_jinja.py", "rendermap.py", "scanner.py")


class CodeCache:
    """Code by template; everything it was made from is part of the key.

    Parameters
    ----------
    path : Path or None
        The file; None keeps nothing beyond this process.
    """

    _memory: dict[str, CodeType] = {}  # noqa: RUF012 - shared by all renderings of a process on purpose
    _makers = ""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.used: dict[str, CodeType] = {}
        self.stored = _read(path) if path is not None else {}

    def get(self, file: str, text: str, make: Callable[[], CodeType]) -> CodeType:
        """Return the code of a template, compiled if this text was never seen."""
        key = sha256(f"{self.makers()}\0{file}\0{text}".encode()).hexdigest()
        code = self._memory.get(key) or self.stored.get(key) or make()
        self._memory[key] = self.used[key] = code
        return code

    def save(self) -> None:
        """Write what this rendering used, if it differs from what is there; a folder that is read-only is no error."""
        if self.path is not None and self.used.keys() != self.stored.keys():
            content = marshal.dumps(self.used)
            with suppress(StoreError):
                write_atomic(self.path, sha256(content).digest() + content)

    @classmethod
    def makers(cls) -> str:
        """Return the digest of what turns templates into code."""
        if not cls._makers:
            parts = [sys.implementation.cache_tag.encode(), Path(jinja2.__file__).parent.as_posix().encode()]
            parts += [str(Path(jinja2.__file__).stat().st_mtime_ns).encode()]
            parts += [(Path(__file__).parent / name).read_bytes() for name in _MAKERS]
            cls._makers = sha256(b"\0".join(parts)).hexdigest()
        return cls._makers


def _read(path: Path) -> dict[str, CodeType]:
    """Read the file; one that is damaged, or not of this Python, is as good as none."""
    with suppress(OSError, ValueError, EOFError, TypeError):
        content = path.read_bytes()
        if sha256(content[32:]).digest() == content[:32]:
            stored = marshal.loads(content[32:])  # noqa: S302 - written by us in our own output folder
            if isinstance(stored, dict):
                return stored
    return {}
