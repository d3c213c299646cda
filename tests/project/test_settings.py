"""Where settings come from, and which of them a repository may not make."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from experiments.project.errors import UsageError
from experiments.project.settings import load_settings, state_dir, user_file


def project(folder, text):
    folder.mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text(f"[tool.experiments]\n{text}\n")
    return folder


def users_own(text):
    user_file().parent.mkdir(parents=True)
    user_file().write_text(text)


def test_a_state_folder_is_kept_out_of_its_repository(tmp_path, monkeypatch):
    monkeypatch.delenv("EXPERIMENTS_HOME", raising=False)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (state_dir(tmp_path) / "runs" / "a").mkdir()
    (tmp_path / ".experiments" / "runs" / "a" / "train.log").touch()
    status = subprocess.run(["git", "status", "--short"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert status.stdout == ""
    (tmp_path / ".experiments" / ".gitignore").unlink()
    assert not (state_dir(tmp_path) / ".gitignore").exists()  # somebody wants it so


def test_a_later_source_counts_more(tmp_path, monkeypatch):
    root = project(tmp_path / "p", 'sky_infra = "aws"\nsky_cpus = "4"\nwandb_project = "ours"\nsky_memory = "8"')
    users_own('sky_infra = "slurm/lab"\nsky_cpus = "8"\nsky_memory = "16"')
    monkeypatch.setenv("EXPERIMENTS_SKY_CPUS", "16+")
    found = load_settings(root, {"sky_memory": "32", "sky_accelerator": None})
    assert (found.wandb_project, found.sky_infra, found.sky_cpus, found.sky_memory) == (
        *("ours", "slurm/lab", "16+", "32"),
    )


@pytest.mark.parametrize("name", ["sky_python", "alert_command"])
def test_a_repository_cannot_name_a_program_and_a_user_can(tmp_path, monkeypatch, name):
    with pytest.raises(
        UsageError, match=rf"sets '{name}', which is read only from your own.*EXPERIMENTS_{name.upper()}="
    ):
        load_settings(project(tmp_path / "p", f'{name} = ["/evil"]'))
    users_own(f'{name} = ["/opt/sky/bin/python", "-X", "dev"]')
    root = project(tmp_path / "q", "")
    assert getattr(load_settings(root), name) == ("/opt/sky/bin/python", "-X", "dev")
    monkeypatch.setenv(f"EXPERIMENTS_{name.upper()}", "'/my programs/python' -E")
    assert getattr(load_settings(root), name) == ("/my programs/python", "-E")


def test_what_cannot_be_read_is_told_with_its_place(tmp_path, monkeypatch):
    root = project(tmp_path / "p", "")
    monkeypatch.setenv("EXPERIMENTS_SKY_PYTHON", "'unclosed")
    with pytest.raises(UsageError, match="EXPERIMENTS_SKY_PYTHON is not a list of words"):
        load_settings(root)
    users_own("not toml")
    with pytest.raises(UsageError, match=r"settings\.toml' is not valid TOML"):
        load_settings(root)


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_text_is_a_setting_that_is_not_set(tmp_path, monkeypatch, text):
    monkeypatch.delenv("EXPERIMENTS_USER")
    names = ("user", "wandb_entity", "wandb_group", "run_root", "sky_infra", "sky_accelerator", "sky_cpus")
    root = project(tmp_path / "p", "\n".join(f'{name} = "{text}"' for name in names))
    assert [getattr(load_settings(root), name) for name in names] == [None] * len(names)


def test_an_empty_text_takes_back_what_the_project_says(tmp_path):
    root = project(tmp_path / "p", 'wandb_entity = "team"')
    assert load_settings(root, {"wandb_entity": ""}).wandb_entity is None


@pytest.mark.parametrize("name", ["wandb_project", "sky_node_python"])
def test_a_setting_that_every_run_needs_cannot_be_empty(tmp_path, name):
    with pytest.raises(UsageError, match=rf"setting '{name}' = '' in .*at least 1 character"):
        load_settings(project(tmp_path / "p", f'{name} = ""'))


def test_the_users_file_follows_the_xdg_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert user_file() == Path.home() / ".config" / "experiments" / "settings.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert user_file() == tmp_path / "experiments" / "settings.toml"


def test_a_value_that_is_not_allowed_is_told_with_where_it_comes_from(tmp_path, monkeypatch):
    root = project(tmp_path / "p", "max_jobs = 0")
    with pytest.raises(UsageError, match=r"setting 'max_jobs' = 0 in '.*/p/pyproject\.toml': Input should be"):
        load_settings(root)
    users_own("max_jobs = -1")
    with pytest.raises(UsageError, match=r"'max_jobs' = -1 in '.*/settings\.toml':"):
        load_settings(root)
    monkeypatch.setenv("EXPERIMENTS_MAX_JOBS", "few")
    with pytest.raises(UsageError, match=r"'max_jobs' = 'few' from EXPERIMENTS_MAX_JOBS:"):
        load_settings(root)
    with pytest.raises(UsageError, match=r"'max_jobs' = -3 from the command line:"):
        load_settings(root, {"max_jobs": -3})


def test_a_repository_cannot_have_snapshots_pushed_and_a_user_can(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match=r"sets 'snapshot_push'.*sends code away.*EXPERIMENTS_SNAPSHOT_PUSH="):
        load_settings(project(tmp_path / "p", 'snapshot_push = "https://evil.example/x.git"'))
    root = project(tmp_path / "q", "")
    assert load_settings(root).snapshot_push is None
    users_own('snapshot_push = "origin"')
    assert load_settings(root).snapshot_push == "origin"


@pytest.mark.parametrize("name", ["/data", "../data", "a/../../b", "~/data", ".", "./", ""])
def test_only_folders_inside_the_project_are_linked_into_its_jobs(tmp_path, name):
    with pytest.raises(UsageError, match="must be a folder inside the project, such as data"):
        load_settings(project(tmp_path / "p", f'snapshot_links = ["{name}"]'))


def test_trainers_of_a_project_are_read_by_their_names_and_a_bad_one_is_named(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text(
        "[tool.experiments]\ntrainer = 'mine'\n[tool.experiments.trainers.mine]\n"
        "command = 'python train.py --seed {seed}'\nstyle = '--key value'\n"
        "[tool.experiments.trainers.mine.metrics]\nprimary = 'return'\ndirection = 'higher'\n"
    )
    found = load_settings(tmp_path)
    assert found.trainer == "mine"
    trainer = found.trainers["mine"]
    assert (trainer.name, trainer.command[0], trainer.metrics.primary) == ("mine", "python", "return")
    monkeypatch.setenv("EXPERIMENTS_TRAINERS", '{"mine": {"command": ["x"], "metrics": {"primary": "loss"}}}')
    with pytest.raises(UsageError, match=r"trainers.mine.metrics.*primary metric 'loss' has no direction"):
        load_settings(tmp_path)
    monkeypatch.setenv("EXPERIMENTS_TRAINERS", "{")
    with pytest.raises(UsageError, match="EXPERIMENTS_TRAINERS is no JSON object"):
        load_settings(tmp_path)
