"""The number audit: which numbers of the prose are typed, exempt, or held against nothing."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from report.check.items import Item
from report.check.numbers import find_numerals
from report.check.plain import of_latex
from report.check.rules import exemption, idiom_spans
from report.check.sentences import sentence_at
from report.check.source import read_source
from report.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from report.check.numbers import Numeral
    from report.check.plain import Plain
    from report.check.source import Source
    from report.errors import Location
    from report.rendermap import Rendered

_CACHE_VERSION = "prose-1"


@dataclass(frozen=True, slots=True)
class Audit:
    """The numbers of the prose by what stands for them; ``exempt`` and ``unchecked`` as items."""

    typed: int = 0
    exempt: tuple[Item, ...] = ()
    unchecked: tuple[Item, ...] = ()


@dataclass(slots=True)
class _Findings:
    typed: int = 0
    exempt: list[Item] = field(default_factory=list)
    unchecked: list[Item] = field(default_factory=list)


def audit(sources: Mapping[str, str], *, cache: Path | None = None) -> Audit:
    r"""Look at every number of the prose of templates, in every branch of them.

    Parameters
    ----------
    sources : mapping of str to str
        File name as messages show it → template; what stands before ``\begin{document}`` is skipped.
    cache : Path, optional
        A folder to remember in which parts of a template are prose: parsing LaTeX takes most of the time.

    Raises
    ------
    TemplateError
        For a template whose tags do not fit together.
    """
    findings = _Findings()
    for file, template in sources.items():
        source = read_source(template, file)
        plain = of_latex(_masked(source.text, cache))
        idioms = idiom_spans(plain.text)
        for numeral in find_numerals(plain):
            _judge(findings, source, plain, numeral, idioms)
        for place, text in source.literals:
            _judge_literal(findings, place, text)
    return Audit(findings.typed, tuple(findings.exempt), tuple(findings.unchecked))


def audited_sources(rendered: Rendered) -> dict[str, str]:
    """Return the templates that print something behind the preamble, in the order of the document."""
    begin = rendered.text.find(r"\begin{document}")
    files = {
        place.file: None
        for start, place in zip(rendered.map.starts, rendered.map.places, strict=True)
        if start >= begin
    }
    return {file: rendered.sources[file] for file in files if file in rendered.sources}


def _masked(text: str, cache: Path | None) -> str:
    """Blank what is no prose; which parts those are is remembered by the text's digest."""
    from report.check.prose import blanked, not_prose  # noqa: PLC0415 - `import report` stays light

    if not any(char.isdigit() or char.isalpha() for char in text):
        return text
    known = cache / f"{sha256(f'{_CACHE_VERSION} {text}'.encode()).hexdigest()}.json" if cache else None
    spans: list[tuple[int, int]] | None = None
    if known is not None:
        with suppress(OSError, ValueError):
            spans = [(int(start), int(end)) for start, end in json.loads(known.read_bytes())]
    if spans is None:
        spans = not_prose(text)
        if known is not None:
            write_atomic(known, json.dumps(spans).encode())
    return blanked(text, spans)


def _judge(findings: _Findings, source: Source, plain: Plain, numeral: Numeral, idioms: list[tuple[int, int]]) -> None:
    start, end = plain.span(numeral.start, numeral.end)
    region = source.region(start, end)
    if region is not None and region.kind == "typed":
        findings.typed += 1
        return
    reason = (region.name.strip() or None) if region else exemption(numeral, plain.text, idioms)
    note = reason or ("exempt without a reason" if region else "")
    sentence, mark = sentence_at(plain.text, numeral.start, numeral.end)
    item = Item(
        "number", "unchecked" if reason is None else "exempt", "", numeral.text, source.place(start),
        actual=numeral.text, sentence=sentence, mark=mark, evidence=note,
    )  # fmt: skip
    (findings.unchecked if reason is None else findings.exempt).append(item)


def _judge_literal(findings: _Findings, place: Location, text: str) -> None:
    plain = of_latex(text)
    for numeral in find_numerals(plain):
        if exemption(numeral, plain.text) is None:
            findings.unchecked.append(
                Item(
                    "number",
                    "unchecked",
                    "",
                    numeral.text,
                    place,
                    actual=numeral.text,
                    sentence=plain.text,
                    mark=(numeral.start, numeral.end),
                    evidence="written in the expression of a tag",
                )
            )
