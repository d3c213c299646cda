from __future__ import annotations

import json
import os
import shlex
import signal
import sqlite3
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from experiments.ledger import Ledger
from experiments.notebooks.generation import read_jobs
from experiments.types import TrainingJobConfig
from tests.fakes.launching import plan_in, workspace_at
from tests.fakes.project import Project
from tests.fakes.wandb_files import offline_run, run


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def jobs_of(project):
    with Ledger.open(project.state, read_only=True) as ledger:
        return ledger.jobs()


def test_the_main_command_launches_writes_a_notebook_and_says_where_everything_is(project):
    said = project.run().stdout
    [run] = project.wait_until_started(1)
    assert said.splitlines()[0].startswith("W&B: offline (nobody is logged in). Files: .experiments/runs/<run>/wandb")
    assert run.startswith("tester.study.arm-0.s0.")
    assert run in project.notebook().read_text()
    assert "uv run marimo edit experiments/scratch/study_nb.py" in said


def test_the_same_command_again_while_jobs_run_launches_nothing_twice(tmp_path):
    project = Project(tmp_path, "echo {run} >> $EXPERIMENTS_RUN_DIR/../../started; sleep 5")
    project.run()
    project.run()
    assert len(jobs_of(project)) == 1
    assert len(project.wait_until_started(1)) == 1
    project.command("cancel", project.started()[0])


def test_after_all_jobs_ended_the_same_command_is_the_next_repeat(project):
    project.run("--follow")
    project.run("--follow")
    assert [job.repeat for job in jobs_of(project)] == [1, 2]
    assert len(read_jobs(project.notebook())) == 2


def test_seeds_multiply_arms_and_each_starts_once(project):
    project.run("--arms", "2", "--seeds", "0..1", "--follow")
    assert sorted((job.arm, job.seed) for job in jobs_of(project)) == [
        *(("arm-0", 0), ("arm-0", 1), ("arm-1", 0), ("arm-1", 1)),
    ]
    assert len(set(project.started())) == len(project.started()) == 4


def test_a_dry_run_writes_and_launches_nothing(project):
    said = project.run("--dry-run", "--seeds", "3").stdout
    assert "3 jobs" in said
    assert jobs_of(project) == []
    assert not project.notebook().exists()


def test_no_launch_writes_only_the_notebook(project):
    project.run("--no-launch")
    assert jobs_of(project) == []
    assert project.notebook().exists()


def test_job_ids_load_jobs_by_id_and_launch_nothing(project):
    with Ledger.open(project.state if project.state.exists() else _made(project), read_only=False) as ledger:
        _foreign_jobs(ledger, project, ["2979", "2980"])
    project.run("--no-launch", "--job-ids", "2980", "2979")
    refs = read_jobs(project.notebook())
    assert [ref.id for ref in refs] == ["2980", "2979"]
    assert project.started() == []
    project.run("--job-ids", "2979")
    assert project.started() == []


def _made(project):
    (project.state / "runs").mkdir(parents=True)
    (project.state / "live").mkdir()
    return project.state


def _foreign_jobs(ledger, project, ids):
    """Record jobs that a SkyPilot with these ids once took."""
    workspace = workspace_at(project.root)
    plan = plan_in(workspace, seeds=range(len(ids)))
    ledger.record_plan(plan)
    connection = sqlite3.connect(project.state / "ledger.sqlite")
    for job, identity in zip(plan.jobs, ids, strict=True):
        connection.execute(
            "UPDATE jobs SET launcher = 'skypilot', launcher_id = ?, state = 'submitted' WHERE run_name = ?",
            [identity, job.run_name],
        )
    connection.commit()
    connection.close()


def test_an_unknown_job_id_is_refused_with_the_known_ones_and_nothing_is_written(project):
    project.run("--follow")
    [known] = project.started()
    before = project.notebook().read_text()
    refused = project.run("--job-ids", "2979", code=2)
    assert "'2979' is not in the ledger" in refused.stderr
    assert known in refused.stderr
    assert project.notebook().read_text() == before


def test_an_unknown_section_is_refused_with_the_valid_ones_before_anything_is_launched(project):
    refused = project.run("--sections", "monitor,analisys", code=2)
    assert "section 'analisys' does not exist. Sections: setup, state, launch, monitor" in refused.stderr
    assert jobs_of(project) == []
    assert not project.notebook().exists()


@pytest.mark.parametrize("name", ["", "my study", "a/../b", "naïve", "it's", "a\nb", "x" * 41])
def test_a_name_that_is_no_name_is_refused_with_a_suggestion(project, name):
    assert "Try '" in project.run(name, code=2).stderr
    assert not project.notebook().exists()


def test_the_command_in_the_header_makes_the_same_notebook_again(project):
    project.run("mine", "--gpus", "4", "--wandb-tags", "a b", "c", "--sections", "launch,log", "--no-launch")
    notebook = project.notebook("mine")
    before = notebook.read_text()
    command = tomllib.loads(next(line for line in before.splitlines() if "remake" in line).lstrip("# "))["remake"]
    notebook.unlink()
    project.run(*shlex.split(command)[3:])
    assert notebook.read_text() == before


def test_the_wandb_places_of_the_config_reach_the_trainer_and_the_job(tmp_path):
    project = Project(tmp_path, "env | grep WANDB_ | sort")
    places = ("--wandb-entity", "lab", "--wandb-project", "maze", "--wandb-group", "mine")
    project.run("--follow", *places, "--wandb-mode", "online")
    [job] = jobs_of(project)
    printed = project.command("logs", job.run_name).stdout.splitlines()
    assert {"WANDB_ENTITY=lab", "WANDB_PROJECT=maze", "WANDB_RUN_GROUP=mine", "WANDB_MODE=online"} <= set(printed)
    assert job.tracker == "lab/maze"


def test_json_output_is_one_document(project):
    document = json.loads(project.run("--json").stdout)
    assert document["notebook"] == "experiments/scratch/study_nb.py"
    assert [job["arm"] for job in document["launched"]] == ["arm-0"]


def test_runs_that_match_a_query_are_loaded_and_nothing_is_launched(project):
    for name, tags in (("arena.a.base.s3.aaaaaaaa", ["keep"]), ("other", ["drop"])):
        offline_run(project.state / "runs", name).write(run(name, tags=tags))
    project.run("--runs", "tag=keep")
    assert [(ref.run, ref.arm, ref.seed) for ref in read_jobs(project.notebook())] == [
        ("arena.a.base.s3.aaaaaaaa", "base", 3)
    ]
    assert jobs_of(project) == []
    assert "no run matches" in project.run("--runs", "tag=nope", code=2).stderr
    assert "none of tag=..." in project.run("--runs", "colour=red", code=2).stderr


def test_gc_names_what_can_go_and_deletes_nothing_without_a_yes(project):
    cached = project.state / "cache" / "replays" / "a"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"x" * 100_000)
    assert "0.1 MB" in project.command("gc").stdout
    assert cached.exists()
    project.command("gc", "--yes")
    assert not cached.exists()
    assert "Nothing can go." in project.command("gc").stdout


def test_tags_given_are_added_to_the_recipes_own(project):
    project.run("--wandb-tags", "research", "ablation", "--no-launch")
    project.run("my_study", "--wandb-tags", "research", "ablation", "--follow")
    [job] = jobs_of(project)
    assert job.config.wandb_tags == ("study", "experiment", "my_study", "research", "ablation")


def test_an_edited_notebook_is_kept_and_an_edit_in_the_way_is_shown(project):
    project.run("--no-launch")
    notebook = project.notebook()
    edited = notebook.read_text().replace('hypothesis=""', 'hypothesis="Bigger is better."')
    notebook.write_text(edited)
    project.run("--no-launch")
    assert "Bigger is better." in notebook.read_text()


def test_a_damaged_notebook_is_refused_before_anything_is_launched(project):
    project.notebook().parent.mkdir(parents=True)
    project.notebook().write_text("this is no (notebook")
    assert "study_nb.py" in project.run(code=1).stderr
    assert jobs_of(project) == []


def test_an_output_folder_that_is_a_file_is_refused(project):
    (project.root / "taken").write_text("")
    refused = project.run("--output-dir", "taken", code=None)
    assert refused.returncode in {1, 2}
    assert "taken" in refused.stderr
    assert jobs_of(project) == []


def test_an_unknown_curriculum_is_planned_but_not_started(tmp_path):
    command = ["{python}", "-P", "-m", "experiments.trainer", "run={run}", "trainer.curriculum={curriculum}"]
    project = Project(tmp_path, train_command=command)
    assert (
        "env/mettagrid/my_curriculum" in project.run("--dry-run", "--curriculum", "env/mettagrid/my_curriculum").stdout
    )
    refused = project.run("--curriculum", "env/mettagrid/my_curriculum", code=2)
    assert "arena/basic" in refused.stderr
    assert jobs_of(project) == []


@pytest.mark.parametrize("damage", ["truncated", "later", "not_sqlite"])
def test_a_ledger_that_cannot_be_used_is_one_clear_error(project, damage):
    project.run("--follow")
    file = project.state / "ledger.sqlite"
    if damage == "later":
        connection = sqlite3.connect(file)
        connection.execute("UPDATE meta SET value = '99' WHERE name = 'schema_version'")
        connection.commit()
        connection.close()
    else:
        for extra in ("-wal", "-shm"):
            file.with_name(file.name + extra).unlink(missing_ok=True)
        file.write_bytes(b"" if damage == "truncated" else b"not a database" * 100)
    refused = project.run(code=1)
    assert "ledger" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert len(project.started()) == 1


def test_open_starts_an_editor_that_answers_only_with_its_token(project):
    document = json.loads(project.run("--no-launch", "--open", "--json").stdout)
    try:
        address, _, token = document["address"].partition("?access_token=")
        assert urllib.request.urlopen(document["address"]).status == 200
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{address}api/status/connections")
        assert len(token) > 16
        assert (project.state / "marimo-edit.log").stat().st_mode & 0o777 == 0o600
    finally:
        os.kill(document["editor_pid"], signal.SIGTERM)


def test_a_lost_ledger_is_rebuilt_from_the_runs(project):
    project.run("--follow")
    [before] = jobs_of(project)
    (project.state / "ledger.sqlite").unlink()
    assert "experiments doctor --rebuild" in project.run(code=1).stderr
    assert "rebuilt: 1 jobs" in project.command("doctor", "--rebuild").stdout
    [after] = jobs_of(project)
    assert (after.run_name, after.arm, after.seed) == (before.run_name, before.arm, before.seed)


def test_a_retry_is_a_new_attempt_that_names_the_first(project):
    project.run("--follow")
    [run] = project.started()
    assert "attempt 2" in project.command("retry", run).stdout
    _, again = jobs_of(project)
    assert (again.attempt, again.retry_of) == (2, run)
    shown = json.loads(project.command("show", run, "--json").stdout)
    assert shown["attempts"] == [run, again.run_name]


def test_notes_and_tags_are_kept_and_shown(project):
    project.run("--follow")
    [run] = project.started()
    project.command("note", run, "looks <b>good</b>")
    project.command("tag", "keep", run)
    project.command("tag", "keep", run)
    shown = json.loads(project.command("show", run, "--json").stdout)
    assert (shown["note"], shown["tags"]) == ("looks <b>good</b>", ["keep"])
    assert "looks <b>good</b>" in project.command("show", run).stdout
    assert "without a comma" in project.command("tag", "a,b", run, code=2).stderr


@pytest.mark.slow
def test_a_finished_run_is_extended_as_a_new_run_that_goes_on_at_its_step(tmp_path):
    command = [
        *("{python}", "-P", "-m", "experiments.trainer", "run={run}"),
        "trainer.curriculum={curriculum}",
        "seed={seed}",
    ]
    project = Project(tmp_path, train_command=command)
    short = ("trainer.evaluation.count=0", "trainer.replays.count=0")
    project.run("--follow", "--additional-args", "trainer.total_timesteps=20000", *short)
    [first] = jobs_of(project)
    project.run("--follow", "--resume", first.run_name, "--additional-args", "trainer.total_timesteps=40000", *short)
    _, second = jobs_of(project)
    assert (second.arm, second.seed) == (first.arm, first.seed)
    assert "continuing at agent-step 2" in project.command("logs", second.run_name).stdout
    [_, status] = json.loads(project.command("status", "--json").stdout)
    assert status["step"] >= 40_000
    score = json.loads(project.command("eval", second.run_name, "--episodes", "2", "--json").stdout)
    assert score["low"] < score["reward"] < score["high"]
    assert [(project.root / path).exists() for path in score["replays"]] == [True, True]
    summary = json.loads(project.command("replay", "inspect", score["replays"][0], "--json").stdout)
    assert (summary["version"], summary["issues"]) == (4, [])


def test_jobs_launched_elsewhere_are_recorded_in_the_notebook(project):
    project.run("--no-launch")
    project.run("--output-dir", "elsewhere", "--follow")
    assert read_jobs(project.notebook()) == []
    assert "1 job added" in project.command("record", str(project.notebook())).stdout
    assert [ref.run for ref in read_jobs(project.notebook())] == project.started()


def test_ctrl_c_while_following_detaches_and_training_goes_on(tmp_path):
    project = Project(tmp_path, "echo {run} >> $EXPERIMENTS_RUN_DIR/../../started; sleep 2; echo done")
    process = project.start("--follow")
    assert any("  running" in line for line in process.stdout)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert "Detached; training goes on." in said
    assert process.returncode == 0
    assert "done" in project.command("logs", "-f", project.started()[0]).stdout


@pytest.mark.slow
def test_ctrl_c_at_any_moment_leaves_no_job_in_doubt_and_no_traceback(tmp_path):
    project = Project(tmp_path)
    for delay_ms in range(300, 1000, 50):
        process = project.start("--again", "--seeds", "2")
        time.sleep(delay_ms / 1000)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
        # Before the command begins, while Python still imports pydantic, the traceback is Python's own.
        assert "Traceback" not in said or "run_recipe" not in said, said
    project.run("--follow", "--seeds", "2")
    with Ledger.open(project.state) as ledger:
        assert [job.run_name for job in ledger.jobs(state="submitting")] == []
    assert len(project.started()) == len(set(project.started()))


def test_status_and_logs_show_the_job(project):
    project.run("--follow")
    [run] = project.started()
    [status] = json.loads(project.command("status", "--json").stdout)
    assert (status["run_name"], status["verdict"], status["exit_code"]) == (run, "succeeded", 0)
    assert project.command("logs", run).stdout == f"hello from {run}\n"
    assert "not in the ledger" in project.command("logs", "nope", code=2).stderr


def test_a_failed_job_makes_follow_end_with_1_and_says_why(tmp_path):
    project = Project(tmp_path, "exit 3")
    assert "exit code 3" in project.run("--follow", code=1).stdout


def test_the_config_of_the_documents_example_runs_verbatim(tmp_path):
    project = Project(tmp_path)
    project.recipe.write_text(EXAMPLE)
    project.run("--follow", "--learning-rate", "0.01")
    [job] = jobs_of(project)
    assert job.config == TrainingJobConfig(
        curriculum="env/mettagrid/my_curriculum",
        gpus=4,
        additional_args=("trainer.optimizer.learning_rate=0.01",),
        wandb_tags=("experiment", "mine"),
    )


def test_the_recipe_of_the_readme_plans_what_it_says(tmp_path):
    project = Project(tmp_path)
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    project.recipe.write_text(readme.split("```python\n")[1].split("```")[0])
    said = project.run("--dry-run", "--vary", "learning_rate=0.001,0.003", "--seeds", "2").stdout
    assert "4 jobs of my_experiment" in said
    assert "trainer.optimizer.learning_rate 0.003" in said


EXAMPLE = '''
from experiments.experiment import Experiment
from experiments.types import TrainingJob, TrainingJobConfig, BaseExperimentConfig
from pydantic import Field
from typing import Optional, List

class MyExperimentConfig(BaseExperimentConfig):
    """Configuration for my experiment."""
    # Launch parameters
    curriculum: str = Field("env/mettagrid/my_curriculum", description="Curriculum path")
    gpus: int = Field(4, description="Number of GPUs")
    learning_rate: float = Field(0.001, description="Learning rate")

class MyExperiment(Experiment):
    def __init__(self, name: str, config: MyExperimentConfig):
        super().__init__(name)
        self.config = config

    def launch_training_runs(self) -> List[TrainingJob]:
        config = TrainingJobConfig(
            curriculum=self.config.curriculum,
            gpus=self.config.gpus,
            additional_args=[f"trainer.optimizer.learning_rate={self.config.learning_rate}"]
        )

        job = self.launch_training_run_from_config("my_run", config)
        return [job] if job else []

if __name__ == "__main__":
    MyExperiment.main(MyExperimentConfig, name="mine")
'''
