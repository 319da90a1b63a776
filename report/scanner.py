r"""One pass over a template: from what the author writes to what Jinja reads.

The author writes ``\VAR{…}``, ``\BLOCK{…}``, ``\#{…}``, ``\claim{…}{…}``, ``\typed{…}{…}`` and ``\exempt{…}{…}``
in LaTeX. Jinja reads the same with private delimiters: each tag begins with the line and column where it
stands, and each line of text with a place mark. What LaTeX does not read (comments, verbatim) is text for
Jinja too, so a tag behind ``%`` is as dead as the author expects.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

from report.blocks import Blocks
from report.errors import Location, TemplateError
from report.rendermap import PLACE, place_mark, source_line

VAR_BEGIN, VAR_END = "\U0010ff05", "\U0010ff06"
BLOCK_BEGIN, BLOCK_END = "\U0010ff07", "\U0010ff08"
COMMENT_BEGIN, COMMENT_END = "\U0010ff09", "\U0010ff0a"  # Jinja wants them defined; never written

_VERBATIM = "verbatim|Verbatim|lstlisting|minted|comment|filecontents"
_TOKEN = re.compile(
    r"""\\(?P<tag>VAR|BLOCK|\#)\{
    | \\(?P<construct>claim|typed|exempt)(?![A-Za-z@])
    | \\begin\{(?P<verbatim>(?:"""
    + _VERBATIM
    + r""")\*?)\}
    | \\(?:verb|lstinline)\*?(?P<bar>[^A-Za-z\s{*\[])
    | \\(?:url|path|nolinkurl|href)\s*(?P<url>\{)
    | \\(?:.|\n)
    | (?P<comment>%[^\n]*)
    | (?P<brace>[{}])
    | (?P<private>[\U0010ff00-\U0010ffff])""",
    re.VERBOSE,
)
_BRACE_OR_STRING = re.compile(r"""[{}]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", re.DOTALL)
_RAW_END = re.compile(r"\\BLOCK\{-?\s*endraw\s*-?\}")
_GAP = re.compile(r"(?:[ \t]*%[^\n]*\n|[ \t])*(?:\n(?:[ \t]*%[^\n]*\n|[ \t])*)?(?=\{)")
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_BRACE = re.compile(r"[{}]")
_REST_OF_LINE = re.compile(r"[ \t]*\n")


def convert(source: str, file: str) -> str:
    """Return a template as Jinja source.

    Parameters
    ----------
    source : str
        The template.
    file : str
        Its path as messages show it.

    Raises
    ------
    TemplateError
        For a tag or construct that is never closed or lacks an argument, at its line and column.
    """
    scanner = _Scanner(source, file)
    scanner.text(len(source))
    if fault := scanner.blocks.still_open():
        raise scanner.error(*fault)
    return "".join(scanner.out)


class _Scanner:
    def __init__(self, source: str, file: str) -> None:
        self.source, self.file = source, file
        self.line_starts = [0, *accumulate(len(line) + 1 for line in source.split("\n"))]
        self.out: list[str] = []
        self.pos = 0
        self.blocks = Blocks()
        self.line_has_text = False  # whether the current line holds anything but blanks and block tags

    def text(self, stop: int, *, argument_at: int | None = None) -> None:
        """Convert up to ``stop``, or up to the brace that closes the argument opened at ``argument_at``."""
        depth, blocks = 0, len(self.blocks.opened)
        start = self.pos
        while match := _TOKEN.search(self.source, self.pos, stop):
            kind = match.lastgroup
            if kind == "brace":
                depth += 1 if match[0] == "{" else -1
                if depth < 0 and argument_at is not None:
                    if len(self.blocks.opened) != blocks:
                        raise self.error("a block and this argument overlap", argument_at, self.blocks.innermost())
                    self.data(start, match.start())
                    self.pos = match.end()
                    return
                self.pos = match.end()
            elif kind in {"tag", "construct"}:
                self.data(start, match.start())
                self.pos = match.end()
                self.tag(match) if kind == "tag" else self.construct(match)
                start = self.pos
            elif kind == "private":
                raise self.error("this private-use character cannot stand in a template", match.start())
            else:
                self.pos = self.end_of_inert(match)
        if argument_at is not None:
            raise self.error("this argument is never closed", argument_at, "every { needs its }")
        self.data(start, stop)
        self.pos = stop

    def end_of_inert(self, match: re.Match[str]) -> int:
        """Return where a piece ends that LaTeX does not read as usual: comment, verbatim, address."""
        end = match.end()
        if match["verbatim"]:
            found = self.source.find(rf"\end{{{match['verbatim']}}}", end)
            return found if found >= 0 else end
        if match["bar"]:
            found = self.source.find(match["bar"], end)
            return found + 1 if 0 <= found < self.end_of_line(end) else end
        if match["url"]:
            found = self.source.find("}", end)
            inside = self.source[end:found]
            return found if 0 <= found < self.end_of_line(end) and "{" not in inside else end
        return end

    def end_of_line(self, pos: int) -> int:
        found = self.source.find("\n", pos)
        return found if found >= 0 else len(self.source)

    def data(self, start: int, end: int) -> None:
        """Write text, each line of it with its place."""
        if start == end:
            return
        line, column = self.place(start)
        chunk = self.source[start:end]
        for piece in _LINES.findall(chunk):
            self.out += (place_mark(self.file, line, column), piece)
            line, column = line + 1, 1
        tail = chunk[chunk.rfind("\n") + 1 :]
        self.line_has_text = bool(tail.strip()) or ("\n" not in chunk and self.line_has_text)

    def tag(self, match: re.Match[str]) -> None:
        r"""Convert ``\VAR{…}``, ``\BLOCK{…}`` or ``\#{…}``; a line that holds only blocks leaves no empty line."""
        kind, begin = match["tag"], match.start()
        body = self.comment(begin) if kind == "#" else self.expression(begin, match[0])
        if kind != "#" and not body.strip("- \n\t"):
            raise self.error(f"{match[0]}}} is empty", begin)
        if kind == "VAR":
            line, column = self.place(begin)
            self.out.append(place_mark(self.file, line, column, tag=True))
            self.write(VAR_BEGIN, begin, body, VAR_END)
            self.line_has_text = True
            return
        inner = body.strip()
        if inner.startswith("-"):
            self.trim_before()
        if kind == "BLOCK" and inner.strip("- ") == "raw":
            self.raw(begin)
        elif kind == "BLOCK":
            keyword = inner.strip("- \n\t")
            silent = self.blocks.silent_since(keyword)
            if fault := self.blocks.step(keyword, begin, self.place(begin)[0], clean=not self.line_has_text):
                raise self.error(*fault)
            if silent:
                self.line_has_text = False
            self.write(BLOCK_BEGIN, begin, inner.removeprefix("-").removesuffix("-"), BLOCK_END)
        if inner.endswith("-"):
            self.pos += len(self.source[self.pos :]) - len(self.source[self.pos :].lstrip())
        elif not self.line_has_text and (rest := _REST_OF_LINE.match(self.source, self.pos)):
            self.pos = rest.end()

    def trim_before(self) -> None:
        """Take the white space away that was written last."""
        while self.out and (self.out[-1].isspace() or self.out[-1].startswith(PLACE)):
            self.out.pop()
        if self.out and not self.out[-1].endswith((VAR_END, BLOCK_END)):
            self.out[-1] = self.out[-1].rstrip()

    def raw(self, begin: int) -> None:
        r"""Write everything up to ``\BLOCK{endraw}`` as text."""
        end = _RAW_END.search(self.source, self.pos)
        if end is None:
            raise self.error(r"\BLOCK{raw} is never closed", begin, r"write \BLOCK{endraw} behind the raw text")
        self.data(self.pos, end.start())
        self.pos = end.end()

    def comment(self, begin: int) -> str:
        """Skip a comment up to the brace that closes it."""
        depth = 1
        for brace in _BRACE.finditer(self.source, self.pos):
            depth += 1 if brace[0] == "{" else -1
            if depth == 0:
                self.pos = brace.end()
                return ""
        raise self.error(r"the comment '\#{' is never closed", begin)

    def expression(self, begin: int, opening: str) -> str:
        """Return the Jinja expression from here to its closing brace; braces in strings do not count."""
        start, depth = self.pos, 1
        for match in _BRACE_OR_STRING.finditer(self.source, start):
            if match[0] in "{}":
                depth += 1 if match[0] == "{" else -1
            if depth == 0:
                self.pos = match.end()
                return self.source[start : match.start()]
        raise self.error(f"'{opening}' is never closed", begin, "every { needs its }")

    def construct(self, match: re.Match[str]) -> None:
        r"""Convert ``\claim``, ``\typed`` or ``\exempt`` with its arguments."""
        name, begin = match["construct"], match.start()
        self.line_has_text = True
        self.open_argument(name, begin, 1)
        opening = self.pos - 1
        if name == "exempt":
            self.exempt(begin)
            return
        expression = self.expression(opening, "{")
        self.open_argument(name, begin, 2)
        line, column = self.place(begin)
        self.out.append(place_mark(self.file, line, column, tag=True))
        self.write(BLOCK_BEGIN, begin, f"__{name} {expression}", BLOCK_END)
        self.text(len(self.source), argument_at=self.pos - 1)
        gap = _GAP.match(self.source, self.pos) if name == "claim" else None
        if gap:
            self.pos = gap.end() + 1
            self.write(BLOCK_BEGIN, begin, "__otherwise", BLOCK_END)
            self.text(len(self.source), argument_at=self.pos - 1)
        self.write(BLOCK_BEGIN, begin, f"__end{name}", BLOCK_END)

    def exempt(self, begin: int) -> None:
        r"""Convert ``\exempt{number}{reason}``: the reason stands second and is not printed."""
        line, column = self.place(begin)
        out, self.out = self.out, []
        self.text(len(self.source), argument_at=self.pos - 1)
        number, self.out = self.out, out
        self.open_argument("exempt", begin, 2)
        reason = self.argument(self.pos - 1)
        self.out.append(place_mark(self.file, line, column, tag=True))
        self.write(BLOCK_BEGIN, begin, f"__exempt {reason!a}", BLOCK_END)
        self.out += number
        self.write(BLOCK_BEGIN, begin, "__endexempt", BLOCK_END)

    def argument(self, opening: int) -> str:
        """Return the source of an argument, up to its closing brace."""
        start, out = self.pos, self.out
        self.out = []
        self.text(len(self.source), argument_at=opening)
        self.out = out
        return self.source[start : self.pos - 1]

    def open_argument(self, name: str, begin: int, count: int) -> None:
        """Step behind the brace that opens the next argument of a construct."""
        gap = _GAP.match(self.source, self.pos)
        if gap is None:
            usage = {
                "claim": r"\claim{id}{sentence} or \claim{id}{sentence}{sentence if it does not hold}",
                "typed": r"\typed{id}{number}",
                "exempt": r"\exempt{number}{reason}",
            }[name]
            ordinal = ("first", "second")[count - 1]
            raise self.error(rf"\{name} lacks its {ordinal} argument", begin, f"write {usage}")
        self.pos = gap.end() + 1

    def write(self, opening: str, begin: int, body: str, closing: str) -> None:
        """Write a tag with the line and column where it stands."""
        line, column = self.place(begin)
        self.out.append(f"{opening} {line} {column} {body} {closing}")

    def place(self, pos: int) -> tuple[int, int]:
        line = bisect_right(self.line_starts, pos)
        return line, pos - self.line_starts[line - 1] + 1

    def error(self, message: str, pos: int, hint: str = "") -> TemplateError:
        location = Location(self.file, *self.place(pos))
        source = source_line({self.file: self.source}, location)
        return TemplateError(message, location=location, hint=hint, source=source)
