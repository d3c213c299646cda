"""What the command line shows of a replay, and conversion."""

from __future__ import annotations

import json

import pytest

from tests.widgets.replays import packed, shipped_named, small, with_object
from widgets.replay.codec.encoded import unpack
from widgets.replay.codec.errors import ReplayError, SourceError
from widgets.replay.codec.normalise import load_replay
from widgets.replay.inspect import convert, format_summary, map_text, summary


def test_a_summary_holds_what_the_file_says():
    found = summary(load_replay(packed(small())))
    assert json.loads(json.dumps(found)) == found
    assert (found["version"], found["steps"], found["objects"], found["agents"]) == (4, 10, 3, 2)
    assert found["types"] == {"agent": 2, "wall": 1}
    assert found["rewards"] == {"min": 0.5, "mean": 0.5, "max": 0.5}
    assert found["fields"]["location"] == 4
    assert found["issues"] == []


def test_a_summary_lists_issues():
    text = format_summary(load_replay(packed(with_object(0, location=[99, 0]))))
    assert "issues    1" in text
    assert "error: objects[].location: outside the map of 5 x 4; moved to its edge, first: objects[0]: [99, 0]" in text


def test_a_summary_reads_well():
    lines = format_summary(load_replay(shipped_named("sequence"))).splitlines()
    assert lines[0] == "version   1"
    assert "map       76 x 28" in lines
    assert lines[-1] == "issues    none"


def test_text_of_a_file_cannot_steer_the_terminal():
    text = format_summary(
        load_replay(packed(small(mg_config={"label": "\x1b[2J\x07evil"}, type_names=["agent", "\x9bwall"])))
    )
    assert not any(char in text for char in "\x1b\x07\x9b")


def test_a_map_is_drawn_at_any_step():
    assert map_text(packed(small()), 6).splitlines()[3] == "|@@@@      |"
    with pytest.raises(ValueError, match="steps 0 to 9"):
        map_text(packed(small()), 10)


@pytest.mark.parametrize("suffix", [".json", ".json.z", ".json.gz"])
def test_conversion_keeps_the_content(tmp_path, suffix):
    source = tmp_path / "in.json"
    source.write_text(json.dumps(small()))
    convert(source, tmp_path / f"out{suffix}")
    assert summary(load_replay(tmp_path / f"out{suffix}")) | {"digest": 0} == summary(load_replay(source)) | {
        "digest": 0
    }


def test_conversion_to_the_wire_format(tmp_path):
    convert(packed(small()), tmp_path / "out.replay")
    assert unpack((tmp_path / "out.replay").read_bytes()).header["label"] == "tiny"


def test_a_failed_conversion_leaves_the_target_alone(tmp_path):
    target = tmp_path / "out.json"
    target.write_text("mine")
    with pytest.raises(ReplayError):
        convert(b"noise", target)
    with pytest.raises(SourceError, match="no known suffix"):
        convert(packed(small()), tmp_path / "out.png")
    with pytest.raises(SourceError, match="cannot write"):
        convert(packed(small()), tmp_path / "missing" / "out.json")
    assert target.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
