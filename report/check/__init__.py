"""The checker: every number and every sentence held against the results.

:func:`check_templates` checks what was rendered, :func:`check_document` a text written elsewhere,
:func:`check_published` published numbers, :func:`compare_results` two builds, :func:`read_back` the finished PDF.
"""

from report.check.audit import Audit, audit
from report.check.consistency import Stated, decision, possible_ratio, recomputed
from report.check.facts import Facts
from report.check.items import Check, Coverage, Item
from report.check.match import APPROXIMATE, judge, matches, rounds_to
from report.check.numbers import Numeral, find_numerals
from report.check.published import Published, check_published
from report.check.replicates import Held, Spread
from report.check.templates import check_templates

__all__ = [
    "APPROXIMATE",
    "Audit",
    "Check",
    "Coverage",
    "Facts",
    "Held",
    "Item",
    "Numeral",
    "Published",
    "Spread",
    "Stated",
    "audit",
    "check_published",
    "check_templates",
    "decision",
    "find_numerals",
    "judge",
    "matches",
    "possible_ratio",
    "recomputed",
    "rounds_to",
]
