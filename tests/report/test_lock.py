"""One build at a time per folder."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from report.errors import StoreError
from report.lock import locked

HOLD = """
import sys, time
from pathlib import Path
from report.lock import locked
with locked(Path(sys.argv[1]), print):
    print('held', flush=True)
    time.sleep(float(sys.argv[2]))
"""


def test_the_second_build_waits_and_says_so(tmp_path: Path, root: Path) -> None:
    """While another process holds the folder, a build waits for it, and tells."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), "1.5"], cwd=root, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    said: list[str] = []
    started = time.monotonic()
    with locked(tmp_path, said.append):
        assert time.monotonic() - started > 0.5
    assert other.wait(timeout=10) == 0
    assert len(said) == 1
    assert "another build is writing" in said[0]
    other.stdout.close()


def test_a_killed_build_blocks_nobody(tmp_path: Path, root: Path) -> None:
    """The lock dies with its process."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), "60"], cwd=root, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    other.kill()
    other.wait(timeout=10)
    other.stdout.close()
    said: list[str] = []
    with locked(tmp_path, said.append):
        pass
    assert said == []


def test_a_lock_in_a_folder_that_was_removed_keeps_nobody_out(tmp_path: Path, root: Path) -> None:
    """A build that waited while ``clean`` removed the folder takes the lock of the new folder, not the lost one."""
    folder = tmp_path / "build"
    code = HOLD.replace("print('held', flush=True)", "print('held', flush=True); import shutil").replace(
        "time.sleep(float(sys.argv[2]))", "time.sleep(float(sys.argv[2])); shutil.rmtree(sys.argv[1])"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(folder), "0.5"], cwd=root, stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert other.stdout.readline() == b"held\n"
    said: list[str] = []
    with locked(folder, said.append):
        assert (folder / ".lock").exists()
    assert other.wait(timeout=10) == 0
    other.stdout.close()
    assert len(said) == 1


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The error names the folder and the option that changes it."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file/build(.|\n)*--out"), locked(tmp_path / "file/build", print):
        pass
