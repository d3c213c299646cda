"""One reading of each snapshot for all viewers, and to each page only what changed."""

from __future__ import annotations

import time

from apps.parts.feed import FleetFeed, _selection, _signs, fleet_rows
from experiments.project.values import replaced
from tests.fakes.fleet import fleet_snapshot
from widgets.fleet import FleetTable


def test_a_snapshot_is_read_once_for_all_viewers():
    feed, snapshot = FleetFeed(), fleet_snapshot(2, 3)
    assert feed.state(snapshot) is feed.state(snapshot)


def test_only_what_changed_is_in_a_patch():
    feed = FleetFeed()
    before = feed.state(fleet_snapshot(5, 10, now=1e9))
    after = feed.state(fleet_snapshot(5, 10, tick=1, now=1e9))
    changed = {row["run"] for row in after.patch["rows"]}
    assert after.version == before.version + 1
    assert changed == {row["run"] for row in after.rows if row not in before.rows}
    assert 0 < len(changed) < 50
    assert all(old is new for old, new in zip(before.rows, after.rows, strict=True) if new["run"] not in changed)


def test_without_news_there_is_no_new_version():
    feed = FleetFeed()
    assert feed.state(fleet_snapshot(2, 2, now=1e9)).version == feed.state(fleet_snapshot(2, 2, now=1e9)).version == 1


def test_a_job_that_went_is_named():
    feed = FleetFeed()
    before = feed.state(fleet_snapshot(2, 2, now=1e9))
    after = feed.state(fleet_snapshot(1, 2, now=1e9))
    assert after.patch["gone"] == [row["run"] for row in before.rows[2:]]


def test_patches_put_together_are_the_whole():
    feed = FleetFeed()
    page = {row["run"]: row for row in feed.state(fleet_snapshot(4, 5, now=1e9)).rows}
    for tick in range(1, 8):
        state = feed.state(fleet_snapshot(4 - tick % 2, 5, tick=tick, now=1e9))
        page.update({row["run"]: row for row in state.patch["rows"]})
        for run in state.patch["gone"]:
            del page[run]
        assert page == {row["run"]: row for row in state.rows}


def test_old_patches_are_forgotten():
    feed = FleetFeed()
    for tick in range(100):
        feed.state(fleet_snapshot(1, 4, tick=tick, now=1e9))
    assert feed.patch_to(2) is None
    assert len(feed._patches) <= 16


def test_500_jobs_become_rows_in_a_moment():
    snapshot = fleet_snapshot(50, 10)
    began = time.process_time()
    assert len(fleet_rows(snapshot, [])) == 500
    assert time.process_time() - began < 0.5


def test_an_alert_is_in_the_row_of_its_job():
    snapshot = fleet_snapshot(1, 2)
    run = snapshot.jobs[0].run_name
    rows = fleet_rows(snapshot, [{"run": run, "text": "stalled"}, {"run": "other", "text": "x"}])
    assert [row["alerts"] for row in rows] == [["stalled"], []]


def test_an_address_selects_only_what_is_known():
    state = FleetFeed().state(fleet_snapshot(2, 2))
    run, name = state.rows[0]["run"], state.rows[0]["experiment"]
    assert _selection(state, "", run) == {"experiment": name, "run": run}
    assert _selection(state, name, "no such run") == {"experiment": name, "run": ""}
    for hostile in ("../../etc", "<script>", "' OR 1=1", "\x00", "x" * 5_000):
        assert _selection(state, hostile, hostile) == {"experiment": "", "run": ""}


def test_a_page_may_set_nothing_but_what_is_looked_at():
    table = FleetTable(rows=[{"run": "a"}], version=3)
    table.set_state({"rows": [], "version": 9, "alerts": [{}], "problems": ["x"], "patch": {"at": 1}})
    assert (table.rows, table.version, table.alerts, table.problems, table.patch) == ([{"run": "a"}], 3, [], [], {})
    table.set_state({"selected": {"experiment": "e", "run": ""}, "visible": False, "wanted": 4, "seen": "v"})
    assert (table.selected["experiment"], table.visible, table.wanted, table.seen) == ("e", False, 4, "v")


def test_what_a_hostile_page_sends_is_ignored():
    table = FleetTable()
    for value in ([], {"experiment": 1, "run": ""}, {"experiment": "e"}, {"experiment": "x" * 999, "run": ""}, None):
        table.set_state({"selected": value})
    table.set_state({"visible": "yes", "wanted": True, "seen": ["x"]})
    assert (table.selected, table.visible, table.wanted, table.seen) == ({"experiment": "", "run": ""}, True, 0, "")


def test_how_many_jobs_are_not_among_the_rows_is_told():
    feed = FleetFeed()
    told = _signs(feed.state(replaced(fleet_snapshot(1, 2, now=1e9), earlier=98_000)), time.time())["ongoing"]
    assert told == ["98,000 earlier jobs ended long ago and are not shown: experiments status --all"]
    assert _signs(feed.state(fleet_snapshot(1, 2, now=1e9)), time.time())["ongoing"] == []
