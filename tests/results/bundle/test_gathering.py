"""What goes into a bundle of a project that is not like ours."""

from __future__ import annotations

import zipfile

import pytest

from experiments.project.environment.probing import stored
from experiments.project.errors import UsageError
from experiments.project.provenance import CodeRecord, OwnCode
from experiments.project.snapshots import take
from experiments.results.bundle.archive import Content
from experiments.results.bundle.gathering import Gathered, _add_packages, _refuse_secrets
from experiments.results.bundle.records import RunRecord
from experiments.types import TrainingJob, TrainingJobConfig
from tests.fakes.launching import workspace_at
from tests.fakes.repositories import repository
from tests.project.environment.conftest import UV_CACHE


def wheel(folder):
    """Write a wheel of a package `own`, which is on no public index."""
    folder.mkdir()
    info = "own-1.0.dist-info"
    with zipfile.ZipFile(folder / "own-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("own.py", "VALUE = 1\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: own\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return folder.as_uri()


def test_a_package_of_an_index_that_the_project_names_costs_the_others_no_hashes(tmp_path, monkeypatch):
    monkeypatch.setenv("UV_CACHE_DIR", UV_CACHE)
    workspace = workspace_at(repository(tmp_path / "p"))
    wheels = wheel(tmp_path / "wheels")
    index = f'[[tool.uv.index]]\nname = "mine"\nurl = "{wheels}"\nformat = "flat"\nexplicit = true\n'
    sources = '[tool.uv.sources]\nown = { index = "mine" }\n'
    (workspace.root / "pyproject.toml").write_text(f'[project]\nname = "study"\nversion = "1"\n{index}{sources}')
    snapshot = take(workspace.root, workspace.state, workspace.settings)
    packages = {"own": {"version": "1.0"}, "six": {"version": "1.16.0"}}
    name = stored({"python": "3.11.7", "implementation": "CPython", "packages": packages}, workspace.state)
    config = TrainingJobConfig(curriculum="arena")
    job = TrainingJob(run_name="r", experiment="e", arm="a", seed=0, config=config, launcher="local")
    record = RunRecord(job=job, own=OwnCode(snapshot=snapshot), code=CodeRecord(environment=name))
    found = Gathered(runs={"r": record})
    _add_packages(found, workspace)
    assert found.notes == []
    with found.contents[f"requirements/{name}.txt"].opened() as file:
        assert file.read().startswith(b"six==1.16.0 \\\n    --hash=sha256:")


@pytest.mark.parametrize("name", ["code/abc/settings.py", "code/abc/checkpoints/a.py"])
def test_a_secret_that_is_committed_in_the_code_goes_into_no_bundle(name, monkeypatch):
    secret = "0123456789abcdef" * 2
    found = Gathered(contents={name: Content(f"KEY = '{secret}'\n".encode())})
    _refuse_secrets(found)
    monkeypatch.setenv("WANDB_API_KEY", secret)
    with pytest.raises(UsageError, match=f"{name!r} holds a secret"):
        _refuse_secrets(found)
