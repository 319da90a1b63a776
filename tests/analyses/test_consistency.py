"""The publication's own numbers: what fits, and the one that does not."""

import pytest

from analyses.consistency import check_consistency
from report.check import Facts
from report.model import Result, Table, Value


@pytest.fixture
def items():
    """Return the items for results that section lda gives."""
    values = {"published_p_of_printed_scores": Value(0.63877), "published_p_of_exact_scores": Value(0.59521)}
    sizes = (1960, 2270, 2064, 2020, 1964, 1784, 1916, 2056, 1948, 2018)
    table = Table(("digit", "accuracy", "n_test"), [(digit, 0.9, size) for digit, size in enumerate(sizes)])
    facts = Facts.of_results(
        {"lda": Result(values=values, tables={"accuracy": table})}, data={"n_train": 60000, "n_test": 10000}
    )
    return {(item.id, item.text): item for item in check_consistency(facts)}


def test_only_the_p_value_contradicts_the_rest(items):
    """Counts, ranks, scores, decision and accuracies fit; the p-value cannot be recomputed from the printed tables."""
    assert [key for key, item in items.items() if item.verdict != "supported"] == [("lda.p_value", "0.1061")]
    assert len(items) == 7 * 2 + 10 + 2 + 7 + 10


def test_the_p_value_that_can_be_recomputed_stands_beside_it(items):
    """The item names what the printed tables give, and where the printed number stood."""
    item = items["lda.p_value", "0.1061"]
    assert item.expected == "0.6388"
    assert "0.639" in item.evidence
    assert str(item.location).startswith("analyses/published.toml:")


def test_without_results_only_the_publication_is_checked():
    """What needs a computed number is left out when there is none."""
    assert {item.verdict for item in check_consistency(Facts())} == {"supported"}
