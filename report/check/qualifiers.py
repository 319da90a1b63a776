"""The words around a number that say how it is meant: about, more than, at most."""

from __future__ import annotations

import re
from typing import Literal

Relation = Literal["equal", "about", "above", "below", "at-least", "at-most"]

_BEFORE: dict[Relation, str] = {
    "at-least": "至少为?|不少于|不低于|不小于|不亚于|最少|起码|≥"
    "|at least|(?:no|not) less than|no fewer than|minimum of",
    "at-most": "至多为?|最多为?|不超过|不高于|不大于|不多于|≤|at most|(?:no|not) more than|up to|maximum of",
    "above": "超过了?|高于|大于|多于|高过|逾|不止|突破了?|超出|>"
    "|(?:more|greater|higher|larger) than|over|above|exceed(?:s|ed|ing)?|beyond",
    "below": "不足|低于|小于|少于|不到|未到|未达到?|未及|<|(?:less|fewer|lower|smaller) than|below|under",
    "about": "大约为?|约为|约|大概|大致|将近|接近|近|≈|~|差不多|几乎"
    "|about|approximately|approx\\.|around|roughly|nearly|almost|close to|some|circa|ca\\.",
}
_AFTER: dict[Relation, str] = {
    "about": "左右|上下|附近|or so",
    "at-least": "(?:个|轮|次|张|幅|步|倍)?(?:及|或)?以上|(?:个|轮|次|张|幅|步)?or more|\\+",
    "at-most": "(?:个|轮|次|张|幅|步|倍)?(?:及|或)?以[内下]|or less|or fewer",
    "above": "余|多(?=个|轮|次|张|幅|步|倍|万)",
}
_LONGEST = 16
_PATTERNS_BEFORE = [
    (relation, re.compile(rf"(?:(?<![A-Za-z])|(?=[^A-Za-z]))(?:{words})(?:[了到为至]|\s)*$", re.IGNORECASE))
    for relation, words in _BEFORE.items()
]
_PATTERNS_AFTER = [
    (relation, re.compile(rf"\s?(?:个|轮|次|张|幅|步|倍|秒|分钟)?\s?(?:{words})", re.IGNORECASE))
    for relation, words in _AFTER.items()
]
_MISLEADING = re.compile(r"(?:附近|最近|靠近|相近|邻近|over the|制约|节约)\s*$", re.IGNORECASE)


def relation_before(text: str, start: int) -> Relation | None:
    """Return what the words directly in front of a number say, or None."""
    head = text[max(0, start - _LONGEST) : start]
    if _MISLEADING.search(head):
        return None
    for relation, pattern in _PATTERNS_BEFORE:
        if pattern.search(head):
            return relation
    return None


def relation_after(text: str, end: int) -> Relation | None:
    """Return what the words directly behind a number say, or None."""
    for relation, pattern in _PATTERNS_AFTER:
        if pattern.match(text, end, end + _LONGEST):
            return relation
    return None
