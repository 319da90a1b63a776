"""A check as one self-contained HTML page: nothing is loaded from anywhere, light and dark."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from report.check.items import WORST_FIRST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from report.check.facts import Facts
    from report.check.items import Check, Item
    from report.errors import Location

_HIDDEN = frozenset({"exempt"})
_STYLE = """
:root{color-scheme:light dark;
--bg:#fff;--fg:#1b1f24;--soft:#57606a;--line:#d0d7de;--card:#f6f8fa;--mark:#fff3b0;
--supported:#1a7f37;--equal:#1a7f37;--within-spread:#1a7f37;--contradicted:#cf222e;--fragile:#9a6700;--unchecked:#9a6700;
--differs:#8250df;--exempt:#57606a}
@media(prefers-color-scheme:dark){:root{
--bg:#0d1117;--fg:#e6edf3;--soft:#9198a1;--line:#3d444d;--card:#151b23;
--mark:#5c4813;--supported:#3fb950;--equal:#3fb950;--within-spread:#3fb950;
--contradicted:#ff7b72;--fragile:#d29922;--unchecked:#d29922;--differs:#bc8cff;--exempt:#9198a1}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1.5rem 1rem 4rem;background:var(--bg);color:var(--fg);
font:16px/1.6 system-ui,"Noto Sans CJK SC","Source Han Sans SC","PingFang SC","Microsoft YaHei",sans-serif}
h1{font-size:1.4rem;margin:0 0 .3rem}h2{font-size:1rem;margin:1.6rem 0 .4rem;color:var(--soft)}
p.cover{margin:.2rem 0 1rem;color:var(--soft)}
.filters{position:sticky;top:0;background:var(--bg);padding:.6rem 0;border-bottom:1px solid var(--line);
display:flex;flex-wrap:wrap;gap:.5rem;align-items:center}
.filters label{border:1px solid var(--line);border-radius:2rem;padding:.1rem .7rem;cursor:pointer}
.filters input[type=search]{flex:1;min-width:12rem;padding:.25rem .6rem;border:1px solid var(--line);
border-radius:.4rem;background:var(--card);color:inherit;font:inherit}
article{border:1px solid var(--line);border-left:.3rem solid var(--c);border-radius:.4rem;
background:var(--card);margin:.5rem 0;padding:.5rem .8rem}
article[hidden]{display:none}
.head{display:flex;flex-wrap:wrap;gap:.2rem .8rem;align-items:baseline;font-size:.85rem;color:var(--soft)}
.badge{color:var(--c);font-weight:700}.head code,.pair code{color:var(--fg)}
blockquote{margin:.3rem 0;padding:0}
mark{background:var(--mark);color:inherit;border-bottom:2px solid var(--c);padding:0 .15em}
.pair{font-size:.9rem}.note{font-size:.85rem;color:var(--soft);overflow-wrap:anywhere}a{color:inherit}
"""
_SCRIPT = """
const boxes=[...document.querySelectorAll('input[data-verdict]')],search=document.querySelector('input[type=search]');
function filter(){
const on=new Set(boxes.filter(b=>b.checked).map(b=>b.dataset.verdict)),word=search.value.toLowerCase();
for(const a of document.querySelectorAll('article'))
a.hidden=!on.has(a.dataset.verdict)||(word&&!a.textContent.toLowerCase().includes(word));
for(const s of document.querySelectorAll('section'))s.hidden=!s.querySelector('article:not([hidden])');}
boxes.forEach(b=>b.addEventListener('change',filter));search.addEventListener('input',filter);filter();
"""


def check_page(
    check: Check,
    *,
    title: str,
    facts: Facts | None = None,
    origins: Mapping[str, Location] | None = None,
    root: str = "..",
    language: str = "zh",
) -> str:
    """Return the page.

    Parameters
    ----------
    check : Check
        What was found.
    title : str
        Of the document that was checked.
    facts : Facts, optional
        The results: figures and tables are linked.
    origins : mapping of str to Location, optional
        Where in the code each result is made, see :func:`report.check.origins.find_origins`.
    root : str
        The project folder as seen from the page, for links.
    language : str
        Of the document.
    """
    counts = check.count()
    boxes = "".join(
        f'<label style="color:var(--{verdict})"><input type="checkbox" data-verdict="{verdict}"'
        f"{'' if verdict in _HIDDEN else ' checked'}> {verdict} {counts[verdict]}</label>"
        for verdict in WORST_FIRST
        if counts.get(verdict)
    )
    cover = check.coverage
    groups: dict[str, list[Item]] = {}
    for item in check.items:
        groups.setdefault(item.location.file if item.location else "", []).append(item)
    body = ""
    for file, items in groups.items():
        articles = "".join(_article(item, facts, origins or {}, root) for item in _in_order(items))
        body += f"<section><h2>{escape(file)}</h2>{articles}</section>"
    return (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'\">"
        f"<title>{escape(title)} · check</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(title)}</h1><p class=cover>Numbers of the prose: {cover.bound} bound, {cover.typed} typed, "
        f"{cover.exempt} exempt, {cover.unchecked} unchecked ({cover.share:.1%} covered).</p>"
        f'<div class=filters>{boxes}<input type="search" placeholder="search" aria-label="search"></div>'
        f"<main>{body}</main><script>{_SCRIPT}</script></body></html>\n"
    )


def _in_order(items: Sequence[Item]) -> list[Item]:
    return sorted(
        items, key=lambda item: (item.location.line or 0, item.location.column or 0) if item.location else (0, 0)
    )


def _article(item: Item, facts: Facts | None, origins: Mapping[str, Location], root: str) -> str:
    parts = [
        f'<article data-verdict="{item.verdict}" style="--c:var(--{item.verdict})"><div class=head>',
        f"<span class=badge>{item.verdict}</span><span>{item.kind}</span>",
        _place_link(item.location, root),
        f"<code>{escape(item.id)}</code>" if item.id else "",
        *_links(item.id, facts, origins, root),
        "</div>",
    ]
    if item.sentence:
        parts.append(f"<blockquote>{_marked(item)}</blockquote>")
    if item.expected and item.kind != "claim":
        parts.append(
            f"<div class=pair>written <code>{escape(item.actual or item.text)}</code>, "
            f"results give <code>{escape(item.expected)}</code></div>"
        )
    note = item.evidence if item.slack is None else f"{item.evidence} (slack {item.slack:.4g})"
    if note:
        parts.append(f"<div class=note>{escape(note)}</div>")
    return "".join([*parts, "</article>"])


def _marked(item: Item) -> str:
    start, end = item.mark
    text = item.sentence
    if end <= start:
        return escape(text)
    return f"{escape(text[:start])}<mark>{escape(text[start:end])}</mark>{escape(text[end:])}"


def _place_link(place: Location | None, root: str) -> str:
    if place is None:
        return ""
    target = place.file.partition(" (")[0]
    return f'<a href="{escape(f"{root}/{target}", quote=True)}">{escape(str(place))}</a>'


def _links(name: str, facts: Facts | None, origins: Mapping[str, Location], root: str) -> list[str]:
    """Return links to the code, and to the figures and tables of the section that a result belongs to."""
    base = name.removeprefix("not ").partition("[")[0]
    links = []
    if (origin := origins.get(base)) is not None:
        links.append(f'<a href="{escape(f"{root}/{origin.file}", quote=True)}">code {escape(str(origin))}</a>')
    if facts is None or not base:
        return links
    section = f"{base.partition('.')[0]}."
    for figure in facts.figures:
        if figure.startswith(section):
            number = facts.numbers.get(figure, figure.removeprefix(section))
            links.append(f'<a href="figures/{escape(figure, quote=True)}.pdf">figure {escape(number)}</a>')
    for table in facts.tables:
        if table.startswith(section) and table in facts.numbers:
            number = escape(facts.numbers[table])
            links.append(f'<a href="report.pdf#nameddest=table.{number}">table {number}</a>')
    return links
