"""What the person at the terminal sees."""

import io
import json
import time
from pathlib import Path

import pytest

from report.progress import Live, Plain, duration


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (42.4, "42 s"), (150, "2 min"), (3700, "1 h 02 min")]
)
def testdurations_have_the_precision_that_helps(seconds: float, text: str) -> None:
    """Tenths for seconds, minutes for minutes."""
    assert duration(seconds) == text


def test_plain_lines_say_what_starts_and_ends() -> None:
    """A log file gets one line per event, with a counter."""
    stream = io.StringIO()
    plain = Plain(stream)
    plain.expect(2)
    plain.started("lda.fit")
    plain.finished("lda.fit", 1.5)
    assert stream.getvalue().splitlines() == ["  start lda.fit", "  done  lda.fit in 1.5 s (1/2)"]


def test_a_long_run_reports_its_progress_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Epochs and time left appear for a run that takes long, but not at every look."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    stream = io.StringIO()
    plain = Plain(stream)
    plain.started("cnn.base")
    (tmp_path / "p").write_text(json.dumps([2, 10, "accuracy 0.97"]), encoding="utf-8")
    for now in (1.0, 20.0, 21.0):  # noqa: B007 - the clock reads it
        plain.look("cnn.base", tmp_path / "p")
    assert stream.getvalue().splitlines()[1:] == ["        cnn.base 2/10 · accuracy 0.97 · 20 s, about 80 s left"]


def test_a_missing_or_half_written_progress_file_is_no_error(tmp_path: Path) -> None:
    """Progress is a courtesy: nothing depends on it."""
    plain = Plain(io.StringIO())
    plain.started("a")
    plain.look("a", tmp_path / "absent")
    (tmp_path / "half").write_text("[1,", encoding="utf-8")
    plain.look("a", tmp_path / "half")


def test_the_live_table_shows_and_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal the running work is a table, and what has finished stays as lines."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    live = Live()
    live.say("before anything runs")
    live.started("cnn.base")
    (tmp_path / "p").write_text(json.dumps([5, 10, "accuracy 0.97"]), encoding="utf-8")
    live.look("cnn.base", tmp_path / "p")
    time.sleep(0.5)  # the table is drawn five times a second
    live.finished("cnn.base", 12.0)
    live.close()
    shown = capsys.readouterr().err
    assert shown.index("before anything runs") < shown.index("cnn.base in 12 s (1/1)")
    assert "5/10 · accuracy 0.97" in shown
    assert "━━━━━━━━━━ " in shown
