"""The checker: every number and every sentence held against the results.

:func:`check_templates` checks what was rendered, :func:`check_document` a text written elsewhere,
:func:`check_published` published numbers, :func:`compare_results` two builds, :func:`read_back` the finished PDF.
"""

from report.check.audit import Audit, audit
from report.check.consistency import Stated, decision, possible_ratio, recomputed
from report.check.diff import compare_results, remember
from report.check.document import check_document
from report.check.facts import Facts
from report.check.items import Check, Coverage, Item
from report.check.match import APPROXIMATE, judge, matches, rounds_to
from report.check.numbers import Numeral, find_numerals
from report.check.origins import find_origins
from report.check.project import check_project, facts_of, published_items, write_check
from report.check.published import Published, check_published, published_table
from report.check.readback import read_back, refuse_losses
from report.check.readers import read_document
from report.check.replicates import Held, Spread
from report.check.templates import check_templates
from report.check.ties import read_ties
from report.config import ProjectChecks

__all__ = [
    "APPROXIMATE",
    "Audit",
    "Check",
    "Coverage",
    "Facts",
    "Held",
    "Item",
    "Numeral",
    "ProjectChecks",
    "Published",
    "Spread",
    "Stated",
    "audit",
    "check_document",
    "check_project",
    "check_published",
    "check_templates",
    "compare_results",
    "decision",
    "facts_of",
    "find_numerals",
    "find_origins",
    "judge",
    "matches",
    "possible_ratio",
    "published_items",
    "published_table",
    "read_back",
    "read_document",
    "read_ties",
    "recomputed",
    "refuse_losses",
    "remember",
    "rounds_to",
    "write_check",
]
