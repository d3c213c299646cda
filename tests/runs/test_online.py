"""Runs on a W&B server."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from experiments.project.credentials import Credentials
from experiments.project.errors import StoreError, UsageError
from experiments.project.trainers.value import Metrics
from experiments.runs import replay_files
from experiments.runs.server.store import OnlineStore
from experiments.runs.store import RunQuery
from tests.fakes.wandb_server import KEY

NAMES = [f"r{number}" for number in range(40)]
METRICS = [f"m{number}" for number in range(20)]


def grow(run, rows, **values):
    start = run.history[-1]["_step"] + 1 if run.history else 0
    run.history += [{"_step": start + n, "_timestamp": 1e9, "_runtime": 1.0, **values} for n in range(rows)]


@pytest.fixture
def forty(server):
    for name in NAMES:
        grow(server.add_run(name, tags=["a"]), 5, **dict.fromkeys(METRICS, 1.0))
    return server


def cursors(updates):
    return {name: update.cursor for name, update in updates.items()}


def test_forty_runs_with_twenty_metrics_cost_one_request_a_poll(forty, store):
    first = store.poll(NAMES, METRICS)
    assert store.requests == 1
    assert sum(len(points) for update in first.values() for points in update.rows.values()) == 40 * 20 * 5
    for name in NAMES:
        grow(forty.runs["me", "p", name], 2, **dict.fromkeys(METRICS, 2.0))
    second = store.poll(NAMES, METRICS, cursors(first))
    assert store.requests == 2
    assert second["r7"].rows["m3"] == [(5, 2.0), (6, 2.0)]
    assert store.poll(NAMES, METRICS, cursors(second))["r7"].rows["m3"] == []
    assert not forty.unknown


def test_more_than_fifty_runs_are_split(server, store):
    names = [server.add_run(f"r{number}").name for number in range(120)]
    assert len(store.poll(names, ["loss"])) == 120
    assert store.requests == 3


def test_runs_that_ended_are_not_asked_about_again(forty, store, clock):
    for name in NAMES[1:]:
        forty.runs["me", "p", name].state = "finished"
    updates = store.poll(NAMES, METRICS)
    updates = store.poll(NAMES, METRICS, cursors(updates))
    store.poll(NAMES, METRICS, cursors(updates))
    assert "r39" not in forty.queries[-1]
    assert forty.queries[-1].count("run(name:") == 1
    forty.runs["me", "p", "r0"].state = "failed"
    for _ in range(3):
        updates = store.poll(NAMES, METRICS, cursors(updates))
    count = store.requests
    assert store.poll(NAMES, METRICS, cursors(updates))["r5"].info.state == "finished"
    assert store.requests == count
    clock.sleep(301)
    store.poll(NAMES, METRICS, cursors(updates))
    assert store.requests == count + 1


def test_a_rare_metric_is_not_lost_behind_a_frequent_one(server, store):
    run = server.add_run("r")
    grow(run, 10, often=1.0)
    updates = store.poll(["r"], ["often", "rare"])
    run.history.insert(5, {"_step": 4, "rare": 7.0})
    updates = store.poll(["r"], ["often", "rare"], cursors(updates))
    assert updates["r"].rows == {"often": [], "rare": [(4, 7.0)]}
    assert store.poll(["r"], ["often", "rare"], cursors(updates))["r"].rows["rare"] == []


def test_what_the_server_knows_of_a_run_is_told(server, store):
    server.add_run(
        "r", tags=["t"], group="g", notes="n", config={"lr": {"x": 1}}, summary={"a": {"b": 2}, "_wandb": {}}, rows=3
    )  # fmt: skip
    update = store.poll(["r", "absent"], [])["r"]
    info = update.info
    assert (info.state, info.user, info.group, info.notes, info.tags) == ("running", "me", "g", "n", ("t",))
    assert (info.config, info.summary, update.total) == ({"lr": {"x": 1}}, {"a.b": 2}, 3)
    assert info.url == f"{server.base_url}/me/p/runs/r"
    assert list(store.poll(["absent"], [])) == []


def test_numbers_that_are_not_finite_come_as_numbers(server, store):
    run = server.add_run("r")
    for value in ("NaN", "Infinity", "-Infinity", True, "text", None):
        grow(run, 1, m=value)
    values = [value for _, value in store.poll(["r"], ["m"])["r"].rows["m"]]
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, -math.inf, 1.0]


def test_a_long_run_is_said_to_be_sampled(server, credentials):
    grow(server.add_run("r"), 5000, loss=1.0)
    store = OnlineStore(credentials=credentials, samples=100)
    update = store.poll(["r"], ["loss"])["r"]
    assert (update.sampled, update.total, len(update.rows["loss"])) == (True, 5000, 100)
    frame, origin = store.history("r", ["loss"])
    assert (origin.rows, origin.total, origin.complete) == (len(frame), 5000, False)
    assert store.history("r")[1].complete is False


def test_history_has_the_columns_of_every_store(server, store):
    grow(server.add_run("r"), 3, loss=1.0, d={"x": 2})
    frame, origin = store.history("r", ["loss", "never"])
    assert frame.columns.tolist() == ["_step", "_timestamp", "_runtime", "loss"]
    assert origin.absent == ("never",)
    assert frame["_step"].tolist() == [0, 1, 2]
    assert (origin.source, origin.complete) == (server.base_url.removeprefix("http://"), True)
    every, _ = store.history("r")
    assert every.columns.tolist() == ["_step", "_timestamp", "_runtime", "d.x", "loss"]
    with pytest.raises(StoreError, match="'absent' is not in 'me/p'"):
        store.history("absent", ["loss"])


def test_a_value_logged_as_nan_is_told_from_a_row_without_the_metric(server, store):
    run = server.add_run("r")
    grow(run, 2, loss=1.0, other=1.0)
    grow(run, 1, loss="NaN")
    grow(run, 1, other=2.0)
    frame, origin = store.history("r", ["loss", "other"])
    assert frame["loss"].isna().tolist() == [False, False, True, True]
    assert origin.nan_steps == {"loss": (2,)}


def test_a_missing_metric_hides_no_row_of_the_others(server, store):
    grow(server.add_run("r"), 3, loss=1.0, word="a", d={"x": 2})
    frame, origin = store.history("r", ["never", "loss", "word", "d.x"])
    assert frame["loss"].tolist() == [1.0] * 3
    assert frame["d.x"].tolist() == [2.0] * 3
    assert (origin.absent, frame["word"].isna().all()) == (("never",), True)
    assert store.poll(["r"], ["never", "loss"])["r"].rows == {"never": [], "loss": [(0, 1.0), (1, 1.0), (2, 1.0)]}
    [(frame, origin)] = store.histories(["r"], ["never", "loss"]).values()
    assert ("never" in frame, origin.absent, len(frame)) == (False, ("never",), 3)
    frame, origin = store.history("r", ["never", "loss"], complete=True)
    assert ("never" in frame, origin.absent, len(frame)) == (False, ("never",), 3)


def test_what_a_server_that_is_down_was_not_asked_before_is_not_called_absent(server, store, clock):
    grow(server.add_run("r"), 3, loss=1.0, score=2.0)
    store.history("r", ["loss"])
    with server.stopped():
        clock.sleep(60)
        frame, origin = store.history("r", ["loss"])
        assert (len(frame), origin.damage.startswith("not the newest")) == (3, True)
        with pytest.raises(StoreError):
            store.history("r", ["loss", "score"])


def test_drawing_forty_runs_again_costs_one_request_for_what_is_new(forty, store, clock):
    for name in NAMES:
        store.history(name, ["m0"])
    count = store.requests
    for name in NAMES:
        store.history(name, ["m0"])
    assert store.requests == count
    clock.sleep(10)
    grow(forty.runs["me", "p", "r3"], 1, m0=9.0)
    frames = [store.history(name, ["m0"])[0] for name in NAMES]
    assert store.requests == count + 1
    assert frames[3]["m0"].tolist() == [1.0] * 5 + [9.0]
    assert len(store.histories(NAMES, ["m0"])) == 40


def test_a_server_that_fails_leaves_the_last_data_with_its_age_and_the_reason(server, store, clock):
    grow(server.add_run("r"), 3, loss=1.0)
    _, before = store.history("r", ["loss"])
    server.faults.statuses = [500] * 100
    clock.sleep(30)
    frame, origin = store.history("r", ["loss"])
    assert len(frame) == 3
    assert (origin.as_of, origin.complete) == (before.as_of, False)
    assert "not the newest" in origin.damage
    assert "status 500" in origin.damage
    count = store.requests
    store.history("r", ["loss"])
    assert store.requests == count
    with pytest.raises(StoreError, match="status 500"):
        store.poll(["r"], ["loss"])


def test_a_failed_poll_loses_no_row(server, store, clock):
    run = server.add_run("r")
    grow(run, 3, loss=1.0)
    held = cursors(store.poll(["r"], ["loss"]))
    grow(run, 2, loss=2.0)
    server.faults.statuses = [500] * 4
    with pytest.raises(StoreError):
        store.poll(["r"], ["loss"], held)
    clock.sleep(10)
    assert store.poll(["r"], ["loss"], held)["r"].rows["loss"] == [(3, 2.0), (4, 2.0)]


def test_an_overloaded_server_is_asked_for_less_at_a_time(forty, store, clock):
    forty.faults.statuses = [503] * 4
    with pytest.raises(StoreError):
        store.poll(NAMES, METRICS)
    clock.sleep(10)
    assert len(store.poll(NAMES, METRICS)) == 40
    assert store.requests == 4 + 2


def test_find_pages_through_all_that_match(server, store):
    for number in range(130):
        server.add_run(f"r{number}", tags=["a"] if number % 2 else ["b"], created_at=1e9 + number)
    found = store.find(RunQuery(tags_any=["a"], order="-created_at", limit=60))
    assert [info.name for info in found] == [f"r{number}" for number in range(129, 9, -2)]
    assert len(store.find(RunQuery(limit=None))) == 130
    assert store.find(RunQuery(created_after=1e9 + 128, order="created_at"))[0].name == "r128"
    with pytest.raises(UsageError, match="JSON cannot"):
        store.find(RunQuery(config={"lr": math.nan}))


def test_logs_and_replay_links(server, store):
    run = server.add_run("r")
    run.logs += [f"line {number}" for number in range(50)]
    for step in range(25):
        page = f'<a href="https://v/?replay=https%3A%2F%2Fh%2F{step}.json.z">r</a>'
        run.files[f"media/html/replays/link_{step}_0a1b.html"] = page.encode()
    run.files["media/html/replays/link_99_0a1b.html"] = b"<a href='replays/local.json.z'>r</a>"
    assert store.logs("r", last=2) == ["line 48", "line 49"]
    assert len(store.logs("r")) == 50
    found = store.replays("r")
    assert [replay.step for replay in found] == list(range(6, 25))
    assert found[0].url == "https://h/6.json.z"
    count = store.requests
    store.replays("r")
    assert store.requests == count + 1


def test_pages_of_replays_are_those_that_the_trainer_names_and_their_links_are_in_its_form(server, store):
    run = server.add_run("r")
    page = b'<a href="https://v/#/open/https://h/1.zip/now">a</a><a href="https://docs">b</a><a href="x">c</a>'
    run.files["media/html/eval/episode_0_4_0a1b.html"] = page
    run.files["media/html/replays/link_9_0a1b.html"] = b"<a href='https://h/9.zip'>r</a>"
    assert [replay.step for replay in store.replays("r")] == [9]
    metrics = Metrics(replays=("eval/episode_*",), replay_links=("https://v/#/open/{url}/now",))
    assert [(replay.step, replay.url) for replay in store.replays("r", metrics)] == [(4, "https://h/1.zip")]


def test_the_default_entity_is_the_users(server):
    server.add_run("r", rows=1)
    store = OnlineStore(project="p", credentials=Credentials(server.base_url, KEY))
    assert [info.config for info in store.find(RunQuery())] == [{}]
    assert store.name == "me/p"
    with pytest.raises(UsageError, match="no W&B project"):
        OnlineStore(credentials=Credentials(server.base_url, KEY))


def test_replays_stored_with_the_run_are_fetched_once(server, credentials, tmp_path):
    run = server.add_run("r")
    for step in (5, 10):
        run.files[f"replays/step_{step}.json.z"] = f"replay {step}".encode()
    store = OnlineStore(credentials=credentials, cache_dir=tmp_path / "replays")
    found = store.replays("r")
    assert [(replay.step, Path(replay.path).read_text()) for replay in found] == [(5, "replay 5"), (10, "replay 10")]
    count = store.requests
    assert store.replays("r") == found
    assert store.requests == count + 1
    assert OnlineStore(credentials=credentials).replays("r") == []


@pytest.mark.parametrize("name", ["r", "r" * 128])
def test_replays_are_shown_where_no_cache_can_be_written(server, credentials, tmp_path, name):
    """A file in the cache's place is what root meets, whom no right of a folder keeps from writing."""
    server.add_run(name).files["replays/step_5.json.z"] = b"replay"
    (tmp_path / "cache").write_text("no folder")
    store = OnlineStore(credentials=credentials, cache_dir=tmp_path / "cache" / "replays")
    found = store.replays(name)
    assert [Path(replay.path).read_bytes() for replay in found] == [b"replay"]
    count = store.requests
    assert store.replays(name) == found
    assert store.requests == count + 1


def test_a_replay_that_has_no_place_at_all_is_said(server, credentials, tmp_path, monkeypatch):
    server.add_run("r").files["replays/step_5.json.z"] = b"replay"
    (tmp_path / "full").write_text("no folder")

    def no_place(prefix):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", no_place)
    replay_files._beside.cache_clear()
    with pytest.raises(StoreError, match=r"No space left on device.*export TMPDIR=DIR"):
        OnlineStore(credentials=credentials, cache_dir=tmp_path / "full" / "replays").replays("r")


def test_replays_of_places_with_like_names_are_told_apart(server, credentials, tmp_path):
    places = [("a-b", "c"), ("a", "b-c"), ("a", "b_c")]
    found = []
    for entity, project in places:
        run = server.add_run("r", entity=entity, project=project)
        run.files["replays/step_5.json.z"] = f"{entity}/{project}".encode()
        store = OnlineStore(entity, project, credentials=credentials, cache_dir=tmp_path)
        found.append(Path(store.replays("r")[0].path).read_text())
    assert found == ["a-b/c", "a/b-c", "a/b_c"]


@pytest.mark.slow
def test_a_refused_query_is_asked_through_wandbs_own_client(server, store, clock, monkeypatch, tmp_path):
    # W&B's client alone would refuse a variable that somebody emptied.
    for name, value in {**server.environment(), "HOME": str(tmp_path), "WANDB_TAGS": ""}.items():
        monkeypatch.setenv(name, value)
    grow(server.add_run("r", tags=["t"], config={"lr": 1}, summary={"x": 1}), 30, loss=1.0)
    original = server.answer

    def refuse_ours(query, variables):
        return {"errors": [{"message": "too complex"}]} if "PollRuns" in query else original(query, variables)

    server.answer = refuse_ours
    updates = store.poll(["r", "absent"], ["loss"])
    assert (updates["r"].info.tags, updates["r"].info.config, len(updates["r"].rows["loss"])) == (("t",), {"lr": 1}, 30)
    grow(server.runs["me", "p", "r"], 2, loss=5.0)
    assert store.poll(["r"], ["loss"], cursors(updates))["r"].rows["loss"] == [(30, 5.0), (31, 5.0)]
    server.answer = original
    count = server.requests["PollRuns"]
    clock.sleep(601)
    assert store.poll(["r"], ["loss"])["r"].rows["loss"][-1] == (31, 5.0)
    assert server.requests["PollRuns"] == count + 1
    frame, origin = store.history("r", ["loss"], complete=True)
    assert (len(frame), origin.complete) == (32, True)
