"""The pages of a PDF as pictures and as text, through PDFium.

PDFium works on one thread at a time, so every call holds one lock.
"""

from __future__ import annotations

import re
import struct
import threading
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from report.errors import MissingToolError
from report.preview.synctex import Rectangle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LOCK = threading.RLock()
_ESCAPED = re.compile(r"\\([%&#_$ {}])")
MAX_WIDTH = 4000


@dataclass(frozen=True, slots=True)
class Picture:
    """One page as PNG, and the digest of its pixels: equal digests are equal pictures."""

    png: bytes
    digest: str


class Pages:
    """An open PDF.

    Parameters
    ----------
    content : bytes
        The whole file.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._closed = False
        with _LOCK:
            self._document = _pdfium().PdfDocument(content)
            sizes = [self._document.get_page_size(index) for index in range(len(self._document))]
        self.sizes: tuple[tuple[float, float], ...] = tuple((width, height) for width, height in sizes)

    def picture(self, page: int, width: int, known: str = "") -> Picture:
        """Return a page, counted from 1, drawn so many pixels wide; without its PNG if ``known`` is its digest."""
        width = max(16, min(width, MAX_WIDTH))
        with self._open():
            bitmap = self._document[page - 1].render(scale=width / self.sizes[page - 1][0], rev_byteorder=True)
            pixels, stride = bytes(bitmap.buffer), bitmap.stride
            columns, rows, channels = bitmap.width, bitmap.height, bitmap.n_channels
            bitmap.close()
        digest = sha256(pixels + struct.pack(">II", columns, rows)).hexdigest()[:24]
        if digest == known:
            return Picture(b"", digest)
        lines = (pixels[row * stride : row * stride + columns * channels] for row in range(rows))
        return Picture(_png(lines, columns, rows, channels), digest)

    def text(self, page: int) -> list[tuple[float, float, float, float, str]]:
        """Return the pieces of a page's text: left, top, width and height in big points, and what stands there."""
        height = self.sizes[page - 1][1]
        with self._open():
            words = self._document[page - 1].get_textpage()
            boxes = [words.get_rect(index) for index in range(words.count_rects())]
            pieces = [(box, words.get_text_bounded(*box)) for box in boxes]
            words.close()
        return [
            (left, height - top, right - left, top - bottom, text)
            for (left, bottom, right, top), text in pieces
            if text.strip()
        ]

    def find(self, text: str, within: Iterable[Rectangle]) -> list[Rectangle]:
        """Return where a text stands, among the places given; of LaTeX's escapes only the characters count."""
        wanted = _ESCAPED.sub(r"\1", text).strip()
        found: list[Rectangle] = []
        areas = list(within)
        for page in sorted({area.page for area in areas}) if wanted else ():
            here = [area for area in areas if area.page == page]
            found += [item for item in self._search(page, wanted) if any(_overlap(item, area) for area in here)]
        return found

    def _search(self, page: int, text: str) -> list[Rectangle]:
        height = self.sizes[page - 1][1]
        found = []
        with self._open():
            words = self._document[page - 1].get_textpage()
            searcher = words.search(text, match_case=True)
            while (hit := searcher.get_next()) is not None:
                for index in range(words.count_rects(*hit)):
                    left, bottom, right, top = words.get_rect(index)
                    found.append(Rectangle(page, left, height - top, right - left, top - bottom))
            searcher.close()
            words.close()
        return found

    def close(self) -> None:
        """Free what PDFium holds."""
        with _LOCK:
            self._closed = True
            self._document.close()

    @contextmanager
    def _open(self) -> Iterator[None]:
        """Hold the lock over a document that has not been closed; ValueError if a newer one has replaced it."""
        with _LOCK:
            if self._closed:
                raise ValueError("the document is closed")
            yield


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    middle = one.y + one.height / 2
    return other.y - 1 <= middle <= other.y + other.height + 1 and one.x < other.x + other.width + 1


def _png(lines: Iterable[bytes], width: int, height: int, channels: int) -> bytes:
    """Pack pixels with the least compression: the picture crosses the loopback interface once."""
    colour = {1: 0, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + line for line in lines), 1)
    parts = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _pdfium() -> Any:  # noqa: ANN401 - pypdfium2 is not annotated
    try:
        import pypdfium2  # noqa: PLC0415 - the preview alone needs it
    except ImportError as error:
        raise MissingToolError(
            f"the preview needs the package {error.name}", hint="python -m pip install -r requirements.lock"
        ) from error
    return pypdfium2
