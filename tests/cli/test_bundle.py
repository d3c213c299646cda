"""An experiment as one file, and what a stranger makes of it in an empty folder."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from tests.fakes.answers import data_in
from tests.fakes.evaluated import write_evaluation
from tests.fakes.project import Project, jobs_of
from tests.fakes.trained import train, trained_project

pytestmark = pytest.mark.slow

ODD = os.fsdecode(b"caf\xe9 50%.txt")


def stranger(folder: Path) -> Project:
    """Return a folder with nothing in it, in which commands can be run."""
    folder.mkdir()
    project = Project.__new__(Project)
    project.root, project.state = folder, folder / ".experiments"
    return project


@pytest.fixture(scope="module")
def bundled(tmp_path_factory):
    """Return the bytes of a bundle, its project, and what the command said; the project is moved away."""
    patch = pytest.MonkeyPatch()
    for name, value in {"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false", "EXPERIMENTS_USER": "t"}.items():
        patch.setenv(name, value)
    folder = tmp_path_factory.mktemp("first") / "project"
    folder.mkdir()
    project = trained_project(folder)
    (folder / "untracked recipe.py").write_text("x = 1\n")
    (folder / ODD).write_bytes(b"\r\n\0")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("/etc/passwd")
    [first, _] = train(project, "--seeds", "0..1")
    project.command("resume", first.run_name, "--steps", "3000")
    project.command("logs", "-f", jobs_of(project)[-1].run_name)
    write_evaluation(project.state / "runs" / first.run_name, 400, {0: 1.0, 1: 3.0})
    damaged = project.state / "runs" / first.run_name / "evaluations" / ("f" * 16) / "rows.json"
    damaged.parent.mkdir()
    damaged.write_text("[")
    project.command("note", first.run_name, "the first one")
    said = project.command("bundle", "study", "--json")
    data = (folder / "study.bundle.tar.gz").read_bytes()
    project.command("bundle", "study", "--output", str(folder / "other.tar.gz"))
    assert (folder / "other.tar.gz").read_bytes() == data  # whatever it is called
    jobs = jobs_of(project)
    project.root = folder.rename(folder.with_name("moved"))
    project.state = project.root / ".experiments"
    yield data, project, data_in(said.stdout), jobs
    patch.undo()


def contents(data: bytes, tmp_path: Path) -> dict[str, bytes]:
    path = tmp_path / "look.tar.gz"
    path.write_bytes(data)
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def test_it_holds_code_packages_rows_and_a_readme_and_no_place_of_this_machine(bundled, tmp_path):
    data, project, said, jobs = bundled
    found = contents(data, tmp_path)
    tops = {name.partition("/")[0] for name in found}
    assert {"code", "packages", "runs", "bundle.json", "ledger.json", "REPRODUCE.md", "notebook", "log"} <= tops
    names = {name.split("/", 2)[2] for name in found if name.startswith("code/")}
    assert {"study.py", "untracked recipe.py", "caf%E9 50%25.txt", "run.sh", "link"} <= names
    places = [str(project.root.parent).encode(), str(Path.home()).encode(), os.fsencode(Path(__file__).parents[2])]
    assert [name for name, content in found.items() for place in places if place in content] == []
    assert len([name for name in found if name.endswith("/record.json")]) == len(jobs) == 3
    evaluated = [name for name in found if f"runs/{jobs[0].run_name}/evaluations/" in name]
    assert {Path(name).name for name in evaluated} == {"request.json", "rows.json"}
    assert "cannot be read (ffffffffffffffff)" in str(json.loads(found["bundle.json"])["notes"])
    assert said["sha256"]
    known = json.loads(found["ledger.json"])
    assert known["written"][jobs[0].run_name]["note"] == "the first one"
    assert {"planned", "launch"} <= {event["kind"] for event in known["events"]}


def test_the_readme_answers_from_the_record(bundled, tmp_path):
    text = contents(bundled[0], tmp_path)["REPRODUCE.md"].decode()
    assert "| arm-0 | 0, 1 | none | 3 | none |" in text
    assert "No hypothesis was recorded" in text
    assert "BLAS kernel" in text
    assert "In all" in text
    assert "NeurIPS paper checklist" in text
    assert "ACM artifact badges" in text


def test_a_stranger_gets_the_same_numbers_from_the_file_alone(bundled, tmp_path):
    data, _, _, jobs = bundled
    there = stranger(tmp_path / "there")
    (there.root / "b.tar.gz").write_bytes(data)
    said = there.command("reproduce", "b.tar.gz", "--yes", "--json")
    answer = data_in(said.stdout)
    assert {run["original"] for run in answer["runs"]} == {job.run_name for job in jobs}
    assert [run["verdict"] for run in answer["runs"]] == ["identical"] * 3
    assert "3 runs, checkpoints: last" in said.stderr


def files_in(root):
    """Return the files of a project, without the one that keeps its state folder out of git."""
    ours = root / ".experiments" / ".gitignore"
    return [path.name for path in root.rglob("*") if path.is_file() and path != ours]


def test_a_check_and_a_missing_yes_write_nothing_and_run_nothing(bundled, tmp_path):
    there = stranger(tmp_path / "there")
    (there.root / "b.tar.gz").write_bytes(bundled[0])
    said = there.command("reproduce", "b.tar.gz", "--check").stdout
    assert "each as the manifest says" in said
    assert "experiments.trainer" in said
    refused = there.command("reproduce", "b.tar.gz", code=1)
    assert "Say yes to it: add --yes" in refused.stderr
    assert files_in(there.root) == ["b.tar.gz"]


def test_a_changed_bundle_is_refused_with_the_hash_and_writes_nothing(bundled, tmp_path):
    there = stranger(tmp_path / "there")
    found = contents(bundled[0], tmp_path)
    [rows] = [name for name in found if name.endswith("metrics.jsonl") and "s1." in name]
    found[rows] = found[rows].replace(b"1", b"2", 1)
    with tarfile.open(there.root / "b.tar.gz", "w:gz") as tar:
        for name, content in found.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    said = there.command("reproduce", "b.tar.gz", "--yes", code=2)
    assert f"{rows!r} has sha256" in said.stderr
    assert files_in(there.root) == ["b.tar.gz"]


def test_without_checkpoints_their_hashes_tell(bundled, tmp_path):
    _, project, _, jobs = bundled
    project.command("bundle", "study", "--checkpoints", "none", "--output", str(tmp_path / "b.tar.gz"))
    there = stranger(tmp_path / "there")
    shutil.copy(tmp_path / "b.tar.gz", there.root)
    seed = jobs[1].run_name
    answer = data_in(there.command("reproduce", "b.tar.gz", "--run", seed, "--yes", "--json").stdout)
    [run] = answer["runs"]
    assert run["verdict"] == "identical"
    assert [file["state"] for file in run["checkpoints"]] == ["same bytes", "same bytes"]


def test_a_secret_that_is_known_here_goes_into_no_bundle(bundled, tmp_path, monkeypatch):
    _, project, _, _ = bundled
    secret = "c0ffee" * 7
    monkeypatch.setenv("WANDB_API_KEY", secret[:40])
    notebook = project.notebook()
    text = notebook.read_text()
    notebook.write_text(f"{text}\n# {secret[:40]}\n")
    said = project.command("bundle", "study", "--output", str(tmp_path / "b.tar.gz"), code=2)
    notebook.write_text(text)
    assert "'notebook/study_nb.py' holds a secret" in said.stderr
    assert not (tmp_path / "b.tar.gz").exists()


def test_an_experiment_that_is_not_there_is_named_with_those_that_are(bundled):
    assert "There are: study" in bundled[1].command("bundle", "nothing", code=2).stderr


def test_the_log_in_it_is_of_now(bundled, tmp_path):
    _, project, _, jobs = bundled
    log = project.root / "experiments" / "log" / "study.html"
    before = log.read_bytes()
    project.command("note", jobs[1].run_name, "the second one")
    project.command("bundle", "study", "--output", str(tmp_path / "b.tar.gz"))
    found = contents((tmp_path / "b.tar.gz").read_bytes(), tmp_path)
    assert found["log/study.html"] == log.read_bytes() != before


def test_a_notebook_that_is_gone_is_said_and_the_bundle_is_written(bundled, tmp_path):
    _, project, _, _ = bundled
    notebook = project.notebook()
    text = notebook.read_text()
    notebook.unlink()
    said = project.command("bundle", "study", "--output", str(tmp_path / "b.tar.gz"))
    notebook.write_text(text)
    assert "the log is as it was exported last, for there is no notebook" in said.stderr
