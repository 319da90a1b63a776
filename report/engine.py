"""``build``: the one place that strings the parts together."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from report.compute import Computation
from report.files import remove_temporaries, system_errors_told
from report.lock import locked
from report.progress import watcher as default_watcher
from report.publish import anticipate, publish
from report.warmtex import WarmTex

if TYPE_CHECKING:
    from pathlib import Path

    from report.check.items import Check
    from report.compile import Compiled
    from report.compute import Computed
    from report.config import BuildConfig
    from report.model import DataSource
    from report.progress import Watcher


@dataclass(frozen=True, slots=True)
class Build:
    """What a build did: the PDF, the results, what was executed, and what compiling said (None: unchanged)."""

    pdf: Path
    computed: Computed
    compiled: Compiled | None
    seconds: float
    check: Check | None = None


def build(config: BuildConfig, data: DataSource | None = None, watcher: Watcher | None = None) -> Build:
    """Compute what is missing, render the templates, compile the PDF, write results.json.

    Parameters
    ----------
    config : BuildConfig
        What to build, where and how.
    data : DataSource, optional
        Where runs get their data; None for a project whose runs need none.
    watcher : Watcher, optional
        Receives progress; by default a live table on a terminal and plain lines elsewhere.

    Raises
    ------
    ReportError
        One error with a place and a suggestion. Finished runs are kept, the last good PDF too.
    """
    started = time.perf_counter()
    watcher = watcher or default_watcher()
    try:
        with system_errors_told(), locked(config.out, watcher.say), WarmTex() as warm:
            for folder in (config.out, config.out / "figures"):
                remove_temporaries(folder)
            anticipate(config, warm)
            computation = Computation(config, data, watcher)
            if computation.info.notice:
                watcher.say(f"NOTICE: {computation.info.notice}")
            computed = computation.run()
            published = publish(config, computed, warm)
    finally:
        watcher.close()
    return Build(published.pdf, computed, published.compiled, time.perf_counter() - started, published.check)
