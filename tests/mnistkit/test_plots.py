"""The look of the figures: fonts, refusal of missing glyphs, blocks, and settings that do not leak."""

import io

import matplotlib as mpl
import numpy as np
import pytest

from mnistkit import plots


def saved(figure: plots.StyledFigure) -> bytes:
    """Return the bytes of the PDF, without its date."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="pdf", metadata={"CreationDate": None})
    return buffer.getvalue()


def test_the_chinese_font_is_embedded() -> None:
    """A Chinese label ends up as glyphs of the Chinese font inside the PDF."""
    with plots.style():
        figure, axes = plots.panels(1, 1)
        plots.describe(axes[0, 0], "训练损失", "轮数", "准确率")
    assert plots.chinese_font().encode() in saved(figure)


def test_a_missing_glyph_is_an_error() -> None:
    """A label with a glyph that no font of the style has stops the figure instead of printing a box."""
    with plots.style():
        figure, axes = plots.panels(1, 1)
        plots.describe(axes[0, 0], "\U0001f9ea")
    with pytest.raises(plots.FontError, match="glyph"):
        saved(figure)


def test_equal_figures_are_equal_files() -> None:
    """Drawing the same data twice gives the same bytes, so that a cached figure does not flicker."""

    def draw() -> bytes:
        with plots.style():
            figure, axes = plots.panels(1, 2, height=4.0)
            for index, label in enumerate(("甲", "乙")):
                low, high = np.arange(5) - 0.1, np.arange(5) + 0.1
                plots.curve(axes[0, 0], np.arange(5), np.arange(5), label=label, index=index, spread=(low, high))
            plots.scatter(axes[0, 1], [1, 2], [0.5, 0.6], names=["0", "1"])
            plots.percent_axis(axes[0, 1])
            plots.legend_below(figure, axes[0, 0])
        return saved(figure)

    assert draw() == draw()


def test_no_setting_outlives_the_style() -> None:
    """Fonts and sizes are as before once the context is left."""
    before = dict(mpl.rcParams)
    with plots.style():
        assert mpl.rcParams["font.size"] == 8.0
    assert dict(mpl.rcParams) == before


def test_drawing_outside_the_style_is_refused() -> None:
    """Forgetting the context is caught at the first figure, not when a glyph is missing."""
    with pytest.raises(RuntimeError, match=r"plots\.style"):
        plots.panels(1, 1)


def test_a_heat_map_is_centred_at_zero() -> None:
    """White is zero whatever the range of the values, and the limits are symmetric."""
    with plots.style():
        _, axes = plots.panels(1, 1)
        drawn = plots.heat_map(axes[0, 0], [[-1.0, 3.0]])
    assert drawn.get_clim() == (-3.0, 3.0)
    assert drawn.get_array().shape == (8, 16)  # type: ignore[union-attr]


def test_the_overlay_survives_an_empty_map() -> None:
    """A Grad-CAM map without any positive entry is drawn as zeros, not as a division by zero."""
    with plots.style():
        _, axes = plots.panels(1, 1)
        drawn = plots.overlay(axes[0, 0], np.ones((2, 2)), np.zeros((2, 2)))
    assert float(np.max(drawn.get_array())) == 0.0  # type: ignore[arg-type]


def test_an_image_grid_fills_rows_and_leaves_the_rest_bare() -> None:
    """Seven images in rows of four make two rows, the last cell empty, with titles above the first row."""
    with plots.style():
        figure = plots.image_grid(np.zeros((7, 3, 3)), columns=4, titles="甲乙丙丁", row_labels=["前", "后"])
    assert len(figure.axes) == 8
    assert [len(ax.images) for ax in figure.axes] == [1] * 7 + [0]
    assert [ax.get_title() for ax in figure.axes][:4] == list("甲乙丙丁")


def test_without_a_chinese_font_the_message_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither TeX nor the system has a Chinese font, the error says what to install."""
    monkeypatch.setattr("shutil.which", lambda _name: None)
    monkeypatch.setattr(plots, "_SYSTEM_FONTS", ())
    with pytest.raises(plots.FontError, match="fonts-noto-cjk"):
        plots.chinese_font.__wrapped__()
