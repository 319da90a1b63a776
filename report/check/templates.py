"""The prose of the templates against the results it was rendered with."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from report.check.audit import audit, audited_sources
from report.check.facts import Facts
from report.check.items import Check, Coverage, Item
from report.check.match import exact, matches
from report.check.numbers import RATIOS, atoms, find_numerals, qualified
from report.check.plain import of_latex
from report.check.sentences import sentence_at

if TYPE_CHECKING:
    from pathlib import Path

    from report.check.numbers import Numeral
    from report.model import Value
    from report.rendermap import Rendered, Use

_AROUND = 160
_PERCENT = 100
_SIGN = re.compile(r"(?:(?<![A-Za-z])p\s?)?([<>≤≥])\s?$")


def check_templates(rendered: Rendered, facts: Facts | None = None, *, cache: Path | None = None) -> Check:
    """Check what was rendered: typed numbers, settings, claims, and every other number of the prose.

    Parameters
    ----------
    rendered : Rendered
        The document, with every use of a result.
    facts : Facts, optional
        The results: evidence and slack of claims, and, with several seeds, which sentences are fragile.
    cache : Path, optional
        See :func:`report.check.audit.audit`.
    """
    facts = facts or Facts()
    items = []
    for use in rendered.uses:
        if use.kind == "typed":
            items.append(_check_typed(rendered, use, facts))
        elif use.kind == "claim":
            items.append(_check_claim(rendered, use, facts))
    found = audit(audited_sources(rendered), cache=cache)
    coverage = Coverage(count_bound(rendered), found.typed, len(found.exempt), len(found.unchecked))
    bound = tuple(_bound(rendered, use) for use in rendered.uses if use.kind == "bound")
    return Check((*items, *found.unchecked, *found.exempt), coverage, bound)


def typed_numerals(document: str, start: int, end: int) -> list[Numeral]:
    """Return the numbers typed between two offsets of a document, with unit and qualifier outside."""
    first = max(0, start - _AROUND // 4)
    window = of_latex(document[first : end + _AROUND // 4])
    inside = range(window.index(start - first), window.index(end - first))
    found = [numeral for numeral in atoms(window.text) if numeral.start < inside.stop and inside.start < numeral.end]
    return [_without_sign(numeral, window.text, inside.start) for numeral in qualified(found, window.text)]


def _without_sign(numeral: Numeral, text: str, start: int) -> Numeral:
    r"""Take a number at its value where a sign in front of the construct compares it with something else.

    ``$|w|>\typed{…}{0.001}$`` says what the threshold is; ``$p<\typed{…}{0.05}$`` speaks of p itself.
    """
    sign = _SIGN.search(text[: numeral.start])
    if sign is None or sign.start(1) >= start or sign[0].startswith("p"):
        return numeral
    return replace(numeral, relation="equal")


def show(number: Decimal, like: Numeral | None) -> str:
    """Print a computed number with one digit more than it was written with, in the unit it was written in."""
    if like is None:
        return f"{number.normalize():f}"
    quantum = like.quantum.scaleb(-1)
    if number and abs(number) < quantum:  # another scale altogether: three digits say more than a zero
        quantum = Decimal(1).scaleb(number.adjusted() - 2)
    rounded = number.quantize(quantum) if abs(number.adjusted() - quantum.adjusted()) < 20 else number  # noqa: PLR2004 - digits
    if like.unit in RATIOS:
        sign = {"%": "%", "pp": " 个百分点", "‰": "‰", "成": " 成"}[like.unit]
        scale = {"‰": 1000, "成": 10}.get(like.unit, _PERCENT)
        return f"{(rounded * scale).normalize():f}{sign}"
    return f"{rounded.normalize():f}"


def _check_typed(rendered: Rendered, use: Use, facts: Facts) -> Item:
    value: Value = use.extra["number"]
    found = typed_numerals(rendered.text, use.start, use.end)
    right = bool(found) and all(_is_right(numeral, value, use.extra["expected"]) for numeral in found)
    sentence, mark = _sentence(rendered.text, use.start, use.end)
    expected = show(exact(value.number), found[0] if found else None)
    evidence = f"{use.id} = {exact(value.number):f}" if found else "no number is written here"
    if use.id in facts.spreads:
        evidence += f"; {facts.spreads[use.id]}"
    return Item(
        "setting" if use.extra["setting"] else "typed",
        "supported" if right else "contradicted",
        use.id,
        of_latex(use.text).text,
        use.location,
        expected,
        of_latex(use.text).text,
        sentence,
        mark,
        evidence,
    )


def _is_right(numeral: Numeral, value: Value, expected: str | None) -> bool:
    """Tell whether a typed number is right; a filter named with the id says in which scale it is written."""
    if expected is None:
        return matches(numeral, value.number, value.unit)
    printed = find_numerals(of_latex(expected))
    if not printed:
        return matches(numeral, value.number, value.unit)
    if len(printed) == 1 and (printed[0].value, printed[0].quantum) == (numeral.value, numeral.quantum):
        return True
    number = exact(value.number)
    in_points = abs(printed[0].value - _PERCENT * number) <= printed[0].quantum and not printed[0].unit
    if in_points and numeral.unit not in RATIOS:
        number *= _PERCENT
    return matches(numeral, number, value.unit)


def _check_claim(rendered: Rendered, use: Use, facts: Facts) -> Item:
    negated: bool = use.extra["negated"]
    holds: bool = use.extra["holds"] != negated
    claim, over_seeds = facts.claims.get(use.id), facts.held.get(use.id)
    evidence = claim.evidence if claim else ""
    if over_seeds:
        over_seeds = over_seeds.negated() if negated else over_seeds
        evidence += f"; {over_seeds}"
    fragile = holds and over_seeds is not None and over_seeds.count < over_seeds.total
    sentence, mark = _sentence(rendered.text, use.start, use.end)
    return Item(
        "claim",
        "fragile" if fragile else "supported" if holds else "contradicted",
        f"not {use.id}" if negated else use.id,
        of_latex(use.text).text.strip(),
        use.location,
        "holds",
        "holds" if holds else "does not hold",
        sentence,
        mark,
        evidence,
        claim.slack if claim else None,
    )


def _bound(rendered: Rendered, use: Use) -> Item:
    sentence, mark = ("", (0, 0)) if "\n" in use.text else _sentence(rendered.text, use.start, use.end)
    text = "" if "\n" in use.text else of_latex(use.text).text
    return Item("bound", "supported", use.id, text, use.location, text, text, sentence, mark)


def _sentence(document: str, start: int, end: int) -> tuple[str, tuple[int, int]]:
    first = max(0, start - _AROUND)
    window = of_latex(document[first : end + _AROUND])
    return sentence_at(window.text, window.index(start - first), window.index(end - first))


def count_bound(rendered: Rendered) -> int:
    """Return how many numbers of the document the engine printed, cells of tables among them."""
    begin = rendered.text.find(r"\begin{document}")
    starts = (*rendered.map.starts, len(rendered.text))
    texts = (
        rendered.text[starts[index] : starts[index + 1]]
        for index in sorted(rendered.map.tags)
        if starts[index] >= begin
    )
    return sum(sum(1 for _ in atoms(of_latex(text).text)) for text in texts if any(char.isdigit() for char in text))
