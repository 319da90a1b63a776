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
    from collections.abc import Iterator, Sequence

    from pylatexenc.macrospec import LatexContextDb

# Macro → (its arguments as in pylatexenc: * star, [ optional, { mandatory; which of them are prose, counted from 0).
MACROS: dict[str, tuple[str, tuple[int, ...]]] = {
    **dict.fromkeys(
        "label ref eqref pageref autoref cref Cref nameref tag input include bibliography bibliographystyle pagestyle "
        "thispagestyle pagenumbering usetikzlibrary graphicspath hypersetup geometry captionsetup definecolorset "
        "url path nolinkurl addvspace enlargethispage linespread vskip selectlanguage counterwithin".split(),
        ("[{", ()),
    ),
    **dict.fromkeys("cite citep citet citealp parencite textcite nocite".split(), ("*[[{", ())),
    **dict.fromkeys("vspace hspace".split(), ("*{", ())),
    **dict.fromkeys("documentclass usepackage RequirePackage includegraphics includepdf color".split(), ("*[{", ())),
    **dict.fromkeys(
        "setlength addtolength setcounter addtocounter newcolumntype newlength definecolor fontsize".split(), ("{{", ())
    ),
    **dict.fromkeys("newcommand renewcommand providecommand DeclareRobustCommand".split(), ("*{[[{", ())),
    **dict.fromkeys("newenvironment renewenvironment".split(), ("*{[[{{", ())),
    "definecolor": ("{{{", ()),
    "newtheorem": ("*{[{[", ()),
    "rule": ("[{{", ()),
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
    "cmidrule": ("({", ()),
    "cline": ("{", ()),
    "addlinespace": ("[", ()),
    "addcontentsline": ("{{{", ()),
    "bibitem": ("[{", ()),
    "caption": ("*[{", (2,)),
    "section": ("*[{", (2,)),
    "subsection": ("*[{", (2,)),
    "item": ("[", (0,)),
    "reportdraft": ("{{", (0,)),
}
# Environment → its arguments; none of them is prose.
ENVIRONMENTS: dict[str, str] = {
    "tabular": "[{", "tabular*": "{[{", "tabularx": "{[{", "tabulary": "{[{", "longtable": "[{", "array": "[{",
    "figure": "[", "figure*": "[", "table": "[", "table*": "[", "minipage": "[[[{", "multicols": "{[", "wrapfigure": "[{[{",
    "enumerate": "[", "itemize": "[", "description": "[", "titlepage": "", "center": "", "abstract": "", "adjustbox": "{",
    "subfigure": "[[[{", "threeparttable": "[", "tablenotes": "[", "spacing": "{",
}  # fmt: skip
OPAQUE_ENVIRONMENTS = frozenset(
    "equation align gather multline eqnarray displaymath flalign alignat math split verbatim Verbatim lstlisting minted "
    "comment filecontents tikzpicture thebibliography picture".split()
)
_SYMBOLIC = r"[^\d=≈<>≤≥∈~±,;。，]{0,16}"
_PLAIN_MATH = re.compile(
    rf"\s*(?:{_SYMBOLIC}\s*(?:=|≈|<|>|≤|≥|~|∈)\s*)?(?:[-+±\d\s\u2009.,×^–→%‰/~\[\](){{}}…{HOLE}]*\d[-+±\d\s\u2009.,×^–→%‰/~\[\](){{}}…{HOLE}]*)"
)
_THEORY = re.compile(r"[^\d]*[A-Za-zα-ω][^\d]*(?:[≤≥<>≠]\s*(?:0|1|1/2)|[→≈]\s*[01]|=\s*0)\s*")


def masked(source: str) -> str:
    """Return the source with a :data:`~report.check.plain.BARRIER` in place of every character that is not prose."""
    chars = list(source)
    for start, end in not_prose(source):
        chars[start:end] = [char if char == "\n" else BARRIER for char in chars[start:end]]
    return "".join(chars)


def not_prose(source: str) -> list[tuple[int, int]]:
    """Return the parts of a LaTeX source that are not prose, as (start, end)."""
    from pylatexenc.latexwalker import LatexWalker  # noqa: PLC0415 - `import report` stays light

    walker = LatexWalker(source, latex_context=_context(), tolerant_parsing=True)
    nodes, _, _ = walker.get_latex_nodes()
    found = list(_walk(nodes))
    begin = source.find(r"\begin{document}")
    return [(0, begin), *found] if begin > 0 else found


@cache
def _context() -> LatexContextDb:
    from pylatexenc.latexwalker import get_default_latex_context_db  # noqa: PLC0415 - see above
    from pylatexenc.macrospec import EnvironmentSpec, MacroSpec  # noqa: PLC0415 - see above

    database = get_default_latex_context_db()
    database.add_context_category(
        "report",
        macros=[MacroSpec(name, arguments.replace("(", "[")) for name, (arguments, _) in MACROS.items()],
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
    r"""Tell whether an inline formula is a number in prose: ``$98\%$`` and ``$\gamma=0.3$`` are, ``$2\gamma L$`` is not.

    A bound such as ``$\gamma L\le 1/2$`` or ``$\gamma\to 0$`` belongs to a theory and is a formula.
    """
    text = of_latex(formula).text.replace(BARRIER, "?")
    return bool(_PLAIN_MATH.fullmatch(text)) and not _THEORY.fullmatch(text)
