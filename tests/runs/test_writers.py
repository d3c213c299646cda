"""Several writers of one run id, and what is no second writer; most with W&B's own SDK in real processes."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections import Counter

import pytest

from experiments.runs import cache as cache_module
from experiments.runs.offline.store import OfflineStore
from experiments.runs.wandb_file import log as wandb_log
from tests.fakes import wandb_files as fake
from tests.fakes.cases import CASES

TOGETHER = "2 writers at once: the rows of all are laid into each other by step"
SCRIPT = """
import sys, wandb
folder, metric, first, last, counts = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
quiet = wandb.Settings(x_disable_stats=True, console="off", x_transaction_log_flush_interval=0.1)
print("ready", flush=True)
for word in sys.stdin:
    word = word.strip()
    if word == "begin":
        run = wandb.init(mode="offline", dir=folder, id="r", project="p", settings=quiet)
    elif word == "log":
        for step in range(first, last):
            row = {metric: float(step), "metric/agent_step": step * 100}
            run.log(row) if counts else run.log(row, step=step)
        first, last = last, last + last - first
    elif word == "finish":
        run.finish()
    print(word, flush=True)
"""


class Rank:
    """A process that logs to run `r`; it does what it is told, one word after the other."""

    def __init__(self, folder, metric, first=0, last=10, *, counts=True):
        (folder / "r").mkdir(exist_ok=True)
        values = [str(folder / "r"), metric, str(first), str(last), str(int(counts))]
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *values],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=folder,
        )
        assert self.process.stdout.readline() == "ready\n"

    def tell(self, *words):
        for word in words:
            self.process.stdin.write(f"{word}\n")
            self.process.stdin.flush()
            assert self.process.stdout.readline() == f"{word}\n"
        return self

    def kill(self, folder, rows):
        """Kill it once `rows` rows of the run are in its files."""
        store = OfflineStore(folder)
        while not store.has("r") or len(store.history("r")[0]) < rows:
            assert self.process.poll() is None
        self.process.kill()
        assert self.process.wait() == -signal.SIGKILL

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def read(folder):
    store = OfflineStore(folder)
    frame, origin = store.history("r")
    counts = {key: int(frame[key].count()) for key in frame if "loss" in key}
    return counts, origin, store


@pytest.mark.parametrize(("case", "run"), [("two-ranks-one-id", "job1"), ("shared-mode", "shr")])
def test_the_rows_of_two_ranks_are_all_read_and_said_to_be(case, run):
    store = OfflineStore(CASES / "data" / case)
    frame, origin = store.history(run)
    for rank in ("rank0/loss", "rank1/loss"):
        logged = frame[frame[rank].notna()]
        assert logged[rank].tolist() == [float(step) for step in range(10)]
        assert logged["metric/agent_step"].tolist() == [step * 100.0 for step in range(10)]
    assert frame["_step"].tolist() == sorted(list(range(10)) * 2)
    assert (origin.rows, origin.total, origin.complete, origin.damage, origin.note) == (20, 20, True, "", TOGETHER)
    update = store.poll([run], ["rank0/loss", "rank1/loss"])[run]
    assert {key: len(values) for key, values in update.rows.items()} == {"rank0/loss": 10, "rank1/loss": 10}
    assert (update.info.state, update.info.note) == ("finished", TOGETHER)
    assert {key for key in update.info.summary if "loss" in key} == {"rank0/loss", "rank1/loss"}
    [one] = store.starts(run)
    assert (one.step, one.kept, one.replaced) == (0, 20, 0)


def test_two_processes_at_once_are_read_whole_while_they_write_and_when_one_ends_first(tmp_path):
    live, cursor, held = OfflineStore(tmp_path), 0, []
    with Rank(tmp_path, "rank0/loss") as one, Rank(tmp_path, "rank1/loss") as other:
        for rank, word in [(one, "begin"), (other, "begin"), (one, "log"), (other, "log"), (one, "finish")]:
            rank.tell(word)
            if update := live.poll(["r"], ["rank0/loss"], {"r": cursor}).get("r"):
                held = [*([] if update.reset else held), *update.rows["rank0/loss"]]
                cursor = update.cursor
        other.tell("log", "finish")
    counts, origin, store = read(tmp_path)
    assert counts == {"rank0/loss": 10, "rank1/loss": 20}
    assert (origin.damage, origin.note, store.poll(["r"], [])["r"].info.state) == ("", TOGETHER, "finished")
    update = live.poll(["r"], ["rank0/loss"], {"r": cursor})["r"]
    held = [*([] if update.reset else held), *update.rows["rank0/loss"]]
    assert held == [(step, float(step)) for step in range(10)]


@pytest.mark.slow
def test_three_ranks_that_log_one_metric_cannot_be_told_apart_and_the_run_says_so(tmp_path):
    with (
        Rank(tmp_path, "loss") as one,
        Rank(tmp_path, "loss") as two,
        Rank(tmp_path, "loss") as three,
    ):
        for word in ("begin", "log", "finish"):
            for rank in (one, two, three):
                rank.tell(word)
    counts, origin, _ = read(tmp_path)
    assert counts == {"loss": 30}
    assert origin.damage == (
        "3 writers at once, of which more than one logged 'loss': the values of all are shown, and which are the run's "
        "own is not known"
    )


@pytest.mark.slow
def test_a_rank_that_is_killed_loses_nothing_that_it_wrote_and_the_run_has_not_finished(tmp_path):
    with Rank(tmp_path, "rank0/loss") as one, Rank(tmp_path, "rank1/loss") as other:
        one.tell("begin")
        other.tell("begin")
        one.tell("log").kill(tmp_path, 10)
        other.tell("log", "finish")
    (tmp_path / "r" / "job.json").write_text('{"ended_at": 5}')
    counts, _, store = read(tmp_path)
    assert counts == {"rank0/loss": 10, "rank1/loss": 10}
    assert store.poll(["r"], [])["r"].info.state == "crashed"


def test_a_crash_and_a_resume_are_one_curve(tmp_path):
    with Rank(tmp_path, "loss", 0, 10, counts=False) as first:
        first.tell("begin", "log").kill(tmp_path, 9)  # W&B holds a row back until the next has another step
    with Rank(tmp_path, "loss", 6, 12, counts=False) as again:
        again.tell("begin", "log", "finish")
    counts, origin, store = read(tmp_path)
    assert (counts, origin.damage, origin.note) == ({"loss": 12}, "", "")
    assert [start.replaced for start in store.starts("r")] == [3, 0]
    assert store.poll(["r"], [])["r"].info.state == "finished"


@pytest.mark.slow
def test_a_resume_within_the_second_in_which_the_first_start_ended_is_no_second_writer(tmp_path):
    with Rank(tmp_path, "loss") as only:
        only.tell("begin", "log", "finish", "begin", "log", "finish")
    counts, origin, _ = read(tmp_path)
    assert counts == {"loss": 20}  # 0 to 9, then on from 10 by the agent-steps that it logs
    assert origin.damage == "start 2 of 2 counts its steps anew: shown 10 later"


def test_machines_whose_clocks_differ_do_not_make_a_resume_a_second_writer(tmp_path):
    for number, (host, began) in enumerate([("one", 1.7e9), ("two", 1.7e9 + 5)]):
        writer = fake.offline_run(tmp_path, "r", stamp=f"2026010{number + 1}_120000", began=began)
        writer.write(fake.run("r", started_at=began, host=host))
        writer.log(*({"loss": float(step)} for step in range(10)))
    frame, origin = OfflineStore(tmp_path).history("r")
    assert (len(frame), origin.note) == (20, "")
    assert origin.damage == "start 2 of 2 counts its steps anew: shown 10 later"


def test_ranks_may_all_have_a_counter_of_steps(tmp_path):
    for rank in range(2):
        writer = fake.offline_run(tmp_path, "r", stamp=f"20260101_12000{rank}", began=1.7e9 + rank)
        writer.write(fake.run("r", started_at=1.7e9 + rank))
        writer.log(*({f"rank{rank}/loss": 1.0, "global_step": step} for step in range(5)))
    counts, origin, _ = read(tmp_path)
    assert (counts, origin.damage, origin.note) == ({"rank0/loss": 5, "rank1/loss": 5}, "", TOGETHER)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("shared_metric", [False, True])
def test_polling_while_several_write_agrees_with_reading_all_at_once(tmp_path, seed, shared_metric, monkeypatch):
    monkeypatch.setattr(wandb_log, "MIN_BYTES", 0)
    monkeypatch.setattr(cache_module, "MIN_BYTES", 0)
    choose = random.Random(seed)
    keys = ["loss", *(f"rank{rank}/loss" for rank in range(3))]
    writers = [fake.offline_run(tmp_path, "r", stamp=f"20260101_12000{rank}", began=1.7e9 + rank) for rank in range(3)]
    live, cursor = OfflineStore(tmp_path, tmp_path / "cache"), 0
    held: dict[str, list[tuple[int, float]]] = {key: [] for key in keys}
    logged: Counter[str] = Counter()
    for rank, writer in enumerate(writers):
        writer.write(fake.run("r", started_at=1.7e9 + rank))
    for turn in range(40):
        rank = choose.randrange(3)
        key = "loss" if shared_metric and choose.random() < 0.5 else f"rank{rank}/loss"
        writers[rank].log({key: float(turn), "metric/agent_step": writers[rank].step})
        logged[key] += 1
        if choose.random() < 0.5 or turn == 39:
            update = live.poll(["r"], keys, {"r": cursor})["r"]
            for name, values in update.rows.items():
                held[name] = [*([] if update.reset else held[name]), *values]
            cursor = update.cursor
            for other in (OfflineStore(tmp_path), OfflineStore(tmp_path, tmp_path / "cache")):
                whole = other.poll(["r"], keys)["r"]
                assert (whole.rows, whole.damage, whole.total) == (held, update.damage, update.total)
    frame = live.history("r", keys)[0]
    assert {key: int(frame[key].count()) for key in keys if key in frame} == logged
    assert frame["_step"].is_monotonic_increasing
