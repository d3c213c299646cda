"""The installed W&B writes, we read, and W&B's own inspector says the same, value by value."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.runs.offline.store import OfflineStore
from experiments.runs.wandb_file.log import RunLog

pytestmark = pytest.mark.slow

SCRIPT = """
import sys, wandb
run = wandb.init(project="p", id="canary", name="A name", group="g", notes="n1", tags=["t", "u"],
                 config={"a": {"b": 1, "c": [1, {"d": None}]}, "lr": 1e-3, "text": "x", "user": "ann"},
                 settings=wandb.Settings(console="redirect", x_stats_sampling_interval=1))
run.define_metric("best", summary="max")
print("hello world")
sys.stdout.write("\\rprogress 1"); sys.stdout.write("\\rprogress 22\\n"); sys.stdout.flush()
for i in range(60):
    run.log({"i": i, "f": 0.1 * i, "tiny": 1e-300 * i, "nan": float("nan"), "inf": float("inf"), "best": -i,
             "ninf": float("-inf"), "env/reward": i / 3, "d": {"x": i, "y": {"z": i * 2}}, "s": f"text {i}",
             "flag": i % 2 == 0, "none": None, "big": 2**60 + i, "list": [1, 2.5, "x"], "unicode \\u00fc": i})
run.log({"replays/link": wandb.Html('<a href="https://host/r.json.z">r</a>'), "h": wandb.Histogram([1, 2, 3])})
run.log({"late": 1}, step=500)
run.config.update({"added": 3, "lr": 0.5}, allow_val_change=True)
run.summary["manual"] = 7
run.tags = run.tags + ("v",)
run.notes = "n2"
run.finish(exit_code=int(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def runs_dir(tmp_path_factory):
    runs = tmp_path_factory.mktemp("canary") / "runs"
    folder = runs / "canary"
    folder.mkdir(parents=True)
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "WANDB_DIR": str(folder),
        "WANDB_MODE": "offline",
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_SILENT": "true",
    }
    subprocess.run([sys.executable, "-c", SCRIPT, "3"], env=env, cwd=folder, check=False, timeout=120)
    return runs


@pytest.fixture(scope="module")
def log(runs_dir):
    (path,) = (runs_dir / "canary" / "wandb").glob("offline-run-*/*.wandb")
    log = RunLog(path)
    log.poll()
    return log


@pytest.fixture(scope="module")
def theirs(log):
    command = [str(Path(sys.executable).with_name("wandb")), "leet", "inspect", "--json", str(log.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    found = {}
    for line in done.stdout.splitlines():
        record = json.loads(line)
        found.setdefault(record["type"], []).append(record[record["type"]])
    return found


def as_leet_prints(value):
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def test_every_value_of_every_row_is_the_same(log, theirs):
    ours = [{} for _ in range(log.rows)]
    for name, column in log._table.columns.items():
        for row, value in column.since(0):
            ours[row][name] = as_leet_prints(value)
    expected = [{key: value for key, value in row["item"].items() if value is not None} for row in theirs["history"]]
    assert len(ours) == 62
    assert ours == expected


def test_the_frame_holds_what_the_columns_hold(log, theirs):
    frame = log.history()
    assert frame["_step"].tolist() == [row["item"]["_step"] for row in theirs["history"]]
    assert frame["f"].dropna().tolist() == [0.1 * i for i in range(60)]
    assert frame["big"].dropna().tolist() == [2**60 + i for i in range(60)]
    assert frame["none"].isna().all()


def test_config_tags_notes_and_exit_are_the_same(log, theirs):
    last = theirs["run"][-1]
    assert log.facts.config == {key: value for key, value in last["config"]["update"].items() if key != "_wandb"}
    assert (list(log.facts.tags), log.facts.notes) == (last["tags"], last["notes"])
    assert (log.facts.display_name, log.facts.group) == (last["display_name"], last["run_group"])
    assert log.exit_code == theirs["exit"][0]["exit_code"] == 3


def test_the_summary_is_the_last_word_on_each_key(log, theirs):
    expected = {}
    for record in theirs["summary"]:
        expected.update(record.get("update", {}))
    expected = {key: value for key, value in expected.items() if not key.startswith("_wandb") and key != "best"}
    ours = {key: as_leet_prints(value) for key, value in log.facts.summary.items()}
    assert ours.pop("best.max") == 0
    assert ours == expected


def test_console_system_metrics_and_media_are_read(log, theirs):
    assert [line.text for line in log.console()] == ["hello world", "progress 22"]
    system = log.system_metrics()
    assert len(system) == len(theirs["stats"])
    assert system["proc.memory.rssMB"].tolist() == [row["item"]["proc.memory.rssMB"] for row in theirs["stats"]]
    (media,) = log.media("html-file")
    assert (media.step, media.key, media.path.is_file()) == (60, "replays/link", True)


def test_the_store_finds_the_run_and_its_replay_link(runs_dir):
    store = OfflineStore(runs_dir)
    (replay,) = store.replays("canary")
    assert replay.url == "https://host/r.json.z"
    assert store.poll(["canary"], ["env/reward"])["canary"].info.state == "failed"
