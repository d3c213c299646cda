"""What the main command refuses: it says why and how to go on, and launches nothing."""

from __future__ import annotations

import sqlite3

import pytest

from tests.fakes.project import Project, jobs_of


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


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
    assert (
        "section 'analisys' does not exist. Sections: log, search, analysis, monitor, replays, launch, export, scratch."
        in refused.stderr
    )
    assert jobs_of(project) == []
    assert not project.notebook().exists()


@pytest.mark.parametrize("name", ["", "my study", "a/../b", "naïve", "it's", "a\nb", "x" * 41])
def test_a_name_that_is_no_name_is_refused_with_a_suggestion(project, name):
    assert "Try '" in project.run(name, code=2).stderr
    assert not project.notebook().exists()


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


@pytest.mark.parametrize(
    ("wrong", "said"), [('tags = "mine"', "Study.tags = 'mine'"), ("seeds = 3", "Study.seeds = 3")]
)
def test_a_recipe_with_one_value_where_several_belong_is_told_what_to_write(project, wrong, said):
    project.recipe.write_text(project.recipe.read_text().replace('tags = ("study",)', wrong))
    refused = project.run("--dry-run", code=2)
    assert f"{said} in the recipe. Write several: (" in refused.stderr


def test_the_seeds_of_a_recipe_may_be_a_range(project):
    project.recipe.write_text(project.recipe.read_text().replace('tags = ("study",)', "seeds = range(3)"))
    assert "3 jobs of study" in project.run("--dry-run").stdout
