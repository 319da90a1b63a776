"""A report written elsewhere, held against the results."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from report.check.items import Check, Coverage, Item
from report.check.match import exact, matches
from report.check.numbers import find_numerals
from report.check.passages import tag
from report.check.rules import exemption, idiom_spans
from report.check.sentences import sentence_at
from report.check.templates import show
from report.errors import ReportError

if TYPE_CHECKING:
    from decimal import Decimal

    from report.check.facts import Facts
    from report.check.numbers import Numeral
    from report.check.passages import Tagged
    from report.check.readers import Document
    from report.check.ties import Statement, Tie, Ties
    from report.model import Value

_PROPOSALS = 3


def check_document(document: Document, facts: Facts, ties: Ties) -> Check:
    """Hold a document against the results.

    Parameters
    ----------
    document : Document
        What was written.
    facts : Facts
        What was computed.
    ties : Ties
        Which number is which result, and which passage asserts which claim.
    """
    text = document.plain.text
    numerals = find_numerals(text)
    tagged = tag(text, numerals)
    items: dict[int, Item] = {}
    for within_sentence in (True, False):  # what the sentence itself names counts before what the paragraph does
        for tie in ties.ties:
            for numeral, item in _tied(document, tagged, tie, facts, within_sentence=within_sentence):
                items.setdefault(numeral.start, item)
    statements = [item for entry in ties.statements for item in _stated(document, tagged, entry, facts)]
    idioms = idiom_spans(text)
    for numeral in numerals:
        if numeral.start not in items:
            items[numeral.start] = _untied(document, numeral, idioms, facts)
    found = [items[start] for start in sorted(items)]
    coverage = Coverage(
        typed=sum(item.kind in {"typed", "setting"} for item in found),
        exempt=sum(item.verdict == "exempt" for item in found),
        unchecked=sum(item.verdict == "unchecked" for item in found),
    )
    return Check((*found, *statements), coverage)


def proposals(numeral: Numeral, facts: Facts, n: int = _PROPOSALS) -> list[str]:
    """Return the ids whose numbers a written number could be: right ones first, then the nearest."""
    ranked = []
    for name in facts.ids():
        value = facts.number(name)
        number = _comparable(numeral, value)
        distance = abs(number - numeral.value)
        ranked.append((not matches(numeral, value.number, value.unit), float(distance), name, number))
    ranked.sort()
    near = [entry for entry in ranked if not entry[0] or entry[1] <= 0.1 * abs(float(numeral.value))]
    return [f"{name} ({show(number, numeral)})" for _, _, name, number in near[:n]]


def _comparable(numeral: Numeral, value: Value) -> Decimal:
    number = exact(value.number)
    return number / 100 if numeral.unit == "%" and value.unit.strip() == "%" else number


def _tied(
    document: Document, tagged: Tagged, tie: Tie, facts: Facts, *, within_sentence: bool
) -> list[tuple[Numeral, Item]]:
    found: list[tuple[Numeral, Item]] = []
    for _, numerals in tagged.find(tie.pattern, within_sentence=within_sentence):
        found += [
            (numeral, _compared(document, _meant(numeral, tie), tie.ids[index], facts))
            for index, numeral in numerals.items()
        ]
    return found


def _meant(numeral: Numeral, tie: Tie) -> Numeral:
    return replace(numeral, relation="equal") if tie.exactly else numeral


def _compared(document: Document, numeral: Numeral, name: str, facts: Facts) -> Item:
    sentence, mark = sentence_at(document.plain.text, numeral.start, numeral.end)
    try:
        value = facts.number(name)
    except ReportError as error:
        return Item(
            "number", "unchecked", name, numeral.text, document.place(numeral.start), actual=numeral.text,
            sentence=sentence, mark=mark, evidence=str(error),
        )  # fmt: skip
    right = matches(numeral, value.number, value.unit)
    return Item(
        "setting" if name in facts.settings else "typed",
        "supported" if right else "contradicted",
        name,
        numeral.text,
        document.place(numeral.start),
        show(_comparable(numeral, value), numeral),
        numeral.text,
        sentence,
        mark,
        f"{name} = {exact(value.number):f}",
    )


def _stated(document: Document, tagged: Tagged, entry: Statement, facts: Facts) -> list[Item]:
    items = []
    claim = facts.claims.get(entry.claim)
    for match, _ in tagged.find(entry.pattern):
        start, end = tagged.places[match.start()], tagged.places[match.end() - 1] + 1
        sentence, mark = sentence_at(document.plain.text, start, end)
        if entry.unless is not None and entry.unless.search(tag(sentence, []).text):
            continue
        if claim is None:
            continue
        holds = claim.holds != entry.negated
        over_seeds = facts.held.get(entry.claim)
        if over_seeds and entry.negated:
            over_seeds = over_seeds.negated()
        fragile = holds and over_seeds is not None and over_seeds.count < over_seeds.total
        items.append(
            Item(
                "claim",
                "fragile" if fragile else "supported" if holds else "contradicted",
                f"not {entry.claim}" if entry.negated else entry.claim,
                document.plain.text[start:end].strip(),
                document.place(start),
                "holds",
                "holds" if holds else "does not hold",
                sentence,
                mark,
                claim.evidence + (f"; {over_seeds}" if over_seeds else ""),
                claim.slack,
            )
        )
    return items


def _untied(document: Document, numeral: Numeral, idioms: list[tuple[int, int]], facts: Facts) -> Item:
    reason = exemption(numeral, document.plain.text, idioms)
    sentence, mark = sentence_at(document.plain.text, numeral.start, numeral.end)
    near = [] if reason else proposals(numeral, facts)
    return Item(
        "number",
        "exempt" if reason else "unchecked",
        "",
        numeral.text,
        document.place(numeral.start),
        actual=numeral.text,
        sentence=sentence,
        mark=mark,
        evidence=reason or (f"could be {', '.join(near)}" if near else ""),
    )
