"""A run that was started several times: one curve, each step once."""

from __future__ import annotations

import signal
import subprocess
import sys

from experiments.runs.offline import OfflineStore
from tests.fakes import wandb_files as fake

STAMPS = ("20260101_120000", "20260102_120000", "20260103_120000")


def start(folder, number, steps, *, offset=0.0, started_at=None, **more):
    """Write start `number` of run `r`, whose rows have these explicit steps."""
    writer = fake.offline_run(folder, "r", stamp=STAMPS[number])
    writer.write(fake.run("r", started_at=1.7e9 + number if started_at is None else started_at))
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
    old.step = 30
    old.log({"loss": 9.9})
    assert curve(tmp_path)[0] == [(0, 0.0), (10, 10.5), (20, 20.5)]


def test_starts_are_ordered_by_their_time_and_not_by_their_machines_local_time(tmp_path):
    start(tmp_path, 1, [0, 10, 20], started_at=1.7e9)
    start(tmp_path, 0, [10], offset=0.5, started_at=1.7e9 + 60)
    assert curve(tmp_path)[0] == [(0, 0.0), (10, 10.5)]


def test_media_of_replaced_rows_are_left_out(tmp_path):
    media = {"_type": "html-file", "path": "media/html/link.html", "size": 5}
    start(tmp_path, 0, [0, 10, 20], link=lambda _: media)
    start(tmp_path, 1, [20], link=lambda _: media)
    log = OfflineStore(tmp_path).log("r")
    assert [(item.step, item.row) for item in log.media()] == [(0, 0), (10, 1), (20, 2)]


SCRIPT = """
import os, signal, sys, wandb
folder, first, last, offset, kill = sys.argv[1], *map(float, sys.argv[2:])
quiet = wandb.Settings(x_disable_stats=True, x_transaction_log_flush_interval=0.1)
run = wandb.init(mode="offline", dir=folder, id="r", project="p", settings=quiet)
for step in range(int(first), int(last)):
    run.log({"loss": step + offset}, step=step * 64)
print("logged", flush=True)
if kill:
    input()
    os.kill(os.getpid(), signal.SIGKILL)
run.finish()
"""


def test_a_killed_run_of_the_real_sdk_goes_on_as_one_curve(tmp_path):
    folder = tmp_path / "r"
    folder.mkdir()
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    first = subprocess.Popen(
        [*command, "0", "10", "0", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert first.stdout.readline() == "logged\n"
    store = OfflineStore(tmp_path)
    while not store.has("r") or len(store.history("r")[0]) < 9:
        assert first.poll() is None
    first.communicate("\n", timeout=30)
    assert first.returncode == -signal.SIGKILL
    subprocess.run([*command, "6", "12", "0.5", "0"], check=True, capture_output=True, cwd=tmp_path)
    frame, origin = store.history("r")
    assert frame["_step"].tolist() == [step * 64 for step in range(12)]
    assert frame["loss"].tolist() == [0, 1, 2, 3, 4, 5, 6.5, 7.5, 8.5, 9.5, 10.5, 11.5]
    assert (origin.damage, store.poll(["r"], [])["r"].info.state) == ("", "finished")
