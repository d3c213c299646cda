"""One query, one meaning: as the server's filter, and evaluated here."""

from __future__ import annotations

import json

import pytest

from experiments.project.errors import UsageError
from experiments.runs.filters import iso_time, matches, ordered, server_filter, unix_time
from experiments.runs.store import RunInfo, RunQuery

RUN = RunInfo(
    name="r1",
    state="running",
    display_name="arena baseline",
    user="me",
    group="g",
    tags=("a", "b"),
    created_at=unix_time("2026-03-07T17:00:00Z"),
    config={"lr": 0.001, "on": True, "net": {"layers": 2, "act": None}, "dotted.key": 5, "names": ["x", "y"]},
    summary={"env/reward": 3.5, "d.x": 1, "nan": float("nan")},
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (RunQuery(), {}),
        (RunQuery(author="me"), {"username": "me"}),
        (RunQuery(tags_any=["a", "b"]), {"tags": {"$in": ["a", "b"]}}),
        (RunQuery(tags_all=["a", "b"]), {"$and": [{"tags": "a"}, {"tags": "b"}]}),
        (RunQuery(state="running"), {"state": "running"}),
        (RunQuery(state=["running", "failed"]), {"state": {"$in": ["running", "failed"]}}),
        (RunQuery(names=["1ss5gbww"]), {"name": {"$in": ["1ss5gbww"]}}),
        (RunQuery(name_pattern="^foo"), {"display_name": {"$regex": "^foo"}}),
        (RunQuery(config={"lr": 0.001}), {"config.lr": 0.001}),
        (RunQuery(summary={"reward": {"$gt": 3}}), {"summary_metrics.reward": {"$gt": 3}}),
        (RunQuery(created_after=1772902800.0), {"created_at": {"$gte": "2026-03-07T17:00:00.000Z"}}),
        (
            RunQuery(author="me", created_before=1772902800.0),
            {"$and": [{"username": "me"}, {"created_at": {"$lt": "2026-03-07T17:00:00.000Z"}}]},
        ),
    ],
)
def test_the_filter_is_what_the_server_documents(query, expected):
    assert server_filter(query) == expected
    json.dumps(expected, allow_nan=False)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, True),
        ({"tags": "a"}, True),
        ({"tags": "c"}, False),
        ({"tags": {"$in": ["c", "b"]}}, True),
        ({"tags": {"$nin": ["c"]}}, True),
        ({"tags": {"$ne": "a"}}, False),
        ({"state": {"$in": ["finished", "running"]}}, True),
        ({"username": "me", "group": "g"}, True),
        ({"displayName": {"$regex": "base"}}, True),
        ({"display_name": {"$regex": "^base"}}, False),
        ({"created_at": {"$gte": "2026-03-07T17:00:00Z", "$lt": "2026-03-07T17:00:01Z"}}, True),
        ({"createdAt": {"$gt": "2026-03-07T17:00:00Z"}}, False),
        ({"config.lr": 0.001}, True),
        ({"config.lr.value": 0.001}, True),
        ({"config.lr": {"$lt": 0.01, "$gte": 0.001}}, True),
        ({"config.lr": "0.001"}, False),
        ({"config.on": True}, True),
        ({"config.on": 1}, False),
        ({"config.net.layers": {"$in": [1, 2]}}, True),
        ({"config.dotted.key": 5}, True),
        ({"config.names": "x"}, True),
        ({"config.names": ["x", "y"]}, True),
        ({"config.net.act": None}, True),
        ({"config.absent": None}, True),
        ({"config.absent": {"$exists": False}}, True),
        ({"config.absent": {"$ne": 3}}, True),
        ({"config.absent": {"$gt": 3}}, False),
        ({"config.absent": {"$regex": ""}}, False),
        ({"summary_metrics.env/reward": {"$gt": 3}}, True),
        ({"summary_metrics.d.x": 1}, True),
        ({"summary_metrics.nan": {"$gt": 0}}, False),
        ({"$or": [{"state": "failed"}, {"tags": "a"}]}, True),
        ({"$nor": [{"state": "failed"}, {"tags": "a"}]}, False),
        ({"$and": [{"state": "running"}, {"$or": [{"tags": "c"}, {"name": "r1"}]}]}, True),
        ({"$not": {"state": "failed"}}, True),
    ],
)
def test_a_filter_is_evaluated_as_the_server_does(condition, expected):
    assert matches(condition, RUN) is expected


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"id": "r1"}, "field 'id'.*Known: created_at"),
        ({"state": {"$contains": "x"}}, r"operator '\$contains'"),
        ({"display_name": {"$regex": "("}}, "not a regular expression"),
    ],
)
def test_what_the_server_does_not_know_is_refused(condition, message):
    with pytest.raises(UsageError, match=message):
        matches(condition, RUN)


def test_runs_without_the_ordering_field_come_last():
    runs = [
        RunInfo(name, "finished", summary=summary)
        for name, summary in [("a", {"r": 1}), ("b", {}), ("c", {"r": 3}), ("d", {"r": float("nan")}), ("e", {"r": 1})]
    ]
    names = lambda order, limit=None: [  # noqa: E731
        info.name for info in ordered(RunQuery(order=order, limit=limit), runs)
    ]
    assert names("-summary_metrics.r") == ["c", "a", "e", "b", "d"]
    assert names("summary_metrics.r", 3) == ["a", "e", "c"]
    assert names("+name") == ["a", "b", "c", "d", "e"]
    with pytest.raises(UsageError, match="'reward'"):
        names("reward")


def test_times_are_utc_where_they_name_no_zone():
    assert unix_time("2026-03-07") == unix_time("2026-03-07T01:00:00+01:00")
    assert unix_time("yesterday") is None
    assert unix_time(iso_time(1772902800.25)) == 1772902800.25


def test_a_pattern_that_is_none_is_refused_also_where_there_is_no_run():
    with pytest.raises(UsageError, match=r"pattern '\[' is not a regular expression: unterminated"):
        server_filter(RunQuery(name_pattern="["))
