"""Turns changes into builds, one at a time: what arrives during a build leads to exactly one more."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from report.compute import Computation
from report.errors import ReportError, RunError
from report.lock import locked
from report.passes import environment_of, finished_pdf
from report.preview.computing import Computing, Event
from report.preview.live import Live, error_row, warning_row
from report.preview.pages import Pages
from report.preview.places import Places
from report.preview.running import Running
from report.preview.sources import Sources, Watching
from report.progress import Plain
from report.provenance import source_date_epoch
from report.publish import NAME, publish, render_report
from report.warmtex import WarmTex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from report.compute import Computed
    from report.config import BuildConfig
    from report.model import DataSource
    from report.passes import Job
    from report.preview.sources import Kind
    from report.rendermap import Rendered

_SOURCE = f"{NAME}.tex"


class _ShowingTex(WarmTex):
    """Shows the pages of the first pass while further ones may follow."""

    watched = True

    def __init__(self, builder: Builder) -> None:
        super().__init__()
        self._builder = builder

    def show(self, job: Job) -> None:
        """Show a document whose references may still point to old places."""
        self._builder.show(finished_pdf(job.file("pdf")), job.file("synctex.gz"), job.rendered, settling=True)


class Builder:
    """Builds whenever something has changed, on the thread that calls :meth:`run`.

    Parameters
    ----------
    configure : callable () → BuildConfig
        Reads the configuration anew.
    data : DataSource or None
        Where runs get their data.
    live : Live
        What the page shows.
    say : callable (text) → None
        Prints a line in the terminal.
    """

    def __init__(
        self,
        configure: Callable[[], BuildConfig],
        data: DataSource | None,
        live: Live,
        say: Callable[[str], None],
    ) -> None:
        self._configure, self._data, self._live, self._say = configure, data, live, say
        self._config = configure()
        self._sources = Sources.of(self._config)
        self._inbox: SimpleQueue[Event] = SimpleQueue()
        self._watching = Watching(lambda paths: self._inbox.put(Event("changed", (tuple(paths),))))
        self._tex = _ShowingTex(self)
        self._running = Running(live, say)
        self._computing: Computing | None = None
        self._computed: Computed | None = None
        self._edited = False  # whether code was saved since the results were looked up
        self._expected = False  # whether a computation has just said that nothing is missing
        self._errors: dict[str, Exception] = {}

    @property
    def config(self) -> BuildConfig:
        """The configuration as it was last read."""
        return self._config

    def run(self) -> None:
        """Build, and build again after changes, until the thread is interrupted; leave no process then."""
        try:
            self._watching.follow(self._sources.folders())
            self._show_last()
            changes: set[Kind] = {"prose", "code"}
            while True:
                self._build(changes)
                changes = self._wait()
        finally:
            self._tex.stop()
            if self._computing is not None:
                self._computing.stop()
            self._watching.stop()

    def show(self, pdf: bytes, synctex: Path, rendered: Rendered | None, *, settling: bool = False) -> None:
        """Show a PDF, with what leads from its places to the templates."""
        places = None
        if rendered is not None and synctex.exists():
            places = Places(rendered, synctex.read_bytes(), _SOURCE)
        self._live.show(Pages(pdf), places, settling=settling)

    def _show_last(self) -> None:
        """Show what an earlier build has left, until there is something newer."""
        pdf = self._config.out / f"{NAME}.pdf"
        if pdf.exists():
            self.show(pdf.read_bytes(), pdf.with_suffix(".synctex.gz"), None)

    def _wait(self) -> set[Kind]:
        """Wait for the next event, take in all that have gathered, and return what they touch."""
        kinds: set[Kind] = set()
        event = self._inbox.get()
        while True:
            kinds |= self._take(event)
            try:
                event = self._inbox.get_nowait()
            except Empty:
                if kinds:
                    return kinds
                event = self._inbox.get()

    def _take(self, event: Event) -> set[Kind]:
        if event.kind == "changed":
            return self._touched(event.arguments[0])
        if event.kind == "ended":
            return self._ended(event.arguments[0])
        self._running.take(event)
        return set()

    def _touched(self, paths: Iterable[Path]) -> set[Kind]:
        kinds = {kind for path in paths if (kind := self._sources.kind(path)) is not None}
        if "entry" in kinds:
            self._live.update(notice="build.py was changed: end the preview with Ctrl-C and start it again")
        return kinds - {"entry"}

    def _ended(self, error: ReportError | None) -> set[Kind]:
        """Take in the end of a computation; what was saved meanwhile makes the code worth another look."""
        assert self._computing is not None  # noqa: S101 - it has just spoken
        self._computing.stop()
        self._computing = None
        self._config = replace(self._config, force=())  # what was forced has been computed
        self._running.reset()
        self._tell("code", error)
        self._expected = error is None and not self._edited
        return {"code"} if error is None or self._edited else set()

    def _build(self, changes: set[Kind]) -> None:
        """Do what some changes ask for."""
        try:
            if "config" in changes:
                self._config = replace(self._configure(), force=())
            self._edited = self._edited or bool(changes & {"code", "config"})
            news = self._look_up() if self._edited and self._computing is None else False
        except Exception as error:  # noqa: BLE001 - the author mends it and saves again
            self._tell("code", error)
            news = False
        if self._computed is not None and (news or changes & {"prose", "config"}):
            try:
                self._publish(self._computed)
            except Exception as error:  # noqa: BLE001 - likewise
                self._tell("text", error)
        self._live.update(phase="computing" if self._computing else "ready", settling=False)

    def _look_up(self) -> bool:
        """Take the results that are stored, or start computing them; tell whether there are new ones."""
        self._edited, expected, self._expected = False, self._expected, False
        self._sources = Sources.of(self._config, self._sources)
        self._watching.follow(self._sources.folders())
        computation = Computation(self._config, self._data, Plain())
        if computation.info.notice:
            self._live.update(notice=computation.info.notice)
        records, missing = computation.look_up()
        if missing and expected:
            raise RunError("what was computed is not in the store", hint="is the disk full?")
        if missing:
            names = ", ".join(dict.fromkeys(section.name for section, _ in missing))
            self._say(f"{_clock()} computing {names}")
            self._computing = Computing(self._config, self._data, self._inbox.put)
            return False
        self._tell("code", None)
        before, self._computed = self._computed, computation.collect(records)
        return before is None or before.replicates != self._computed.replicates

    def _publish(self, computed: Computed) -> None:
        """Typeset and show the report of some results."""
        started = time.perf_counter()
        config = self._config
        self._live.update(phase="typesetting")
        with locked(config.out, self._say):
            published = publish(config, computed, self._tex)
            rendered = published.rendered or render_report(config, computed)
            self.show(published.pdf.read_bytes(), published.pdf.with_suffix(".synctex.gz"), rendered)
            seconds = time.perf_counter() - started
            warnings = published.compiled.warnings if published.compiled else ()
            self._live.update(seconds=seconds, **_verdicts(config.out / "check.json"))
            if published.compiled is not None:
                self._live.update(warnings=[warning_row(item) for item in warnings])
            self._tell("text", None)
            self._say(f"{_clock()} {NAME}.pdf, {len(self._live.get('pages'))} pages ({seconds:.2f} s)")
            environment = environment_of(config.templates.resolve(), source_date_epoch(config))
            self._tex.prepare(config.out, NAME, rendered.text, environment)

    def _tell(self, part: str, error: Exception | None) -> None:
        """Show an error of the code or of the text, or that there is none any more."""
        self._errors.pop(part, None)
        if error is not None:
            self._errors[part] = error
            self._say(f"{_clock()} error: {error}")
        self._live.update(errors=[error_row(item) for item in self._errors.values()])


def _verdicts(path: Path) -> dict[str, Any]:
    """Return what the check has found, from the file it writes."""
    try:
        check = json.loads(path.read_text(encoding="utf-8"))
        return {"verdicts": check["items"], "coverage": check.get("coverage")}
    except (OSError, ValueError, KeyError):
        return {"verdicts": [], "coverage": None}


def _clock() -> str:
    return time.strftime("%H:%M:%S")
