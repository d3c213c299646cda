from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.project.environment import probing
from experiments.project.environment.probing import NoInterpreter, interpreter, probed
from experiments.project.environment.records import Machine, read_environment
from experiments.project.errors import ExperimentsError


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPERIMENTS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def state(tmp_path):
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


@pytest.fixture
def runs(monkeypatch):
    """Count how often an interpreter is really asked."""
    found = []
    run = probing._run
    monkeypatch.setattr(probing, "_run", lambda command, env, cwd: found.append(command) or run(command, env, cwd))
    return found


def program(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_a_job_s_record_names_its_package_set_which_is_kept_once(state):
    found = [probed([sys.executable, "train.py"], os.environ, state, state) for _ in range(3)]
    assert found[0] == found[1] == found[2]
    assert [path.name for path in (state / "packages").iterdir()] == [f"{found[0]['environment']}.json"]
    environment = read_environment(state, found[0]["environment"])
    assert found[0]["packages"]["numpy"] == environment.packages["numpy"].version
    assert Machine.model_validate(found[0]["machine"]).kernels


def test_a_sweep_asks_once_and_another_path_number_of_threads_or_package_set_asks_again(state, venv, package, runs):
    def ask(**variables):
        return probed([str(venv.python), "x"], os.environ | variables, state, state)

    assert [ask()["environment"] for _ in range(3)] == [ask()["environment"]] * 3
    assert len(runs) == 1
    ask(OMP_NUM_THREADS="1")
    ask(PYTHONPATH=str(state))
    ask(WANDB_NAME="another")
    assert len(runs) == 3
    before = ask()["environment"]
    venv.install(str(package()))
    assert read_environment(state, ask()["environment"]).packages["own"].version == "1.0"
    venv.install("--reinstall", str(package("VALUE = 2\n")))
    assert len({before, ask()["environment"]}) == 2
    assert len(runs) == 5


def test_of_jobs_that_start_at_once_one_asks_and_all_have_the_answer(state, tmp_path):
    asked = tmp_path / "asked"
    python = program(tmp_path / "python3", f'#!/bin/sh\necho x >> {asked}\nexec {sys.executable} "$@"\n')
    code = (
        "import os, pathlib, sys; from experiments.project.environment.probing import probed;"
        " here = pathlib.Path(sys.argv[2]); print(probed([sys.argv[1]], os.environ, here, here)['environment'])"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, python, str(state)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = {process.communicate()[0].strip() for process in started}
    assert asked.read_text() == "x\n"
    assert said == {probed([sys.executable], os.environ, state, state)["environment"]}


def test_a_cache_that_cannot_be_read_or_written_costs_time_only(state, monkeypatch, tmp_path):
    first = probed([sys.executable], os.environ, state, state)
    for path in probing.cache_folder().iterdir():
        path.write_text('{"watched": 3}')
    assert probed([sys.executable], os.environ, state, state) == first
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EXPERIMENTS_CACHE", str(tmp_path / "file"))
    assert probed([sys.executable], os.environ, state, state) == first


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'cannot start' >&2; exit 3", "its interpreter gave no answer: cannot start"),
        ("sleep 60", "its interpreter gave no answer within 0.3 s"),
        ("echo words", "its interpreter gave no answer: Expecting value: line 1 column 1 (char 0)"),
        ("true", "its interpreter gave no answer: it printed nothing"),
    ],
)
def test_an_interpreter_that_fails_or_hangs_is_a_reason(state, tmp_path, monkeypatch, script, reason):
    if "sleep" in script:
        monkeypatch.setattr(probing, "DEADLINE_S", 0.3)
    python = program(tmp_path / "python3", f"#!/bin/sh\n{script}\n")
    found = probed([python, "train.py"], os.environ, state, state)
    assert (found["environment"], found["machine"], found["python"], found["packages"]) == (None, None, "", {})
    assert found["environment_reason"] == reason


def test_a_full_disk_is_a_reason(state):
    (state / "packages").write_text("in the way")
    assert "File exists" in probed([sys.executable], os.environ, state, state)["environment_reason"]


def test_the_interpreter_is_the_first_word_or_what_its_script_names(tmp_path):
    venv = tmp_path / "bin"
    venv.mkdir()
    python = venv / "python3.11"
    python.symlink_to(sys.executable)
    env = {"PATH": str(venv)}
    here = f"{program(venv / 'train', f'#!{python}{chr(10)}')}"
    by_path = program(venv / "by-path", "#!/usr/bin/env python3.11\n")
    split = program(venv / "split", f"#!/usr/bin/env -S {python} -u\n")
    for command in (
        [str(python), "x.py"],
        ["python3.11"],
        [here],
        ["train", "x"],
        [by_path],
        [split],
        ["env", "train"],
    ):
        assert [Path(word) for word in interpreter(command, env | {"PATH": f"{venv}:/usr/bin"}, tmp_path)] == [python]
    assert interpreter(["bin/python3.11"], env, tmp_path) == [str(python)]
    assert interpreter(["python3.11", "-S", "-E", "x.py", "-s"], env, tmp_path) == [str(python), "-S", "-E"]


def test_an_interpreter_that_is_told_to_see_no_packages_has_none(state):
    name = probed([sys.executable, "-S", "-c", "pass"], os.environ, state, state)["environment"]
    assert read_environment(state, name).packages == {}


def test_uv_is_asked_for_the_interpreter_that_it_runs_and_all_jobs_of_it_have_one_answer(venv, tmp_path, state, runs):
    env = os.environ | {"VIRTUAL_ENV": str(venv.python.parents[1]), "UV_NO_SYNC": "1"}
    command = ["uv", "run", "--active", "--no-project", "train.py", "--frozen"]
    for name in ("left-1", "left-2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.py").write_text("import numpy\n")
        assert interpreter(command, env, tmp_path / name) == [str(venv.python)]
        assert probed(command, env, tmp_path / name, state)["environment"]
    assert sum(probing._PROBE in words for words in runs) == 1


def test_a_uv_that_fails_is_a_reason(tmp_path, state):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\nrequires-python = "==3.99"\n')
    found = probed(["uv", "run", "train.py"], os.environ, tmp_path, state)
    assert found["environment"] is None
    assert found["environment_reason"].startswith("its interpreter gave no answer: ")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["bash", "-c", "x"], "'bash' is no Python program"),
        (["no-such-program"], "'no-such-program' is not on the trainer's PATH"),
        (["uv", "run", "--with", "x", "y"], "only uv knows the interpreter of 'uv run --with x'"),
        (["uv", "tool", "run", "x"], "only uv knows the interpreter of 'uv tool run x'"),
        (["uv", "run", "own.py"], "'own.py' names its own packages"),
        ([], "is no Python program"),
    ],
)
def test_a_command_whose_interpreter_nobody_can_tell_is_said(tmp_path, command, words):
    (tmp_path / "own.py").write_text("# /// script\n# dependencies = []\n# ///\n")
    with pytest.raises(NoInterpreter) as caught:
        interpreter(command, os.environ, tmp_path)
    assert words in str(caught.value)


def test_a_package_set_that_was_changed_or_is_gone_is_said(state):
    name = probed([sys.executable], os.environ, state, state)["environment"]
    path = state / "packages" / f"{name}.json"
    found = json.loads(path.read_text())
    found["packages"]["numpy"]["version"] = "1.0"
    path.write_text(json.dumps(found))
    with pytest.raises(ExperimentsError, match=f"the package set {name} was changed since it was recorded"):
        read_environment(state, name)
    path.write_text('{"python": 3}')
    with pytest.raises(ExperimentsError, match=f"the package set {name} cannot be read"):
        read_environment(state, name)
    path.unlink()
    with pytest.raises(ExperimentsError, match=f"the package set {name} is not in this project"):
        read_environment(state, name)
