"""The published numbers: readable, complete, and consistent where they claim to be."""

import pytest

from analyses import published
from mnistkit import led
from report.errors import DataError


def test_every_table_is_rectangular_and_says_where_it_stood() -> None:
    """Rows fit their columns, keys are columns, and each compared column has a rounding."""
    for name, entry in published.everything()["tables"].items():
        table = published.table(name)
        assert entry["where"]
        assert set(entry["key"]) <= set(table.columns)
        numeric = {
            column for column in table.columns if isinstance(table.rows[0][table.columns.index(column)], int | float)
        }
        assert set(entry["rounding"]) == numeric - set(entry["key"]), name


def test_every_single_number_has_its_printed_text() -> None:
    """The text as printed stands for the number, within its rounding."""
    for name, entry in published.everything()["values"].items():
        text = entry["text"]
        number = float(text.rstrip("%")) / (100 if text.endswith("%") else 1)
        assert number == pytest.approx(published.number(name))
        assert published.rounding(name) > 0
        assert entry["where"]


def test_cells_that_were_not_printed_are_none() -> None:
    """The supplementary row of table 2 has one number."""
    supplementary = published.table("logistic.regularisation").rows[-1]
    assert supplementary == (0.1, 0.01, None, None, None, None, 831, None)


def test_the_published_led_table_is_consistent() -> None:
    """Counts, specificity and digit scores as published follow from the published lit segments."""
    scores = led.specificity_scores()
    for segment, digits, count, specificity in published.table("lda.led_segments").rows:
        lit = tuple(int(digit) for digit in str(digits).split())
        assert (lit, len(lit), scores[segment]) == (led.SEGMENTS[segment], count, specificity)
    for (_, printed), exact in zip(published.table("lda.led_scores").rows, led.digit_scores(), strict=True):
        assert abs(printed - exact) <= 0.05 + 1e-12


def test_an_unknown_id_names_the_nearest() -> None:
    """A slip in an id is an error with a suggestion."""
    with pytest.raises(DataError, match=r"lda\.acuracy") as caught:
        published.table("lda.acuracy")
    assert caught.value.hint == "Did you mean 'lda.accuracy'?"
