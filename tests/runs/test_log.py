"""Reader of one `.wandb` file."""

from __future__ import annotations

import math

import numpy as np
import pytest

from experiments.runs.frames import frame_of, frame_of_rows
from experiments.runs.offline.store import OfflineStore
from experiments.runs.wandb_file.log import RunLog
from experiments.wandb_utils import fetch_metrics
from tests.fakes import wandb_files as fake
from tests.fakes.cases import CASES


@pytest.fixture
def writer(tmp_path):
    return fake.LogWriter(tmp_path / "run-r.wandb")


def test_rows_written_between_two_polls_are_read_once(writer):
    log = RunLog(writer.path)
    writer.write(fake.run("r")).log({"loss": 1.0}, {"loss": 0.5})
    assert log.poll() == 2
    writer.log({"loss": 0.25})
    assert (log.poll(), log.poll()) == (1, 0)
    frame = log.history()
    assert frame["_step"].tolist() == [0, 1, 2]
    assert frame["loss"].tolist() == [1.0, 0.5, 0.25]


def test_a_missing_and_an_empty_file_wait(writer):
    log = RunLog(writer.path)
    assert log.poll() == 0
    writer.path.write_bytes(b"")
    assert log.poll() == 0
    assert log.damage == ""
    assert log.history().columns.tolist() == ["_step"]
    writer.log({"a": 1})
    assert log.poll() == 1


def test_a_torn_tail_waits(writer):
    writer.log({"a": 1}, {"a": 2})
    whole = writer.path.read_bytes()
    for cut in range(len(whole)):
        writer.path.write_bytes(whole[:cut])
        log = RunLog(writer.path)
        rows = log.poll()
        assert log.history()["_step"].tolist() == list(range(rows))
        assert log.damage == ""
        with writer.path.open("ab") as file:
            file.write(whole[cut:])
        assert log.poll() + rows == 2
        assert log.history(["a"])["a"].tolist() == [1.0, 2.0]


def test_special_numbers_keep_their_values(writer):
    writer.log({"nan": float("nan"), "inf": float("inf"), "ninf": float("-inf"), "big": 2**60 + 1})
    log = RunLog(writer.path)
    log.poll()
    row = log.history().iloc[0]
    assert math.isnan(row["nan"])
    assert (row["inf"], row["ninf"], row["big"]) == (math.inf, -math.inf, 2**60 + 1)


def test_nested_keys_are_joined_by_dots_and_slashes_kept(writer):
    writer.log({"env/reward": 1, "d": {"x": 2, "y": {"z": 3}}, "s": "text", "b": True, "none": None})
    log = RunLog(writer.path)
    log.poll()
    row = log.history().iloc[0].to_dict()
    assert row["env/reward"] == 1
    assert (row["d.x"], row["d.y.z"], row["s"], row["b"]) == (2, 3, "text", True)
    assert math.isnan(row["none"])


def test_config_summary_tags_and_exit_are_the_latest(writer):
    writer.write(fake.run("r", {"a": {"b": 1}, "lr": 0.1}, tags=["x"]), fake.config({"lr": 0.2}))
    writer.log({"loss": 2, "once": 1}, {"loss": 1})
    writer.write(fake.run("r", {"a": {"b": 1}, "lr": 0.2}, tags=["x", "y"], notes="n"))
    writer.write(fake.summary({"manual": 7}), fake.summary({}, remove=[["manual"]]), fake.exit_record(3))
    log = RunLog(writer.path)
    log.poll()
    assert log.facts.config == {"a": {"b": 1}, "lr": 0.2}
    assert log.facts.tags == ("x", "y")
    assert log.facts.notes == "n"
    assert (log.facts.summary["loss"], log.facts.summary["once"], "manual" in log.facts.summary) == (1, 1, False)
    assert log.exit_code == 3


def test_console_fragments_become_lines_as_a_terminal_shows_them(writer):
    parts = ["hello", " ", "world", "\n", "\rstep 100", "\rstep 2", "\n", "open"]
    writer.write(*(fake.console(part) for part in parts), fake.console("oops\n", stream="stderr"))
    log = RunLog(writer.path)
    log.poll()
    lines = [(line.stream, line.text) for line in log.console()]
    assert lines == [("stdout", "hello world"), ("stdout", "step 200"), ("stderr", "oops"), ("stdout", "open")]


def test_one_bad_payload_costs_one_record(writer):
    writer.log(*({"a": n} for n in range(50)))
    data = bytearray(writer.path.read_bytes())
    at = data.find(b"_runtime", len(data) // 2)
    data[at] ^= 1
    writer.path.write_bytes(data)
    log = RunLog(writer.path)
    assert log.poll() in (49, 50)
    assert log.damage == "1 damaged place skipped"


def test_a_replaced_file_starts_over(writer):
    writer.log({"a": 1}, {"a": 2})
    log = RunLog(writer.path)
    log.poll()
    other = fake.LogWriter(writer.path.with_name("other"))
    other.log({"a": 10}, {"a": 20}, {"a": 30})
    other.path.replace(writer.path)
    assert log.poll() == 3
    assert log.history()["a"].tolist() == [10.0, 20.0, 30.0]
    assert log.generation == 1


def test_a_deleted_file_keeps_what_was_read(writer):
    writer.log({"a": 1})
    log = RunLog(writer.path)
    log.poll()
    writer.path.unlink()
    assert log.poll() == 0
    assert log.history()["a"].tolist() == [1.0]


def test_rows_that_are_not_wanted_are_counted_and_read_when_they_are(writer):
    log = RunLog(writer.path)
    writer.write(fake.run("r", {"lr": 1})).log(*({"a": n} for n in range(40)))
    assert log.poll(history=False) == 40
    assert (log.rows, log.facts.summary["a"], log.facts.config, log.keys) == (40, 39, {"lr": 1}, [])
    writer.log({"a": 40})
    assert log.poll(history=False) == 1
    assert log.poll() == 41
    assert log.since(39, ["a"]) == {"a": [(39, 39.0), (40, 40.0)]}
    writer.log({"a": 41})
    assert (log.poll(history=False), log.rows, log.generation) == (1, 42, 0)


def test_a_frame_may_be_written_to(writer):
    writer.log(*({"a": float(n)} for n in range(30)))
    log = RunLog(writer.path)
    log.poll()
    first, second = log.history(), log.history()
    first.loc[0, "a"] = 99.0
    first["a"] *= 2
    assert second["a"].iloc[0] == 0.0
    assert log.history()["a"].iloc[0] == 0.0
    del log
    second.iloc[1, second.columns.get_loc("a")] = 5.0
    assert first["a"].iloc[1] == 2.0


def test_media_are_listed_with_their_step(writer):
    for step in range(3):
        media = {"_type": "html-file", "path": f"media/{step}.html", "size": step}
        writer.log({"replays/link": media, "other": {"_type": "image-file", "path": "i.png"}})
    log = RunLog(writer.path)
    log.poll()
    found = log.media("html-file")
    assert [(one.step, one.key, one.path.name, one.value["size"]) for one in found] == [
        (step, "replays/link", f"{step}.html", step) for step in range(3)
    ]
    assert len(log.media()) == 6


def case(name):
    return OfflineStore(CASES / "data" / name)


def test_a_run_of_sdk_0_17_has_its_replays_and_nested_metrics():
    frame, origin = case("sdk-0.17.9").history("old2")
    assert (frame["nest.a"].dtype, frame["nest.a"].tolist()) == (np.float64, [float(n) for n in range(60)])
    assert "nest" not in frame
    assert (origin.rows, origin.complete, origin.damage) == (60, True, "")
    links = [(replay.step, replay.url) for replay in case("sdk-0.17.9").replays("old2")]
    assert links == [(step, "https://e.invalid/r.json.z") for step in (0, 20, 40)]
    polled = case("sdk-0.17.9").poll(["old2"], ["nest.a"])["old2"]
    assert polled.rows == {"nest.a": [(n, float(n)) for n in range(60)]}
    assert polled.info.summary["nest.a"] == 59


def test_a_dotted_and_a_nested_key_are_two_metrics():
    store = case("dotted-and-nested")
    frame, _ = store.history("dots")
    assert frame["a\\.b"].tolist() == [1.0] * 30
    assert frame["a.b"].tolist() == [2.0] * 30
    update = store.poll(["dots"], ["a.b", "a\\.b"])["dots"]
    assert {key: {value for _, value in points} for key, points in update.rows.items()} == {
        "a.b": {2.0},
        "a\\.b": {1.0},
    }
    assert (update.info.summary["a.b"], update.info.summary["a\\.b"]) == (2, 1)


def test_a_poller_drops_what_it_held_when_a_metric_gets_another_name(tmp_path):
    store = OfflineStore(tmp_path)
    writer = fake.offline_run(tmp_path, "r").log({"a.b": 1.0})
    first = store.poll(["r"], ["a.b"])["r"]
    assert first.rows == {"a.b": [(0, 1.0)]}
    writer.log({"a": {"b": 2.0}})
    second = store.poll(["r"], ["a.b", "a\\.b"], {"r": first.cursor})["r"]
    assert (second.reset, second.rows) == (True, {"a.b": [(1, 2.0)], "a\\.b": [(0, 1.0)]})
    assert OfflineStore(tmp_path).poll(["r"], ["a.b"], {"r": second.cursor})["r"].reset is False


def test_steps_beyond_two_to_53_are_exact_everywhere():
    steps = [*range(2**53 - 1, 2**53 + 4), 2**62]
    store = case("steps-beyond-2-53")
    frame, _ = store.history("bigstep", ["a"])
    assert (frame["_step"].dtype, frame["_step"].tolist()) == (np.int64, steps)
    update = store.poll(["bigstep"], ["a"])["bigstep"]
    assert [step for step, _ in update.rows["a"]] == steps
    assert update.info.summary["_step"] == 2**62
    points = {"a": [(step, 1.0) for step in steps]}
    assert frame_of(points)["_step"].tolist() == steps
    assert frame_of_rows([{"_step": step} for step in steps])["_step"].tolist() == steps


def test_a_metric_that_was_not_logged_is_no_column_and_is_named(tmp_path):
    fake.offline_run(tmp_path, "r").log({"loss": 1.0, "null": None}, {"rare": 2.0})
    frame, origin = OfflineStore(tmp_path).history("r", ["never", "loss", "null", "rare"])
    assert frame.columns.tolist() == ["_step", "_timestamp", "_runtime", "loss", "null", "rare"]
    assert origin.absent == ("never",)
    assert frame["null"].isna().all()
    [sampled] = fetch_metrics("r", keys=["never", "loss"], runs_dir=tmp_path).values()
    assert sampled.columns.tolist() == ["_step", "_timestamp", "_runtime", "loss"]
    assert sampled.attrs["origin"].absent == ("never",)
