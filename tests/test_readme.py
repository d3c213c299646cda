"""Every command and code block of the README, run by uv in a copy of the checkout, as its reader would run them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from experiments.project.settings import load_settings
from tests.fakes.answers import data_in
from tests.fakes.checkout import pushed_copy
from tests.fakes.project import Project
from tests.fakes.skypilot import RUNNER

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAIN, SUITE = "pip install uv && uv run experiments/recipes/arena_experiment.py", "pip install uv && uv run pytest"
FENCED = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
QUICK_START, RECIPE, FRAME = (text for _, text in FENCED)
INDENTED = re.findall(r"(?m)^    (\S.*)$", re.sub(r"```.*?```", "", README, flags=re.DOTALL))
# In the table of commands the first column leaves out what all of them begin with.
ROWS = re.findall(r"(?m)^\| (`.*?) \|", README.split("## Commands")[1].split("\n## ")[0])
LISTED = [f"uv run experiments {text}" for row in ROWS for text in re.findall("`([^`]+)`", row)]
NAMED = [*LISTED, *re.findall(r"`(uv run (?!experiments`)[^`]+)`", README)]
TRAINER = (
    "{python} -P -m experiments.trainer run={run} trainer.curriculum={curriculum} seed={seed} "
    "trainer.total_timesteps=40000 trainer.evaluation.count=1 trainer.replays.count=1"
)
STUDY = "experiments/scratch/arena_nb.py"
# What each command of the README is given for its words in capitals, its exit code, and something that it says.
ENDING = {
    "uv run experiments status": (0, "succeeded"),
    "uv run experiments machine": (0, "at once"),
    "uv run experiments logs RUN": (0, "40,000 agent-steps"),
    "uv run experiments show RUN": (0, "command"),
    "uv run experiments verdict EXPERIMENT": (3, "No hypothesis was written"),
    "uv run experiments scores EXPERIMENT": (0, "higher is better"),
    "uv run experiments next": (0, "arena"),
    "uv run experiments failures": (0, "No run failed"),
    "uv run experiments wait EXPERIMENT": (0, "succeeded"),
    "uv run experiments compare A B": (0, "suggests and decides nothing"),
    "uv run experiments curve METRIC --runs EXPERIMENT/": (0, "agent steps"),
    "uv run experiments schema": (0, "additionalProperties"),
    "uv run experiments cancel RUN": (0, "had ended already"),
    "uv run experiments retry RUN": (0, "attempt 2"),
    "uv run experiments resume RUN --steps N": (0, "goes on as"),
    "uv run experiments reproduce RUN": (0, "identical"),
    "uv run experiments bundle EXPERIMENT": (0, "sha256 of what is in it"),
    "uv run experiments controls": (0, "No control is kept here"),
    "uv run experiments note RUN TEXT": (0, "noted"),
    "uv run experiments tag TAG RUN": (0, "1 job tagged 'arena'"),
    "uv run experiments untag TAG RUN": (0, "1 job"),
    "uv run experiments archive EXPERIMENT": (0, "archived; see them"),
    "uv run experiments unarchive EXPERIMENT": (0, "no longer archived"),
    "uv run experiments protect RUN": (0, "1 job protected"),
    "uv run experiments unprotect RUN": (0, "1 job no longer protected"),
    "uv run experiments diff A B": (0, "settings"),
    "uv run experiments sweep EXPERIMENT": (2, "experiment 'arena' has no search"),
    "uv run experiments step": (0, "Nothing goes on by itself"),
    "uv run experiments budget": (0, "No budget was granted"),
    "uv run experiments pool": (0, "No pool"),
    "uv run experiments permit list": (0, "No permit was granted"),
    "uv run experiments accept EXPERIMENT": (2, "no criterion was recorded when 'arena' was launched"),
    "uv run experiments record NOTEBOOK": (0, "Nothing to add|added to"),
    "uv run experiments runs --tag TAG": (0, "finished"),
    "uv run experiments sync": (1, "wandb login"),
    "uv run experiments pull --all": (0, "No run of this project has a folder in"),
    "uv run experiments export NOTEBOOK": (0, r"experiments/log/arena\.html"),
    "uv run experiments eval RUN": (0, "held-out episodes"),
    "uv run experiments replay inspect FILE": (0, "agents"),
    "uv run experiments new NAME": (0, "my_study"),
    "uv run experiments gc": (0, "Nothing was deleted"),
    "uv run experiments doctor": (0, "uv"),
    "uv run experiments mcp": (0, ""),  # nobody asks it anything, so it says nothing
    "uv run experiments skill": (0, "name: experiments"),
    "uv run wandb login": (1, "No API key"),
}
SERVING = {
    "uv run marimo edit experiments/scratch/arena_nb.py": "http://",
    "uv run marimo run apps/fleet.py": "http://",
    "uv run experiments serve": "Serving .* at http://",
}


def test_every_command_and_block_of_the_readme_is_run_here():
    assert [language for language, _ in FENCED] == ["bash", "python", "python"]
    assert set(NAMED) == set(ENDING) | set(SERVING)
    settings = [line for line in INDENTED if line.startswith("export ")]
    assert [line for line in INDENTED if line not in settings] == [
        MAIN,
        SUITE,
        "uv run experiments/recipes/arena_experiment.py --launcher skypilot --gpus 4",
    ]
    assert len(settings) == 2


def test_the_suites_own_command_is_taken_from_the_readme_by_ci():
    assert f"    {SUITE}" in README.splitlines()[:20]
    assert r"^    \(pip install uv && .*\)$" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_recipe_plans_what_it_says(tmp_path):
    project = Project(tmp_path)
    project.recipe.write_text(RECIPE)
    said = project.run("--dry-run", "--vary", "learning_rate=0.001,0.003", "--seeds", "2").stdout
    assert "4 jobs of my_experiment" in said
    assert "trainer.optimizer.learning_rate 0.003" in said


def test_the_alert_command_is_a_program_and_its_argument(tmp_path, monkeypatch):
    line = next(line for line in INDENTED if "ALERT_COMMAND" in line)
    name, _, value = shlex.split(line)[1].partition("=")
    monkeypatch.setenv(name, value)
    assert load_settings(tmp_path).alert_command == ("/home/me/bin/notify", "lab")


class Reader:
    """Somebody who has cloned the repository and types what the README says."""

    def __init__(self, folder: Path) -> None:
        self.folder = pushed_copy(folder / "copy")
        (folder / "home").mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("EXPERIMENTS_", "WANDB_"))}
        kept.pop("VIRTUAL_ENV", None)
        kept.pop("PYTHONPATH", None)
        self.environment = {
            **kept,
            "HOME": str(folder / "home"),
            "BROWSER": "true",
            "CI": "true",
            "UV_CACHE_DIR": subprocess.run(["uv", "cache", "dir"], capture_output=True, text=True).stdout.strip(),
            "WANDB_ERROR_REPORTING": "false",
            "EXPERIMENTS_USER": "ada",
            "EXPERIMENTS_TRAIN_COMMAND": TRAINER,
            "EXPERIMENTS_SKY_PYTHON": shlex.join([sys.executable, str(RUNNER)]),
            "EXPERIMENTS_RUN_ROOT": str(folder / "shared"),
            "FAKE_SKY_DIR": str(folder / "sky"),
            "SKYPILOT_API_SERVER_ENDPOINT": "http://fake:1",
        }

    def types(self, text: str, code: int = 0, **environment: str) -> str:
        """Run the text in a shell; return all that it printed."""
        done = subprocess.run(
            ["bash", "-e", "-c", text], cwd=self.folder, env={**self.environment, **environment}, timeout=600,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert done.returncode == code, done.stdout
        assert "Traceback" not in done.stdout, done.stdout
        return done.stdout

    def runs(self) -> list[str]:
        """Return the names of the local runs once all have ended, oldest first."""
        end = time.monotonic() + 240
        while True:
            rows = data_in(self.types("uv run --quiet experiments status --json"))["jobs"]
            local = [row for row in rows if row["launcher"] == "local"]
            if not {"pending", "running"} & {row["verdict"] for row in local}:
                return [row["run_name"] for row in local]
            assert time.monotonic() < end, rows
            time.sleep(1)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reader")
    found = Reader(folder)
    (folder / "sky").mkdir()
    (folder / "shared").mkdir()
    # The quick start names jobs 2979 and 2980, so that many were launched there before.
    older = (json.dumps({"id": number, "name": "older", "envs": {}}) for number in range(1, 2979))
    (folder / "sky" / "jobs").write_text("\n".join(older) + "\n")
    yield found
    for process in psutil.process_iter(["cmdline"]):
        if str(folder) in " ".join(process.info["cmdline"] or []):
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def words(reader):
    """Launch what the README launches first; return what stands for its words in capitals."""
    assert "Notebook: experiments/scratch/arena_nb.py" in reader.types(MAIN)
    reader.types("uv run experiments/recipes/arena_experiment.py other --curriculum arena/basic")
    names = reader.runs()
    first, second = (next(name for name in names if f".{experiment}." in name) for experiment in ("arena", "other"))
    [replay, *_] = sorted((reader.folder / ".experiments" / "runs" / first / "replays").glob("*.json.z"))
    given = {
        "RUN": first,
        "N": "60000",
        "A": first,
        "B": second,
        "TEXT": "'a note'",
        "TAG": "arena",
        "NAME": "my_study",
        "EXPERIMENT": "arena",
    }
    return {**given, "NOTEBOOK": STUDY, "FILE": str(replay), "METRIC": "overview/reward"}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_quick_start_runs_word_for_word(reader):
    names = reader.folder.parent / "sky" / "jobs"
    sky = "uv run experiments/recipes/arena_experiment.py sky --launcher skypilot --gpus 4 --seeds 2 --yes --wait"
    reader.types(sky, EXPERIMENTS_SKY_ACCELERATOR="H100")
    assert [json.loads(line)["id"] for line in names.read_text().splitlines()[-2:]] == [2979, 2980]
    said = reader.types(QUICK_START, EXPERIMENTS_SKY_ACCELERATOR="H100")
    assert said.count("Open at:  http://127.0.0.1:") == 2
    assert "my_arena.baseline" in said
    for process in re.findall(r"end it with: kill (\d+)", said):
        os.kill(int(process), signal.SIGTERM)
    for notebook in ("arena", "my_arena", "analysis"):
        assert (reader.folder / "experiments" / "scratch" / f"{notebook}_nb.py").is_file()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_metrics_of_an_experiment_are_one_frame(reader, words):
    (reader.folder / "frame.py").write_text(FRAME)
    said = reader.types("uv run --quiet python frame.py")
    assert re.search(r"(?m)^baseline +0 +-?\d", said), said
    # Where the quick start's run has ended by now, the main command's is the next repeat.
    assert re.search(r"of ([12]) of \1 runs?, complete agent steps", said), said


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("text", ENDING)
def test_a_command_does_what_the_readme_says(reader, words, text):
    code, says = ENDING[text]
    line = re.sub(r"\b[A-Z]+\b", lambda found: words[found[0]], text)
    assert re.search(says, reader.types(line, code))


@pytest.mark.slow
@pytest.mark.parametrize("text", SERVING)
def test_a_server_of_the_readme_comes_up(reader, words, text):
    with (reader.folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            text.split(), cwd=reader.folder, env=reader.environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        end = time.monotonic() + 90
        while not re.search(SERVING[text], (reader.folder / "server.log").read_text()):
            assert process.poll() is None, (reader.folder / "server.log").read_text()
            assert time.monotonic() < end
            time.sleep(0.2)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


@pytest.mark.slow
def test_a_launch_on_a_cluster_shows_its_task_and_asks_first(reader):
    settings = next(line for line in INDENTED if "SKY_INFRA" in line)
    said = reader.types(f"{settings}\n{INDENTED[-1]}", code=1)
    assert "infra: slurm/mycluster" in said
    assert 'accelerators: "H100:4"' in said
    assert "--yes" in said
