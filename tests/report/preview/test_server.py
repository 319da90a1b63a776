"""What the server answers, and to whom: this page alone, and nothing that lies in a folder."""

import http.client
import json
import threading

import pytest

from report.errors import ConfigError
from report.preview import editable
from report.preview.live import Live
from report.preview.server import Server


class Client:
    """Asks a running server."""

    def __init__(self, server):
        self.server, self.port = server, server.server_port

    def ask(self, path, method="GET", body=None, **headers):
        """Return status, headers and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        found = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return found

    def open(self, **changed):
        """Ask for the editor, as the page does unless told otherwise."""
        token = self.server.live.token
        headers = {"Origin": f"http://127.0.0.1:{self.port}", "X_Token": token, **changed}
        body = json.dumps({"file": "a.tex", "line": 3})
        return self.ask("/open", "POST", body, **{name: value for name, value in headers.items() if value})


@pytest.fixture
def opened():
    """Return the places that were opened."""
    return []


@pytest.fixture
def client(opened):
    """Serve an empty preview."""

    def open_place(file, line):
        if file != "a.tex":
            raise ConfigError("no source")
        opened.append((file, line))
        return True

    server = Server(Live(), 0, 'A "title" <script>', open_place)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Client(server)
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_page_holds_no_script_and_escapes_its_title(client):
    """Scripts come from files of their own, and the policy allows no others."""
    status, headers, body = client.ask("/")
    assert status == 200
    assert b"A &quot;title&quot; &lt;script&gt;" in body
    assert b"<script>" not in body
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    for name in ("/page.js", "/pages.js", "/page.css"):
        assert client.ask(name)[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "0.0.0.0:1", ""])
def test_another_host_is_refused(client, host):
    """A name that was made to point to the loopback (DNS rebinding) gets nothing."""
    status, _, body = client.ask("/", Host=host)
    assert status == 421
    assert b"<html" not in body


@pytest.mark.parametrize("path", ["/", "/events", "/report.pdf", "/page.js"])
def test_another_origin_is_refused(client, path):
    """A page elsewhere can neither read nor follow the preview."""
    assert client.ask(path, Origin="http://evil.example")[0] == 403
    assert client.ask(path, Origin="null")[0] == 403
    if path != "/":
        assert client.ask(path, Sec_Fetch_Site="cross-site")[0] == 403


@pytest.mark.parametrize(
    "path",
    [
        "/../report.toml",
        "/%2e%2e/report.toml",
        "//etc/passwd",
        "/static/page.js",
        "/build/report.pdf",
        "/page.html",
        "/..",
    ],
)
def test_no_address_names_a_file(client, path):
    """Whatever is not one of the known requests is not there."""
    assert client.ask(path)[0] == 404


@pytest.mark.parametrize("query", ["?version=x", "?version=1", "?page=1", ""])
def test_what_is_not_there_is_said(client, query):
    """Before the first build, and with numbers that make no sense, there is an error and no traceback."""
    for name in ("picture", "text", "source", "place"):
        assert client.ask(f"/{name}{query}")[0] in {400, 410}


def test_the_editor_is_opened_for_the_page_alone(client, opened):
    """It needs the page's origin and the token of this process; a form of another site has neither."""
    assert client.open()[0] == 200
    assert opened == [("a.tex", 3)]
    for wrong in ({"Origin": ""}, {"Origin": "http://evil.example"}, {"X_Token": ""}, {"X_Token": "guess"}):
        assert client.open(**wrong)[0] == 403
    origin = f"http://127.0.0.1:{client.port}"
    known = {"Origin": origin, "X_Token": client.server.live.token}
    assert client.ask("/open", "POST", '{"file": "b.tex", "line": 1}', **known)[0] == 404
    assert client.ask("/open", "POST", "not JSON", **known)[0] == 400
    assert client.ask("/open", "POST", "x" * 5000, **known)[0] == 404
    assert client.ask("/other", "POST", "{}", **known)[0] == 404
    assert opened == [("a.tex", 3)]


def test_states_are_sent_as_they_change(client):
    """A page gets the state at once, and every change after it."""
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=10)
    connection.request("GET", "/events")
    events = connection.getresponse()

    def state():
        line = events.readline()
        assert events.readline() == b"\n"
        return json.loads(line.removeprefix(b"data: "))

    assert state()["phase"] == "starting"
    client.server.live.update(notice="</script> 中文")
    assert state()["notice"] == "</script> 中文"
    connection.close()


def test_only_the_loopback_is_listened_to(client):
    """The address is bound to this machine."""
    assert client.server.server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_named(client):
    """A port that was asked for is not replaced silently."""
    with pytest.raises(ConfigError, match=f"port {client.port}"):
        Server(Live(), client.port, "", lambda _file, _line: True)


@pytest.mark.parametrize(
    "file", ["../secret.tex", "/etc/passwd", "templates", "templates/none.tex", "templates/run.sh"]
)
def test_only_sources_of_the_report_are_opened(tmp_path, file):
    """Nothing outside the project, no folder, nothing that does not exist, no other kind of file."""
    from report.config import BuildConfig

    root = tmp_path / "project"
    (root / "templates").mkdir(parents=True)
    (root / "templates/run.sh").touch()
    (root / "templates/a.tex").touch()
    (tmp_path / "secret.tex").touch()
    config = BuildConfig(root=root)
    assert editable(config, "templates/a.tex") == (root / "templates/a.tex").resolve()
    with pytest.raises(ConfigError, match="no source"):
        editable(config, file)
