"""Runs wherever they are."""

from __future__ import annotations

import pytest

from experiments.project.errors import StoreError
from experiments.runs.offline.store import OfflineStore
from experiments.runs.opening import RoutedStore
from experiments.runs.store import RunQuery
from tests.fakes import wandb_files as fake


@pytest.fixture
def routed(tmp_path, server, store):
    fake.offline_run(tmp_path, "here").write(fake.run("here", started_at=1e9), fake.console("line\n")).log({"loss": 1})
    server.add_run("there", rows=2, created_at=2e9).logs.append("online line")
    server.add_run("here", rows=9)
    return RoutedStore(OfflineStore(tmp_path), lambda: store)


def test_a_run_that_is_here_is_read_here(routed, server):
    assert len(routed.history("here", ["loss"])[0]) == 1
    assert routed.logs("here") == ["line"]
    assert list(routed.poll(["here"], ["loss"])) == ["here"]
    assert not server.requests


def test_a_run_that_is_not_here_is_read_from_the_server(routed, store):
    updates = routed.poll(["here", "there", "nowhere"], ["loss"])
    assert {name: len(update.rows["loss"]) for name, update in updates.items()} == {"here": 1, "there": 2}
    assert store.requests == 1
    assert len(routed.history("there", ["loss"])[0]) == 2
    assert routed.logs("there") == ["online line"]
    assert routed.replays("there") == []


def test_both_are_found_in_one_order(routed, server):
    assert [info.name for info in routed.find(RunQuery())] == ["there", "here"]
    assert routed.find(RunQuery())[1].url is None
    server.faults.statuses = [500] * 9
    assert [info.name for info in routed.find(RunQuery(names=["here"]))] == ["here"]
    with pytest.raises(StoreError, match="EXPERIMENTS_WANDB_MODE=offline"):
        routed.find(RunQuery())


def test_without_a_server_what_is_not_here_is_unknown(tmp_path):
    with pytest.raises(StoreError, match="'there' has no W&B file"):
        RoutedStore(OfflineStore(tmp_path), None).history("there")
