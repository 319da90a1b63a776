"""Whether the published numbers fit each other: what follows from the printed tables, without any training.

Light on purpose: a prose edit runs it too. The p-value of the printed tables is computed by section ``lda``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from report.check import Stated, decision, possible_ratio, recomputed
from report.check.published import Published

if TYPE_CHECKING:
    from report.check import Facts, Item

PUBLISHED = "analyses/published.toml"


def check_consistency(facts: Facts) -> list[Item]:
    """Check segment counts, specificity, digit scores, the p-value and its decision, and the printed accuracies."""
    return [*_segments(), *_scores(), *_p_value(facts), *_accuracies(facts)]


def _segments() -> list[Item]:
    """Count the digits of each segment, and rank the counts: the rarest segment scores highest."""
    rows = _rows("lda.led_segments")
    counts = {row["segment"]: len(row["digits"].split()) for row in rows}
    ranks = {count: rank for rank, count in enumerate(sorted(set(counts.values()), reverse=True), start=1)}
    items = []
    for row in rows:
        segment = row["segment"]
        stated = _cell("lda.led_segments", segment, "count", row["count"])
        items.append(recomputed(stated, counts[segment], f"表 4 中段 {segment} 列出的数字个数"))
        stated = _cell("lda.led_segments", segment, "specificity", row["specificity"])
        items.append(recomputed(stated, ranks[counts[segment]], "由表 4 的个数排名"))
    return items


def _scores() -> list[Item]:
    """Average over the segments that light up in a digit."""
    segments = _rows("lda.led_segments")
    items = []
    for row in _rows("lda.led_scores"):
        digit = str(row["digit"])
        lit = [segment["specificity"] for segment in segments if digit in segment["digits"].split()]
        stated = _cell("lda.led_scores", digit, "score", row["score"])
        items.append(recomputed(stated, fmean(lit), f"表 4 中数字 {digit} 所点亮的 {len(lit)} 段的平均"))
    return items


def _p_value(facts: Facts) -> list[Item]:
    p, alpha = _value("lda.p_value"), _value("lda.alpha")
    rejected = not _published().entries["claims"]["lda.not_rejected"]["holds"]
    items = [decision("lda.not_rejected", p=p, alpha=alpha.number, rejected=rejected)]
    printed, unrounded = (facts.values.get(f"lda.published_p_of_{kind}_scores") for kind in ("printed", "exact"))
    if printed is not None and unrounded is not None:
        how = (
            f"由印出的表 3 与得分作最小二乘回归得 {printed.number:.3f}，由表 4 的未舍入得分得 {unrounded.number:.3f}；"
            f"印出的 {p.text} 不能由已发表的表重新算出"
        )
        items.append(recomputed(p, printed.number, how))
    return items


def _accuracies(facts: Facts) -> list[Item]:
    """Ask whether the printed accuracies are possible for the number of images they were measured on."""
    items = []
    n_train, n_test = (facts.settings.get(f"data.{name}") for name in ("n_train", "n_test"))
    if n_train and n_test:
        for row in _rows("logistic.accuracy"):
            for part, n_images in (("train", n_train), ("test", n_test)):
                items.append(possible_ratio(_cell("logistic.accuracy", row["variant"], part, row[part]), n_images))
        items.append(possible_ratio(_value("cnn.test_accuracy"), n_test))
    balanced = facts.tables.get("lda.accuracy")
    if balanced is not None and "n_test" in balanced.columns:
        sizes = dict(zip(balanced.column("digit"), balanced.column("n_test"), strict=True))
        for row in _rows("lda.accuracy"):
            stated = _cell("lda.accuracy", str(row["digit"]), "accuracy", row["accuracy"])
            items.append(possible_ratio(stated, int(sizes[row["digit"]] or 0)))
    return items


@cache
def _published() -> Published:
    text = (Path(__file__).parent / "published.toml").read_text(encoding="utf-8")
    return Published.read(text, PUBLISHED)


def _rows(name: str) -> list[dict[str, Any]]:
    entry = _published().entries["tables"][name]
    return [dict(zip(entry["columns"], row, strict=True)) for row in entry["rows"]]


def _cell(name: str, row: str, column: str, number: float) -> Stated:
    entry = _published().entries["tables"][name]
    place = _published().place("tables", name)
    return Stated(f"{name}[{row}].{column}", number, entry["rounding"][column], entry["where"], place)


def _value(name: str) -> Stated:
    entry = _published().entries["values"][name]
    return Stated(name, entry["number"], entry["rounding"], entry["where"], _published().place("values", name))
