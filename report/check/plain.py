r"""LaTeX or plain text as bare characters, each with its place in the source: one reader of numbers does for all.

``98\%`` becomes ``98%``, ``$1\times10^{-4}$`` becomes ``1×10^-4``, ``６０，０００`` becomes ``60,000``. What is
neither text nor number (unknown commands, and :data:`BARRIER` itself) becomes a barrier that no number reaches over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BARRIER = "\0"
"""Stands for what is no prose; a source may hold it already, see :mod:`report.check.prose`."""

HOLE = "\ufffc"
"""Stands for a number that the engine prints at this place."""

_SYMBOLS = {
    "times": "×", "cdot": "×", "approx": "≈", "simeq": "≈", "thickapprox": "≈", "sim": "~",
    "le": "≤", "leq": "≤", "leqslant": "≤",
    "ge": "≥", "geq": "≥", "geqslant": "≥", "pm": "±", "lt": "<", "gt": ">", "ll": "<", "gg": ">", "to": "→",
    "rightarrow": "→", "in": "∈", "ne": "≠", "neq": "≠", "textasciitilde": "~", "textless": "<", "textgreater": ">",
    "percent": "%", "permille": "‰", "textperthousand": "‰", "quad": " ", "qquad": " ", "ldots": "…", "dots": "…",
    "textendash": "–", "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε",
    "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Delta": "Δ", "Sigma": "Σ", "ell": "ℓ",
}  # fmt: skip
_TRANSPARENT = (
    "ensuremath|math(?:rm|bf|it|sf|tt|bb|cal|op|normal)|text(?:bf|it|rm|sf|tt|sc|md|up|normal)?|emph|underline|mbox|hbox|bm"
    "|boldsymbol|boldmath|displaystyle|textstyle|left|right|big|Big|bigl|bigr|num|SI|qty|small|footnotesize|scriptsize"
    "|normalsize|large|Large|bfseries|itshape|rmfamily|sffamily|kern0pt|relax|nobreak|allowbreak|protect"
)
_LATEX = re.compile(
    r"""(?P<comment>(?<!\\)%[^\n]*\n?[ \t]*)
    | \\[dt]?frac\s*\{\s*(?P<above>\d+)\s*\}\s*\{\s*(?P<below>\d+)\s*\}
    | \\(?P<environment>begin|end)\s*\{[^{}]*\}
    | \\(?P<char>[%$&\#_{}])
    | \\(?P<thin>,)
    | \\(?P<space>[;:>\ /])
    | (?P<nothing>\\!|\{\}|\\(?:"""
    + _TRANSPARENT
    + r""")(?![A-Za-z@])\s*|\\[()\[\]]|(?<!\\)[{}$])
    | \{(?P<comma>,)\}
    | \\(?P<name>[A-Za-z@]+)\*?\s*
    | (?P<power>\^\s*\{?)
    | (?P<break>\\\\|\\.)
    | (?P<tie>~)
    | (?P<dash>---?)
    | (?P<run>[^\\{}$%~^\-⁰¹²³⁴-⁹⁺⁻]+)
    | (?P<one>.)""",
    re.VERBOSE | re.DOTALL,
)
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_WIDE = str.maketrans(
    "０１２３４５６７８９％＋－−．，／～〜∼＜＞＝＾\u00a0\u202f\u3000×✕", "0123456789%+--.,/~~~<>=^\u2009\u2009 ××"
)
_NOT_BETWEEN_DIGITS = {".": "．", ",": "，"}  # full-width marks are marks of a sentence unless digits stand around them


@dataclass(frozen=True, slots=True)
class Plain:
    """Bare text; character ``i`` stands for ``source[starts[i]:ends[i]]``."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the part of the source that a part of the bare text stands for."""
        return (self.starts[start], self.ends[end - 1]) if start < end else (0, 0)

    def index(self, offset: int) -> int:
        """Return the index of the first character that stands at or behind an offset of the source."""
        from bisect import bisect_left  # noqa: PLC0415 - used here alone

        return bisect_left(self.starts, offset)


class _Builder:
    def __init__(self) -> None:
        self.chars: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []

    def add(self, text: str, start: int, end: int) -> None:
        for char in text:
            self.chars.append(char)
            self.starts.append(start)
            self.ends.append(end)

    def add_run(self, text: str, start: int) -> None:
        """Add characters that stand for themselves, or each for one other."""
        self.chars += [char if char in "．，" else char.translate(_WIDE) for char in text]
        self.starts += range(start, start + len(text))
        self.ends += range(start + 1, start + len(text) + 1)

    def done(self) -> Plain:
        text = "".join(self.chars)
        for index, char in enumerate(text):
            if char in "．，" and text[index - 1 : index].isdigit() and text[index + 1 : index + 2].isdigit():
                self.chars[index] = char.translate(_WIDE)
        return Plain("".join(self.chars), tuple(self.starts), tuple(self.ends))


def of_text(source: str) -> Plain:
    """Return plain text as bare characters: full-width digits and superscripts become ordinary ones."""
    builder = _Builder()
    for offset, char in enumerate(source):
        _add_char(builder, char, offset)
    return builder.done()


def of_latex(source: str) -> Plain:
    """Return LaTeX as bare characters; see the module."""
    builder = _Builder()
    for match in _LATEX.finditer(source):
        start, end = match.span()
        kind = match.lastgroup
        if kind in {"comment", "nothing"}:
            continue
        if kind == "below":
            builder.add(match["above"], match.start("above"), match.end("above"))
            builder.add("/", match.start("above"), end)
            builder.add(match["below"], match.start("below"), end)
        elif kind == "run":
            builder.add_run(match["run"], start)
        elif kind == "one":
            _add_char(builder, match["one"], start)
        elif kind == "name":
            builder.add(_SYMBOLS.get(match["name"], BARRIER), start, end)
        else:
            builder.add(_substitute(kind or "", match), start, end)
    return builder.done()


def _substitute(kind: str, match: re.Match[str]) -> str:
    fixed = {
        "thin": "\u2009",
        "space": " ",
        "comma": ",",
        "power": "^",
        "break": BARRIER,
        "tie": " ",
        "dash": "–",
        "environment": BARRIER,
    }
    return fixed.get(kind) or match[kind]


def _add_char(builder: _Builder, char: str, offset: int) -> None:
    plain = char.translate(_SUPERSCRIPT)
    if plain != char:
        continued = bool(builder.chars) and builder.ends[-1] == offset and "^" in builder.chars[-4:]
        builder.add(plain if continued else f"^{plain}", offset, offset + 1)
        return
    builder.add(char if char in "．，" else char.translate(_WIDE), offset, offset + 1)
