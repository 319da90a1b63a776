r"""Which ``\BLOCK`` is open: names the block at fault, where Jinja would name the end of the file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from report.errors import did_you_mean

_WORD = re.compile(r"\w+")
_OPENING = ("if", "for", "macro", "call", "filter", "set", "block", "with")
_KEYWORDS = {
    *_OPENING,
    *(f"end{name}" for name in _OPENING),
    *("else", "elif", "include", "import", "from", "extends", "raw", "endraw"),
}
Fault = tuple[str, int, str]
"""Message, offset of the tag, hint."""


@dataclass(slots=True)
class Blocks:
    """The blocks of one template that are open: keyword, offset, line, whether only blocks stood before on the line."""

    opened: list[tuple[str, int, int, bool]] = field(default_factory=list)

    def silent_since(self, body: str) -> bool:
        """Whether a tag ends a block that prints nothing where it stands, such as a macro, and began its line."""
        return bool(self.opened) and body in {"endmacro", "endset"} and self.opened[-1][3]

    def step(self, body: str, begin: int, line: int, *, clean: bool) -> Fault | None:
        """Take account of one tag; return what is wrong with it."""
        word = _WORD.match(body)
        keyword = word[0] if word else ""
        if keyword not in _KEYWORDS:
            return rf"there is no \BLOCK{{{keyword}}}", begin, did_you_mean(keyword, _KEYWORDS)
        if keyword in _OPENING and not (keyword == "set" and "=" in body):
            self.opened.append((keyword, begin, line, clean))
        elif keyword.startswith("end"):
            if not self.opened or "end" + self.opened[-1][0] != keyword:
                return rf"\BLOCK{{{keyword}}} closes nothing", begin, self.innermost()
            self.opened.pop()
        elif keyword in {"else", "elif"} and (not self.opened or self.opened[-1][0] not in {"if", "for"}):
            return rf"\BLOCK{{{keyword}}} stands in no \BLOCK{{if …}}", begin, self.innermost()
        return None

    def innermost(self) -> str:
        """Say which block is open, for a hint."""
        if not self.opened:
            return "no block is open here"
        keyword, _, line, _ = self.opened[-1]
        return rf"open here: \BLOCK{{{keyword} …}} of line {line}"

    def still_open(self) -> Fault | None:
        """Return the fault of a template that ends with an open block."""
        if not self.opened:
            return None
        keyword, begin, *_ = self.opened[-1]
        return rf"\BLOCK{{{keyword} …}} is never closed", begin, rf"write \BLOCK{{end{keyword}}} behind it"
