"""Programs that end with us, and do not write without end."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from report.errors import LatexError
from report.program import Done, Program

START = """
import sys, time
from pathlib import Path
from report.program import Program
here = Path(sys.argv[1])
program = Program(["sh", "-c", "sleep 60 & sleep 60"], here, here, {"PATH": "/usr/bin:/bin"})
print(program.pid, flush=True)
time.sleep(60)
"""


def start(folder: Path, script: str, stdin: int = subprocess.DEVNULL) -> Program:
    """Start a shell script."""
    return Program(["/bin/sh", "-c", script], folder, folder, dict(os.environ), stdin)


def alive(group: int) -> bool:
    """Tell whether a process group has members that still run."""
    done = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    return any(int(found) == group and not state.startswith("Z") for found, state in rows)


def test_output_and_code_are_returned(tmp_path: Path) -> None:
    """Both streams, in order, and the exit code; input goes in, and nothing is left running."""
    program = start(tmp_path, "read word; echo $word; echo two >&2; exit 3", subprocess.PIPE)
    assert program.finish(10, b"one\n") == Done(3, "one\ntwo\n")
    assert not alive(program.pid)


def test_a_program_ends_when_we_are_killed(tmp_path: Path, root: Path) -> None:
    """SIGKILL of the process that started it, which can clean up nothing, ends its whole group at once."""
    ours = subprocess.Popen([sys.executable, "-c", START, str(tmp_path)], cwd=root, stdout=subprocess.PIPE, text=True)
    assert ours.stdout is not None
    group = int(ours.stdout.readline())
    assert alive(group)
    ours.kill()
    ours.wait()
    ours.stdout.close()
    deadline = time.monotonic() + 5
    while alive(group) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(group)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("yes", "what LaTeX prints grew beyond 32 MB"),
        ("yes >report.log", "report.log grew beyond 32 MB"),
        ("while :; do :; done", "did not end within 1 s"),
        ("exec >&- 2>&-; sleep 60", "did not end within 1 s"),
    ],
)
def test_endless_programs_are_stopped(tmp_path: Path, script: str, message: str) -> None:
    """What prints, fills a file or merely runs without end is ended, with its group."""
    program = start(tmp_path, script)
    started = time.monotonic()
    with pytest.raises(LatexError, match=message):
        program.finish(1 if "within" in message else 20)
    assert time.monotonic() - started < 15
    assert not alive(program.pid)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1 << 30
