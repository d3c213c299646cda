"""Answers to programs: never longer than is said, never cut in silence, and still of their schema."""

from __future__ import annotations

import json
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from experiments.cli.agents.bounds import ITEMS, MOST, bounded, compact, fitted
from experiments.cli.cutting import Long
from experiments.cli.envelope import Answer, Envelope, Shown
from experiments.project.errors import UsageError


class Line(Shown):
    text: str
    pair: tuple[float, float] = (0.0, 1.0)


class Lines(Long):
    ITEMS: ClassVar[str] = "lines"

    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()


class Told(Shown):
    runs: dict[str, str]
    words: tuple[str, ...] = ()


def schema(kind):
    return Draft202012Validator(TypeAdapter(Envelope[kind]).json_schema(mode="serialization", by_alias=True))


def said(envelope):
    return " ".join(f"{each['message']} {each['next']}" for each in envelope["problems"])


def test_an_answer_that_fits_is_whole_and_says_nothing_of_itself():
    found = bounded("logs", Answer(Lines(lines=(Line(text="x" * 30_000),))))
    assert len(found["data"]["lines"][0]["text"]) == 30_000
    assert found["problems"] == []


@pytest.mark.parametrize("length", [10, 3_000, 50_000])
def test_every_item_of_a_long_answer_comes_once_behind_its_cursors(length):
    lines = tuple(Line(text=f"{number:04d}" + "x" * length) for number in range(130))
    seen, cursor = [], None
    while True:
        found = bounded("logs", Answer(Lines(lines=lines)), cursor)
        assert len(compact(found)) <= MOST
        schema(Lines).validate(found)
        seen += [line["text"][:4] for line in found["data"]["lines"]]
        assert length < 40_000 or "long text" in said(found)
        cursor = found["data"]["cursor"]
        if cursor is None:
            break
        assert f"Go on with cursor {cursor}" in said(found)
    assert seen == [f"{number:04d}" for number in range(130)]


def test_what_stands_beside_the_items_gives_way_before_them():
    answer = Lines(lines=tuple(Line(text="short") for _ in range(50)), notes=tuple("n" * 100 for _ in range(5_000)))
    found = bounded("logs", Answer(answer))
    assert len(found["data"]["lines"]) == 50
    assert len(found["data"]["notes"]) == 20
    assert "data.notes: 20 of 5,000" in said(found)


def test_a_table_is_cut_by_its_rows_and_a_text_in_its_middle():
    table = {f"run{number}": "ended" for number in range(10_000)}
    found = bounded("cancel", Answer(Told(runs=table, words=("begin" + "x" * 10**6 + "end",))))
    assert len(compact(found)) <= MOST
    assert 50 < len(found["data"]["runs"]) <= 200
    [word] = found["data"]["words"]
    assert word.startswith("begin")
    assert word.endswith("end")
    assert "characters left out" in word
    assert "data.runs: 200 of 10,000" in said(found)
    assert "in a shell: experiments cancel --json" in said(found)
    schema(Told).validate(found)


def test_errors_and_notes_are_bounded_like_the_rest():
    found = bounded("status", Answer(None, errors=["x" * 10**6], notes=[f"note {n}. Do it." for n in range(5_000)]))
    assert len(compact(found)) <= MOST
    assert found["problems"][0]["message"].startswith("Of ")


def test_what_cannot_be_shortened_is_said_instead():
    deep = {"data": [[[["x"] * 5] * 5] * 5] * 5}
    parts = {f"field{number}": deep for number in range(50)}
    found = fitted({"schema": "experiments/1", "command": "show", "data": parts, "problems": []})
    assert found["data"] is None
    assert "too long, in too many parts" in said(found)
    assert len(compact(found)) <= MOST


def test_a_cursor_that_is_none_is_refused():
    for cursor in ("x", "", "MA==", "é"):
        with pytest.raises(UsageError, match="--cursor"):
            bounded("logs", Answer(Lines(lines=(Line(text="a"),))), cursor)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(st.characters(), max_size=40), max_size=150), st.text(st.characters(), max_size=3_000))
def test_whatever_is_written_is_one_line_of_ascii_of_its_schema_that_acts_on_nothing(texts, note):
    answer = Answer(Lines(lines=tuple(Line(text=text) for text in texts), notes=(note,)), notes=["One. Two."])
    found = bounded("logs", answer)
    text = compact(found)
    assert len(text) <= MOST
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text) == found
    schema(Lines).validate(found)
    assert len(found["data"]["lines"]) == min(len(texts), ITEMS)
    shown = "".join(line["text"] for line in found["data"]["lines"]) + "".join(found["data"]["notes"])
    assert not any(sign in shown for sign in "\x00\x07\x1b\x7f\x9b\u202e\u2066\U000e0041\ud800")
