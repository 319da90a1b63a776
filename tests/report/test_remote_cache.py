"""The shared cache in a folder and behind a web server: what is taken, what is refused, what is survived."""

import functools
import json
import socket
import subprocess
import sys
import threading
import time
import warnings
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from report.compute import Computation, Computed
from report.config import BuildConfig
from report.errors import ConfigError, MissingToolError
from report.model import SCHEMA, Outcome, Section
from report.progress import Plain
from report.store import Store, blob_name, encode_outcome, record_name

pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")
from report import remote_cache  # needs both
from report.remote_cache import CacheWarning, open_cache

KEYS = [sha256(bytes([number])).hexdigest() for number in range(3)]


def fill(store: Store) -> dict[str, str]:
    """Store an outcome for the first two keys; return the digests by key."""
    digests = {}
    for number, key in enumerate(KEYS[:2]):
        digests[key] = store.put_outcome(Outcome({"x": np.arange(number + 3)}, {"n": number}))
        body = {"label": f"a.{number}", "outcome": digests[key], "seconds": 1.5, "machine": "a CPU", "peak_mib": 20.0}
        store.put_record("runs", key, body)
    return digests


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Return a shared folder that has the outcomes of two keys."""
    source = Store(tmp_path / "colleague")
    fill(source)
    folder = tmp_path / "shared"
    folder.mkdir()
    cache = open_cache(str(folder))
    for key in KEYS[:2]:
        cache.push(source, key)
    cache.close()
    return folder


@pytest.fixture
def mine(tmp_path: Path) -> Store:
    """Return an empty store."""
    return Store(tmp_path / "mine")


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder without a word."""

    def log_message(self, *_parts: object) -> None:
        """Stay silent."""


@pytest.fixture
def served(shared: Path):
    """Serve the shared folder on 127.0.0.1; return its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(shared)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_folder_gives_what_was_put_in(shared, mine, tmp_path) -> None:
    """Records and outcomes arrive in the local store as they were; what nobody has computed is a miss."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_cache(f"file://{shared}").fetch(mine, KEYS) == KEYS[:2]
    colleague = Store(tmp_path / "colleague")
    for key in KEYS[:2]:
        assert mine.get_record("runs", key) == colleague.get_record("runs", key)
        assert mine.get_outcome(mine.get_record("runs", key)["outcome"]).numbers["n"] == KEYS.index(key)


def test_a_web_server_gives_and_takes_nothing(served, mine, shared) -> None:
    """Behind http:// the cache is read-only, without a warning."""
    before = sorted(path.name for path in shared.rglob("*"))
    cache = open_cache(served + "/")
    assert cache.fetch(mine, KEYS) == KEYS[:2]
    mine.put_record("runs", KEYS[2], mine.get_record("runs", KEYS[0]))
    cache.push(mine, KEYS[2])
    cache.close()
    assert sorted(path.name for path in shared.rglob("*")) == before


def change_body(shared: Path, **changes: object) -> None:
    """Rewrite the first key's record with another body and the digest that belongs to it."""
    path = shared / record_name("runs", KEYS[0])
    record = json.loads(path.read_bytes())
    record["body"] = json.dumps(json.loads(record["body"]) | changes)
    path.write_text(json.dumps(record | {"digest": sha256(record["body"].encode()).hexdigest()}), encoding="utf-8")


def change_record(shared: Path, **changes: object) -> None:
    """Change fields of the first key's record; None removes one."""
    path = shared / record_name("runs", KEYS[0])
    record = json.loads(path.read_bytes()) | changes
    path.write_text(json.dumps({name: part for name, part in record.items() if part is not None}), encoding="utf-8")


def blob_of(shared: Path, number: int) -> Path:
    """Return the file of an outcome."""
    record = json.loads((shared / record_name("runs", KEYS[number])).read_bytes())
    return shared / blob_name(json.loads(record["body"])["outcome"])


def flip(path: Path) -> None:
    """Flip the last bit of a file."""
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def plant(shared: Path, content: bytes) -> None:
    """Let the record name other bytes, under their own digest."""
    digest = sha256(content).hexdigest()
    path = shared / blob_name(digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    change_body(shared, outcome=digest)


POISONS = {
    "one bit of the outcome": lambda shared: flip(blob_of(shared, 0)),
    "half of the outcome": lambda shared: blob_of(shared, 0).write_bytes(blob_of(shared, 0).read_bytes()[:40]),
    "the outcome of another": lambda shared: blob_of(shared, 0).write_bytes(blob_of(shared, 1).read_bytes()),
    "no outcome": lambda shared: blob_of(shared, 0).unlink(),
    "the record of another": lambda shared: (shared / record_name("runs", KEYS[0])).write_bytes(
        (shared / record_name("runs", KEYS[1])).read_bytes()
    ),
    "half of the record": lambda shared: (shared / record_name("runs", KEYS[0])).write_bytes(b'{"schema": 1, "key"'),
    "a record without a key": lambda shared: change_record(shared, key=None),
    "a body that is not the one digested": lambda shared: change_record(shared, body='{"outcome": ""}'),
    "a path for a digest": lambda shared: change_body(shared, outcome="../../../etc/passwd"),
    "a time that is none": lambda shared: change_body(shared, seconds=float("nan")),
    "text for a number": lambda shared: change_body(shared, peak_mib="much"),
    "a list for a body": lambda shared: change_record(shared, body="[]", digest=sha256(b"[]").hexdigest()),
    "no arrays": lambda shared: plant(shared, b"import os; os.system('true')"),
    "a pickle": lambda shared: plant(shared, b"\x80\x04\x95\x19\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94."),
}


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS.keys())
def test_a_poisoned_entry_is_refused(shared, mine, poison) -> None:
    """One warning names the key and what is wrong; nothing of the entry is stored, its neighbour is taken."""
    poison(shared)
    with pytest.warns(CacheWarning, match=rf"bad entry for {KEYS[0][:16]} \(.+\); it is computed") as caught:
        assert open_cache(str(shared)).fetch(mine, KEYS) == [KEYS[1]]
    assert len(caught) == 1
    assert mine.get_record("runs", KEYS[0]) is None


def test_what_another_version_of_the_engine_wrote_is_a_miss(shared, mine) -> None:
    """A team may move to a new schema one by one."""
    change_record(shared, schema=SCHEMA + 1)
    assert open_cache(str(shared)).fetch(mine, KEYS) == [KEYS[1]]


def test_nobody_answers(mine) -> None:
    """A server that is down costs one warning, and the next look-up nothing."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    cache = open_cache(f"http://127.0.0.1:{port}")
    with pytest.warns(CacheWarning, match="is not used: ") as caught:
        assert cache.fetch(mine, KEYS) == []
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cache.fetch(mine, KEYS) == []


def test_a_server_that_never_answers_does_not_hold_up_the_build(mine, monkeypatch) -> None:
    """A connection that stays silent ends after the time allowed."""
    monkeypatch.setattr(remote_cache, "READ_SECONDS", 0.5)
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.warns(CacheWarning, match="is not used") as caught:
        assert open_cache(f"http://127.0.0.1:{silent.getsockname()[1]}").fetch(mine, KEYS) == []
    assert len(caught) == 1
    assert time.monotonic() - started < 5


def test_a_folder_that_cannot_be_written(shared, mine) -> None:
    """What has been computed is kept at home; one warning says that the others do not get it."""
    digests = fill(mine)
    for path in sorted(shared.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (shared / "objects").touch()  # no folder can be made there; root may write everywhere else
    cache = open_cache(str(shared))
    for key in digests:
        cache.push(mine, key)
    with pytest.warns(CacheWarning, match="outcomes could not be written") as caught:
        cache.close()
    assert len(caught) == 1


def test_a_folder_that_is_not_there_is_not_made(tmp_path, mine) -> None:
    """A share that is not mounted is one warning; nothing is written into the mount point."""
    with pytest.warns(CacheWarning, match="there is no such folder"):
        cache = open_cache(str(tmp_path / "absent"))
    fill(mine)
    cache.push(mine, KEYS[0])
    cache.close()
    assert cache.fetch(mine, KEYS) == []
    assert not (tmp_path / "absent").exists()


def test_a_url_of_an_unknown_kind() -> None:
    """A slip in the URL is an error of the command line; a package that is missing is named."""
    with pytest.raises(ConfigError, match="htp"):
        open_cache("htp://host/cache")
    try:
        import s3fs  # noqa: F401
    except ImportError:
        with pytest.raises(MissingToolError, match="s3fs"):
            open_cache("s3://bucket/cache")


SECTION = """
    from dataclasses import dataclass
    from pathlib import Path

    from report import Outcome, Result, Run, Value

    LOG = Path({log!r})

    @dataclass(frozen=True)
    class Draw(Run):
        n: int

        def compute(self, context):
            with LOG.open("a") as log:
                log.write(f"draw {{self.n}}\\n")
            return Outcome({{"x": context.generator("draw").normal(size=self.n)}})

    @dataclass(frozen=True)
    class Sum(Run):
        draw: Draw

        def compute(self, context):
            with LOG.open("a") as log:
                log.write("sum\\n")
            return Outcome(numbers={{"sum": float(context.upstream["draw"].arrays["x"].sum())}})

    def runs(profile):
        return {{"draw": Draw(4), "sum": Sum(Draw(4))}}

    def analyse(runs, outcomes):
        return Result(values={{"sum": Value(outcomes["sum"].numbers["sum"])}})
"""


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Return a function that builds a project with a given local cache; ``build.done()`` says what was executed."""
    package = "cached_project"
    log = tmp_path / "log.txt"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").touch()
    (tmp_path / package / "section.py").write_text(dedent(SECTION.format(log=str(log))), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    def run(person: str, shared: str) -> Computed:
        section = Section("numbers", f"{package}.section")
        config = BuildConfig(tmp_path, (section,), profile="quick", cache=Path(person), shared_cache=shared)
        return Computation(config, None, Plain()).run()

    def done() -> list[str]:
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    run.done = done
    yield run
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]


def test_a_colleagues_first_build_computes_no_run(build, tmp_path) -> None:
    """What one has computed the other takes, chains of runs included, and then no longer needs the cache."""
    shared = tmp_path / "shared"
    shared.mkdir()
    first = build("first", str(shared))
    assert build.done() == ["draw 4", "sum"]
    second = build("second", str(shared))
    assert build.done() == []
    assert second.sections["numbers"].result == first.sections["numbers"].result
    assert second.executed == ("numbers · analysis",)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert build("second", str(tmp_path / "gone")).executed == ()


def test_a_poisoned_entry_is_computed_and_mended(build, tmp_path) -> None:
    """Whoever finds a bad entry computes it and puts a good one in its place."""
    shared = tmp_path / "shared"
    shared.mkdir()
    first = build("first", str(shared))
    for path in (shared / "objects").rglob("*"):
        if path.is_file():
            flip(path)
    build.done()
    with pytest.warns(CacheWarning, match="bad entry"):
        second = build("second", str(shared))
    assert build.done() == ["draw 4", "sum"]
    assert second.sections["numbers"].result == first.sections["numbers"].result
    build("third", str(shared))
    assert build.done() == []


def test_a_build_with_nothing_to_compute_loads_none_of_it(build, tmp_path) -> None:
    """A prose edit imports neither fsspec nor Dask nor loky, whatever the options."""
    build("first", "")
    code = f"""
        import sys
        from pathlib import Path
        from report import BuildConfig, Section
        from report.compute import Computation
        from report.progress import Plain
        config = BuildConfig(Path({str(tmp_path)!r}), (Section("numbers", "cached_project.section"),), profile="quick",
                             cache=Path("first"), shared_cache="https://example.org", cluster="tcp://127.0.0.1:1")
        assert Computation(config, None, Plain()).run().executed == ()
        print(*{{name.partition(".")[0] for name in sys.modules}})
    """
    path = [str(Path(__file__).resolve().parents[2]), str(tmp_path)]
    environment = {"PYTHONPATH": ":".join(path)}
    done = subprocess.run(
        [sys.executable, "-c", dedent(code)], env=environment, capture_output=True, text=True, check=True
    )
    assert {"fsspec", "aiohttp", "dask", "distributed", "loky", "numpy", "rich"} & set(done.stdout.split()) == set()


def test_an_outcome_is_pushed_before_its_record(shared) -> None:
    """A reader who comes in between finds a miss, not a broken entry: the record is the younger file."""
    record, blob = shared / record_name("runs", KEYS[0]), blob_of(shared, 0)
    assert blob.stat().st_mtime_ns <= record.stat().st_mtime_ns
    assert blob.read_bytes() == encode_outcome(Outcome({"x": np.arange(3)}, {"n": 0}))
