"""Fetching inputs of published problems: whole and right, or not at all; each fault names its address."""

from __future__ import annotations

import hashlib
import http.server
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from landbridge.errors import DataError
from published_inputs import BESIDE, Input, fetch, find, inputs, why_missing

RIGHT = b"link 1 2\nlink 2 3\n" * 50


class Server:
    """Answers by path on the loopback address, and counts what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                name = self.path.rpartition("/")[2]
                if name == "gone":
                    self.send_error(404)
                    return
                body = {"changed": RIGHT.replace(b"2 3", b"2 4"), "windows": RIGHT.replace(b"\n", b"\r\n")}
                content = body.get(name, RIGHT)
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if name == "cut" else content)

            def log_message(self, *_: object) -> None:
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def row(self, name: str) -> Input:
        address = f"http://127.0.0.1:{self.http.server_address[1]}/{name}"
        return Input(f"traffic/{name}.txt", len(RIGHT), hashlib.sha256(RIGHT).hexdigest(), address, "", "")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "*")
    found = Server()
    yield found
    found.http.shutdown()
    found.http.server_close()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_the_right_file_is_stored_and_not_fetched_again(server: Server, tmp_path: Path) -> None:
    said: list[str] = []
    rows = [server.row("net"), server.row("windows")]
    assert fetch(rows, tmp_path, said.append) == 2
    assert (tmp_path / "traffic/net.txt").read_bytes() == RIGHT
    assert said == ["fetched traffic/net.txt", "fetched traffic/windows.txt"]
    assert fetch(rows, tmp_path, said.append) == 0
    assert server.asked == ["/net", "/windows"]


def test_a_damaged_file_is_fetched_again(server: Server, tmp_path: Path) -> None:
    row = server.row("net")
    (tmp_path / "traffic").mkdir()
    (tmp_path / row.path).write_bytes(RIGHT[:-3])
    assert fetch([row], tmp_path, list) == 1
    assert (tmp_path / row.path).read_bytes() == RIGHT


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("changed", "is not the file of the table: its SHA-256 is another"),
        ("cut", f"came in part: {len(RIGHT) // 2} of {len(RIGHT)} bytes"),
        ("gone", r"is not there \(status 404\)"),
    ],
)
def test_a_wrong_file_leaves_nothing(server: Server, tmp_path: Path, name: str, says: str) -> None:
    """And those after it are fetched all the same."""
    bad, good = server.row(name), server.row("net")
    with pytest.raises(DataError, match=says) as refused:
        fetch([bad, good], tmp_path, list)
    assert bad.address in str(refused.value)
    assert files(tmp_path) == ["net.txt"]


def test_without_a_connection_the_message_names_every_address(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    rows = [
        Input(f"traffic/{name}", 1, "0", f"http://127.0.0.1:{port}/{name}", "", "") for name in ("a", "b")
    ]
    with pytest.raises(DataError, match="cannot be reached") as refused:
        fetch(rows, tmp_path, list)
    for row in rows:
        assert row.address in str(refused.value)
        assert str(tmp_path / row.path) in str(refused.value)
    assert files(tmp_path) == []


def test_inputs_are_sought_beside_the_repository_and_then_where_they_are_fetched(tmp_path: Path) -> None:
    rows = [Input(f"traffic/A/{name}", 1, "0", "http://127.0.0.1/", "", "") for name in ("net", "trips")]
    beside, kept = tmp_path / "beside", tmp_path / "kept"
    (kept / "traffic/A").mkdir(parents=True)
    (kept / "traffic/A/net").touch()
    assert find("traffic/A", kept, rows, beside) is None
    (kept / "traffic/A/trips").touch()
    assert find("traffic/A", kept, rows, beside) == kept / "traffic/A"
    (beside / "traffic/A").mkdir(parents=True)
    assert find("traffic/A", kept, rows, beside) == beside / "traffic/A"
    assert find("trade/B", kept, rows, beside) is None
    assert "make inputs" in why_missing("traffic/A", rows)


def test_the_table_holds_what_the_tests_read() -> None:
    """Every folder that a test asks for is in the table, with addresses that cannot change."""
    asked = {
        name
        for path in Path(__file__).parent.rglob("*.py")
        for name in re.findall(r'reference\(f?"([\w/{}-]+)"\)', path.read_text(encoding="utf-8"))
    }
    known = {row.path.rpartition("/")[0] for row in inputs()}
    assert {name for name in asked if "{" not in name} <= known
    for row in inputs():
        assert not row.address or re.search(r"/[0-9a-f]{40}/", row.address), row.path
        assert row.address or row.note.startswith("converted from "), row.path


def test_the_table_is_that_of_the_files_beside_the_repository(shared: Path) -> None:
    for row in inputs():
        content = (BESIDE / row.path).read_bytes()
        if row.address:
            content = content.replace(b"\r\n", b"\n")
        assert (len(content), hashlib.sha256(content).hexdigest()) == (row.bytes, row.sha256), row.path
