"""A check and a difference as text for the terminal."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from report.check.items import WORST_FIRST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from report.check.diff import Change
    from report.check.items import Check, Item, Verdict

SHOWN: tuple[Verdict, ...] = ("contradicted", "fragile", "unchecked")
_COLOURS: dict[Verdict, str] = {
    "contradicted": "31", "fragile": "33", "unchecked": "33", "differs": "35", "supported": "32", "equal": "32",
    "within-spread": "32", "exempt": "2",
}  # fmt: skip
_VERDICT, _WRITTEN, _EXPECTED = 13, 16, 20
_SENTENCE = 100


def check_lines(check: Check, *, everything: bool = False, colour: bool = False) -> Iterator[str]:
    """Yield the table of a check, worst first, then the counts.

    Published numbers that differ are no fault of the prose: they are counted, and listed only with ``everything``.

    Parameters
    ----------
    check : Check
        What was found.
    everything : bool
        Also what is in order.
    colour : bool
        Whether the terminal shows colours.
    """
    verdicts = WORST_FIRST if everything else SHOWN
    items = [item for verdict in verdicts for item in check.of(verdict)]
    places = [str(item.location) if item.location else "-" for item in items]
    wide = max(map(_width, places), default=0)
    if items:
        heads = zip(("verdict", "written", "results give"), (_VERDICT, _WRITTEN, _EXPECTED), strict=True)
        yield "  ".join([_padded("place", wide), *(_padded(head, width) for head, width in heads), "id"])
    for item, place in zip(items, places, strict=True):
        verdict = _painted(item.verdict, colour) + " " * (_VERDICT - len(item.verdict))
        cells = (_padded(item.actual or item.text, _WRITTEN), _padded(item.expected or "-", _EXPECTED))
        yield "  ".join([_padded(place, wide), verdict, *cells, item.id]).rstrip()
        yield from _details(item)
    counts = check.count()
    yield (
        ", ".join(f"{counts[verdict]} {verdict}" for verdict in WORST_FIRST if counts.get(verdict))
        or "nothing to check"
    )
    cover = check.coverage
    yield (
        f"numbers of the prose: {cover.bound} bound, {cover.typed} typed, {cover.exempt} exempt, "
        f"{cover.unchecked} unchecked ({cover.share:.1%} covered)"
    )


def change_lines(changes: Sequence[Change], touched: Sequence[Item], other: str) -> Iterator[str]:
    """Yield what changed since other results, and the sentences that stand on it."""
    if not changes:
        yield f"no result differs from {other}"
        return
    yield f"{len(changes)} results differ from {other}"
    for change in changes:
        mark = "FLIPPED  " if change.flipped else ""
        yield f"  {mark}{change.kind} {change.id}: {change.old or '(none)'} → {change.new or '(none)'}"
    if touched:
        yield f"{len(touched)} places in the prose stand on them"
    for item in touched:
        yield f"  {item.location}  {item.id}"
        if item.sentence:
            yield f"      {shortened(item)}"


def shortened(item: Item) -> str:
    """Return the sentence of an item with its number between ⟦ and ⟧, cut to one line."""
    start, end = item.mark
    marked = (
        f"{item.sentence[:start]}⟦{item.sentence[start:end]}⟧{item.sentence[end:]}" if end > start else item.sentence
    )
    if len(marked) <= _SENTENCE:
        return marked
    first = max(0, min(start - _SENTENCE // 3, len(marked) - _SENTENCE))
    return f"{'…' if first else ''}{marked[first : first + _SENTENCE]}{'…' if first + _SENTENCE < len(marked) else ''}"


def _details(item: Item) -> Iterator[str]:
    if item.sentence:
        yield f"    {shortened(item)}"
    if item.evidence:
        yield f"    {item.evidence}"


def _padded(text: str, width: int) -> str:
    """Fill up, or cut, to a width in columns; Chinese characters take two."""
    text = " ".join(text.split())
    if _width(text) > width:
        while _width(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _painted(verdict: Verdict, colour: bool) -> str:  # noqa: FBT001 - on or off
    return f"\x1b[{_COLOURS[verdict]}m{verdict}\x1b[0m" if colour else verdict
