"""Builds that are killed at any moment, several builds at once: the next one is right, and nothing finished is lost."""

import os
import re
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.faults.conftest import Ledger, Reference
from tests.faults.lab import LONG, Lab, copy_of, long_only, moments

DONE = re.compile(r"^  done  (means\.\S+) in", re.MULTILINE)
START = re.compile(r"^  start (means\.\S+)", re.MULTILINE)
LARGER = ("Value(max(abs(mean) for mean in means.values()), digits=4)", "Value(2.0, digits=4)")
BARS = ("30 {5 + 200 * abs(height):.3f} re f", "35 {9 + 200 * abs(height):.3f} re f")


def check(lab: Lab, expected: dict[str, str]) -> str:
    """Build; everything must be as in an undisturbed build, without a damaged entry. Return what was said."""
    done = lab.good()
    assert lab.products() == expected
    assert "damaged" not in done.stderr
    assert [path for path in lab.litter() if path.is_relative_to(lab.out)] == []
    return done.stderr


def test_killed_at_any_moment(reference: Reference, tmp_path: Path, ledger: Ledger) -> None:
    """SIGKILL, of the build alone or with its processes: the next build is right and repeats no run that was done."""
    for number, moment in enumerate(moments(50 if LONG else 1, reference.seconds)):
        with ledger.trial("SIGKILL at a random moment of a build"):
            lab = Lab(tmp_path / str(number))
            _, said = lab.kill_after(moment, group=bool(number % 2))
            assert lab.wait_for_orphans() == [], moment
            again = START.findall(check(lab, reference.products))
            assert not set(DONE.findall(said)) & set(again), moment
            shutil.rmtree(lab.folder)


@long_only
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_at_any_moment(sign: signal.Signals, reference: Reference, tmp_path: Path, ledger: Ledger) -> None:
    """Ctrl-C or a polite end: exit code 130 and one line, no process left; the next build is right."""
    for number, moment in enumerate(moments(10, reference.seconds, seed=2)):
        with ledger.trial(f"{sign.name} at a random moment of a build", "message") as ends:
            lab = Lab(tmp_path / str(number))
            process = lab.start(start_new_session=True)
            time.sleep(0.3 + moment)
            if sign == signal.SIGINT:
                os.killpg(process.pid, sign)  # as a terminal does
            else:
                process.send_signal(sign)
            _, said = process.communicate(timeout=60)
            assert "Traceback" not in said
            if "claims hold" in said:  # done, and only the end of Python was interrupted
                ends("recovered")
            else:
                assert process.returncode == 130, said
                assert said.rstrip().endswith("interrupted; finished runs are kept, the next build continues there")
            assert lab.wait_for_orphans() == []
            again = START.findall(check(lab, reference.products))
            assert not set(DONE.findall(said)) & set(again), moment
            shutil.rmtree(lab.folder)


def test_killed_while_latex_writes_its_files(built: Lab, reference: Reference, ledger: Ledger, tmp_path: Path) -> None:
    """SIGKILL of build and XeLaTeX while they rewrite .aux: plain latexmk stays stuck on that, ours does not."""
    built.edit("templates/report.tex", r"\section{End}", r"\section{Another end}\newpage")
    edited = copy_of(built, tmp_path / "edited")
    edited.good()
    expected = edited.products()
    for number in range(20 if LONG else 1):
        with ledger.trial("SIGKILL while XeLaTeX rewrites its .aux"):
            lab = copy_of(built, tmp_path / str(number))
            auxiliaries = [lab.out / ".tex/report.aux", lab.out / ".head/.tex/report.aux"]
            states = [_state(path) for path in auxiliaries]
            process = lab.start(start_new_session=True)
            while process.poll() is None and [_state(path) for path in auxiliaries] == states:
                time.sleep(0.001)
            time.sleep(number % 5 * 0.004)
            process.kill()
            process.communicate()
            assert lab.wait_for_orphans() == []
            check(lab, expected)
    assert reference.products != expected


def _state(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_size, status.st_mtime_ns


def test_an_edit_a_kill_and_the_edit_reverted(built: Lab, reference: Reference, ledger: Ledger) -> None:
    """A figure that a killed build of another version wrote, or half wrote, is not taken for that of this one."""
    figure = built.out / "figures/means.bars.pdf"
    for number, moment in enumerate(moments(20 if LONG else 1, reference.seconds, seed=1)):
        with ledger.trial("An edit, SIGKILL, the edit reverted"):
            before = figure.read_bytes()
            old, new = BARS[0], BARS[1].replace("9 +", f"{9 + number} +")
            built.edit("means.py", old, new)
            process = built.start(start_new_session=True)
            deadline = time.monotonic() + moment
            while process.poll() is None and (
                figure.read_bytes() == before if number % 2 else time.monotonic() < deadline
            ):
                time.sleep(0.002)
            process.kill()
            process.communicate()
            assert built.wait_for_orphans() == []
            built.edit("means.py", new, old)
            check(built, reference.products)


@pytest.mark.parametrize("count", [2, 4] if LONG else [3])
def test_builds_at_once(count: int, reference: Reference, tmp_path: Path, ledger: Ledger) -> None:
    """Builds that start together in one folder all succeed, one after the other, and leave one right report."""
    for number in range(5 if LONG else 1):
        with ledger.trial(f"{count} builds at once in one folder"):
            lab = Lab(tmp_path / str(number))
            processes = [lab.start("--jobs", "1") for _ in range(count)]
            said = [process.communicate(timeout=240)[1] for process in processes]
            assert [process.returncode for process in processes] == [0] * count, said
            assert sum("another build is writing" in text for text in said) == count - 1
            assert sum("6 runs executed" in text for text in said) == 1
            assert lab.products() == reference.products


@long_only
def test_builds_of_different_versions_at_once(built: Lab, ledger: Ledger, tmp_path: Path) -> None:
    """A build that waited builds the files as they are then: the last one wins as a whole, PDF and results."""
    edited = copy_of(built, tmp_path / "edited")
    edited.edit("means.py", *LARGER)
    edited.good()
    for _ in range(5):
        with ledger.trial("Two builds at once, the sources edited between"):
            lab = copy_of(built, tmp_path / "both")
            lab.edit("templates/part.tex", "A part.", "Another part.")
            first = lab.start()
            time.sleep(0.2)
            lab.edit("templates/part.tex", "Another part.", "A part.")
            lab.edit("means.py", *LARGER)
            second = lab.start()
            said = [process.communicate(timeout=240)[1] for process in (first, second)]
            assert [first.returncode, second.returncode] == [0, 0], said
            lab.good()
            assert lab.products() == edited.products()
            assert "2.0000" in lab.text()
            shutil.rmtree(lab.folder)


@long_only
def test_clean_during_a_build(fresh: Lab, reference: Reference, ledger: Ledger) -> None:
    """``clean`` waits for the build that is running, and does not pull its folder away."""
    for number in range(5):
        with ledger.trial("clean during a build"):
            process = fresh.start()
            time.sleep(0.8 + number / 2)
            done = fresh.run("clean")
            _, said = process.communicate(timeout=240)
            assert (process.returncode, done.returncode) == (0, 0), said + done.stderr
            assert "Traceback" not in said
            assert not fresh.out.exists()
            check(fresh, reference.products)
