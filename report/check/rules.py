"""Which numbers of prose are no results: every rule of the audit, to be read in one place.

A rule looks at the bare text in front of a number and behind it. The first rule that fits exempts the number and gives
the reason. Whatever no rule knows has to be bound, typed or exempted by the author.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from report.check.numbers import Numeral

_WINDOW = 48
_JOINT = r"(?:[、，,和与或及至到–~-]|以及|and|to|or)"
_ONE_DIGIT = rf"\d\s*{_JOINT}\s*"
_ENGLISH_ONE = r"(?![ -](?:epochs?|layers?|runs?|seeds?|percent|steps?))"
_MEASURE = "个种项类幅张条组份段行列句套处件批例片块篇对名位门点样"
_MEASURED = "轮|次|步|倍|层|秒|分钟|小时|百分点|样本|参数|权重(?!向量|图)|像素|神经元"
_MEASURED += "|通道|隐藏|卷积|全连接|种子|进程|线程|训练图像|测试图像"


@dataclass(frozen=True, slots=True)
class Rule:
    """Exempts a number by what stands around it.

    Parameters
    ----------
    reason : str
        What the number is instead of a result.
    before, after : str
        Regular expressions for the bare text that must end, and begin, at the number.
    fits : callable, optional
        A further condition on the number itself.
    """

    reason: str
    before: str = ""
    after: str = ""
    fits: Callable[[Numeral], bool] = lambda _: True

    def applies(self, numeral: Numeral, text: str) -> bool:
        """Tell whether the rule exempts a number of a bare text."""
        head = text[max(0, numeral.start - _WINDOW) : numeral.start]
        tail = text[numeral.end : numeral.end + _WINDOW]
        return (
            self.fits(numeral)
            and re.search(f"(?:{self.before})$", head, re.IGNORECASE) is not None
            and re.match(self.after, tail, re.IGNORECASE) is not None
        )


def _is_digit(numeral: Numeral) -> bool:
    last = numeral.value if numeral.upper is None else numeral.upper
    return numeral.script == "arabic" and numeral.exact and 0 <= numeral.value <= last <= 9  # noqa: PLR2004 - digits


def _is_year(numeral: Numeral) -> bool:
    return numeral.exact and 1900 <= numeral.value <= 2100  # noqa: PLR2004 - years


def _is_zero_or_one(numeral: Numeral) -> bool:
    return numeral.value in {0, 1} and not numeral.unit


def _is_chinese(numeral: Numeral) -> bool:
    return numeral.script == "chinese"


def _is_small_chinese(numeral: Numeral) -> bool:
    return numeral.script == "chinese" and numeral.exact and 2 <= numeral.value <= 10  # noqa: PLR2004 - 二 to 十


def _is_one(numeral: Numeral) -> bool:
    return numeral.script == "chinese" and numeral.text.startswith("一") and numeral.value == 1


RULES = (
    Rule("a year", after=r"\s?年(?!龄)", fits=_is_year),
    Rule(
        "a year",
        before=r"[（(]|, |et al\.?,? |\bin ",
        after=r"[)）.,;]|\b",
        fits=lambda n: _is_year(n) and n.text.isdigit(),
    ),
    Rule("a date", after=r"\s?月"),
    Rule("a date", before=r"(?:年|月)\s?", after=r"\s?[月日号]"),
    Rule(
        "a date",
        before=r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?\s|^",
        after=r",?\s(?:19|20)\d\d\b",
    ),
    Rule("an ordinal", before=r"第\s?"),
    Rule("an ordinal", before=r"第\s?\d+(?:\.\d+)?\s?(?:和|与|、|至|到|–)\s?"),
    Rule("a reference", before=r"(?:图|表|式|公式|文献|脚注|章节)\s?[(（]?", fits=lambda n: n.script == "arabic"),
    Rule("a reference", before=r"(?:附录|定理|引理|命题|算法|步骤|问题|假设|阶段)\s?[(（]?"),
    Rule("a reference", before=rf"(?:图|表|式)\s?[(（]?(?:\d+[)）]?\s?{_JOINT}\s?[(（]?)+"),
    Rule("a reference", after=r"\s?(?:小?节|章)(?!课|省|约|点)"),
    Rule(
        "a reference",
        before=r"\b(?:fig(?:ure|s|ures)?|tab(?:le|les)?|sec(?:tion|tions|s)?|eq(?:uation|s)?|chapter|appendix|page|p|ref|step|part|"
        r"algorithm|theorem|lemma|equation|hypothesis|question)\.?\s?[(]?",
    ),
    Rule(
        "the name of a digit",
        before=rf"(?:数字|数码|类别|标签|目标类|手写|digits?|class(?:es)?|labels?)\s?[“\"‘「]?(?:为|是)?\s?(?:{_ONE_DIGIT})*",
        fits=_is_digit,
    ),
    Rule(
        "the name of a digit",
        after=rf"[”\"’」]?\s?(?:{_JOINT}\s?\d\s?)*(?:这?[一两二三四五六七八九十]?个?数字|号数字|类别)",
        fits=_is_digit,
    ),
    Rule("an interval", before=r"[\[(（{]\s?", after=r"\s?,\s?[-+]?\d[\d.]*\s?[\])）}]", fits=_is_zero_or_one),
    Rule("an interval", before=r"[\[(（{]\s?[-+]?\d[\d.]*\s?,\s?", after=r"\s?[\])）}]", fits=_is_zero_or_one),
    Rule("the number of a heading", before=r"(?:^|\n)#{1,6}\s*", after=r"[.、]?\s"),
    Rule(
        "the number of a heading",
        before=r"(?:^|\n)",
        after=r"\s[^\n。；，,;.]{1,30}(?:\n|$)",
        fits=lambda n: re.fullmatch(r"\d\.\d", n.text) is not None,
    ),
    Rule("a number of a list", before=r"(?:^|\n|[。；;：:\0])\s*[(（]?", after=r"[)）、]"),
    Rule(
        "a limit",
        before=r"(?:趋于|趋近于?|趋向于?|收缩到|归|置|跨过|越过|穿过|过|非|等于|远离|靠近|拉向|推向|压向|变为|变成|恰为|记为)\s?",
        fits=lambda n: n.value == 0,
    ),
    Rule("the word zero", fits=lambda n: n.text in {"零", "zero"}),
    Rule(
        "the size of an image",
        after=r"\s?×\s?\d+\s?(?:个?像素|的?[^，。；、]{0,4}(?:图|单元格))",
        fits=lambda n: n.exact,
    ),
    Rule(
        "the size of an image",
        before=r"\d\s?×\s?",
        after=r"\s?(?:个?像素|的?[^，。；、]{0,4}(?:图|单元格))",
        fits=lambda n: n.exact,
    ),
    Rule(
        "a count of things that the text names",
        after=f"(?:大|小|不同的?)?(?!{_MEASURED})[{_MEASURE}](?![^，。；、：的]{{0,4}}(?:{_MEASURED}))",
        fits=_is_small_chinese,
    ),
    Rule(
        "an article",
        before=r"(?<!只有)(?<!仅有)(?<!只含)(?<!仅含)(?<!恰有)(?<!共)(?<!仅)",
        after=f"(?:小|大|整|新)?[{_MEASURE}次步]",
        fits=_is_one,
    ),
    Rule("an article", after=_ENGLISH_ONE, fits=lambda n: n.text.lower() == "one"),
    Rule("a word", before=r"(?:其)", fits=_is_chinese),
    Rule(
        "a word",
        after=r"[是则来要]|者|维|元|阶|值|次函数|次型|次项|进制|分类|角|侧|端|边|旁|周|方面|面|步走|舍|入|联",
        fits=_is_chinese,
    ),
    Rule("a word", before=r"[乘除加减幂]以?", after="次方|次幂", fits=_is_chinese),
    Rule(
        "a word",
        after=r"[- ]?(?:sided|dimensional|fold|way|tailed|norm|layer|class)\b",
        fits=lambda n: n.script == "english",
    ),
)
"""In the order in which they are tried."""

IDIOMS = re.compile(
    "一致|一样|一般|一定|一些|一起|一旦|一直|一方|另一|同一|某一|每一|任一|这一|那一|哪一|之一|进一步|一步步|逐一|唯一|统一|单一|一共"
    "|一系列|一律|一味|一并|一端|一切|一时|一经|一再|一面|一边|一对|万一|千万(?=不|要|别)|十分(?!之)|百分(?!之|点)|[两二三四五]者|四舍五入"
    "|二维|三维|一维|两两|七段|一目了然|一一|不一|划一|归一|千变万化|一概|一贯|一连|一路|一阵|一旁|一向|一齐|一同|一来|一流|一体|合一"
    "|二值|[二八十](?:六)?进制|一点|一下|一会|一遍|再一次|又一次|[其][一二三四五]|一番|一角|一席|一次性|一半以[上下]?(?=的?人)|一模一样"
    "|三角|四周|五花八门|一眼|一般化|一瞥|一片|一带|一头|半数?点|一斑|一部分|大部分|一阶|二阶|一元|二元|二项|千差万别|一举|一前一后"
    "|两端|两侧|两边|两旁|两头|一经|最小二乘|最后一[轮层步次]|末一[轮层步次]|首末两|无一|两半|同一个|一路|一整|一口气|一笔|一撇|一竖|一横|千篇一律|百科|万物|三原色|一如|一度|一心|一身|一成不变"
)
"""Words that hold a numeral and mean no number."""


def exemption(numeral: Numeral, text: str, idioms: list[tuple[int, int]] | None = None) -> str | None:
    """Return why a number is no result, or None."""
    if numeral.script == "chinese":
        spans = idiom_spans(text) if idioms is None else idioms
        if any(start <= numeral.start < end for start, end in spans):
            return "a word"
    return next((rule.reason for rule in RULES if rule.applies(numeral, text)), None)


def idiom_spans(text: str) -> list[tuple[int, int]]:
    """Return where words stand in a bare text that only look like numbers."""
    return [match.span() for match in IDIOMS.finditer(text)]
