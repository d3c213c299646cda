"""The viewer's Python side: traits, and answers to the page's requests."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import traitlets

from tests.widgets.replays import packed, shipped_named, small
from widgets.replay.codec.errors import FormatError
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.wire import encode
from widgets.replay.viewer import ReplayCompare, ReplayViewer

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@pytest.fixture
def viewer() -> ReplayViewer:
    return ReplayViewer(packed(small()))


@pytest.mark.parametrize(
    "source",
    [packed(small()), load_replay(packed(small())), encode(load_replay(packed(small())))],
    ids=["bytes", "replay", "encoded"],
)
def test_it_shows_a_replay_in_any_form(source):
    viewer = ReplayViewer(source, step=3, height=400)
    assert viewer.data[:4] == b"RPLW"
    assert (viewer.step, viewer.height, viewer.labels, viewer.steps) == (3, 400, ["tiny"], 10)


def test_it_shows_a_file(tmp_path):
    viewer = ReplayViewer(shipped_named("pens"), cache_dir=tmp_path / "cache", label="pens")
    assert viewer.labels == ["pens"]
    assert len(list((tmp_path / "cache").glob("*.replay"))) == 1


def test_it_starts_empty():
    viewer = ReplayViewer()
    assert (viewer.data, viewer.steps, viewer.labels) == (b"", 0, [""])


def test_a_source_that_is_no_replay_leaves_the_one_shown(viewer):
    before = viewer.data
    with pytest.raises(FormatError):
        viewer.show(b"noise")
    assert viewer.data == before


def test_another_replay_keeps_the_step_when_it_has_it(viewer):
    viewer.step = 9
    viewer.show(packed(small(max_steps=8)))
    assert viewer.step == 7
    viewer.show(None)
    assert viewer.data == b""


def test_the_step_stays_inside_the_replay(viewer):
    viewer.step = 10**9
    assert viewer.step == 9
    with pytest.raises(traitlets.TraitError):
        viewer.step = -1


@pytest.mark.parametrize(
    ("name", "value"),
    [("speed", 0.0), ("speed", 1e9), ("view", "<b>"), ("theme", "pink"), ("playing", "yes"), ("data", "x")],
)
def test_values_of_a_wrong_kind_are_refused(viewer, name, value):
    with pytest.raises(traitlets.TraitError):
        setattr(viewer, name, value)


def test_unknown_options_are_refused():
    with pytest.raises(TypeError, match="no option 'stepp'"):
        ReplayViewer(stepp=3)


def test_the_page_gets_the_chunk_that_it_asks_for(viewer, sent):
    answer, buffers = sent(viewer, type="chunk", request="v1-1", source="a", hash=digest(viewer), id="text/0")
    assert answer == {"type": "chunk", "request": "v1-1", "source": "a", "id": "text/0", "ok": True}
    assert buffers == [encode(load_replay(packed(small()))).chunk("text/0")]


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"id": "text/9"}, "no such part"),
        ({"id": ["text/0"]}, "no such part"),
        ({"hash": "other"}, "another replay"),
        ({"source": "b"}, "another replay"),
    ],
)
def test_a_chunk_that_is_not_there_is_said_to_be_missing(viewer, sent, request_, error):
    content = {"type": "chunk", "request": "r", "source": "a", "id": "text/0"} | request_
    answer, buffers = sent(viewer, **content)
    assert answer["ok"] is False
    assert error in answer["error"]
    assert buffers is None


@pytest.mark.parametrize(
    "content", [{}, {"type": "x"}, {"type": "chunk"}, {"type": "chunk", "request": "a" * 99, "source": "a"}]
)
def test_other_messages_are_ignored(viewer, sent, content):
    assert sent(viewer, **content) is None


@pytest.fixture
def sent(monkeypatch) -> Any:
    """Return a function that delivers a message of the page and returns the answer."""

    def deliver(viewer: ReplayViewer, **content: object) -> tuple[dict[str, Any], Any] | None:
        answers: list[tuple[dict[str, Any], Any]] = []
        monkeypatch.setattr(viewer, "send", lambda answer, buffers=None: answers.append((answer, buffers)))
        viewer._handle_custom_msg(content, [])
        return answers[0] if answers else None

    return deliver


def digest(viewer: ReplayViewer) -> str:
    return viewer._encoded["a"].digest


def test_a_page_to_be_saved_can_hold_everything(viewer):
    before = len(viewer.data)
    viewer.embed_all()
    assert len(viewer.data) > before


def test_two_replays_are_compared():
    compare = ReplayCompare(packed(small()), packed(small(max_steps=6)), labels=("before", "after"), step=9)
    assert (compare.kind, compare.labels, compare.step, compare.steps) == ("compare", ["before", "after"], 9, 10)
    assert compare.data != compare.data_b


def dropped(data):
    return {"type": "file", "name": "dropped.json", "data": base64.b64encode(data).decode()}


def test_a_file_that_is_dropped_on_the_page_is_shown(monkeypatch):
    viewer = ReplayViewer(packed(small()), drops=True)
    monkeypatch.setattr(viewer, "send", lambda *told: pytest.fail(str(told)))
    before = viewer.data
    viewer._answer(viewer, dropped(packed(small(max_steps=6))), [])
    assert (viewer.labels, viewer.steps) == (["dropped.json"], 6)
    assert viewer.data != before


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (dropped(b"no replay"), "not valid JSON"),
        (dropped(b"") | {"data": "not base64!"}, "cannot be opened"),
        (dropped(b"") | {"data": 7}, "give its path instead"),
        (dropped(b"") | {"data": "A" * (33 * 1024 * 1024)}, "more than 25,165,824 bytes"),
    ],
    ids=["no replay", "no base64", "a number", "too large"],
)
def test_a_dropped_file_that_cannot_be_opened_is_said_and_what_was_shown_stays(monkeypatch, content, problem):
    viewer = ReplayViewer(packed(small()), drops=True)
    answers = []
    monkeypatch.setattr(viewer, "send", answers.append)
    before = viewer.data
    viewer._answer(viewer, content, [])
    assert problem in answers[0]["error"]
    assert viewer.data == before


def test_a_page_that_takes_no_files_reads_none():
    viewer = ReplayViewer(packed(small()))
    before = viewer.data
    viewer._answer(viewer, dropped(packed(small(max_steps=6))), [])
    assert viewer.data == before
