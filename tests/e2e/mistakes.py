r"""The files of a small report, and the mistakes that are made in them one at a time, see :mod:`tests.e2e.seeded`."""

from __future__ import annotations

from dataclasses import dataclass

REPORT = r"""\documentclass[fontset=fandol]{ctexart}
\usepackage{amsmath,booktabs,graphicx}
\BLOCK{from 'macros.tex' import steps}
\newcommand{\Prob}{\operatorname{P}}
\begin{document}
\section{\VAR{document.title}}
\BLOCK{include 'method.tex'}
\BLOCK{include 'walk.tex'}

\bibliographystyle{plain}
\bibliography{sources}
\end{document}
"""
MACROS = r"""\BLOCK{macro steps(run)}
\textbf{\VAR{run.n_steps | thousands}} 步
\BLOCK{endmacro}
"""
METHOD = r"""\section{方法}\label{sec:method}

行走者每步向左或向右，概率各为 \exempt{1/2}{定义}，见 \cite{feller}。
$n$ 步之后位置的方差为
\begin{equation}\label{eq:variance}
  \sigma^2 = n
\end{equation}
因此标准差按 $\sqrt{n}$ 增长。

\begin{itemize}
  \item 短的行走：\VAR{steps(walk.settings.short)}；
  \item 长的行走：\VAR{steps(walk.settings.long)}。
\end{itemize}

\begin{center}
  \begin{tabular}{ll}
    符号 & 含义 \\
    $n$ & 步数 \\
  \end{tabular}
\end{center}
"""
WALK = r"""\section{结果}\label{sec:walk}

\BLOCK{if walk.settings.long.n_walks > 100}
共有 \VAR{walk.settings.long.n_walks | thousands} 个行走者。
\BLOCK{endif}
\BLOCK{for length in ["short", "long"]}
\BLOCK{include "length.tex"}
\BLOCK{endfor}

距离约为 \typed{walk.ratio}{两}倍，由 (\ref{eq:variance}) 可知。
\claim{walk.rarely_home}{行走越久，回到原点越少。}
\claim{walk.rarely_home}
  {散得越开，越难回去：\VAR{walk.ratio} 倍。}
  {散得再开，也同样容易回去：\VAR{walk.ratio} 倍。}
\claim{not walk.rarely_home}
  {回到原点的机会\emph{没有}变。}
  {回到原点的机会\emph{变了}。}

\begin{table}[ht]
  \centering
  \VAR{walk.spread | tabular(columns={"walk": "行走", "spread": "标准差"}, formats={"spread": "fixed(1)"})}
  \caption{终点的标准差。}\label{tab:walk.spread}
\end{table}
\begin{figure}[ht]
  \centering
  \includegraphics{\VAR{walk.ends}}
  \caption{终点的分布，方法见第 \ref{sec:method} 节。}\label{fig:walk.ends}
\end{figure}
"""
LENGTH = r"""
\VAR{length}：走 \VAR{walk.settings[length].n_steps} 步，
\emph{步长}不变。
"""
SOURCES = """@book{feller,
  author = {William Feller},
  title = {An Introduction to Probability Theory and Its Applications},
  publisher = {Wiley},
  year = 1968
}
"""
TOML = """sections = ["walk"]
template = "report.tex"

[document]
title = "随机游走"
"""
FILES = {
    "report.toml": TOML,
    "templates/report.tex": REPORT,
    "templates/macros.tex": MACROS,
    "templates/method.tex": METHOD,
    "templates/walk.tex": WALK,
    "templates/length.tex": LENGTH,
    "templates/sources.bib": SOURCES,
}


@dataclass(frozen=True)
class Mistake:
    """One mistake.

    Parameters
    ----------
    name : str
        What an author did wrong.
    file : str
        The file in which ``old``, which stands there once, is replaced by ``new``.
    old, new : str
        The edit.
    place : str
        Where the mistake is: ``file:line``, with the column where it is certain.
    message, hint : str
        Parts of what has to be said.
    wrong : str
        Why the place that is reported is another one; empty where it is right.
    """

    name: str
    file: str
    old: str
    new: str
    place: str
    message: str
    hint: str = ""
    wrong: str = ""


def _in(file: str, *rows: tuple[str, ...]) -> list[Mistake]:
    """Return mistakes in one file; a place among them starts with the line."""
    path = file if file == "report.toml" else f"templates/{file}"
    return [
        Mistake(name, path, old, new, place if place[0] not in "0123456789" else f"{path}:{place}", *rest)
        for name, old, new, place, *rest in rows
    ]


_N = r"\VAR{walk.settings.long.n_walks | thousands}"
_LONG = "x" * 70

MISTAKES = [
    *_in(
        "walk.tex",
        ("Unknown setting", _N, _N.replace("n_walks", "n_wlaks"), "4:4", "not a setting", "n_walks'?"),
        ("Unknown result", "\\VAR{walk.ends}", "\\VAR{walk.edns}", "26:20", "'walk.edns' is not", "'walk.ends'?"),
        ("Unknown filter", _N, _N.replace("thousands", "thousand"), "4:4", "no filter 'thousand'", "'thousands'?"),
        ("Filter with an argument of the wrong type", _N, _N[:-1] + "('2')}", "4:4", "digits must be an integer"),
        ("Filter with an argument that it does not have", _N, _N[:-1] + "(decimals=2)}", "4:4", "'decimals'"),
        ("\\VAR never closed", _N, _N[:-1], "4:4", "'\\VAR{' is never closed", "every {"),
        ("Missing endif", "\\BLOCK{endif}\n", "", "3:1", "\\BLOCK{if …} is never closed", "endif"),
        ("Missing endfor", "\\BLOCK{endfor}\n", "", "6:1", "\\BLOCK{for …} is never closed", "endfor"),
        ("Misspelt keyword of \\BLOCK", "{endfor}", "{enfor}", "8:1", "no \\BLOCK{enfor}", "'endfor'?"),
        ("Calculating with a result", "walk.settings.long.n_walks >", "walk.ratio >", "3:1", "compared", "number"),
        ("Unknown claim", "{walk.rarely_home}{行", "{walk.rarly_home}{行", "11:1", "not a result", "rarely_home'?"),
        ("\\claim on a value", "{walk.rarely_home}{行", "{walk.ratio}{行", "11:1", "is a value, not a claim", "Claim"),
        ("\\typed on a claim", "{walk.ratio}{两}", "{walk.rarely_home}{两}", "10:6", "is a claim, not a number"),
        ("Typed number that the results contradict", "{两}", "{三}", "10:6", "contradicted: 三", "give 2"),
        ("Asserted claim that does not hold", "{walk.rarely_home}{行", "{not walk.rarely_home}{行", "11:1", "contrad"),
        ("Undefined command in the second sentence of a claim, printed", "emph{变", "emhp{变",
         "17:11", "\\emhp", "\\emph"),
        ("Unknown name in the second sentence of a claim, not printed", "去：\\VAR{walk.ratio} 倍。}\n\\cl",
         "去：\\VAR{walk.rtaio} 倍。}\n\\cl", "14:17", "'walk.rtaio' is not", "'walk.ratio'?"),
        ("Unknown column of a table", '"spread": "标', '"spred": "标', "21:3", "no column 'spred'", "'spread'?"),
        ("Unknown format of a column", '"fixed(1)"', '"fixd(1)"', "21:3", "no format 'fixd'", "'fixed'?"),
        ("Unknown option of tabular", "formats=", "format=", "21:3", "no option 'format'"),
        ("Brace of a claim never closed", "越少。}", "越少。", "11:25", "never closed", "every {"),
        ("Brace never closed", "标准差。}\\", "标准差。\\", "22:11", "'{' is never closed", "\\end{table}"),
        ("Undefined reference", "\\ref{eq:variance}", "\\ref{eq:varience}",
         "10:37", "undefined reference", "variance'?"),
        ("Label defined twice", "\\label{sec:walk}", "\\label{sec:method}", "1:13", "defined twice", "method.tex:1:13"),
        ("Missing figure, path typed", "\\VAR{walk.ends}", "figures/walk.edns.pdf",
         "26", "Unable to load", "walk.ends.pdf'?"),
    ),
    *_in(
        "method.tex",
        ("Missing \\end", "\\end{itemize}\n", "", "10:1", "'\\begin{itemize}' is never closed"),
        ("\\end that fits no \\begin", "\\end{equation}", "\\end{equaton}", "7:1", "closes nothing", "method.tex:5:1"),
        ("Two \\end in the wrong order", "\\end{tabular}\n\\end{center}", "\\end{center}\n\\end{tabular}",
         "16:3", "is never closed", "19:3"),
        ("$ never closed, before an empty line", "$\\sqrt{n}$", "$\\sqrt{n}",
         "8:8", "'$' is never closed", "empty line"),
        ("$ never closed, before a displayed formula", "$n$ 步之", "$n 步之", "4:1", "'$' is never closed"),
        ("} too many", "$n$ 步之", "$n$} 步之", "4:4", "'}' closes nothing"),
        ("Misspelt \\begin", "{itemize}\n  \\item 短", "{itemise}\n  \\item 短",
         "10:1", "'\\begin{itemise}' is never closed", "itemize"),
        ("Undefined environment", "因此", "\\begin{quot}因此\\end{quot}",
         "8", "Environment quot undefined", "'quote'?"),
        ("Undefined citation", "\\cite{feller}", "\\cite{fellner}", "3", "undefined citation", "'feller'?"),
        ("Line too wide", "因此标准差", f"因此\\mbox{{{_LONG}}}标准差", "8", "line too wide"),
        ("Character that no font has", "因此", "因此🙂", "8:3", "no 🙂", "no font"),
        ("Too many & in a row", "步数 \\\\", "步数 & 整数 \\\\", "18", "Extra alignment tab", "more &"),
        ("Row of a table without its end", "含义 \\\\", "含义", "17", "Extra alignment tab", "lacks its"),
        ("% in text, which hides the rest of the line", "因此标准差", "因此 5% 的标准差", "8", "%", "",
         "% starts a comment: nothing is wrong for LaTeX"),
        ("& in text", "因此标准差", "因此 A&B 标准差", "8", "Misplaced alignment", "\\&"),
        ("_ in text", "因此标准差", "因此 n_walks 标准差", "8", "Missing $", "\\_"),
        ("# in text", "因此标准差", "因此 #1 标准差", "8", "macro parameter", "\\#"),
        ("Mathematics outside mathematics", "$\\sqrt{n}$", "\\sqrt{n}", "8", "Missing $", "outside $"),
        ("\\item outside a list", "因此标准差", "\\item 因此标准差", "8", "list"),
        ("Double superscript", "\\sigma^2", "\\sigma^2^2", "6", "Double superscript"),
        ("\\left without \\right", "\\sigma^2", "\\left(\\sigma^2",
         "6:3", "'\\left' is never closed", "\\end{equation}"),
        ("Length without a unit", "因此", "\\hspace{2}因此", "8", "Illegal unit", "pt"),
        ("\\exempt without a reason", "{1/2}{定义}", "{1/2}", "3:17", "lacks its second argument", "reason"),
    ),
    *_in(
        "report.tex",
        ("Missing template", "'method.tex'", "'methods.tex'", "7:1", "no template 'methods.tex'", "'method.tex'?"),
        ("Missing package", "booktabs,", "booktab,", "2", "booktab.sty", "name"),
        ("Full-width comma in a list of packages", "amsmath,", "amsmath，", "2", "amsmath，booktabs", "name"),
        ("Unknown key of the document", "document.title", "document.titel", "6:10", "not a key", "document.title'?"),
        ("Missing \\end{document}", "\\end{document}\n", "", "5:1", "is never closed"),
        ("Font that is not installed", "\\newcommand", "\\setCJKmainfont{No Such}\n\\newcommand",
         "4", "No Such", "fc-list"),
        ("Missing .bib file", "{sources}", "{source}", "11", "source.bib", "'sources'?"),
        ("Missing style of the bibliography", "{plain}", "{plane}", "10", "plane.bst", "'plain'?"),
    ),
    *_in(
        "macros.tex",
        ("Unknown name in a macro", "run.n_steps", "run.n_setps",
         "2:9", "not a setting", "n_steps'? (in a macro called at"),
        ("Brace never closed in a macro", "}} 步", "} 步", "2:8", "'{' is never closed"),
        ("Undefined command in a macro", "\\textbf", "\\textbff", "2:1", "\\textbff is not defined", "'\\textbf'?"),
    ),
    *_in(
        "length.tex",
        ("Unknown name in the body of a loop", "walk.settings", "wlak.settings", "2:16", "'wlak' is not", "'walk'?"),
        ("Misspelt variable of a loop", "{length}：", "{lenght}：", "2:1", "'lenght' is not defined", "'length'?"),
        ("Full-width braces around an argument", "\\emph{步长}", "\\emph｛步长｝", "3:6", "full-width", "'{'"),
        ("Undefined command in the body of a loop", "\\emph", "\\emhp", "3:1", "\\emhp is not defined", "'\\emph'?"),
    ),
    *_in(
        "sources.bib",
        ("Missing comma in a .bib entry", "Feller},", "Feller}", "2", "expecting a `,'", "comma"),
        ("Brace never closed in a .bib entry", "{Wiley}", "{Wiley", "4", "BibTeX", "brace"),
    ),
    *_in(
        "report.toml",
        ("Unknown key in report.toml", "template =", "tempalte =", "2", "unknown key 'tempalte'", "'template'?"),
        ("Value of the wrong kind in report.toml", '["walk"]', '"walk"', "1", "'sections' must be a list"),
        ("report.toml is no TOML", '"report.tex"', '"report.tex', "2", "not valid TOML"),
        ("Missing main template", '"report.tex"', '"main.tex"', "2", "no template 'main.tex'"),
    ),
]  # fmt: skip
