"""Whatever a trainer logged or a disk made of it: a run is read, and costs no other."""

from __future__ import annotations

import gzip
import math
import os
import random

import pytest

from experiments.project.errors import StoreError
from experiments.runs.offline.store import OfflineStore
from experiments.runs.store import RunQuery
from experiments.runs.wandb_file.table import media_of
from tests.fakes import wandb_files as fake

VALUES = {
    "deep": b"[" * 900 + b"]" * 900,
    "without end": b"[" * 100_000,
    "an integer beyond floats": b"9" * 4000,
    "an integer beyond Python": b"9" * 5000,
    "beyond floats": b"-1e999",
    "half a character": rb'"\ud800\u0000"',
    "controls": rb'"\u001b[31m\u202e\u0000"',
    "no text": b"\xff\xfe",
    "nothing": b"",
}
PLACES = {
    "a metric": lambda raw: fake.record(2, fake.field(1, fake.item("loss", 0, raw=raw)) + STEP),
    "a step": lambda raw: fake.record(2, fake.field(1, fake.item("_step", 0, raw=raw)) + LOSS),
    "a time": lambda raw: fake.record(2, fake.field(1, fake.item("_timestamp", 0, raw=raw)) + LOSS + STEP),
    "the config": lambda raw: fake.record(5, fake.field(1, fake.item("k", 0, keyed=True, raw=raw))),
    "the summary": lambda raw: fake.record(3, fake.field(1, fake.item("k", 0, raw=raw))),
    "the machine": lambda raw: fake.record(7, fake.field(3, fake.field(1, "gpu") + fake.field(16, raw))),
    "a file": lambda raw: fake.record(
        2, fake.field(1, fake.item("f", 0, raw=b'{"_type":"html-file","path":' + raw + b"}")) + STEP
    ),
}
STEP, LOSS = fake.field(1, fake.item("_step", 3)), fake.field(1, fake.item("loss", 1.0))


def everything(runs):
    """Read all that there is of the one run `r`, and return the history."""
    store = OfflineStore(runs)
    assert [info.name for info in store.find(RunQuery())] == ["r"]
    store.poll(["r"], ["loss"])
    store.logs("r")
    store.replays("r")
    store.log("r").system_metrics()
    return store.history("r")[0]


@pytest.mark.parametrize("raw", VALUES.values(), ids=VALUES.keys())
@pytest.mark.parametrize("make", PLACES.values(), ids=PLACES.keys())
def test_a_value_of_any_kind_in_any_place_costs_nothing_else(tmp_path, make, raw):
    log = fake.offline_run(tmp_path, "r").write(fake.run("r"))
    log.write(make(raw), fake.history({"loss": 2.0, "_step": 4}, 4), fake.exit_record(0))
    frame = everything(tmp_path)
    assert float(frame["loss"].iloc[-1]) == 2.0
    frame.astype(str).to_csv().encode()


def test_an_integer_beyond_all_floats_is_a_run_that_diverged(tmp_path):
    log = fake.offline_run(tmp_path, "r").write(fake.run("r"))
    log.write(fake.record(2, fake.field(1, fake.item("loss", 0, raw=b"-" + b"9" * 400)) + STEP))
    assert OfflineStore(tmp_path).poll(["r"], ["loss"])["r"].rows["loss"] == [(3, -math.inf)]


@pytest.mark.parametrize("seed", range(40))
def test_records_whose_bytes_are_damaged_cost_themselves(tmp_path, seed):
    """Their check sums are right: a disk's faults are found by those, a writer's are not."""
    chance = random.Random(seed)
    records = [fake.history({"loss": float(n), "_step": n}, n) for n in range(6)]
    records += [fake.console("hello\n"), fake.stats({"gpu": 1.0}, 1.7e9), fake.summary({"loss": 1.0})]
    for at in chance.sample(range(len(records)), 4):
        content = bytearray(records[at])
        for _ in range(3):
            content[chance.randrange(len(content))] = chance.randrange(256)
        records[at] = bytes(content)
    fake.offline_run(tmp_path, "r").write(fake.run("r"), *records, fake.exit_record(0))
    everything(tmp_path)


def test_a_damaged_line_of_the_console_is_not_silence(tmp_path):
    damaged = fake.record(13, fake.field(3, "lost") + b"\x24")  # wire type 4, which nobody writes
    lines = [fake.console("before\n"), damaged, fake.console("after\n")]
    fake.offline_run(tmp_path, "r").write(fake.run("r"), *lines)
    assert OfflineStore(tmp_path).logs("r") == ["before", "\ufffd", "after"]


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "path", ["/etc/hostname", "../../../outside.html", "/dev/zero", "a/../../../../outside.html", "p"]
)
def test_a_file_that_a_run_names_is_one_of_its_own(tmp_path, path):
    (tmp_path / "outside.html").write_text('<a href="https://h/r.json.z">r</a>')
    runs = tmp_path / "runs"
    log = fake.offline_run(runs, "r").write(fake.run("r"))
    log.log({"replays/link": {"_type": "html-file", "path": path}})
    (log.path.parent / "files").mkdir(exist_ok=True)
    os.mkfifo(log.path.parent / "files" / "p")
    assert OfflineStore(runs).replays("r") == []
    files = log.path.parent / "files"
    found = media_of(OfflineStore(runs).log("r")._parts[0]._table, files, None)
    assert all(one.path.is_relative_to(files) and ".." not in one.path.parts for one in found)


@pytest.mark.parametrize(
    ("headers", "body", "words"),
    [
        ({"Content-Encoding": "gzip"}, gzip.compress(bytes(1 << 22), mtime=0), "more than 1 MB"),
        ({"Content-Encoding": "gzip"}, b"no gzip", "did not answer"),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"x" * 1000, mtime=0)[:-20], "did not answer"),
        ({"Content-Length": "abc"}, b"x", "did not answer"),
        ({"Retry-After": "nan", "RateLimit-Remaining": "x"}, b"[" * 100_000, "did not answer"),
    ],
)
def test_an_answer_of_any_kind_is_a_sentence(headers, body, words, answering, monkeypatch):
    monkeypatch.setattr("experiments.runs.server.requests._LARGEST", 1 << 20)
    door = answering(headers, body)
    with pytest.raises(StoreError, match=words):
        door.execute("query X { viewer { entity } }", {})


@pytest.mark.parametrize(
    "address", ["http://[::1", "nonsense", "//x", "file:///etc/passwd", "http://h:port/", "\ud800"]
)
def test_an_address_of_a_file_that_is_none_is_a_sentence(address, answering):
    with pytest.raises(StoreError):
        answering({}, b"").download(address)


@pytest.fixture
def answering(clock):
    """A server that answers everything alike: give its headers and body, and get a `Server` that asks it."""
    import http.server
    import threading

    from experiments.project.credentials import Credentials
    from experiments.runs.server.requests import Server

    started = []

    def start(headers, body):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started.append(server)
        credentials = Credentials(f"http://127.0.0.1:{server.server_port}", "k" * 40)
        return Server(credentials, deadline_s=20, ticks=clock, sleep=clock.sleep)

    yield start
    for server in started:
        server.shutdown()
        server.server_close()
