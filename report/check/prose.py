r"""Tell prose from everything else in a LaTeX source, with pylatexenc.

Not prose: arguments that are names, addresses, lengths or options; column specifications; displayed formulas;
inline formulas that are more than a number or ``symbol = number``; comments, verbatim text and bibliographies.
Headings, captions, footnotes and the cells of a table written by hand are prose.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from report.check.plain import BARRIER, HOLE, of_latex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pylatexenc.macrospec import LatexContextDb

_ARGUMENTS = {  # the arguments of macros none of whose arguments is prose: * star, [ optional, { mandatory
    "[{": """label ref eqref pageref autoref cref Cref nameref tag input include bibliography bibliographystyle
        pagestyle thispagestyle pagenumbering usetikzlibrary graphicspath hypersetup geometry captionsetup url path
        nolinkurl addvspace enlargethispage linespread selectlanguage bibitem""",
    "*[[{": "cite citep citet citealp parencite textcite nocite",
    "*{": "vspace hspace",
    "*[{": "documentclass usepackage RequirePackage includegraphics includepdf color",
    "{{": "setlength addtolength setcounter addtocounter newcolumntype newlength fontsize",
    "*{[[{": "newcommand renewcommand providecommand DeclareRobustCommand",
    "*{[[{{": "newenvironment renewenvironment",
    "{{{": "definecolor addcontentsline",
    "*{[{[": "newtheorem",
    "[{{": "rule",
    "{": "cline",
    "[": "addlinespace",
}
# Macro → its arguments, and which of them are prose, counted from 0.
MACROS: dict[str, tuple[str, tuple[int, ...]]] = {
    **{name: (arguments, ()) for arguments, names in _ARGUMENTS.items() for name in names.split()},
    "hyperref": ("[{", (1,)),
    "href": ("{{", (1,)),
    "hypertarget": ("{{", (1,)),
    "hyperlink": ("{{", (1,)),
    "textcolor": ("[{{", (2,)),
    "colorbox": ("[{{", (2,)),
    "resizebox": ("*{{{", (3,)),
    "scalebox": ("{[{", (2,)),
    "raisebox": ("{[[{", (3,)),
    "parbox": ("[[[{{", (4,)),
    "makebox": ("[[{", (2,)),
    "multicolumn": ("{{{", (2,)),
    "multirow": ("[{[{[{", (5,)),
    "caption": ("*[{", (2,)),
    "section": ("*[{", (2,)),
    "subsection": ("*[{", (2,)),
    "item": ("[", (0,)),
    "reportdraft": ("{{", (0,)),
}
# Environment → its arguments; none of them is prose.
ENVIRONMENTS: dict[str, str] = {
    "tabular": "[{", "tabular*": "{[{", "tabularx": "{[{", "tabulary": "{[{", "longtable": "[{", "array": "[{",
    "figure": "[", "figure*": "[", "table": "[", "table*": "[", "wrapfigure": "[{[{", "subfigure": "[[[{",
    "minipage": "[[[{", "multicols": "{[", "enumerate": "[", "itemize": "[", "description": "[", "adjustbox": "{",
    "threeparttable": "[", "tablenotes": "[", "spacing": "{",
}  # fmt: skip
_OPAQUE = """equation align gather multline eqnarray displaymath flalign alignat math split verbatim Verbatim lstlisting
    minted comment filecontents tikzpicture thebibliography picture"""
OPAQUE_ENVIRONMENTS = frozenset(_OPAQUE.split())
_NUMBERS = rf"[-+±\d\s\u2009.,×^–→%‰/~\[\](){{}}…{HOLE}]*"
_VERBATIM = frozenset({"verb", "lstinline", "mintinline"})
_RULES = re.compile(r"\\cmidrule\s*(?:\([^)]*\))?\s*\{[^{}]*\}")  # pylatexenc knows no (round) arguments
_SYMBOLIC = r"[^\d=≈<>≤≥∈~±,;。，]{0,16}"
_PLAIN_MATH = re.compile(rf"\s*(?:{_SYMBOLIC}\s*(?:=|≈|<|>|≤|≥|~|∈)\s*)?{_NUMBERS}\d{_NUMBERS}")
_THEORY = re.compile(r"[^\d]*[A-Za-zα-ω][^\d]*(?:[≤≥<>≠]\s*(?:0|1|1/2)|[→≈]\s*[01]|=\s*0)\s*")


def masked(source: str) -> str:
    """Return the source with a :data:`~report.check.plain.BARRIER` for every character that is not prose."""
    return blanked(source, not_prose(source))


def blanked(source: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return a source with barriers in place of some parts of it; line ends stay."""
    chars = list(source)
    for start, end in spans:
        chars[start:end] = [char if char == "\n" else BARRIER for char in chars[start:end]]
    return "".join(chars)


def not_prose(source: str) -> list[tuple[int, int]]:
    """Return the parts of a LaTeX source that are not prose, as (start, end)."""
    from pylatexenc.latexwalker import LatexWalker  # noqa: PLC0415 - `import report` stays light

    walker = LatexWalker(source, latex_context=_context(), tolerant_parsing=True)
    nodes, _, _ = walker.get_latex_nodes()
    found = list(_walk(nodes))
    found += [match.span() for match in _RULES.finditer(source)]
    begin = source.find(r"\begin{document}")
    return [(0, begin), *found] if begin > 0 else found


@cache
def _context() -> LatexContextDb:
    from pylatexenc.latexwalker import get_default_latex_context_db  # noqa: PLC0415 - see above
    from pylatexenc.macrospec import EnvironmentSpec, MacroSpec  # noqa: PLC0415 - see above

    database = get_default_latex_context_db()
    database.add_context_category(
        "report",
        macros=[MacroSpec(name, arguments) for name, (arguments, _) in MACROS.items()],
        environments=[EnvironmentSpec(name, arguments) for name, arguments in ENVIRONMENTS.items()],
        prepend=True,
    )
    return database


def _walk(nodes: Sequence[Any] | None) -> Iterator[tuple[int, int]]:
    for node in nodes or ():
        if node is None:
            continue
        kind = type(node).__name__
        if kind == "LatexMathNode":
            if node.displaytype == "display" or not counts_as_number(node.latex_verbatim()):
                yield _span(node)
        elif kind == "LatexMacroNode":
            yield from _walk_macro(node)
        elif kind == "LatexEnvironmentNode":
            yield from _walk_environment(node)
        elif kind == "LatexCommentNode":
            yield _span(node)
        elif kind == "LatexGroupNode":
            yield from _walk(node.nodelist)


def _walk_macro(node: Any) -> Iterator[tuple[int, int]]:  # noqa: ANN401 - pylatexenc is not annotated
    if node.macroname in _VERBATIM:
        yield _span(node)
        return
    arguments = (node.nodeargd.argnlist if node.nodeargd else None) or []
    prose = MACROS[node.macroname][1] if node.macroname in MACROS else range(len(arguments))
    for index, argument in enumerate(arguments):
        if argument is None:
            continue
        if index in prose:
            yield from _walk([argument])
        else:
            yield _span(argument)


def _walk_environment(node: Any) -> Iterator[tuple[int, int]]:  # noqa: ANN401 - pylatexenc is not annotated
    if node.environmentname.rstrip("*") in OPAQUE_ENVIRONMENTS:
        yield _span(node)
        return
    arguments = (node.nodeargd.argnlist if node.nodeargd else None) or []
    yield from (_span(argument) for argument in arguments if argument is not None)
    yield from _walk(node.nodelist)


def _span(node: Any) -> tuple[int, int]:  # noqa: ANN401 - pylatexenc is not annotated
    return node.pos, node.pos + node.len


def counts_as_number(formula: str) -> bool:
    r"""Tell whether an inline formula is a number in prose: ``$\gamma=0.3$`` is, ``$2\gamma L$`` is not.

    A bound such as ``$\gamma L\le 1/2$`` or ``$\gamma\to 0$`` belongs to a theory and is a formula.
    """
    text = of_latex(formula).text.replace(BARRIER, "?")
    return bool(_PLAIN_MATH.fullmatch(text)) and not _THEORY.fullmatch(text)
