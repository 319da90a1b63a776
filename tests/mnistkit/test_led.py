"""Scores and drawings of the seven-segment display, all from one table."""

import pytest

from mnistkit import led, plots


def test_the_rarest_segment_scores_five_and_the_commonest_one() -> None:
    """Scores follow the ranks of the distinct counts."""
    assert led.specificity_scores() == {"A": 2, "B": 4, "C": 3, "D": 2, "E": 5, "F": 3, "G": 1}


def test_digit_scores_are_means_over_lit_segments() -> None:
    """Each digit's score, worked out by hand from the table."""
    by_hand = (17 / 6, 3 / 2, 15 / 5, 11 / 5, 10 / 4, 13 / 5, 18 / 6, 5 / 3, 20 / 7, 15 / 6)
    assert led.digit_scores() == pytest.approx(by_hand)


def test_eight_lights_every_segment_and_no_two_digits_are_alike() -> None:
    """The table is that of a display on which every digit can be read."""
    assert led.lit_segments(8) == tuple(led.SEGMENTS)
    assert len({led.lit_segments(digit) for digit in led.DIGITS}) == 10


def test_lit_segments_are_drawn_in_another_colour() -> None:
    """All seven bars are drawn, those of the digit in the colour of light."""
    with plots.style():
        _, axes = plots.panels(1, 1)
        led.draw(axes[0, 0], led.lit_segments(1))
    colours = [line.get_color() for line in axes[0, 0].lines]
    assert len(colours) == 7
    assert colours.count(led._LIT) == 2
