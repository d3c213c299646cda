"""A run that was started several times: one curve, each step once."""

from __future__ import annotations

import json

import pytest

from experiments.runs.offline.places import METRICS
from experiments.runs.offline.store import OfflineStore
from tests.fakes import wandb_files as fake

STAMPS = ("20260101_120000", "20260102_120000", "20260103_120000")


def start(folder, number, steps, *, offset=0.0, started_at=None, **more):
    """Write start `number` of run `r`, whose rows have these explicit steps; it begins when the one before is over."""
    began = 1.7e9 + number * 1000 if started_at is None else started_at
    writer = fake.offline_run(folder, "r", stamp=STAMPS[number], began=began)
    writer.write(fake.run("r", started_at=began))
    for step in steps:
        writer.step = step
        writer.log({"loss": step + offset, **{key: value(step) for key, value in more.items()}})
    return writer


def curve(folder, key="loss"):
    frame, origin = OfflineStore(folder).history("r")
    return list(zip(frame["_step"].tolist(), frame[key].tolist(), strict=True)), origin


def test_from_a_later_starts_first_step_on_only_its_rows_count(tmp_path):
    start(tmp_path, 0, [0, 10, 20, 30, 40])
    start(tmp_path, 1, [20, 30], offset=0.5)
    assert curve(tmp_path)[0] == [(0, 0.0), (10, 10.0), (20, 20.5), (30, 30.5)]
    assert OfflineStore(tmp_path).poll(["r"], ["loss"])["r"].rows["loss"] == curve(tmp_path)[0]


def anew(folder, number, frames, offset):
    """Write a start that counts its rows from 0 again, as W&B does offline, and its frames as the trainer does."""
    began = 1.7e9 + number * 1000
    writer = fake.offline_run(folder, "r", stamp=STAMPS[number], began=began)
    writer.write(fake.run("r", started_at=began))
    for frame in frames:
        writer.log({"loss": frame + offset, "train_env_frames": frame})


@pytest.mark.parametrize(
    ("named", "losses"),
    [
        ("train_env_frames", [64, 128, 192.5, 256.5]),
        (None, [64, 128, 192, 256, 192.5, 256.5]),  # nobody can tell that rows were logged again
        ("other", [64, 128, 192, 256, 192.5, 256.5]),
    ],
)
def test_the_counter_that_a_trainer_names_says_what_was_logged_again_by_starts_that_count_anew(tmp_path, named, losses):
    anew(tmp_path, 0, [64, 128, 192, 256], 0)
    anew(tmp_path, 1, [192, 256], 0.5)
    if named is not None:
        (tmp_path / "r" / METRICS).write_text(json.dumps({"step": named}))
    frame, _ = OfflineStore(tmp_path).history("r")
    assert frame["loss"].tolist() == losses
    assert frame["_step"].is_monotonic_increasing
    rows = OfflineStore(tmp_path).poll(["r"], ["loss"])["r"].rows["loss"]
    assert [value for _, value in rows] == losses
    steps = [start.step for start in OfflineStore(tmp_path).starts("r")]
    assert steps == ([64, 192] if named == "train_env_frames" else [0, 4])


def test_the_counter_that_a_trainer_names_is_no_metric_that_several_writers_logged(tmp_path):
    for number in range(2):
        writer = fake.offline_run(tmp_path, "r", stamp=STAMPS[number], began=1.7e9 + number)
        writer.write(fake.run("r", started_at=1.7e9 + number))
        for step in range(5):
            writer.log({"train_env_frames": step * 64, f"rank_{number}": 1.0})
    (tmp_path / "r" / METRICS).write_text(json.dumps({"step": "train_env_frames"}))
    origin = curve(tmp_path, "rank_0")[1]
    assert (origin.damage, origin.note) == ("", "2 writers at once: the rows of all are laid into each other by step")


@pytest.mark.parametrize("text", ["{", "[]", '{"step": 3}'])
def test_a_damaged_note_of_what_the_trainer_names_takes_no_row(tmp_path, text):
    anew(tmp_path, 0, [64, 128], 0)
    anew(tmp_path, 1, [128], 0.5)
    (tmp_path / "r" / METRICS).write_text(text)
    assert len(OfflineStore(tmp_path).history("r")[0]) == 3


def test_a_third_start_may_go_back_behind_the_second(tmp_path):
    start(tmp_path, 0, [0, 10, 20, 30])
    start(tmp_path, 1, [25, 35, 45], offset=0.1)
    start(tmp_path, 2, [20, 50], offset=0.2)
    found, origin = curve(tmp_path)
    assert found == [(0, 0.0), (10, 10.0), (20, 20.2), (50, 50.2)]
    assert (origin.rows, origin.total, origin.damage) == (4, 4, "")


def test_a_run_that_begins_again_at_zero_replaces_what_it_had(tmp_path):
    start(tmp_path, 0, [0, 10, 20])
    start(tmp_path, 1, [0], offset=0.5)
    assert curve(tmp_path)[0] == [(0, 0.5)]


def test_where_wandb_counts_each_start_anew_the_agent_steps_decide(tmp_path):
    start(tmp_path, 0, range(5), **{"metric/agent_step": lambda step: step * 100})
    start(tmp_path, 1, range(3), **{"metric/agent_step": lambda step: 300 + step * 100})
    found, origin = curve(tmp_path, "metric/agent_step")
    assert found == [(0, 0.0), (1, 100.0), (2, 200.0), (3, 300.0), (4, 400.0), (5, 500.0)]
    assert origin.damage == "start 2 of 2 counts its steps anew: shown 3 later"


def test_where_agent_steps_are_not_logged_another_counter_of_the_trainer_decides(tmp_path):
    start(tmp_path, 0, range(5), global_step=lambda step: step * 10)
    start(tmp_path, 1, range(3), global_step=lambda step: 30 + step * 10)
    assert [value for _, value in curve(tmp_path, "global_step")[0]] == [0, 10, 20, 30, 40, 50]


def test_a_poll_across_a_recovery_starts_over_once_and_then_only_adds(tmp_path):
    store = OfflineStore(tmp_path)
    start(tmp_path, 0, [0, 10, 20, 30])
    cursor = store.poll(["r"], ["loss"])["r"].cursor
    again = start(tmp_path, 1, [])
    assert not store.poll(["r"], ["loss"], {"r": cursor})["r"].reset
    again.step = 20
    again.log({"loss": 0.5})
    update = store.poll(["r"], ["loss"], {"r": cursor})["r"]
    assert (update.reset, update.rows["loss"]) == (True, [(0, 0.0), (10, 10.0), (20, 0.5)])
    assert OfflineStore(tmp_path).poll(["r"], ["loss"], {"r": cursor})["r"].reset
    again.step = 30
    again.log({"loss": 0.7})
    after = store.poll(["r"], ["loss"], {"r": update.cursor})["r"]
    assert (after.reset, after.rows["loss"]) == (False, [(30, 0.7)])


def test_a_machine_that_was_given_up_too_early_does_not_come_back_into_the_curve(tmp_path):
    old = start(tmp_path, 0, [0, 10])
    start(tmp_path, 1, [10, 20], offset=0.5)
    old.step, old.began = 30, 1.7e9 + 2000
    old.log({"loss": 9.9})
    found, origin = curve(tmp_path)
    assert found == [(0, 0.0), (10, 10.5), (20, 20.5)]
    assert origin.damage == (
        "start 1 of 2 still logged when start 2 had gone on from the middle of it with the same metrics: "
        "2 rows of it left out"
    )


def test_starts_are_ordered_by_their_time_and_not_by_their_machines_local_time(tmp_path):
    start(tmp_path, 1, [0, 10, 20], started_at=1.7e9)
    start(tmp_path, 0, [10], offset=0.5, started_at=1.7e9 + 60)
    assert curve(tmp_path)[0] == [(0, 0.0), (10, 10.5)]


def test_a_start_without_the_metrics_of_another_replaces_nothing_of_it(tmp_path):
    start(tmp_path, 0, [0, 10, 20])
    later = start(tmp_path, 1, [])
    later.step = 10
    later.log({"eval/score": 1.0})
    frame, origin = OfflineStore(tmp_path).history("r")
    assert (frame["loss"].count(), frame["eval/score"].count(), origin.damage) == (
        3,
        1,
        "start 2 of 2 counts its steps anew: shown 11 later",
    )


def test_media_of_replaced_rows_are_left_out(tmp_path):
    media = {"_type": "html-file", "path": "media/html/link.html", "size": 5}
    start(tmp_path, 0, [0, 10, 20], link=lambda _: media)
    start(tmp_path, 1, [20], link=lambda _: media)
    log = OfflineStore(tmp_path).log("r")
    assert [(item.step, item.row) for item in log.media()] == [(0, 0), (10, 1), (20, 2)]


def test_a_start_is_told_in_the_counter_that_the_run_goes_by(tmp_path):
    start(tmp_path, 0, [0, 1, 2], global_step=lambda step: step * 50)
    start(tmp_path, 1, [2, 3], global_step=lambda step: step * 50)
    assert [one.step for one in OfflineStore(tmp_path).starts("r")] == [0, 100]
