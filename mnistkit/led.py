"""The ten digits on a seven-segment display, and how characteristic their segments are.

Everything follows from one table: which digits light which segment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnistkit import plots

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DIGITS = tuple(range(10))

SEGMENTS = {
    "A": (0, 2, 3, 5, 6, 7, 8, 9),
    "B": (0, 4, 5, 6, 8, 9),
    "C": (2, 3, 4, 5, 6, 8, 9),
    "D": (0, 1, 2, 3, 4, 7, 8, 9),
    "E": (0, 2, 6, 8),
    "F": (0, 2, 3, 5, 6, 8, 9),
    "G": (0, 1, 3, 4, 5, 6, 7, 8, 9),
}
"""The digits that light each segment: A is the top bar, B upper left, C the middle bar, D upper right, E lower left,
F the bottom bar, G lower right."""

# Both ends of each segment as (x, y) on a display that is 1 wide and 2 high.
_ENDS = {
    "A": ((0, 2), (1, 2)),
    "B": ((0, 1), (0, 2)),
    "C": ((0, 1), (1, 1)),
    "D": ((1, 1), (1, 2)),
    "E": ((0, 0), (0, 1)),
    "F": ((0, 0), (1, 0)),
    "G": ((1, 0), (1, 1)),
}
_GAP = 0.09
_LIT, _DARK = plots.COLOURS[1], "#e8e8e8"


def lit_segments(digit: int) -> tuple[str, ...]:
    """Return the segments that a digit lights, in alphabetical order."""
    return tuple(segment for segment, digits in SEGMENTS.items() if digit in digits)


def specificity_scores() -> dict[str, int]:
    """Rank the segments by how many digits light them: the commonest count gets 1, each rarer one a point more."""
    counts = sorted({len(digits) for digits in SEGMENTS.values()}, reverse=True)
    return {segment: 1 + counts.index(len(digits)) for segment, digits in SEGMENTS.items()}


def digit_scores() -> tuple[float, ...]:
    """Return for each digit 0 to 9 the mean specificity of the segments it lights."""
    scores = specificity_scores()
    lit = [lit_segments(digit) for digit in DIGITS]
    return tuple(sum(scores[segment] for segment in segments) / len(segments) for segments in lit)


def draw(ax: Axes, segments: tuple[str, ...], *, names: bool = False) -> None:
    """Draw one display with the given segments lit; ``names`` writes the letter beside each segment."""
    plots.bare(ax)
    ax.set_aspect("equal")
    ax.set_xlim(-0.25, 1.25)
    ax.set_ylim(-0.25, 2.25)
    for segment, ((x0, y0), (x1, y1)) in _ENDS.items():
        gap_x, gap_y = (_GAP, 0.0) if y0 == y1 else (0.0, _GAP)
        colour = _LIT if segment in segments else _DARK
        ax.plot(
            [x0 + gap_x, x1 - gap_x],
            [y0 + gap_y, y1 - gap_y],
            color=colour,
            lw=9.0 if names else 4.5,
            solid_capstyle="butt",
        )
        if names:
            ax.annotate(segment, ((x0 + x1) / 2, (y0 + y1) / 2), ha="center", va="center", color="white", size=7)
