"""What to do about an error of LaTeX, in the words of an author."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from report.errors import did_you_mean
from report.texlive import install_command

if TYPE_CHECKING:
    from pathlib import Path

    from report.rendermap import Rendered

_PLAIN_HINTS = {
    "Missing $ inserted": r"_, ^ or a command of mathematics stands outside $…$; in text write \_",
    "Misplaced alignment tab character": r"& separates cells; in text write \&",
    "Extra alignment tab": "this row has more & than the table has columns",
    "Missing character": "no font of the text has this character: write another one or choose a font that has it",
    "Paragraph ended before": "a } is missing in this paragraph",
    "File ended while scanning": "a } is missing somewhere before the end",
    "Extra }, or forgotten": "this } closes nothing",
    "Too many }'s": "this } closes nothing",
    "Not in outer par mode": "a float or margin note cannot stand in a box or in another float",
    "TeX capacity exceeded": "a macro calls itself without end",
    "Option clash": "give all options of the package where it is loaded first",
    "Illegal parameter number": r"# stands for a parameter; in text write \#",
    "You can't use `macro parameter character #'": r"in text write \#",
    "Missing number": "a length or a number is needed here",
    "Illegal unit of measure": "a length needs a unit: pt, cm, em, …",
    "Unable to load picture": "is the figure in the section's Result, and its id right?",
}
_STYLE = re.compile(r"File [`'](.+\.(?:sty|cls|def|clo))' not found")
_INPUT = re.compile(r"File [`'](.+?)' not found")
_PICTURE = re.compile(r"Unable to load picture or PDF file '(.+?)'")
_FONT = re.compile(r'font "(.+?)" cannot be found|fontset [`\'](.+?)\' is unavailable')
_ENVIRONMENT = re.compile(r"Environment (\S+) undefined")
_COMMANDS = re.compile(r"\\([A-Za-z]+)")
_OURS = ("VAR", "BLOCK", "claim", "typed", "exempt")
_USUAL = (
    "alpha beta begin bf boldmath caption cdot centering chapter cite cmidrule delta documentclass emph "
    "end epsilon eqref equation footnote footnotesize frac gamma geq hline hspace href includegraphics infty int "
    "item itshape label lambda large ldots left leq linewidth log mathbb mathbf mathcal mathrm maketitle midrule mu "
    "nabla newcommand newpage noindent operatorname pageref par paragraph parencite partial pi qquad quad ref right "
    "section sigma small sqrt subsection subsubsection sum tableofcontents text textbf textit textrm textsf texttt "
    "textwidth theta times tilde title toprule bottomrule url usepackage varepsilon vspace"
)
_ENVIRONMENTS = (
    "abstract align align* cases center description document enumerate equation equation* figure itemize longtable "
    "minipage quote table tabular tabularx theorem verbatim"
)
ENVIRONMENTS = frozenset(_ENVIRONMENTS.split())
"""The environments that authors use most."""


def hint_for(message: str, rendered: Rendered, out: Path) -> str:
    """Return a suggestion for an error message, or nothing."""
    if found := _STYLE.search(message):
        return f"check its name, or install it: {install_command([found[1]])}"
    if found := _FONT.search(message):
        return f"fc-list shows the installed fonts; the free Chinese ones come with: {install_command(['Fandol.otf'])}"
    if found := _PICTURE.search(message) or _INPUT.search(message):
        return _missing_file(found[1], rendered, out)
    if found := _ENVIRONMENT.search(message):
        return did_you_mean(found[1], ENVIRONMENTS) if len(found[1]) > 1 else ""
    return next((hint for start, hint in _PLAIN_HINTS.items() if start in message), "")


def similar_command(command: str, rendered: Rendered) -> str:
    """Return the nearest command for an undefined one, among the usual ones and those the document uses often."""
    if command in _OURS:
        return rf"\{command} is for Jinja: take this file in with \BLOCK{{include …}}, not with \input"
    uses = _COMMANDS.findall(rendered.text)
    known = {*_USUAL.split(), *(name for name in set(uses) if name != command and uses.count(name) > 1)}
    suggestion = did_you_mean(command, known)
    if suggestion.startswith("Did"):
        return suggestion.replace("'", r"'" + "\\", 1)
    return "check its spelling, or load the package that defines it"


def _missing_file(name: str, rendered: Rendered, out: Path) -> str:
    if rendered.folder is not None and any((rendered.folder / name).with_suffix(s).is_file() for s in (".tex", "")):
        return rf"a template is taken in with \BLOCK{{include '{name}'}}, not with \input"
    known = [str(path.relative_to(out)) for path in out.glob("figures/*")]
    return did_you_mean(name, known) if known else "the file is neither in the output folder nor beside the templates"


def lacks_its_end(row: str) -> bool:
    r"""Tell whether a line is a row of a table without ``\\`` behind it; one that ends with & goes on below."""
    return bool(re.search(r"(?<!\\)&", row)) and not re.search(r"(?:\\\\(?:\[[^\]]*\])?|&|\\\w+)\s*(?:%.*)?$", row)
