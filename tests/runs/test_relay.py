"""A store in another process: the same answers, and no credentials on this side."""

from __future__ import annotations

import json
import socket
import tempfile
import threading
from pathlib import Path

import pandas as pd
import pytest

from experiments.project import redaction
from experiments.project.errors import StoreError
from experiments.runs.opening import RoutedStore, default_store
from experiments.runs.relay import READER, READER_ONLINE, RelayStore, serve_relay
from experiments.runs.store import Origin, ReplayFile, RunInfo, RunQuery, RunUpdate


class Store:
    """Answers what a test compares with."""

    name = "team/project"
    info = RunInfo("r", "running", tags=("a", "b"), config={"lr": 1}, summary={"x": 1.5}, url="https://x/r")
    update = RunUpdate(info, {"x": [(1, 2.0), (3, 4.5)]}, 4, "v1", total=9)
    frame = pd.DataFrame({"_step": [1, 2], "x": [0.5, float("nan")], "word": ["a", None]})
    origin = Origin("server", 2, 2, complete=True, as_of=5.0, absent=("never",), nan_steps={"x": (2,)})

    def find(self, query):
        return [self.info] if query.names == ["r"] else []

    def poll(self, runs, keys, since=None):
        if "down" in runs:
            raise StoreError("the server is down")
        return {"r": self.update}

    def history(self, run, keys=None):
        return self.frame, self.origin

    def logs(self, run, *, last=None):
        if run == "odd":
            raise RuntimeError("surprise")
        return ["one", "two"][-(last or 9) :]

    def replays(self, run, metrics=None):
        return [ReplayFile(3, "/a", None, "label")]


@pytest.fixture
def path():
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "reader"
        names = {"team/project": Store()}
        threading.Thread(target=serve_relay, args=(place, names.__getitem__), daemon=True).start()
        RelayStore(str(place), "team/project").logs("r")  # waits until it listens
        yield place


@pytest.fixture
def relay(path):
    return RelayStore(str(path), "team/project")


def test_every_answer_is_the_stores_own(relay):
    assert relay.find(RunQuery(names=["r"])) == [Store.info]
    assert relay.poll(["r"], ["x"], {"r": 1}) == {"r": Store.update}
    assert relay.logs("r", last=1) == ["two"]
    assert relay.replays("r") == [ReplayFile(3, "/a", None, "label")]


def test_a_history_arrives_as_it_was(relay):
    frame, origin = relay.history("r", ["x"])
    assert origin == Store.origin
    assert list(frame.columns) == ["_step", "x", "word"]
    assert frame["x"].isna().tolist() == [False, True]


def test_what_the_store_says_no_to_is_said_here(relay):
    with pytest.raises(StoreError, match="the server is down"):
        relay.poll(["down"], [])
    with pytest.raises(StoreError, match="surprise"):
        relay.logs("odd")
    assert relay.logs("r") == ["one", "two"]


def test_the_reader_masks_what_only_it_knows_to_be_secret(relay, monkeypatch, tmp_path):
    monkeypatch.setenv("MY_TOKEN", "hunter2-hunter2")
    long = "line\n" * 500_000
    assert relay.masked(f"{long}key hunter2-hunter2") == f"{long}key ***"
    monkeypatch.setattr(redaction, "_ask_elsewhere", RelayStore(str(tmp_path / "gone" / "reader")).masked)
    assert redaction.mask_text("key hunter2-hunter2").startswith("(not shown")
    assert redaction.mask_texts(["a", "key hunter2-hunter2"])[1].startswith("(not shown")


def test_without_a_reader_the_error_says_what_to_do(tmp_path):
    with pytest.raises(StoreError, match="experiments serve"):
        RelayStore(str(tmp_path / "gone" / "reader")).logs("r")


@pytest.mark.parametrize(
    "request_line", [b"", b"{}\n", b"[1]\n", b'{"call": "__class__"}\n', b"\xff\n", b'{"call": "find"}\n']
)
def test_what_is_no_request_ends_no_reader(relay, path, request_line):
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(path))
        link.sendall(request_line)
        link.shutdown(socket.SHUT_WR)
        answer = json.loads(link.makefile("rb").readline())
    assert answer["error"]
    assert relay.logs("r") == ["one", "two"]


def test_only_its_owner_can_open_the_socket(relay, path):
    relay.logs("r")
    assert path.stat().st_mode & 0o077 == 0


def test_a_process_with_a_reader_needs_no_key_of_its_own(monkeypatch, tmp_path, path):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\nwandb_entity = 'team'\nwandb_project = 'project'\n")
    monkeypatch.setenv(READER, str(path))
    monkeypatch.setenv(READER_ONLINE, "1")
    store = default_store(tmp_path)
    assert isinstance(store, RoutedStore)
    assert [info.name for info in store.find(RunQuery(names=["r"]))] == ["r"]
