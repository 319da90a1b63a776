"""The page's server: on the loopback interface, for this page alone, and with nothing but what it was given.

No address names a file: pictures, texts and places are asked for by number, and the three parts of the page are
read at the start. A request from another site, or under another name than the loopback's, is refused, so that a
page elsewhere can neither read the report (DNS rebinding) nor start the editor (cross-site requests).
"""

from __future__ import annotations

import html
import json
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from report.errors import ConfigError, ReportError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from report.preview.live import Document, Live

HOST = "127.0.0.1"
DEFAULT_PORT = 8137
_BEAT_SECONDS = 10.0
_LONGEST_BODY = 4096
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


class Refused(Exception):  # noqa: N818 - a request is refused; nothing of ours has failed
    """A request that gets an error as its answer."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Server(ThreadingHTTPServer):
    """Serves one preview.

    Parameters
    ----------
    live : Live
        What the page shows.
    port : int or None
        None for the usual one, or another where that is taken.
    title : str
        The page's title.
    open_place : callable (file, line) → bool
        Opens a template in the editor; False if there is none, ReportError for a file that is no source.
    """

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, live: Live, port: int | None, title: str, open_place: Callable[[str, int], bool]) -> None:
        self.live, self.open_place = live, open_place
        try:
            super().__init__((HOST, DEFAULT_PORT if port is None else port), _Handler)
        except OSError as error:
            if port is not None:
                raise ConfigError(f"cannot listen on port {port}: {error.strerror or error}") from error
            super().__init__((HOST, 0), _Handler)
        self.names = frozenset(f"{name}:{self.server_port}" for name in (HOST, "localhost"))
        folder = files("report.preview") / "static"
        self.parts = {item.name: item.read_bytes() for item in folder.iterdir() if item.name.endswith((".css", ".js"))}
        page = Template((folder / "page.html").read_text(encoding="utf-8"))
        self.page = page.substitute(title=html.escape(title), token=html.escape(live.token)).encode()

    @property
    def address(self) -> str:
        """The address of the page."""
        return f"http://{HOST}:{self.server_port}/"

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base class's interface
        """Say nothing when a browser closes a connection."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "report"
    sys_version = ""
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer a request that changes nothing."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Answer a request that starts something."""
        self._answer(self._post)

    def log_message(self, *_arguments: object) -> None:
        """Print nothing: the terminal shows builds."""

    def _answer(self, method: Callable[[str, Mapping[str, str]], None]) -> None:
        try:
            parts = urlsplit(self.path)
            self._check_sender(parts.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            method(parts.path, query)
        except Refused as error:
            self.close_connection = True
            self._send(f"{error}\n".encode(), "text/plain; charset=utf-8", error.status)
        except (KeyError, ValueError, IndexError):
            self.close_connection = True
            self._send(b"not a request of the page\n", "text/plain; charset=utf-8", HTTPStatus.BAD_REQUEST)

    def _check_sender(self, path: str) -> None:
        """Refuse what comes from another page, or asks for another host than this one."""
        if self.headers.get("Host", "") not in self.server.names:
            raise Refused(HTTPStatus.MISDIRECTED_REQUEST, "this server answers to 127.0.0.1 and localhost alone")
        origin = self.headers.get("Origin")
        if origin is not None and origin not in {f"http://{name}" for name in self.server.names}:
            raise Refused(HTTPStatus.FORBIDDEN, "a request from another origin")
        # Sent by the browser itself; a link from elsewhere to the page is harmless, anything else is not.
        if self.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"} and path != "/":
            raise Refused(HTTPStatus.FORBIDDEN, "a request from another site")

    def _get(self, path: str, query: Mapping[str, str]) -> None:
        name = path.removeprefix("/")
        if name == "":
            self._send(self.server.page, "text/html; charset=utf-8")
        elif name in self.server.parts:
            self._send(self.server.parts[name], _TYPES[name[name.index(".") :]])
        elif name == "events":
            self._follow()
        elif name in {"picture", "text", "source", "place", "report.pdf"}:
            version = query.get("version")
            document = self.server.live.document(int(version) if version else None)
            if document is None:
                raise Refused(HTTPStatus.GONE, "a newer document has replaced this one")
            self._of_document(name, document, query)
        else:
            raise Refused(HTTPStatus.NOT_FOUND, "there is no such thing here")

    def _of_document(self, name: str, document: Document, query: Mapping[str, str]) -> None:
        pages = document.pages
        if name == "report.pdf":
            self._send(pages.content, "application/pdf")
        elif name == "place":
            self._send_json(_place(document, query))
        elif not 1 <= (page := int(query["page"])) <= len(pages.sizes):
            raise Refused(HTTPStatus.NOT_FOUND, "there is no such page")
        elif name == "text":
            self._send_json(pages.text(page))
        elif name == "source":
            self._send_json(_source(document, page, query))
        else:
            picture = pages.picture(page, int(query["width"]), query.get("known", ""))
            status = HTTPStatus.OK if picture.png else HTTPStatus.NO_CONTENT
            self._send(picture.png, "image/png", status, {"X-Digest": picture.digest})

    def _post(self, path: str, _query: Mapping[str, str]) -> None:
        if self.headers.get("Origin") is None or self.headers.get("X-Token") != self.server.live.token:
            raise Refused(HTTPStatus.FORBIDDEN, "not sent by the page")
        length = int(self.headers.get("Content-Length", "0"))
        if path != "/open" or not 0 < length <= _LONGEST_BODY:
            raise Refused(HTTPStatus.NOT_FOUND, "there is no such thing here")
        body = json.loads(self.rfile.read(length))
        try:
            opened = self.server.open_place(str(body["file"]), int(body["line"]))
        except (ReportError, OSError) as error:
            raise Refused(HTTPStatus.NOT_FOUND, str(error)) from error
        self._send_json({"opened": opened})

    def _follow(self) -> None:
        """Send every state of the preview until the page is closed (server-sent events)."""
        self.close_connection = True
        self._head("text/event-stream", HTTPStatus.OK, {})
        number = -1
        try:
            while True:
                news = self.server.live.wait(number, _BEAT_SECONDS)
                if news is None:
                    self.wfile.write(b": still here\n\n")
                else:
                    number, state = news
                    self.wfile.write(b"data: " + json.dumps(state, ensure_ascii=False).encode() + b"\n\n")
                self.wfile.flush()
        except OSError:
            return

    def _send_json(self, data: object) -> None:
        self._send(json.dumps(data, ensure_ascii=False).encode(), "application/json")

    def _send(
        self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
    ) -> None:
        self._head(kind, status, {"Content-Length": str(len(body)), **(headers or {})})
        self.wfile.write(body)

    def _head(self, kind: str, status: HTTPStatus, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind, **headers}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()


def _source(document: Document, page: int, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the template's line behind a point of a page."""
    if document.places is None:
        return {"file": None}
    place = document.places.template_at(page, float(query["x"]), float(query["y"]))
    if place is None:
        return {"file": None}
    return {"file": place.file, "line": place.line, "source": document.places.rendered.source(place)}


def _place(document: Document, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the rectangles where a template's line stands, or a text on it."""
    if document.places is None:
        return []
    areas = document.places.rectangles(query["file"], int(query["line"]))
    found = document.pages.find(query["text"], areas) if query.get("text") else []
    return [asdict(item) for item in found or areas]
