"""The sentence around a number."""

from __future__ import annotations

import re

from report.check.plain import BARRIER, HOLE

_END = re.compile(r"[。！？；!?]|\.(?=\s)|\n\s*\n|\0\n")
_LONGEST = 160
_BLANKS = re.compile(r"[\s\u2009]+")


def sentence_at(text: str, start: int, end: int) -> tuple[str, tuple[int, int]]:
    """Return the sentence around a part of a bare text, on one line, and where the part stands in it.

    Parameters
    ----------
    text : str
        Bare text, see :mod:`report.check.plain`.
    start, end : int
        The part.
    """
    first = max((match.end() for match in _END.finditer(text, max(0, start - _LONGEST), start)), default=0)
    first = max(first, start - _LONGEST, 0)
    after = _END.search(text, end, end + _LONGEST)
    last = min(after.end() if after else end + _LONGEST, len(text))
    head, body, tail = (_tidy(part) for part in (text[first:start], text[start:end], text[end:last]))
    head, tail = head.lstrip(), tail.rstrip()
    return head + body + tail, (len(head), len(head) + len(body))


def _tidy(text: str) -> str:
    return _BLANKS.sub(" ", text.replace(BARRIER, "").replace(HOLE, "…"))
