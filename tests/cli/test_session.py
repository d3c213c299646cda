from __future__ import annotations

import os
import re
import signal
import sqlite3
import time
import urllib.error
import urllib.request

import pytest

from experiments.jobs.ledger import Ledger
from experiments.notebooks.data_cells import read_config, read_jobs
from experiments.types import TrainingJobConfig
from tests.fakes.answers import data_in
from tests.fakes.launching import plan_in, workspace_at
from tests.fakes.project import Project, jobs_of
from tests.fakes.wandb_files import offline_run, run


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


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


@pytest.mark.parametrize("place", [(), ("--output-dir", "elsewhere")])
def test_making_a_notebook_again_keeps_its_config_and_what_is_given_now_wins(project, place):
    project.run("mine", "--gpus", "4", "--arms", "3", "--wandb-tags", "a b", "c", "--no-launch", *place)
    notebook = project.root / place[-1] / "mine_nb.py" if place else project.notebook("mine")
    before = notebook.read_text()
    project.run("mine", "--no-launch", *place)
    assert notebook.read_text() == before
    project.run("mine", "--no-launch", "--gpus", "1", *place)
    assert read_config(notebook) == {"arms": 3, "wandb_tags": ("a b", "c")}
    project.run("mine", "--no-launch", "--force", "--theirs", "config", *place)
    assert read_config(notebook) == {}


def test_a_section_asked_for_by_name_comes_in_and_none_goes(project):
    project.run("--no-launch", "--sections", "log")
    project.run("--no-launch")
    assert "def curves" not in project.notebook().read_text()
    assert "added: curves, scores, runs, details" in project.run("--no-launch", "--sections", "analysis").stdout
    assert "def verdict" in project.notebook().read_text()


def test_a_recipes_own_section_is_in_its_notebook_and_can_be_asked_for(project):
    own = "def weather(study):\n    return 'clear'\n\n\nclass Study(Experiment):\n    extra_sections = (weather,)\n"
    project.recipe.write_text(project.recipe.read_text().replace("class Study(Experiment):\n", own))
    project.run("--no-launch")
    assert "    weather(study)\n" in project.notebook().read_text()
    project.run("other", "--no-launch", "--sections", "log")
    assert "weather" not in project.notebook("other").read_text()
    assert "added: show_weather" in project.run("other", "--no-launch", "--sections", "weather").stdout


def test_the_wandb_places_of_the_config_reach_the_trainer_and_the_job(tmp_path):
    project = Project(tmp_path, "env | grep WANDB_ | sort")
    places = ("--wandb-entity", "lab", "--wandb-project", "maze", "--wandb-group", "mine")
    project.run("--follow", *places, "--wandb-mode", "online")
    [job] = jobs_of(project)
    printed = project.command("logs", job.run_name).stdout.splitlines()
    assert {"WANDB_ENTITY=lab", "WANDB_PROJECT=maze", "WANDB_RUN_GROUP=mine", "WANDB_MODE=online"} <= set(printed)
    assert job.tracker == "lab/maze"


def test_json_output_is_one_document(project):
    document = data_in(project.run("--json").stdout)
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
    assert "none of experiment=..., arm=..., tag=..." in project.run("--runs", "colour=red", code=2).stderr


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


def test_open_starts_an_editor_that_answers_only_with_its_token(project):
    document = data_in(project.run("--no-launch", "--open", "--json").stdout)
    try:
        address, _, token = document["address"].partition("?access_token=")
        assert urllib.request.urlopen(document["address"]).status == 200
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{address}api/status/connections")
        assert len(token) > 16
        assert (project.state / "marimo-edit.log").stat().st_mode & 0o777 == 0o600
    finally:
        os.kill(document["editor_pid"], signal.SIGTERM)


@pytest.mark.parametrize(
    ("said", "runs"), [("", True), ("auto_instantiate = true", True), ("auto_instantiate = false", False)]
)
def test_a_notebook_that_is_opened_runs_unless_the_project_says_otherwise(project, said, runs):
    file = project.root / "pyproject.toml"
    file.write_text(file.read_text().replace("auto_instantiate = true", said))
    shown = project.run("--no-launch").stdout
    assert ("and run its cells (▶ below on the right)" in shown) == (said == "")
    document = data_in(project.run("--no-launch", "--open", "--json").stdout)
    try:
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        page = browser.open(document["address"]).read().decode()
        assert f'"auto_instantiate": {str(runs).lower()}' in page
    finally:
        os.kill(document["editor_pid"], signal.SIGTERM)


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


def test_one_seed_launched_three_times_is_one_seed_and_two_replicates(project):
    said = project.run("--same-seed", "3", "--seeds", "7..7", "--follow").stdout
    assert "2 replicates do not count as seeds" in said
    assert re.search(r"s7r2\.\w{8} +arm-0 +7 +replicate 2 ", said), said
    jobs = jobs_of(project)
    assert [(job.seed, job.replicate, job.role) for job in jobs] == [
        (7, 0, "seed"),
        (7, 1, "replicate"),
        (7, 2, "replicate"),
    ]
    assert sorted(project.started()) == sorted(job.run_name for job in jobs)
    assert 'replicate=2, role="replicate"' in project.notebook().read_text()
    assert "2 replicates do not count as seeds." in project.command("status").stdout
    assert re.search(r"^role +replicate$", project.command("show", jobs[1].run_name).stdout, re.MULTILINE)
    assert "no number from 1 to 9,999" in project.run("--same-seed", "0", code=2).stderr
