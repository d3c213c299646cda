from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.project.environment import probe


def asked(python, *words, **environment):
    done = subprocess.run(
        [python, probe.__file__, *words], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def packages(python, **environment):
    return asked(python, **environment)["environment"]["packages"]


def test_every_package_is_there_with_what_tells_its_build_from_another():
    found = asked(sys.executable)["environment"]
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["packages"]["experiments"] == {
        "version": found["packages"]["experiments"]["version"],
        "source": "editable",
    }
    assert set(found["packages"]["numpy"]) == {"version", "content"}
    assert len(found["packages"]) > 60


def test_the_machine_says_kernels_threads_and_instructions(monkeypatch):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)  # of the machine on which the tests run
    machine = asked(sys.executable, OPENBLAS_NUM_THREADS="1")["machine"]
    assert {each["package"] for each in machine["blas"]} == {"numpy", "scipy"}
    assert {each["threads"] for each in machine["blas"]} == {1}
    assert all(each["kernel"] for each in machine["blas"])
    assert machine["asked"] == {"OPENBLAS_NUM_THREADS": "1"}
    assert machine["simd"]
    assert machine["cores_allowed"] == len(os.sched_getaffinity(0))


def test_another_kernel_that_was_asked_for_is_seen():
    known = asked(sys.executable)["machine"]["blas"]
    other = asked(sys.executable, OPENBLAS_CORETYPE="Nehalem")["machine"]
    assert {each["kernel"] for each in other["blas"]} == {"Nehalem"} != {each["kernel"] for each in known}
    assert other["asked"] == {"OPENBLAS_CORETYPE": "Nehalem"}


def test_an_interpreter_without_any_package_is_asked_as_well(venv):
    found = asked(venv.python)
    assert found["environment"]["packages"] == {}
    assert {"simd", "blas"} & set(found["machine"]) == set()
    assert found["machine"]["architecture"]


def test_a_threadpoolctl_can_be_lent_to_an_interpreter_that_has_none(venv):
    import threadpoolctl

    assert asked(venv.python, threadpoolctl.__file__)["machine"]["blas"] == []


def test_a_package_that_was_built_again_from_the_same_sources_is_the_same_and_from_others_is_another(
    venv, package, tmp_path
):
    seen = []
    for text in ("VALUE = 1\n", "VALUE = 1\n", "VALUE = 2\n"):
        venv.install("--reinstall", str(package(text)))
        seen.append(packages(venv.python)["own"])
    assert seen[0] == seen[1] != seen[2]
    assert {each["source"] for each in seen} == {"local folder"}
    assert {each["version"] for each in seen} == {"1.0"}


@pytest.mark.parametrize(
    ("direct_url", "told"),
    [
        (
            {"url": "https://ada:hunter2@host:8443/a.git?token=x", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            {"source": "git+abc", "address": "https://host:8443/a.git"},
        ),
        (
            {"url": "https://host/a", "vcs_info": {"vcs": "git", "commit_id": "abc"}, "subdirectory": "b"},
            {"source": "git+abc", "address": "https://host/a#subdirectory=b"},
        ),
        ({"url": "ssh://git@host/a", "vcs_info": {"vcs": "git", "commit_id": "abc"}}, {"source": "git+abc"}),
        ({"url": "https://host/a.whl#x", "archive_info": {}}, {"source": "address", "address": "https://host/a.whl"}),
        ({"url": "file:///home/ada/a.whl", "archive_info": {}}, {"source": "local file"}),
        ({"url": "file:///home/ada/a", "dir_info": {}}, {"source": "local folder"}),
        ({"url": "file:///home/ada/a", "dir_info": {"editable": True}}, {"source": "editable"}),
    ],
)
def test_an_address_is_kept_where_anybody_may_have_it_and_never_with_a_login(direct_url, told):
    assert probe._source(direct_url) == told


def test_where_a_package_came_from_is_said_without_the_place(venv, package, tmp_path):
    folder = package()
    for words in (("init", "-q"), ("add", "-A"), ("-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "x")):
        subprocess.run(["git", *words], cwd=folder, check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    venv.install(f"own @ git+file://{folder}")
    venv.install("-e", str(package(name="other")))
    text = json.dumps(asked(venv.python)["environment"])
    assert json.loads(text)["packages"]["own"]["source"] == f"git+{commit.stdout.strip()}"
    assert json.loads(text)["packages"]["other"] == {"version": "1.0", "source": "editable"}
    assert str(tmp_path) not in text


def test_sources_on_the_path_are_no_packages_and_what_is_installed_beside_them_is(venv, package, tmp_path):
    (tmp_path / "sources" / "left.egg-info").mkdir(parents=True)
    (tmp_path / "sources" / "left.egg-info" / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: left\nVersion: 1\n")
    venv.install("--target", str(tmp_path / "target"), str(package()))
    path = os.pathsep.join([str(tmp_path / "sources"), str(tmp_path / "target")])
    assert list(packages(venv.python, PYTHONPATH=path)) == ["own"]


def test_no_module_beside_the_probe_can_be_taken_for_one_of_the_trainers(venv, tmp_path):
    for name in ("probe.py", "csv.py"):
        text = Path(probe.__file__).read_text() if name == "probe.py" else "raise RuntimeError"
        (tmp_path / name).write_text(text)
    subprocess.run([venv.python, tmp_path / "probe.py"], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("#!/bin/sh\necho 'NVIDIA H200, 570.1'\necho 'NVIDIA H200, 570.1'\n", (["NVIDIA H200"] * 2, "570.1")),
        ("#!/bin/sh\necho 'no driver' >&2\nexit 9\n", (None, None)),
        ("#!/bin/sh\nsleep 60\n", (None, None)),
    ],
)
def test_gpus_are_those_that_their_driver_names_and_not_known_where_it_does_not_answer(
    program, expected, tmp_path, monkeypatch
):
    (tmp_path / "nvidia-smi").write_text(program)
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    if "sleep" in program:
        monkeypatch.setattr(probe, "_GPU_DEADLINE_S", 0.5)
    found = probe._gpus()
    assert (found.get("gpus"), found.get("driver")) == expected


def test_a_machine_without_the_driver_has_no_gpu_and_one_without_its_program_may_have(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(probe, "_DRIVER", tmp_path / "driver")
    assert probe._gpus() == {"gpus": []}
    (tmp_path / "driver").mkdir()
    assert probe._gpus() == {}
