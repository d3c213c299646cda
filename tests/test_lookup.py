"""Jobs by what people call them, in SkyPilot's queue too."""

from __future__ import annotations

import pytest

from experiments.errors import LaunchError, UsageError
from experiments.lookup import find_refs, runs_query
from experiments.types import JobRef
from tests.fakes.launching import workspace_at
from tests.fakes.skypilot import FakeSky, close_clients, sky_workspace


@pytest.fixture
def sky(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_SKY_DIR", str(tmp_path / "sky"))
    yield FakeSky(tmp_path / "sky")
    close_clients()


def test_an_id_that_the_ledger_does_not_know_is_looked_up_in_skypilots_queue(sky, tmp_path):
    sky.add("eve.arena.base.s3.abcdefgh")
    sky.add("eve's own job")
    assert find_refs(sky_workspace(tmp_path), ["2", "1"]) == [
        JobRef(run="eve's own job", arm="eve's own job", launcher="skypilot", id="2"),
        JobRef(run="eve.arena.base.s3.abcdefgh", arm="base", seed=3, launcher="skypilot", id="1"),
    ]
    assert sky.calls()["queue_v2"] == 1


def test_an_id_that_nobody_knows_is_refused(sky, tmp_path):
    with pytest.raises(UsageError, match="job '77' is not in the ledger"):
        find_refs(sky_workspace(tmp_path), ["77"])


def test_a_skypilot_that_cannot_be_asked_is_the_reason(sky, tmp_path):
    sky.fault(down=True)
    with pytest.raises(
        LaunchError, match=r"job '2979' is not in the ledger, and SkyPilot cannot be asked: .* does not"
    ):
        find_refs(sky_workspace(tmp_path), ["2979", "2980"])


def test_somebody_who_does_not_use_skypilot_gets_none_installed(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="job '2979' is not in the ledger"):
        find_refs(workspace_at(tmp_path), ["2979"])
    with pytest.raises(LaunchError, match="pip install uv"):
        find_refs(workspace_at(tmp_path), ["2979"], launcher="skypilot")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tag='arena", "is not a list of conditions: No closing quotation"),
        ("author=ada author=eve", "names author twice, 'ada' and 'eve'"),
        ("colour=red", "condition 'colour=red' is none of tag="),
    ],
)
def test_conditions_that_cannot_hold_are_refused_in_words(text, reason):
    with pytest.raises(UsageError, match=reason):
        runs_query(text)


def test_a_tag_given_twice_means_either():
    assert runs_query("tag=a tag=b").tags_any == ["a", "b"]
