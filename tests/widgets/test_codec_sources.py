"""Where replays are read from: files, and servers that lie, stall, redirect and send too much."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.fakes.cases import CASES
from tests.widgets.replays import packed, small
from widgets.replay.codec.errors import FormatError, LimitError, SourceError
from widgets.replay.codec.limits import Limits
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.sources import http_url, is_public, read_source, shown
from widgets.replay.inspect import convert
from widgets.replay.viewer import public_url

REPLAY = packed(small())
SECRET = "s3cr3t"  # looked for in every message


class Server(BaseHTTPRequestHandler):
    """Answers by path: `/ok`, `/status/404`, `/to?<address>`, `/endless`, `/slow`, `/short`, `/told`."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/to":
            self.answer(302, b"", Location=query)
        elif path.startswith("/status/"):
            self.answer(int(path.rpartition("/")[2]), b"no")
        elif path == "/told":
            self.answer(200, REPLAY, length=10**12)
        elif path == "/short":
            self.answer(200, REPLAY, length=len(REPLAY) + 10)
        elif path in ("/endless", "/slow"):
            self.stream(b"x" * 65_536 if path == "/endless" else b"x", pause=0.0 if path == "/endless" else 0.05)
        else:
            self.answer(200, REPLAY)

    def answer(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def stream(self, piece: bytes, pause: float) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            while True:
                self.wfile.write(piece)
                time.sleep(pause)
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}"
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def test_a_replay_loads_over_http_when_private_addresses_are_allowed(server):
    assert load_replay(f"{server}/ok", allow_private=True).label == "tiny"


def test_redirects_to_http_are_followed(server):
    assert load_replay(f"{server}/to?/to?{server}/ok", allow_private=True).label == "tiny"


@pytest.mark.parametrize("url", ["/ok", "/to?/ok"])
def test_this_machine_is_refused_by_default(server, url):
    with pytest.raises(SourceError, match=r"not a public address; load with allow_private=True"):
        load_replay(server + url)


def test_a_redirect_to_this_machine_is_refused_after_a_public_address(server, monkeypatch):
    port = int(server.rpartition(":")[2])
    found = socket.getaddrinfo

    def resolve(host: str, *rest: object, **more: object) -> object:
        return found("127.0.0.1", *rest, **more)

    monkeypatch.setattr("widgets.replay.codec.sources.socket.getaddrinfo", resolve)
    public = iter([True, False])
    monkeypatch.setattr("widgets.replay.codec.sources.is_public", lambda _: next(public))
    with pytest.raises(SourceError, match="not a public address"):
        load_replay(f"http://replays.example:{port}/to?http://other.example:{port}/ok")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org/a", "data:text/plain,x", "gopher://x/"])
def test_redirects_to_other_schemes_are_refused(server, target):
    with pytest.raises(SourceError, match="which is not followed"):
        load_replay(f"{server}/to?{target}", allow_private=True)


def test_endless_redirects_end(server):
    with pytest.raises(SourceError, match="redirects more than 5 times"):
        load_replay(f"{server}/to?" + "/to?" * 20, allow_private=True)


@pytest.mark.parametrize(
    ("status", "reason"), [(404, "no such file"), (403, "not public"), (401, "login"), (500, "Internal")]
)
def test_a_refusal_of_the_server_is_explained(server, status, reason):
    with pytest.raises(SourceError, match=rf"status {status}.*{reason}"):
        load_replay(f"{server}/status/{status}?token={SECRET}", allow_private=True)


@pytest.mark.parametrize("path", ["/endless", "/told"])
def test_a_download_stops_at_the_size_limit(server, path):
    limits = replace(Limits.default, compressed_bytes=1_000_000)
    with pytest.raises(LimitError, match="compressed_bytes"):
        load_replay(server + path, limits=limits, allow_private=True)


def test_a_slow_download_stops_at_the_time_limit(server):
    started = time.monotonic()
    with pytest.raises(LimitError, match="download_seconds"):
        load_replay(f"{server}/slow", limits=replace(Limits.default, download_seconds=0.3), allow_private=True)
    assert time.monotonic() - started < 5


def test_a_server_that_never_answers_stops_at_the_time_limit():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        with pytest.raises(LimitError, match="download_seconds"):
            load_replay(url, limits=replace(Limits.default, download_seconds=0.3), allow_private=True)


def test_a_connection_that_breaks_off_is_no_replay(server):
    with pytest.raises(SourceError, match=r"the connection ended after [\d,]+ of [\d,]+ bytes|IncompleteRead"):
        load_replay(f"{server}/short", allow_private=True)


def test_nobody_listening_is_an_error_of_the_source():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(SourceError, match="refused"):
        load_replay(f"http://127.0.0.1:{port}/", allow_private=True)


PRIVATE = [
    *("127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1"),
    *(
        "255.255.255.255",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "ff02::1",
        "::",
    ),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_of_this_machine_and_private_networks_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_of_the_internet_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://host/a",
        "gs://bucket/a",
        "s3://bucket",
        "s3://UPPER_case/key",
        "http://",
        "http://[::1",
        "https:///a",
    ],
)
def test_other_addresses_are_refused(url):
    with pytest.raises(SourceError):
        load_replay(url)


@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{SECRET}@127.0.0.1:1/a.json",
        f"http://127.0.0.1:1/a.json?X-Amz-Signature={SECRET}",
        f"http://127.0.0.1:1/a.json#{SECRET}",
        f"https://{SECRET}@[::1/a",
        f"ftp://user:{SECRET}@host/a",
    ],
)
def test_no_message_shows_credentials(url):
    with pytest.raises(SourceError) as caught:
        load_replay(url, allow_private=True)
    shown_errors, error = [], caught.value
    while error is not None:
        shown_errors.append(str(error))
        error = error.__cause__
    assert SECRET not in " ".join(shown_errors)


def test_s3_addresses_become_those_of_public_buckets():
    assert http_url("s3://bucket/a b/c.json.z") == "https://bucket.s3.amazonaws.com/a%20b/c.json.z"
    assert http_url("s3://dotted.bucket/c.json") == "https://s3.amazonaws.com/dotted.bucket/c.json"


def test_an_address_is_shown_without_its_query():
    assert shown("https://user:pw@host:8443/a.json.z?sig=1#x") == "https://host:8443/a.json.z?..."


def test_only_addresses_without_a_query_are_passed_on_to_others():
    assert public_url("https://host/a.json.z") == "https://host/a.json.z"
    assert public_url("s3://bucket/a.json.z") == "https://bucket.s3.amazonaws.com/a.json.z"
    assert public_url("https://host/a.json.z?sig=1") == ""
    assert public_url("/tmp/a.json.z") == ""


def test_files_that_cannot_be_read_are_explained(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, reason in (("missing.json.z", "No such file"), (".", "is a folder"), ("pipe", "not a regular file")):
        with pytest.raises(SourceError, match=reason):
            load_replay(tmp_path / path)
    with pytest.raises(SourceError, match="null"):
        load_replay("a\0b")


def test_a_file_past_the_size_limit_is_refused(tmp_path):
    (tmp_path / "large").write_bytes(bytes(2000))
    with pytest.raises(LimitError, match="compressed_bytes"):
        load_replay(tmp_path / "large", limits=replace(Limits.default, compressed_bytes=1000))


def test_other_things_are_no_source():
    with pytest.raises(SourceError, match="'int' is no replay"):
        read_source(3, Limits.default)  # type: ignore[arg-type]
    assert load_replay(bytearray(REPLAY)).label == load_replay(memoryview(REPLAY)).label == "tiny"


def test_a_gzip_file_of_several_members_is_read_to_its_end():
    two, clean = (load_replay(CASES / "replays" / name) for name in ("46-two-gz-members.json.gz", "00-base.json.z"))
    assert (two.steps, two.issues) == (clean.steps, clean.issues)
    assert (two.total_reward(two.last_step) == clean.total_reward(clean.last_step)).all()


def test_what_convert_writes_is_read_again_or_refused_by_its_own_name(tmp_path):
    for suffix in (".json", ".json.z", ".json.gz"):
        convert(CASES / "replays" / "00-base.json.z", tmp_path / f"out{suffix}")
        assert load_replay(tmp_path / f"out{suffix}").steps == 20
    convert(CASES / "replays" / "00-base.json.z", tmp_path / "out.replay")
    with pytest.raises(FormatError, match=r"is a \.replay, encoded for the viewer's page alone; give the \.json"):
        load_replay(tmp_path / "out.replay")


def test_a_bitworld_recording_is_refused_by_its_name():
    with pytest.raises(FormatError, match="is a BitWorld recording, not a MettaGrid replay"):
        load_replay(CASES / "replays" / "51-bitworld.bitreplay")
