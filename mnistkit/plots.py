"""One look for every figure: Chinese labels in an embedded font, colour-blind-safe lines, sizes in centimetres.

How a section draws::

    from mnistkit import plots

    with plots.style():
        figure, axes = plots.panels(1, 3, height=5.0)
        for index, (label, losses) in enumerate(curves.items()):
            plots.curve(axes[0, 0], epochs, losses, label=label, index=index)
        plots.describe(axes[0, 0], "(a) 训练损失", "轮数", "损失")
        plots.percent_axis(axes[0, 1])
        plots.legend_below(figure, axes[0, 0])
    return Figure.of(figure)

- ``style()``: context manager with the fonts and sizes; outside it :func:`panels` refuses to draw.
- ``panels(rows, columns, width=, height=)``: an empty figure and its (rows, columns) array of axes.
- ``curve(ax, x, y, label=, index=, spread=)``: a line whose colour and dash follow ``index``; ``spread`` = (low, high).
- ``scatter(ax, x, y, names=)``: labelled points.   ``describe(ax, title, x_label, y_label)``: words of one panel.
- ``percent_axis(ax)``: print [0, 1] as percent.   ``legend_below(figure, ax)``: one legend for all panels.
- ``image(ax, pixels)``: grey image.   ``heat_map(ax, values, limit=)``: diverging map centred at 0.
- ``overlay(ax, pixels, values)``: a non-negative map over a grey image.   ``bare(ax)``: a panel without axes.
- ``image_grid(images, columns=, titles=, row_labels=, height=)``: a whole figure of grey images.
- ``colour_bar(figure, mappable, axes, label)``: the scale of a map.

Nothing here touches pyplot, and no setting outlives ``style()``. A glyph that no font has is an error when the
figure is saved. The PDF is vector graphics; pixels are enlarged as blocks, so that no viewer blurs them.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.image import AxesImage
    from numpy.typing import ArrayLike, NDArray

TEXT_WIDTH = 15.0
"""Width of the report's text block in cm."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Palette of Okabe and Ito, distinguishable with every common colour vision deficiency. Source: M. Okabe and
K. Ito, Color Universal Design, 2008, https://jfly.uni-koeln.de/color/ (its yellow is too faint for lines)."""

LINE_STYLES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.2, 1.2, 1.2)), (0, (8, 2)), (0, (3, 1, 1, 1, 1, 1)))
"""A dash pattern per line, so that a print without colours can be read."""

_CM_PER_INCH = 2.54
_BLOCK = 8
_LATIN_FONT = "DejaVu Sans"
_TEX_FONTS = ("FandolHei-Regular.otf", "FandolSong-Regular.otf")
_SYSTEM_FONTS = (
    "FandolHei",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "Noto Serif CJK SC",
    "WenQuanYi Zen Hei",
)


class FontError(OSError):
    """No font with Chinese glyphs was found, or it lacks a glyph that a figure needs."""


class StyledFigure(Figure):
    """A figure that is saved with the fonts it was drawn with, and not at all if a glyph is missing."""

    def savefig(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - matplotlib's own signature
        """Save as matplotlib does; :class:`FontError` names the glyph that no font of the style has."""
        with style(), warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*missing from font.*")
            try:
                super().savefig(*args, **kwargs)
            except UserWarning as warning:
                message = f"a figure label holds a glyph that neither {_LATIN_FONT} nor {chinese_font()} has: {warning}"
                raise FontError(message) from warning


@functools.cache
def chinese_font() -> str:
    """Find a font with Chinese glyphs, make it known to matplotlib, and return its family name.

    TeX Live's Fandol fonts come first, since the report itself is set in them.
    """
    kpsewhich = shutil.which("kpsewhich")
    if kpsewhich is not None:
        command = [kpsewhich, *_TEX_FONTS]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        for line in answer.stdout.splitlines():
            if Path(line).is_file():
                font_manager.fontManager.addfont(line)
                return font_manager.FontProperties(fname=line).get_name()
    installed = {font.name for font in font_manager.fontManager.ttflist}
    for name in _SYSTEM_FONTS:
        if name in installed:
            return name
    message = (
        f"no Chinese font for the figures: looked for {', '.join(_TEX_FONTS)} with kpsewhich and for "
        f"{', '.join(_SYSTEM_FONTS)} among the system fonts; install texlive-lang-chinese or fonts-noto-cjk"
    )
    raise FontError(message)


@contextmanager
def style() -> Iterator[None]:
    """Draw inside this context: fonts, sizes and line widths of the report, restored on leaving."""
    settings: Any = {  # matplotlib's stub wants the literal names of all its settings
        "font.family": [_LATIN_FONT, chinese_font()],
        "font.size": 8.0,
        "mathtext.fontset": "dejavusans",
        "axes.titlesize": 8.5,
        "axes.labelsize": 8.0,
        "xtick.labelsize": 7.0,
        "ytick.labelsize": 7.0,
        "legend.fontsize": 7.5,
        "legend.frameon": False,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.linewidth": 0.4,
        "grid.color": "#dddddd",
        "lines.linewidth": 1.3,
        "pdf.fonttype": 3,  # the outlines of the used glyphs alone: Fandol is an OpenType-CFF font of 5 MB
        "savefig.transparent": False,
        "figure.dpi": 100,
    }
    with mpl.rc_context(settings):
        yield


def panels(
    rows: int,
    columns: int,
    *,
    width: float = TEXT_WIDTH,
    height: float = 5.5,
    **grid: Any,  # noqa: ANN401 - handed to Figure.subplots
) -> tuple[StyledFigure, NDArray[Any]]:
    """Return an empty figure of ``width`` by ``height`` cm and its axes, an array of shape (rows, columns).

    ``grid`` goes to ``Figure.subplots`` (``sharey=True``, ``width_ratios=…``).
    """
    if chinese_font() not in mpl.rcParams["font.family"]:
        message = "draw inside 'with plots.style():', or labels miss their Chinese font"
        raise RuntimeError(message)
    figure = StyledFigure(figsize=(width / _CM_PER_INCH, height / _CM_PER_INCH), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **grid)


def curve(
    ax: Axes,
    x: ArrayLike,
    y: ArrayLike,
    *,
    label: str,
    index: int = 0,
    spread: tuple[ArrayLike, ArrayLike] | None = None,
    **line: Any,  # noqa: ANN401 - handed to Axes.plot
) -> None:
    """Draw one line; ``index`` chooses colour and dash, ``spread`` = (low, high) shades a band around it."""
    colour = COLOURS[index % len(COLOURS)]
    dash = LINE_STYLES[index % len(LINE_STYLES)]
    ax.plot(x, y, **{"label": label, "color": colour, "linestyle": dash, **line})
    if spread is not None:
        ax.fill_between(np.asarray(x), *spread, color=colour, alpha=0.18, linewidth=0)


def scatter(ax: Axes, x: ArrayLike, y: ArrayLike, *, names: Sequence[str] = (), index: int = 0) -> None:
    """Draw points, each with its name to the upper right."""
    abscissae, ordinates = np.asarray(x), np.asarray(y)
    ax.scatter(abscissae, ordinates, s=16, color=COLOURS[index % len(COLOURS)], zorder=3)
    for name, abscissa, ordinate in zip(names, abscissae, ordinates, strict=False):
        ax.annotate(name, (abscissa, ordinate), xytext=(3, 3), textcoords="offset points", fontsize=7)


def describe(ax: Axes, title: str = "", x_label: str = "", y_label: str = "") -> None:
    """Write the title and the axis labels of one panel; empty ones leave no gap."""
    if title:
        ax.set_title(title)
    if x_label:
        ax.set_xlabel(x_label)
    if y_label:
        ax.set_ylabel(y_label)


def percent_axis(ax: Axes, digits: int | None = None) -> None:
    """Print the y axis of ratios in [0, 1] as percent."""
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1.0, decimals=digits))


def legend_below(figure: Figure, ax: Axes, *, columns: int | None = None) -> None:
    """Put one legend for all panels under the figure, made of the lines of ``ax``."""
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=columns or len(labels), handlelength=3.0)


def bare(ax: Axes) -> None:
    """Take ticks, frame and grid away, as images need it; title and labels stay."""
    ax.grid(visible=False)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)


def image(ax: Axes, pixels: ArrayLike, *, limit: float = 1.0, inverted: bool = True) -> AxesImage:
    """Draw a grey image of shape (height, width) with values in [0, limit]; inverted: ink is black."""
    return _blocks(ax, pixels, cmap="gray_r" if inverted else "gray", vmin=0.0, vmax=limit)


def heat_map(ax: Axes, values: ArrayLike, *, limit: float | None = None) -> AxesImage:
    """Draw signed values of shape (height, width): warm above 0, white at 0, cold below, ends at ±limit."""
    extent = float(np.abs(np.asarray(values)).max()) if limit is None else limit
    return _blocks(ax, values, cmap="RdBu_r", vmin=-extent, vmax=extent)


def overlay(ax: Axes, pixels: ArrayLike, values: ArrayLike, *, alpha: float = 0.6) -> AxesImage:
    """Draw a grey image and over it a map of non-negative values (height, width), scaled to its own maximum."""
    image(ax, pixels)
    heat = np.asarray(values, dtype=float)
    top = float(heat.max())
    return _blocks(ax, heat / top if top > 0 else heat, cmap="inferno", vmin=0.0, vmax=1.0, alpha=alpha)


def image_grid(
    images: ArrayLike,
    *,
    columns: int,
    titles: Sequence[str] = (),
    row_labels: Sequence[str] = (),
    width: float = TEXT_WIDTH,
    height: float | None = None,
) -> StyledFigure:
    """Return a figure of grey images.

    Parameters
    ----------
    images : array-like of shape (n_images, height, width), in [0, 1]
        Filled in row by row.
    columns : int
        Images per row.
    titles, row_labels : sequence of str
        A title per image of the first row, a label per row.
    width, height : float
        In cm; the height follows from the square cells when it is not given.
    """
    stack = np.asarray(images)
    rows = -(-len(stack) // columns)
    tall = rows * (width / columns) + (0.6 if titles else 0.0) if height is None else height
    figure, axes = panels(rows, columns, width=width, height=tall)
    for ax in axes.flat:
        bare(ax)
    for ax, pixels in zip(axes.flat, stack, strict=False):
        image(ax, pixels)
    for ax, title in zip(axes.flat, titles, strict=False):
        ax.set_title(title)
    for ax, label in zip(axes[:, 0], row_labels, strict=False):
        ax.set_ylabel(label)
    return figure


def colour_bar(figure: Figure, mappable: ScalarMappable, axes: NDArray[Any], label: str = "") -> None:
    """Add the scale of a map to the right of ``axes``."""
    bar = figure.colorbar(mappable, ax=list(axes.flat), label=label, fraction=0.04, pad=0.02)
    bar.outline.set_visible(False)


def _blocks(ax: Axes, values: ArrayLike, **options: Any) -> AxesImage:  # noqa: ANN401 - handed to imshow
    """Draw pixels enlarged to blocks: PDF viewers interpolate small images, and blur what was measured."""
    bare(ax)
    pixels = np.kron(np.asarray(values, dtype=float), np.ones((_BLOCK, _BLOCK)))
    return ax.imshow(pixels, interpolation="none", **options)
