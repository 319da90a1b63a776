r"""Groups that are never closed, found before LaTeX runs and named where they were opened.

LaTeX notices a missing brace at the end of the document, or somewhere in between; this looks at the rendered
document, where every tag is resolved, and maps what it finds to the template's line and column.
It stays silent where catcodes are changed, and in the preamble looks at braces alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from report.errors import LatexError
from report.latexhints import ENVIRONMENTS

if TYPE_CHECKING:
    from report.rendermap import Rendered

_TOKEN = re.compile(
    r"""\\(?P<edge>begin|end)\s*\{(?P<name>[^{}\\\n]*)\}
    | \\(?:verb|lstinline)\*?(?P<bar>[^A-Za-z\s{*\[])
    | \\(?:url|path|nolinkurl|href)\s*\{(?P<url>[^{}\n]*)\}
    | \\(?P<definition>(?:re)?newenvironment|(?:re)?newcommand|providecommand|DeclareRobustCommand|def
        |(?:New|Renew|Provide)Document(?:Environment|Command)|newcolumntype)(?![A-Za-z@])
    | \\(?P<math>[()\[\]])
    | (?P<wide>\\[A-Za-z]+\*?[ ]*｛)
    | (?P<delimiter>\\(?:left|right))(?![A-Za-z@])
    | (?P<catcode>\\catcode)
    | \\(?:.|\n)
    | %[^\n]*
    | (?P<column>\{\s*\$\s*\})
    | (?P<dollar>\$\$?)
    | (?P<brace>[{}])
    | (?P<paragraph>\n[ \t]*\n)""",
    re.VERBOSE,
)
_VERBATIM = re.compile(r"(?:verbatim|Verbatim|lstlisting|minted|comment|filecontents)\*?")
_NOT_IN_A_LINE = re.compile(
    r"(?:equation|align|gather|multline|eqnarray|flalign|displaymath|figure|table|itemize|enumerate|center)\*?"
)
_LEFT, _RIGHT = (re.compile(rf"\\{side}(?![A-Za-z@])") for side in ("left", "right"))
_MATH = {"(": ")", "[": "]"}


@dataclass(frozen=True, slots=True)
class _Group:
    kind: str  # "{", "$", "$$", "(", "[", r"\left" or the name of an environment
    offset: int

    def misspells(self, environment: str) -> bool:
        """Whether it is an environment that nobody knows, with a name much like another one."""
        return self.kind not in ENVIRONMENTS and bool(get_close_matches(self.kind, [environment]))

    def __str__(self) -> str:
        if self.kind in _MATH:
            return rf"\{self.kind}"
        return self.kind if self.kind in {"{", "$", "$$", r"\left"} else rf"\begin{{{self.kind}}}"


def check_groups(rendered: Rendered) -> None:
    """Check that every brace, environment and formula of a document is closed, and closed in order.

    Raises
    ------
    LatexError
        At the place in the templates where the group is opened, or where something is closed that is not open.
    """
    found = _first_fault(rendered.text)
    if found is None:
        return
    offset, message, hint = found
    location = rendered.map.place(offset)
    if location is None:
        raise LatexError(message, hint=hint)
    raise LatexError(message, location=location, hint=_placed(hint, rendered), source=rendered.source(location))


def _placed(hint: str, rendered: Rendered) -> str:
    """Write the place in the templates for each ``<offset>`` of a hint."""
    return re.sub(r"<(\d+)>", lambda match: str(rendered.map.place(int(match[1]))), hint)


def _first_fault(text: str) -> tuple[int, str, str] | None:
    groups: list[_Group] = []
    start = text.find(r"\begin{document}")  # a fragment without one is all body
    position = definition = 0
    halves = [len(side.findall(text, 0, max(start, 0))) for side in (_LEFT, _RIGHT)]
    lone = halves[0] != halves[1]  # a macro of the preamble may stand for the other half of a pair
    while match := _TOKEN.search(text, position):
        position = match.end()
        in_body = match.start() >= start
        if match["bar"]:
            found = text.find(match["bar"], position)
            position = found + 1 if found >= 0 else position
        elif match["catcode"] and in_body and start >= 0:
            return None
        elif match["definition"]:
            definition = max(definition, _end_of_definition(text, position))
        elif match["edge"] == "begin" and _VERBATIM.fullmatch(match["name"]):
            found = text.find(rf"\end{{{match['name']}}}", position)
            if found < 0:
                return match.start(), rf"\begin{{{match['name']}}} is never closed", ""
            position = found + len(match["name"]) + len(r"\end{}")
        elif match["brace"] or (in_body and match.start() >= definition and not (lone and match["delimiter"])):
            fault = _step(match, groups)
            if fault is not None:
                return fault
            if match["edge"] == "end" and match["name"] == "document":
                return None
    return (groups[-1].offset, f"'{groups[-1]}' is never closed", "") if groups else None


def _end_of_definition(text: str, position: int) -> int:
    """Return where the definition of an environment ends: behind its last argument on this or the next lines."""
    depth = 0
    for match in re.compile(r"\\.|%[^\n]*|[{}]|\n").finditer(text, position):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        following = text[match.end() : match.end() + 80].lstrip(" \t%\n")[:1]
        if depth == 0 and match[0] in "}\n" and following not in {"{", "["}:
            return match.end()
    return len(text)


def _step(match: re.Match[str], groups: list[_Group]) -> tuple[int, str, str] | None:
    """Open or close one group; return the fault if something else is open."""
    top = groups[-1] if groups else None
    if match["wide"]:
        return match.end() - 1, "the full-width '｛' does not open an argument", "write '{', and '}' at its end"
    in_line = top is not None and top.kind in {"$", "("}
    if top is not None and in_line and match["edge"] == "begin" and _NOT_IN_A_LINE.fullmatch(match["name"]):
        return _unclosed(top, match)
    opens = match["brace"] == "{" or match["edge"] == "begin" or match["delimiter"] == r"\left"
    if opens or (match["math"] or ")") in _MATH:
        kind = match["brace"] or match["name"] or match["math"] or match["delimiter"]
        groups.append(_Group(kind, match.start()))
    elif match["dollar"]:
        return _dollar(match, groups)
    elif match["paragraph"] and top is not None and in_line:
        return top.offset, f"'{top}' is never closed", "a formula cannot run over an empty line"
    elif match["brace"] or match["edge"] or match["math"] or match["delimiter"]:
        return _close(match, groups)
    return None


def _dollar(match: re.Match[str], groups: list[_Group]) -> tuple[int, str, str] | None:
    kind = match["dollar"]
    top = groups[-1].kind if groups else ""
    if kind == "$$" and top == "$":  # two formulas that touch
        return None
    if top == kind:
        groups.pop()
    elif top == r"\left":
        return _unclosed(groups[-1], match)
    elif top == "$$":
        return groups[-1].offset, "'$$' is closed by a single '$'", ""
    else:
        groups.append(_Group(kind, match.start()))
    return None


def _close(match: re.Match[str], groups: list[_Group]) -> tuple[int, str, str] | None:
    ends = {")": "(", "]": "[", "}": "{", r"\right": r"\left"}
    wanted = match["name"] if match["edge"] else ends[match["math"] or match["brace"] or match["delimiter"]]
    if groups and groups[-1].kind == wanted:
        groups.pop()
        return None
    if not any(group.kind == wanted for group in groups):
        if match["edge"] and groups and wanted in ENVIRONMENTS and groups[-1].misspells(wanted):
            return _unclosed(groups[-1], match)
        hint = f"open here: '{groups[-1]}' of <{groups[-1].offset}>" if groups else "nothing is open here"
        return match.start(), f"'{match[0]}' closes nothing", hint
    return _unclosed(groups[-1], match)


def _unclosed(group: _Group, match: re.Match[str]) -> tuple[int, str, str]:
    return group.offset, f"'{group}' is never closed", f"'{match[0]}' at <{match.start()}> comes first"
