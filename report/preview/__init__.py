"""``python build.py watch``: a page in the browser that follows every save of the author.

Changes of files (:mod:`sources`) go into one queue; the builder takes them out, computes in a process of its own
(:mod:`computing`) or renders and typesets in this one, and puts what it has into the state (:mod:`live`) that the
server sends to the page. The PDF's pages are pictures (:mod:`pages`); SyncTeX (:mod:`synctex`) and the render map
lead from a place on them to a line of a template and back (:mod:`places`).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import webbrowser
from dataclasses import dataclass
from typing import TYPE_CHECKING

from report.errors import ConfigError
from report.preview.builder import Builder
from report.preview.editor import Editor
from report.preview.live import Live
from report.preview.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from report.config import BuildConfig
    from report.model import DataSource

_EDITABLE = {".bib", ".bst", ".cls", ".py", ".sty", ".tex", ".toml"}


@dataclass(frozen=True, slots=True)
class PreviewOptions:
    """How the page is served.

    Parameters
    ----------
    port : int or None
        On 127.0.0.1; None for the usual port, or another where that is taken.
    browser : bool
        Whether to open the page.
    editor : str
        The command that opens a template, e.g. ``code -g {file}:{line}``; empty for the environment's.
    """

    port: int | None = None
    browser: bool = True
    editor: str = ""


def watch(configure: Callable[[], BuildConfig], data: DataSource | None, options: PreviewOptions) -> None:
    """Build and serve until Ctrl-C or SIGTERM; no process is left then.

    Raises
    ------
    ConfigError
        When report.toml is wrong at the start, or the port is taken.
    MissingToolError
        When a package is not installed.
    """
    live = Live()
    builder = Builder(configure, data, live, _say)
    editor = Editor.choose(options.editor)
    title = str(builder.config.document.get("title", "report"))

    def open_place(file: str, line: int) -> bool:
        return editor.open(editable(builder.config, file), line)

    server = Server(live, options.port, title, open_place)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="server", daemon=True).start()
    previous = signal.signal(signal.SIGHUP, _interrupt)  # the terminal was closed
    try:
        _say(f"watching {builder.config.root}\n{server.address}  (Ctrl-C ends)")
        if options.browser and _has_display():
            webbrowser.open(server.address)
        builder.run()
    except KeyboardInterrupt:
        _say("\nended")
    finally:
        signal.signal(signal.SIGHUP, previous)
        server.shutdown()
        server.server_close()


def editable(config: BuildConfig, file: str) -> Path:
    """Return a source of the report that may be opened, from its path relative to the project.

    Raises
    ------
    ConfigError
        When it does not lie in the project or among the templates, or is no source.
    """
    path = (config.root / file).resolve()
    inside = any(path.is_relative_to(folder.resolve()) for folder in (config.root, config.templates))
    if not inside or path.suffix not in _EDITABLE or not path.is_file():
        raise ConfigError(f"'{file}' is no source of this report")
    return path


def _has_display() -> bool:
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the terminal of the command line
