"""Whole runs in their own processes: what is on disk, in W&B's files and in the exit code."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from experiments.project.errors import UsageError
from experiments.runs.offline.places import read_attempts
from experiments.runs.offline.store import OfflineStore
from experiments.trainer import checkpoint as checkpoints
from experiments.trainer.config import parse
from experiments.trainer.loop import run_folder
from experiments.trainer.training import Training

ROOT = Path(__file__).parents[2]
SMALL = (
    "trainer.num_envs=2",
    "trainer.log_interval=768",
    "trainer.evaluation.maps=1",
    "trainer.curriculum=arena/basic",
)
ONE_UPDATE = 2 * 12 * 32


def environment(**more):
    return os.environ | {"WANDB_MODE": "offline", "WANDB_X_TRANSACTION_LOG_FLUSH_INTERVAL": "1", **more}


def command(*arguments):
    return [sys.executable, "-P", "-m", "experiments.trainer", *arguments]


def train(*arguments, **more):
    return subprocess.run(
        command(*arguments),
        cwd=ROOT,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def history(runs, name="r"):
    store = OfflineStore(runs)
    frame, _ = store.history(name)
    return store, frame


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A short run to its end: (runs folder, arguments, what the process printed)."""
    runs = tmp_path_factory.mktemp("runs")
    arguments = ("run=r", f"run_dir={runs / 'r'}", "trainer.total_timesteps=7000", *SMALL, "trainer.evaluation.count=2")
    arguments += ("trainer.replays.count=2", "wandb.tags=a,b")
    # The environment of this fixture is the developer's: conftest cleans it for tests only.
    return runs, arguments, train(*arguments, WANDB_ERROR_REPORTING="false", WANDB_SILENT="true")


def test_a_run_ends_well_and_says_how_far_it_is(finished):
    _, _, done = finished
    assert (done.returncode, done.stderr) == (0, "")
    first, *_, last = done.stdout.splitlines()
    assert first == "r: env/mettagrid/curriculum/arena/basic, seed 0, 7,000 agent-steps, W&B offline"
    assert re.search(r"7,\d+ of 7,000 agent-steps 100% .* SPS .*held-out \d", last)


def test_the_metrics_are_in_wandbs_file(finished):
    runs, _, _ = finished
    store, frame = history(runs)
    assert frame["_step"].tolist() == list(range(0, 7681, ONE_UPDATE))
    assert (frame["metric/agent_step"] == frame["_step"]).all()
    losses = ["policy_loss", "value_loss", "entropy", "explained_variance"]
    assert frame.loc[1:, ["overview/sps", *(f"losses/{name}" for name in losses)]].notna().all().all()
    assert frame["overview/reward"].notna().any()
    evaluated = frame.dropna(subset="eval/reward")
    assert len(evaluated) == 3
    assert evaluated["eval/random_reward"].nunique() == 1
    assert store.log("r").facts.config["trainer"]["total_timesteps"] == 7000


def test_replays_of_saved_checkpoints_are_files_and_links(finished):
    runs, _, _ = finished
    names = sorted(path.name for path in (runs / "r" / "replays").iterdir())
    assert names == ["step_0.json.z", "step_3840.json.z", "step_7680.json.z"]
    [stored] = (runs / "r" / "wandb").glob("offline-run-*/files/replays")
    assert all((stored / name).samefile(runs / "r" / "replays" / name) for name in names)
    [media] = (runs / "r" / "wandb").glob("offline-run-*/files/media/html/replays")
    linked = {path.name.split("_")[1]: path.read_text() for path in media.iterdir()}
    assert linked.keys() == {"0", "3840", "7680"}
    assert 'href="replays/step_3840.json.z"' in linked["3840"]
    assert [replay.step for replay in OfflineStore(runs).replays("r")] == [0, 3840, 7680]


def test_a_finished_run_says_so_and_trains_no_more(finished):
    runs, arguments, _ = finished
    before = sorted((runs / "r").rglob("*"))
    done = train(*arguments)
    assert done.returncode == 0
    assert "run 'r' is finished: 7,680 agent-steps of 7,000" in done.stdout
    assert sorted((runs / "r").rglob("*")) == before


@pytest.mark.parametrize(
    ("argument", "problem"), [("seed=1", "seed=0, not 1"), ("trainer.hidden_size=8", "trainer.hidden_size=64, not 8")]
)
def test_a_folder_with_another_run_is_refused(finished, argument, problem):
    _, arguments, _ = finished
    done = train(*arguments, argument)
    assert done.returncode == 2
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


def start(*arguments, until="agent-steps", **more):
    """Start a run and return its process once a line of its output holds `until`."""
    process = subprocess.Popen(
        command(*arguments),
        cwd=ROOT,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while until not in process.stdout.readline():
        assert process.poll() is None, process.communicate()
    return process


def end(process, number):
    """Send a signal and return the exit code and what was printed after `start`."""
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    return process.returncode, output + errors


ENDLESS = (*SMALL, "trainer.evaluation.count=0", "trainer.replays.count=0", "trainer.total_timesteps=1e8")


def test_a_terminated_run_is_saved_closed_and_continued(tmp_path):
    folder = {"EXPERIMENTS_RUN_DIR": str(tmp_path / "r")}
    code, output = end(start("run=r", *ENDLESS, until="SPS", **folder), signal.SIGTERM)
    assert code == 143
    stopped = checkpoints.newest(tmp_path / "r" / "checkpoints", pytest.fail).agent_step
    assert f"stopped at agent-step {stopped:,}" in output
    store, frame = history(tmp_path)
    assert store.log("r").facts.exit_code == 143
    assert frame["_step"].iloc[-1] == stopped > 0

    done = train("run=r", *ENDLESS[:-1], f"trainer.total_timesteps={stopped + 2000}", **folder)
    assert done.returncode == 0
    assert f"continuing at agent-step {stopped:,}" in done.stdout
    store, frame = history(tmp_path)
    assert not store.log("r").damage
    assert frame["_step"].is_monotonic_increasing
    assert frame["_step"].is_unique
    assert frame["metric/agent_step"].iloc[-1] == stopped + 3 * ONE_UPDATE


@pytest.mark.slow
def test_a_killed_run_goes_on_from_its_checkpoint_and_its_curve_counts_each_step_once(tmp_path):
    arguments = (f"run_dir={tmp_path / 'r'}", *ENDLESS[:-1], "trainer.checkpoint.interval=0.2")
    process = start("run=r", *arguments, "trainer.total_timesteps=1e8")
    while not (checkpoints.saved(tmp_path / "r" / "checkpoints") and len(history(tmp_path)[1])):
        assert process.poll() is None
        time.sleep(0.05)
    assert end(process, signal.SIGKILL)[0] == -signal.SIGKILL
    # W&B's file lies behind the trainer: the goal must lie beyond both, or there is nothing left to train.
    saved = checkpoints.newest(tmp_path / "r" / "checkpoints", pytest.fail).agent_step
    goal = max(saved, int(history(tmp_path)[1]["_step"].iloc[-1])) + 2000
    done = train("run=r", *arguments, f"trainer.total_timesteps={goal}")
    assert done.returncode == 0, done.stderr
    store, frame = history(tmp_path)
    first, second = read_attempts(tmp_path / "r")
    assert (first.step, f"continuing at agent-step {second.step:,}" in done.stdout) == (0, True)
    assert [piece.log.first_step > second.step for piece in store.log("r").pieces] == [False, True]
    # Whether the kill fell into the writing of a record is chance; nothing else may be damaged.
    assert re.fullmatch(r"(offline-run-\S+-r: its last record is cut)?", store.log("r").damage)
    assert frame["_step"].is_monotonic_increasing
    assert frame["_step"].is_unique
    assert (frame["metric/agent_step"] == frame["_step"]).all()
    assert frame["_step"].iloc[-1] >= goal


@pytest.mark.slow
def test_an_evaluation_that_was_cut_short_is_made_up_for(tmp_path):
    arguments = ("run=r", f"run_dir={tmp_path / 'r'}", *SMALL[:2], "trainer.curriculum=arena/basic")
    arguments += ("trainer.replays.count=0", "trainer.evaluation.count=1", "trainer.total_timesteps=700")
    code, output = end(start(*arguments, "trainer.evaluation.maps=400"), signal.SIGTERM)
    assert (code, "stopped at agent-step 0" in output) == (143, True)
    assert train(*arguments, "trainer.evaluation.maps=1").returncode == 0
    _, frame = history(tmp_path)
    assert frame["_step"].tolist() == [0, ONE_UPDATE]
    assert frame["eval/reward"].notna().all()


def test_control_c_ends_with_130_and_a_checkpoint(tmp_path):
    process = start("run=r", f"run_dir={tmp_path}", "wandb.mode=disabled", *ENDLESS)
    assert end(process, signal.SIGINT)[0] == 130
    assert checkpoints.newest(tmp_path / "checkpoints", pytest.fail) is not None


def test_a_diverging_run_fails_and_keeps_the_checkpoint_from_before(tmp_path):
    done = train("run=r", f"run_dir={tmp_path}", "wandb.mode=disabled", *SMALL, "trainer.ppo.vf_coef=1e300")
    assert done.returncode == 1
    assert re.match(r"error: training diverged at agent-step 768: .*value_loss.* not finite", done.stderr)
    assert "Traceback" not in done.stderr
    kept = checkpoints.newest(tmp_path / "checkpoints", pytest.fail)
    assert kept.agent_step == 0
    assert all(np.isfinite(array).all() for array in kept.group("policy").values())


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--help"], 0, ""),
        ([], 2, ""),
        (["run=r", "trainer.curriculum=env/mettagrid/my_curriculum"], 2, "unknown curriculum"),
        (["run=r", "speed=1"], 2, "unknown key 'speed'. Nearest: seed"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, code, text):
    done = train(*arguments)
    assert done.returncode == code
    assert text in done.stderr
    assert done.stderr.count("\n") == (1 if text else 0)


def test_a_folder_that_cannot_be_made_is_named():
    with pytest.raises(UsageError, match="run_dir '/dev/null/r' cannot be made"):
        run_folder(parse(["run=r", "run_dir=/dev/null/r"]))


def test_runs_started_by_hand_go_to_the_projects_state_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPERIMENTS_HOME", str(tmp_path))
    assert run_folder(parse(["run=r"])) == tmp_path / "runs" / "r"


CURVE = """
import json, pathlib, sys
from experiments.trainer.config import parse
from experiments.trainer.loop import run_folder
from experiments.trainer.training import Training
training = Training(parse(sys.argv[1:]), pathlib.Path(), lambda: None)
training.start_episodes()
rows = [training.evaluate()]
for _ in range(6):
    training.advance()
    rows.append(training.metrics())
print(json.dumps([*rows, training.evaluate()]))
"""


def curve(seed):
    arguments = ("run=r", f"seed={seed}", *SMALL[:-1])
    environ = environment(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    return subprocess.check_output([sys.executable, "-P", "-c", CURVE, *arguments], cwd=ROOT, env=environ)


def test_the_same_seed_gives_the_same_curve_to_the_last_bit():
    assert curve(3) == curve(3) != curve(4)


def test_a_saved_state_is_taken_up_exactly(tmp_path):
    arguments = parse(("run=r", *SMALL))
    first = Training(arguments, tmp_path, lambda: None)
    first.start_episodes()
    first.advance()
    first.save()
    second = Training(arguments, tmp_path, lambda: None)
    second.resume(checkpoints.newest(tmp_path / "checkpoints", pytest.fail))
    assert second.agent_step == first.agent_step == ONE_UPDATE
    assert second.evaluate() == first.evaluate()
    for training in (first, second):
        training.start_episodes()
        training.advance()
    assert second.evaluate() == first.evaluate()


def test_a_run_goes_on_from_the_checkpoint_that_was_asked_for_and_names_those_there_are(tmp_path):
    first = Training(parse(("run=first", *SMALL)), tmp_path / "first", lambda: None)
    first.start_episodes()
    for _ in range(2):
        first.advance()
        first.save()
    fork = ("run=fork", *SMALL, "trainer.resume_from=first", f"trainer.total_timesteps={2 * ONE_UPDATE}")
    asked = train(*fork, f"trainer.resume_step={ONE_UPDATE}", f"run_dir={tmp_path / 'fork'}")
    assert asked.returncode == 0
    assert f"continuing at agent-step {ONE_UPDATE:,}" in asked.stdout
    refused = train(*fork, "trainer.resume_step=7", f"run_dir={tmp_path / 'other'}")
    assert refused.returncode == 2
    assert f"no checkpoint at agent-step 7. It has: {ONE_UPDATE:,}, {2 * ONE_UPDATE:,}" in refused.stderr


@pytest.mark.slow
def test_it_learns(tmp_path):
    arguments = ("run=r", f"run_dir={tmp_path / 'r'}", "trainer.curriculum=arena/basic", "trainer.total_timesteps=6e5")
    done = train(*arguments, "trainer.evaluation.count=1", "trainer.replays.count=0")
    assert done.returncode == 0
    _, frame = history(tmp_path)
    last = frame.iloc[-1]
    assert last["eval/reward"] > 4 * last["eval/random_reward"]
