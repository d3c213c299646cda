"""The recipes for trainers that know nothing of us, each launched and followed to its end: states, curves, verdict."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.jobs.journal import Journal, Rule
from experiments.notebooks.data_cells import read_jobs
from experiments.results.frames import metrics_frame
from experiments.results.scores import scored_runs, summary_of
from experiments.results.verdict import judge
from experiments.runs.offline.store import OfflineStore
from tests.fakes.answers import data_in
from tests.fakes.wandb_server import FakeWandb

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "experiments" / "recipes" / "examples"
RECIPES = sorted(path for path in EXAMPLES.glob("*.py") if path.name != "__init__.py")


class Place:
    """A project of its own with the examples in it."""

    def __init__(self, root: Path, **more: str) -> None:
        self.root, self.state = root, root / ".experiments"
        shutil.copytree(EXAMPLES, root / "experiments" / "recipes" / "examples")
        (root / "pyproject.toml").write_text("[tool.experiments]\nmax_parallel = 3\n")
        self.environment = {**os.environ, "EXPERIMENTS_USER": "ada", "PYTHONPATH": str(ROOT), "WANDB_SILENT": "true"}
        self.environment |= more

    def run(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, *words], cwd=self.root, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def recipe(self, name: str, *words: str) -> str:
        return self.run(f"experiments/recipes/examples/{name}.py", *words)

    def command(self, *words: str, code: int = 0) -> str:
        return self.run("-m", "experiments.cli", *words, code=code)

    def ended(self, timeout_s: float = 150.0) -> list[dict]:
        """Return the status of every job once all have ended."""
        deadline = time.monotonic() + timeout_s
        while True:
            jobs = data_in(self.command("status", "--json"))["jobs"]
            if all(job["verdict"] in {"succeeded", "failed", "cancelled"} for job in jobs):
                return jobs
            assert time.monotonic() < deadline, jobs
            time.sleep(0.5)

    @property
    def store(self) -> OfflineStore:
        return OfflineStore(self.state / "runs")

    def refs(self, name: str):
        return read_jobs(self.root / "experiments" / "scratch" / f"{name}_nb.py")

    def verdict(self, name: str, metric: str, direction: str):
        rule = Rule(metric=metric, direction=direction, effect=0.0)
        runs = scored_runs(self.refs(name), metric, self.store, summary=summary_of(rule))
        return judge(Journal(hypothesis="the second arm is better", rule=rule), runs)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path, WANDB_MODE="offline", EXPERIMENTS_WANDB_MODE="offline")


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_an_example_is_forty_lines_at_most_and_shows_what_it_would_launch(place, recipe):
    assert len(recipe.read_text().splitlines()) <= 40
    if recipe.stem == "metta":
        (place.root / "tools").mkdir()
        shutil.copy(ROOT / "tests" / "fakes" / "metta_run.py", place.root / "tools" / "run.py")
    said = place.recipe(recipe.stem, "--dry-run")
    assert "Dry run: nothing was launched" in said
    assert "environment: " in said
    assert "WANDB_RUN_ID=ada." in said
    assert ("WANDB_ENABLED=true" in said) == (recipe.stem == "metta")
    assert ("note: Metta's trainer logs nothing where it cannot reach" in said) == (recipe.stem == "metta")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words", "arms", "metric", "direction", "step", "decision"),
    [
        ("plain", ["--vary", "learning_rate=0.0001,0.1"], 2, "score", "higher", "step", "confirmed"),
        ("hydra_style", [], 2, "loss", "lower", "trainer/step", "undecided"),
        (
            *("cleanrl_ppo", ["--vary", "learning_rate=0.000001,0.0025", "--total-timesteps", "15000"], 2),
            *("charts/episodic_return", "higher", "global_step", "confirmed"),
        ),
    ],
)
def test_an_example_goes_from_the_launch_to_a_verdict(place, name, words, arms, metric, direction, step, decision):
    place.recipe(name, "--seeds", "4", "--no-follow", *words)
    jobs = place.ended()
    assert [job["verdict"] for job in jobs] == ["succeeded"] * 4 * arms
    for job in jobs:
        assert job["keys"] | {"step": step, "reward": metric} == job["keys"]
        assert job["total_steps"] > 0
        assert job["step"] > 0.9 * job["total_steps"]
        assert job["reward"] is not None
        assert not {"step", "reward"} & set(job.get("found", ()))
        assert (place.state / "runs" / job["run_name"] / "train.log").exists()
    frame = metrics_frame(place.refs(name), metric, store=place.store)
    assert frame.attrs["axis"] == step
    assert frame["run"].nunique() == 4 * arms
    found = place.verdict(name, metric, direction)
    assert found.decision == decision, found.reason
    shown = place.command("show", jobs[0]["run_name"])
    assert f"reward {metric} (named by the trainer)" in shown
    listed = place.command("runs", "--json")
    assert len(data_in(listed)["runs"]) == 4 * arms
    place.recipe(name, "again", "--no-launch", "--runs", f"experiment={name}")
    assert {ref.metrics.primary for ref in place.refs("again")} == {metric}
    assert ("hills, as the script itself said" in shown) == (name == "plain")


@pytest.mark.slow
def test_arguments_behind_two_dashes_reach_a_hydra_program(place):
    place.recipe("hydra_style", "--seeds", "1", "--no-follow", "--", "optimizer=adam", "++optimizer.lr=0.5", "+tag=a b")
    assert [job["verdict"] for job in place.ended()] == ["succeeded", "succeeded"]
    [ref, *_] = place.refs("hydra_style")
    [info] = [info for info in place.store.find(_named(ref.run)) if info.name == ref.run]
    assert (info.config["optimizer"]["name"], info.config["optimizer"]["lr"]) == ("adam", 0.5)
    assert info.config["tag"] == "a b"


def _named(run):
    from experiments.runs.store import RunQuery

    return RunQuery(names=[run], limit=None)


def metta_in(place: Place) -> None:
    (place.root / "tools").mkdir()
    shutil.copy(ROOT / "tests" / "fakes" / "metta_run.py", place.root / "tools" / "run.py")


@pytest.mark.slow
def test_metta_is_launched_read_resumed_and_its_replays_are_found(tmp_path):
    with FakeWandb() as server:
        place = Place(tmp_path, **server.environment())
        metta_in(place)
        place.recipe("metta", "--seeds", "2", "--no-follow")
        jobs = place.ended()
        assert [job["verdict"] for job in jobs] == ["succeeded"] * 4, (
            place.state / "runs" / jobs[0]["run_name"] / "train.log"
        ).read_text()
        first = jobs[0]
        assert (first["step"], first["total_steps"]) == (1_000_000, 1_000_000)
        assert first["sps"] == 5_000.0
        replays = place.store.replays(first["run_name"])
        assert [(replay.step, replay.part, replay.name) for replay in replays] == [
            *((4, 0, "arena"), (4, 1, "maze"), (9, 0, "arena"), (9, 1, "maze")),
        ]
        assert replays[0].url == "https://softmax.example/500000-arena.json.z"
        assert server.runs  # it was logged there, under its own name
        folder = place.state / "runs" / first["run_name"]
        assert list((folder / first["run_name"] / "checkpoints").glob("policy_*.pt"))
        said = place.command("resume", first["run_name"], "--steps", "2000000")
        resumed = place.ended()[-1]
        assert (resumed["verdict"], resumed["step"]) == ("succeeded", 2_000_000), said
        shown = place.command("show", resumed["run_name"])
        assert f"initial_policy_uri={folder}/{first['run_name']}/checkpoints/policy_" in shown


@pytest.mark.slow
def test_a_script_that_logs_nothing_still_has_states_a_log_an_exit_code_and_a_time(tmp_path):
    place = Place(tmp_path, EXPERIMENTS_WANDB_MODE="offline", WANDB_BASE_URL="http://127.0.0.1:9")
    metta_in(place)
    place.recipe("metta", "--seeds", "1", "--no-follow", "--steps", "100")
    for job in place.ended():
        assert (job["verdict"], job["exit_code"], job["step"]) == ("succeeded", 0, None)
        assert job["ended_at"] > job["started_at"]
        assert "no run was tracked" in job["reason"]
        assert "W&B cannot be reached" in place.command("logs", job["run_name"])


@pytest.mark.slow
def test_where_a_script_logs_to_a_project_of_its_own_the_record_follows_its_files(tmp_path):
    with FakeWandb() as server:
        place = Place(tmp_path, **server.environment(), WANDB_PROJECT="told")
        place.recipe("plain", "--seeds", "1", "--no-follow", "--wandb-project", "asked")
        [job] = place.ended()
        assert {project for _, project, _ in server.runs} == {"hills"}
        assert (job["verdict"], job["tracker"], job["step"]) == ("succeeded", "finished", 299)
        assert "/hills, as the script itself said" in place.command("show", job["run_name"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "words", "said"),
    [
        ("online", 'mode="offline"', "offline, as the script itself said"),
        ("offline", 'mode="online"', "online, as the script itself said"),
        ("offline", 'project="hills", entity="others"', "others/hills, as the script itself said"),
        ("offline", "", ""),
    ],
)
def test_where_a_script_chooses_its_own_mode_or_entity_the_record_follows_its_files(tmp_path, asked, words, said):
    with FakeWandb() as server:
        own = server.environment() | {"WANDB_MODE": asked, "EXPERIMENTS_WANDB_MODE": asked}
        place = Place(tmp_path, **{name: value for name, value in own.items() if name != "WANDB_ENTITY"})
        script = place.root / "experiments" / "recipes" / "examples" / "scripts" / "plain.py"
        script.write_text(script.read_text().replace('project="hills"', words or "name=None"))
        place.recipe("plain", "--seeds", "1", "--no-follow")
        [job] = place.ended()
        assert (job["verdict"], job["tracker"], job["step"]) == ("succeeded", "finished", 299)
        assert bool(server.runs) == ("online" in (words or asked))
        shown = place.command("show", job["run_name"])
        assert ("as the script itself said" in shown) == bool(said)
        assert said in shown


TWICE = """
import argparse, os, subprocess, sys
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int)
parser.add_argument("--from", dest="start", type=int, default=-1)
args = parser.parse_args()
if args.start < 0:
    for start in (0, 3):  # killed at the sixth row, and gone on from the third
        subprocess.run([sys.executable, sys.argv[0], "--seed", str(args.seed), "--from", str(start)])
    raise SystemExit
import wandb
run = wandb.init(project="frames")
for frame in range(args.start, 9):
    run.log({"frames": 64 * frame, "gain": args.start + frame})
    if args.start == 0 and frame == 5:
        import time
        time.sleep(3)
        os._exit(1)
run.finish()
"""


@pytest.mark.slow
def test_a_run_that_was_killed_and_went_on_offline_has_each_step_of_its_own_counter_once(place):
    recipe = place.root / "experiments" / "recipes" / "examples" / "plain.py"
    (place.root / "twice.py").write_text(TWICE)
    text = recipe.read_text()
    for old, new in {
        "experiments/recipes/examples/scripts/plain.py": "twice.py",
        'step="step", primary="score", direction="higher", total="steps"': (
            'step="frames", primary="gain", direction="higher"'
        ),
        "float = Field(0.1, gt=0": "float | None = Field(None",
        "int = Field(300, ge=1": "int | None = Field(None",
    }.items():
        assert old in text
        text = text.replace(old, new)
    recipe.write_text(text)
    place.recipe("plain", "--seeds", "1", "--no-follow")
    [job] = place.ended()
    assert (job["verdict"], job["step"]) == ("succeeded", 512)
    assert len(list((place.state / "runs" / job["run_name"] / "wandb").glob("offline-run-*"))) == 2
    frame = metrics_frame(place.refs("plain"), "gain", store=place.store)
    assert frame["step"].tolist() == [64 * number for number in range(9)]
    assert frame["gain"].tolist() == [0, 1, 2, 6, 7, 8, 9, 10, 11]


@pytest.mark.slow
def test_a_script_that_ignores_its_seed_is_said_to(place):
    script = place.root / "experiments" / "recipes" / "examples" / "scripts" / "plain.py"
    script.write_text(script.read_text().replace("default_rng(args.seed)", "default_rng(7)"))
    place.recipe("plain", "--seeds", "2", "--no-follow")
    place.ended()
    notes = scored_runs(place.refs("plain"), "score", place.store).notes
    assert notes == ("seeds 0, 1 of baseline have the same values at every step: does the program use its seed?",)
