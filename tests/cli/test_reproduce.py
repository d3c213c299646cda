"""The command that runs something once more, with our own trainer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.answers import data_in
from tests.fakes.project import Project, jobs_of
from tests.fakes.trained import SMALL, git, train, trained_project
from tests.fakes.waiting import wait_until
from tests.faults.processes import strays

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "first"
    folder.mkdir()
    return trained_project(folder)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Return a project with one run, that run, and a copy of all of it."""
    patch = pytest.MonkeyPatch()
    cache = str(tmp_path_factory.getbasetemp() / "cache")
    quiet = {"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}
    for name, value in {**quiet, "EXPERIMENTS_USER": "tester", "EXPERIMENTS_CACHE": cache}.items():
        patch.setenv(name, value)
    folder = tmp_path_factory.mktemp("trained") / "first"
    folder.mkdir()
    project = trained_project(folder)
    [original] = train(project)
    patch.undo()
    wait_until(lambda: strays(folder) == [])
    copy = folder.with_name("kept")
    shutil.copytree(folder, copy, symlinks=True)
    return project, original, copy


@pytest.fixture
def trained(kept):
    """Return the project and its run, as they were when it had ended and where they were then."""
    project, original, copy = kept
    wait_until(lambda: strays(project.root) == [])
    shutil.rmtree(project.root)
    shutil.copytree(copy, project.root, symlinks=True)
    return project, original


def test_a_run_is_done_once_more_and_is_identical_and_counts_as_no_seed(trained):
    project, original = trained
    done = project.command("reproduce", original.run_name, "--json")
    answer = data_in(done.stdout)
    assert answer["verdict"] == "identical"
    [again] = [job for job in jobs_of(project) if job.role == "reproduction"]
    assert (again.parent, again.arm, again.seed) == (original.run_name, original.arm, original.seed)
    assert not again.counts
    assert answer["runs"][0]["reproduction"] == again.run_name


def test_what_was_reproduced_is_compared_again_without_a_launch_unless_asked(trained):
    project, original = trained
    project.command("reproduce", original.run_name)
    said = project.command("reproduce", original.run_name).stdout
    assert "identical: 2 checkpoints" in said
    assert "Launched" not in said
    assert len(jobs_of(project)) == 2
    project.command("reproduce", original.run_name, "--again")
    assert [job.role for job in jobs_of(project)] == ["seed", "reproduction", "reproduction"]


def test_an_experiment_has_a_line_for_each_run_replicates_among_them_and_one_for_all(project):
    train(project, "--seeds", "1", "--same-seed", "2")
    said = project.command("reproduce", "study/").stdout
    assert said.count(": identical: 2 checkpoints") == 2
    assert "2 of 2 runs identical" in said
    assert len([job for job in jobs_of(project) if job.role == "reproduction"]) == 2


def test_a_checkpoint_that_is_gone_is_never_identical(trained):
    project, original = trained
    shutil.rmtree(project.state / "runs" / original.run_name / "checkpoints")
    said = project.command("reproduce", original.run_name, code=2).stdout
    assert "not known: the original has no checkpoint step_0.npz" in said


def test_a_check_starts_nothing_and_says_what_is_there(trained):
    project, original = trained
    said = project.command("reproduce", original.run_name, "--check").stdout
    assert "can be run again" in said
    assert "checkpoints  there      2 files" in said
    assert len(jobs_of(project)) == 1
    shutil.rmtree(project.state / "runs" / original.run_name / "checkpoints")
    assert "none to compare with" in project.command("reproduce", original.run_name, "--check").stdout


def test_a_resumed_run_begins_where_its_original_began(trained):
    project, first = trained
    project.command("resume", first.run_name, "--steps", "3000")
    resumed = jobs_of(project)[-1]
    project.command("logs", "-f", resumed.run_name)
    answer = data_in(project.command("reproduce", resumed.run_name, "--json").stdout)
    assert answer["verdict"] == "identical"
    shutil.rmtree(project.state / "runs" / first.run_name / "checkpoints")
    said = project.command("reproduce", resumed.run_name, "--check", code=2).stdout
    assert "beginning" in said
    assert "has none any more" in said
    assert "has none any more" in project.command("reproduce", resumed.run_name, "--again", code=1).stderr


DICE = """
import os
import sys
from experiments.trainer.__main__ import main
rate = 0.001 + os.urandom(1)[0] / 1000
sys.exit(main([*sys.argv[1:], f"trainer.optimizer.learning_rate={rate}"]))
"""


def test_a_trainer_that_throws_dice_differs_and_nothing_recorded_but_its_setting_explains_it(project):
    (project.root / "dice.py").write_text(DICE)
    words = ("{python}", "dice.py", "run={run}", "trainer.curriculum={curriculum}", "seed={seed}", *SMALL)
    rolled = {"EXPERIMENTS_TRAIN_COMMAND": " ".join(words)}
    [original] = train(project, environment=rolled)
    done = project.command("reproduce", original.run_name, code=2)
    assert f"{original.run_name}: differs: first at step 768 in losses/" in done.stdout
    assert "1 seed and no seed run twice, so no spread is known; --same-seed 3 measures it" in done.stdout
    assert "most likely because the setting trainer.optimizer.learning_rate differs" in done.stdout
    several = train(project, "more", "--same-seed", "3", environment=rolled)
    done = project.command("reproduce", several[0].run_name, "--json", code=None)
    [run] = data_in(done.stdout)["runs"]
    assert "pooled over 3 runs of 1 seed" in run["noise"]["method"]
    assert done.returncode == {"within noise": 1, "differs": 2}[run["verdict"]]


def test_a_fork_begins_at_its_own_checkpoint_though_its_parent_has_later_ones(trained):
    project, first = trained
    project.command("resume", first.run_name, "--from", "0")
    fork = jobs_of(project)[-1]
    project.command("logs", "-f", fork.run_name)
    answer = data_in(project.command("reproduce", fork.run_name, "--json").stdout)
    assert answer["verdict"] == "identical"
    assert jobs_of(project)[-1].parent == fork.run_name


def test_in_a_fresh_clone_the_runs_of_the_first_folder_come_back(trained, tmp_path):
    project, first = trained
    project.command("resume", first.run_name, "--steps", "3000")
    resumed = jobs_of(project)[-1]
    project.command("logs", "-f", resumed.run_name)
    git(tmp_path, "clone", "-q", str(project.root), "second")
    clone = Project.__new__(Project)
    clone.root, clone.recipe, clone.state = tmp_path / "second", tmp_path / "second" / "study.py", None
    clone.state = clone.root / ".experiments"
    answer = data_in(clone.command("reproduce", "study/", "--from", str(project.root), "--json").stdout)
    assert [run["verdict"] for run in answer["runs"]] == ["identical", "identical"]


def test_what_cannot_be_reproduced_is_refused_with_the_next_command(trained):
    project, original = trained
    assert "neither a run" in project.command("reproduce", "nothing", code=2).stderr
    project.command("reproduce", original.run_name)
    again = jobs_of(project)[-1].run_name
    said = project.command("reproduce", again, code=2).stderr
    assert f"experiments reproduce {original.run_name}" in said
    assert "is no project with runs" in project.command("reproduce", "x", "--from", "/", code=2).stderr


OWN_TRAINER = """
import sys
from experiments.trainer.__main__ import main
from needed import RATE
sys.exit(main([*sys.argv[1:], f"trainer.optimizer.learning_rate={RATE}"]))
"""


def test_what_is_edited_or_gone_meanwhile_changes_no_reproduction(project):
    (project.root / "needed.py").write_text("RATE = 0.002\n")
    (project.root / "own_trainer.py").write_text(OWN_TRAINER)
    words = ("{python}", "own_trainer.py", "run={run}", "trainer.curriculum={curriculum}", "seed={seed}", *SMALL)
    [original] = train(project, environment={"EXPERIMENTS_TRAIN_COMMAND": " ".join(words)})
    (project.root / "needed.py").write_text("RATE = 0.02\n")
    (project.root / "own_trainer.py").unlink()
    project.recipe.write_text("raise SystemExit\n")
    answer = data_in(project.command("reproduce", original.run_name, "--json").stdout)
    assert (answer["verdict"], answer["runs"][0]["explanations"]) == ("identical", [])


def test_two_calls_at_once_launch_one_reproduction_and_both_compare_it(trained):
    project, original = trained
    command = [sys.executable, "-m", "experiments.cli", "reproduce", original.run_name, "--json"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    calls = [
        subprocess.Popen(command, cwd=project.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(2)
    ]
    answers = [data_in(call.communicate(timeout=120)[0]) for call in calls]
    assert [answer["verdict"] for answer in answers] == ["identical", "identical"]
    assert len([job for job in jobs_of(project) if job.role == "reproduction"]) == 1


def test_a_snapshot_that_was_pruned_is_said_before_anything_starts(trained):
    project, original = trained
    [ref] = git(project.root, "for-each-ref", "--format=%(refname)", "refs/experiments/").split()
    git(project.root, "update-ref", "-d", ref)
    git(project.root, "gc", "--prune=now", "-q")
    said = project.command("reproduce", original.run_name, "--check", code=2).stdout
    assert "cannot be run again" in said
    assert "is gone" in said
    project.command("reproduce", original.run_name, code=1)
    assert len(jobs_of(project)) == 1


def test_a_checkout_that_somebody_edited_is_said_and_never_used(trained):
    project, original = trained
    [source] = (project.state / "code").glob("*/tree/study.py")
    source.chmod(0o644)
    source.write_text("x = 1\n")
    assert "study.py" in project.command("reproduce", original.run_name, "--check", code=2).stdout
    assert "study.py" in project.command("reproduce", original.run_name, code=1).stderr
    assert len(jobs_of(project)) == 1


def test_a_folder_that_trainers_read_and_no_snapshot_has_is_looked_for_in_a_check(project):
    (project.root / ".gitignore").write_text(".experiments/\n__pycache__/\ndata/\n")
    config = project.root / "pyproject.toml"
    config.write_text(config.read_text().replace("[tool.experiments]", '[tool.experiments]\nsnapshot_links = ["data"]'))
    (project.root / "data").mkdir()
    [original] = train(project)
    assert "can be run again" in project.command("reproduce", original.run_name, "--check").stdout
    (project.root / "data").rmdir()
    said = project.command("reproduce", original.run_name, "--check", code=2).stdout
    assert "data is not here" in said


def test_a_run_in_place_is_run_with_what_lies_here_and_says_so(project):
    [original] = train(project, "--in-place")
    assert "not known  " in project.command("reproduce", original.run_name, "--check").stdout
    done = project.command("reproduce", original.run_name)
    assert "no snapshot of its code is kept" in done.stdout


def test_a_run_with_another_kernel_is_reproduced_with_that_kernel(project):
    [original] = train(project, environment={"OPENBLAS_CORETYPE": "Haswell"})
    answer = data_in(project.command("reproduce", original.run_name, "--json").stdout)
    assert answer["verdict"] == "identical"


OF_A_PACKAGE = """\
import os, pathlib, six, wandb
run = wandb.init()
for step in range(3):
    wandb.log({"metric/agent_step": step, "overview/reward": step * float(six.__version__[2:4])})
wandb.finish()
"""


def test_a_package_of_another_version_is_made_again_or_named_and_its_numbers_are_never_called_identical(
    project, tmp_path, monkeypatch
):
    python = tmp_path / "venv" / "bin" / "python"
    packages = ("uv", "pip", "install", "-q", "--python", str(python))
    subprocess.run(["uv", "venv", "-q", str(python.parents[1])], check=True)
    subprocess.run([*packages, "wandb", "six==1.16.0"], check=True, cwd=tmp_path)
    (project.root / "of_a_package.py").write_text(OF_A_PACKAGE)
    words = {"EXPERIMENTS_TRAIN_COMMAND": f"{python} of_a_package.py"}
    [original] = train(project, environment=words)
    subprocess.run([*packages, "six==1.17.0"], check=True, cwd=tmp_path)

    # With the version that it ran with, made anew by uv, it is the same; in what is installed now it is not.
    answer = data_in(project.command("reproduce", original.run_name, "--json").stdout)
    assert answer["verdict"] == "identical"
    project.command("retry", original.run_name)
    project.command("logs", "-f", jobs_of(project)[-1].run_name)
    said = project.command("diff", original.run_name, jobs_of(project)[-1].run_name).stdout
    assert "six" in said
    assert "1.16.0" in said
    assert "1.17.0" in said

    shutil.rmtree(project.state / "env")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    lost = project.command("reproduce", original.run_name, "--check", code=2)
    assert "cannot be run again as it was" in lost.stdout
    assert "uv cannot say which packages there are" in lost.stdout
