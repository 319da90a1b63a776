"""Files that change behind the back of the build: it notices, makes anew what is damaged, and never prints it."""

import json
import os
import random
import shutil
import time
from pathlib import Path

import pytest

from tests.faults.conftest import Ledger, Reference
from tests.faults.lab import LONG, Lab, copy_of

GENERATOR = random.Random(7)  # noqa: S311 - no secret
VARIANT = (  # another text, and another analysis of the same runs
    ("templates/part.tex", "A part.", "Another part."),
    ("means.py", '"all within 1")', '"every one within 1")'),
)


def flip(content: bytes, _others: list[Path]) -> bytes:
    """Turn one bit."""
    damaged = bytearray(content)
    damaged[GENERATOR.randrange(len(damaged))] ^= 1 << GENERATOR.randrange(8)
    return bytes(damaged)


def cut(content: bytes, _others: list[Path]) -> bytes:
    """Lose the end."""
    return content[: GENERATOR.randrange(len(content))]


def zeros(content: bytes, _others: list[Path]) -> bytes:
    """Lose everything but the length, as after a loss of power."""
    return bytes(len(content))


def empty(_content: bytes, _others: list[Path]) -> bytes:
    """Lose everything."""
    return b""


def swap(_content: bytes, others: list[Path]) -> bytes:
    """Hold what belongs to another file of the same folder."""
    return GENERATOR.choice(others).read_bytes()


DAMAGES = {
    "A flipped bit in a stored file": flip,
    "A stored file cut off": cut,
    "A stored file full of zeros": zeros,
    "A stored file emptied": empty,
    "A stored file with the content of its neighbour": swap,
}


def test_any_file_damaged_in_any_way(reference: Reference, built: Lab, ledger: Ledger) -> None:
    """Objects, records, indexes, stamp, figures, products, LaTeX's own files: damaged, then built with a change."""
    expected = {}
    for variant in (True, False):
        turn(built, variant=variant)
        built.good()
        expected[variant] = built.products()
    assert expected[False] == reference.products
    files = sorted(
        path
        for folder in (built.cache, built.out)
        for path in folder.rglob("*")
        if path.is_file() and path.stat().st_size
    )
    names = [path.relative_to(built.folder) for path in files]
    trials = [(kind, name) for name in names for kind in DAMAGES]
    trials = GENERATOR.sample(trials, 100 if LONG else 3)
    variant = False
    for kind, name in trials:
        path = built.folder / name
        if not path.exists() or not path.stat().st_size:  # replaced by the last change, or damaged and never needed
            continue
        with ledger.trial(kind):
            others = [other for other in path.parent.iterdir() if other.is_file() and other != path] or [path]
            status = path.stat()
            path.write_bytes(DAMAGES[kind](path.read_bytes(), others))
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
            built.good()
            assert built.products() == expected[variant], (kind, name, "unchanged")
            variant = not variant
            turn(built, variant=variant)
            built.good()
            assert built.products() == expected[variant], (kind, name, "changed")
            evidence = built.results()["sections"]["means"]["claims"]["close"]["evidence"]
            assert evidence == ("every one within 1" if variant else "all within 1")


def turn(lab: Lab, *, variant: bool) -> None:
    """Change the sources to one of the two variants."""
    for name, old, new in VARIANT:
        lab.edit(name, *((old, new) if variant else (new, old)))


def test_every_damaged_object_is_computed_anew(built: Lab, reference: Reference, ledger: Ledger) -> None:
    """With all stored objects damaged at once the build warns, computes what it needs, and is right."""
    with ledger.trial("Every stored object damaged at once"):
        for path in (built.cache / "objects").rglob("*"):
            if path.is_file():
                path.write_bytes(flip(path.read_bytes(), []))
        done = built.good()
        assert "is damaged" in done.stderr
        assert "6 runs executed" in done.stderr
        assert built.products() == reference.products


@pytest.mark.parametrize("schema", [0, 2] if LONG else [0])
def test_a_store_of_another_schema(built: Lab, reference: Reference, ledger: Ledger, schema: int) -> None:
    """What an older or newer version stored is not read: everything is computed, and nothing is called damaged."""
    with ledger.trial("A store written by an older or a newer schema"):
        for path in (built.cache / "records").rglob("*.json"):
            record = json.loads(path.read_text(encoding="utf-8"))
            path.write_text(json.dumps({**record, "schema": schema, "body": {"other": "shape"}}), encoding="utf-8")
        done = built.good("--force", "all") if schema else built.good()
        assert "6 runs executed" in done.stderr
        assert "damaged" not in done.stderr
        assert built.products() == reference.products


@pytest.mark.parametrize("year", [1980, 2100] if LONG else [2100])
def test_a_clock_that_jumps(reference: Reference, tmp_path: Path, ledger: Ledger, year: int) -> None:
    """Times of files in the past or future change nothing; an edit that keeps size and time is seen all the same."""
    with ledger.trial("A clock that jumps: files from 1980 or 2100"):
        lab = copy_of(reference.lab, tmp_path / "p")
        moment = time.mktime((year, 6, 1, 0, 0, 0, 0, 0, 0))
        age(lab, moment)
        assert "unchanged" in lab.good().stdout
        lab.edit("templates/part.tex", "A part.", "B part.")
        lab.edit("means.py", "digits=4", "digits=3")
        age(lab, moment)
        lab.good()
        assert "B part." in lab.text()
        assert lab.results()["sections"]["means"]["values"]["worst"]["digits"] == 3
        lab.edit("templates/part.tex", "B part.", "A part.")
        lab.edit("means.py", "digits=3", "digits=4")
        age(lab, moment)
        lab.good()
        assert lab.products() == reference.products


def age(lab: Lab, moment: float) -> None:
    """Give every file and folder one time of change."""
    for path in [lab.folder, *lab.folder.rglob("*")]:
        os.utime(path, (moment, moment))


def test_lost_files_are_made_again(built: Lab, reference: Reference, ledger: Ledger) -> None:
    """Whatever part of cache or output is removed, the next build brings it back."""
    parts = [
        ".cache/objects",
        ".cache/records/sections",
        "build/.tex/report.aux",
        "build/figures",
        "build/results.json",
    ]
    parts += [".cache/index", ".cache/records/runs", "build/.tex", "build/.stamp.json", "build/.tex/report.fdb_latexmk"]
    for part in parts if LONG else parts[2:3]:
        with ledger.trial("A part of cache or output removed"):
            path = built.folder / part
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
            (built.out / "report.pdf").unlink()
            built.good()
            assert built.products() == reference.products, part
