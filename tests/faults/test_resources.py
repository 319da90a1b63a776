"""No space, no permission, no memory, endless output: one clear message, and the next build finishes."""

import os
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.faults.conftest import Ledger, Reference
from tests.faults.lab import LONG, Lab, copy_of, long_only

KIB = 1024
LOOP = r"\loop\iftrue ACTION\repeat"
LINE = "x" * 70


@pytest.fixture
def small_disk(tmp_path: Path):
    """Mount a file system of 4 MiB, where that is allowed, and unmount it in any case."""
    disk = Path(tempfile.mkdtemp(prefix="fault-disk-"))
    command = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=755", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        disk.rmdir()
        pytest.skip("mounting is not allowed here; the limit on the size of a file is tested instead")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)
        disk.rmdir()
    assert tmp_path


@long_only
def test_a_full_disk(small_disk: Path, reference: Reference, ledger: Ledger) -> None:
    """With less and less left of the disk, the build ends in one message; with space again, the next one finishes."""
    levels = [4 * n for n in range(25)] + [100 + 25 * n for n in range(20)]
    outcomes = set()
    for left in levels:
        with ledger.trial("A full disk, with 0 to 575 KiB left", "message") as ends:
            lab = Lab(small_disk / "p")
            lab.write("means.py", (lab.folder / "means.py").read_text(encoding="utf-8"))
            ballast = small_disk / "ballast"
            status = os.statvfs(small_disk)
            with ballast.open("wb") as stream:
                stream.write(bytes(max(0, status.f_bavail * status.f_frsize - left * KIB)))
            done = lab.run()
            outcomes.add(done.returncode)
            if done.returncode:
                assert "Traceback" not in done.stderr, (left, done.stderr)
                assert done.stderr.count("\nerror: ") == 1, (left, done.stderr)
                assert "No space left" in done.stderr or "disk is full" in done.stderr, (left, done.stderr)
            else:
                ends("recovered")
            ballast.unlink()
            assert "damaged" not in lab.good().stderr
            assert lab.products() == reference.products, left
            shutil.rmtree(lab.folder)
    assert 1 in outcomes


@long_only
def test_a_disk_that_fills_up_under_a_built_report(small_disk: Path, reference: Reference, ledger: Ledger) -> None:
    """An edit that cannot be built for lack of space leaves the last good PDF and results as they were."""
    for left in range(0, 160, 8):
        with ledger.trial("A full disk, under a report that is built") as ends:
            lab = copy_of(reference.lab, small_disk / "p")
            lab.edit("templates/part.tex", "A part.", "Another part.")
            lab.edit("means.py", '"all within 1"', '"every one"')
            ballast = small_disk / "ballast"
            status = os.statvfs(small_disk)
            with ballast.open("wb") as stream:
                stream.write(bytes(max(0, status.f_bavail * status.f_frsize - left * KIB)))
            done = lab.run()
            if done.returncode:
                assert "Traceback" not in done.stderr, (left, done.stderr)
                assert done.stderr.count("\nerror: ") == 1, (left, done.stderr)
                ends("message")
                assert (lab.out / "report.pdf").read_bytes().rstrip().endswith(b"%%EOF")
                lab.results()
            ballast.unlink()
            lab.good()
            assert "Another part." in lab.text()
            shutil.rmtree(lab.folder)


@pytest.mark.parametrize("limit", [1, 2, 4, 8, 16, 32, 64] if LONG else [8])
def test_a_limit_on_the_size_of_files(limit: int, reference: Reference, fresh: Lab, ledger: Ledger) -> None:
    """Where no file may grow beyond some KiB, as under a quota, the build ends in one message and recovers later."""
    with ledger.trial("A limit on the size of files (1 to 64 KiB)", "message"):
        size = limit * KIB
        fresh.bad(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
        fresh.good()
        assert fresh.products() == reference.products


PLACES = ["build", "build/.tex", "build/figures", "build/report.pdf/x", ".cache", ".cache/objects", ".cache/records"]
PLACES += ["build/report.tex/x", "build/results.json/x", "build/.stamp.json/x", "build/.lock/x", ".cache/index"]


@pytest.mark.parametrize("place", PLACES if LONG else PLACES[1:2])
def test_something_in_the_way(place: str, fresh: Lab, reference: Reference, ledger: Ledger) -> None:
    """A file where a folder must be, or a folder where a file must be: one message that names it."""
    with ledger.trial("A file or folder in the way of a product", "message"):
        blocked = fresh.folder / place.removesuffix("/x")
        (fresh.folder / place).parent.mkdir(parents=True, exist_ok=True)
        (fresh.folder / place).write_text("in the way", encoding="utf-8")
        assert blocked.name in fresh.bad()
        assert (fresh.folder / place).read_text(encoding="utf-8") == "in the way"
        if blocked.is_dir():
            shutil.rmtree(blocked)
        else:
            blocked.unlink()
        fresh.good()
        assert fresh.products() == reference.products


@pytest.mark.parametrize("place", [".", "build", ".cache"] if LONG else ["build"])
def test_a_read_only_folder(place: str, built: Lab, reference: Reference, ledger: Ledger) -> None:
    """Without the right to write, the build ends in one message; what is there stays as it is."""
    obeys = []
    if os.geteuid() == 0:  # root that obeys permissions
        if shutil.which("setpriv") is None:
            pytest.skip("root may write everywhere, and setpriv is not there to take that away")
        lost = "-dac_override,-dac_read_search"
        obeys = ["setpriv", "--bounding-set", lost, "--inh-caps", lost]
    with ledger.trial("A read-only folder", "message"):
        built.edit("templates/part.tex", "A part.", "Another part.")
        built.edit("means.py", '"all within 1"', '"every one"')
        modes = {path: path.stat().st_mode for path in [built.folder / place, *(built.folder / place).rglob("*")]}
        try:
            for path, mode in modes.items():
                path.chmod(mode & 0o555)
            message = built.bad(prefix=obeys)
        finally:
            for path, mode in modes.items():
                path.chmod(mode)
        assert "ermission denied" in message
        assert place in message
        assert built.products() == reference.products
        built.good(prefix=obeys)
        assert "Another part." in built.text()


MEMORY = {
    "A run that asks for more memory than it may have": (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)); bytes(8 << 30)",
        "memory ran out: try --jobs 1",
    ),
    "A worker killed for memory": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "--jobs 1"),
    "A worker that crashes": ("import ctypes; ctypes.string_at(0)", "was killed"),
}


@pytest.mark.parametrize("fault", MEMORY if LONG else list(MEMORY)[:1])
def test_out_of_memory(fault: str, fresh: Lab, reference: Reference, ledger: Ledger) -> None:
    """The run is named, what had finished is kept, and the build goes on once there is memory."""
    harm, hint = MEMORY[fault]
    with ledger.trial(fault, "message"):
        old = 'return Outcome(numbers={"mean"'
        fresh.edit("means.py", old, f"if self.draw.n_samples == 1000:\n            {harm}\n        {old}")
        message = fresh.bad("--jobs", "1")
        assert "means.n1000" in message
        assert hint in message
        fresh.edit("means.py", f"if self.draw.n_samples == 1000:\n            {harm}\n        {old}", old)
        said = fresh.good().stderr
        assert "start means.n1000.draw" not in said
        assert fresh.products() == reference.products


FLOODS = {
    "log": rf"\immediate\write-1{{{LINE}}}",
    "terminal": rf"\message{{{LINE}}}",
    "file": rf"\immediate\write\flood{{{LINE}}}",
    "traced": r"\tracingcommands=2 \relax\relax\relax",
}


@pytest.mark.parametrize("flood", FLOODS if LONG else ["log"])
def test_endless_output_of_tex(flood: str, built: Lab, reference: Reference, ledger: Ledger) -> None:
    """A template that makes TeX write without end is stopped early: bounded time, memory and disk, one message."""
    with ledger.trial("A log, terminal or file that TeX would fill without end", "message"):
        built.write(
            "templates/part.tex",
            "\\newwrite\\flood\\immediate\\openout\\flood=flood.txt\n" + LOOP.replace("ACTION", FLOODS[flood]),
        )
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        started = time.monotonic()
        assert "grew beyond" in built.bad()
        assert time.monotonic() - started < 60
        assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= max(before, 400 * KIB)
        assert sum(path.stat().st_size for path in built.out.rglob("*") if path.is_file()) < 200 * KIB**2
        assert built.wait_for_orphans() == []
        assert built.products()["report.pdf"] == reference.products["report.pdf"]
        built.write("templates/part.tex", "\\own{A part.}\n")
        built.good()
        assert built.products() == reference.products
        assert sum(path.stat().st_size for path in built.out.rglob("*") if path.is_file()) < KIB**2
