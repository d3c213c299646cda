from __future__ import annotations

from pathlib import Path

import pytest

from experiments.notebooks.export.privacy import Cleaner

KEY = "a-planted-key-0123456789"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("saved in /projects/study/runs/a/train.log", "saved in runs/a/train.log"),
        ("file:///projects/study/a.py", "a.py"),
        ("/home/ada/secret plans/x.py:12", "…/secret plans/x.py:12"),
        ("--dir=/scratch/ada/run3 and /lustre/x/y/", "--dir=…/run3 and …/y"),
        (r"C:\Users\ada\notes.txt", r"…\notes.txt"),
        ("https://example.org/projects/study/x", "https://example.org/projects/study/x"),
        ("/api/v1/runs, and/or, 3/4, overview/reward", "/api/v1/runs, and/or, 3/4, overview/reward"),
    ],
)
def test_no_absolute_path_is_left(text, shown):
    assert Cleaner(Path("/projects/study")).text(text) == shown


def test_characters_that_turn_a_text_around_are_shown_as_strange():
    assert Cleaner().text("exe\u202egnp\x00\x1b[31mred\x1b[0m") == "exe\ufffdgnp\ufffdred"
    assert Cleaner().text("שלום and β") == "שלום and β"


def test_many_texts_are_cleaned_as_each_alone(monkeypatch):
    monkeypatch.setenv("PLANTED_KEY", KEY)
    texts = [f"key {KEY}", "plain", "plain", "-----BEGIN PRIVATE KEY-----", "last \x1e"]
    assert Cleaner().texts(texts) == [Cleaner().text(text) for text in texts]
    assert KEY not in "".join(Cleaner().texts(texts))


def test_json_is_cleaned_in_names_and_entries(monkeypatch):
    monkeypatch.setenv("PLANTED_KEY", KEY)
    clean = Cleaner().json({f"n {KEY}": [KEY, {"api_key": "whatever it is", "rate": 0.1}], "none": None})
    assert clean == {"n ***": ["***", {"api_key": "***", "rate": 0.1}], "none": None}


def test_bytes_with_a_secret_are_known(monkeypatch):
    monkeypatch.setenv("PLANTED_KEY", KEY)
    assert Cleaner().holds_secret(b"\x00\xff" + KEY.encode() + b"\x01")
    assert not Cleaner().holds_secret(bytes(range(256)) * 10)
