"""Environments made again by the real uv, from its cache or the index."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from experiments.project.environment import restoring
from experiments.project.environment.probing import probed, stored
from experiments.project.environment.records import read_environment
from experiments.project.environment.restoring import PYTHON, hashed_requirements, missing, restore, same_here
from experiments.project.errors import LaunchError
from tests.project.environment.conftest import UV_CACHE


@pytest.fixture(autouse=True)
def uv_cache(monkeypatch):
    monkeypatch.setenv("UV_CACHE_DIR", UV_CACHE)


@pytest.fixture
def state(tmp_path):
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


@pytest.fixture
def recorded(venv, state):
    """Return a function that says under which hash the packages of the venv are recorded now."""
    return lambda: probed([str(venv.python)], os.environ, state, state)["environment"]


def said(python, code):
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def with_changes(state, name, **changes):
    """Record a package set that is another one in some packages, or of another Python."""
    found = json.loads((state / "packages" / f"{name}.json").read_text())
    python = changes.pop("python", found["python"])
    return stored(found | {"python": python, "packages": found["packages"] | changes}, state)


def test_a_package_set_comes_back_with_every_build_and_is_made_once(venv, state, recorded, monkeypatch):
    venv.install("six==1.16.0", "idna==3.10")
    name = recorded()
    assert missing(name, state) == {}
    first = restore(name, state)
    assert first.differences == ()
    assert said(first.python, "import six, idna; print(six.__version__, idna.__version__)") == "1.16.0 3.10"
    monkeypatch.setattr(restoring, "_make", None)
    assert restore(name, state) == first
    assert probed([str(first.python)], os.environ, state, state)["environment"] == name


def test_what_was_killed_half_way_is_made_again(venv, state, recorded):
    venv.install("six==1.16.0")
    name = recorded()
    python = restore(name, state).python
    (python.parents[1] / "whole.json").unlink()
    (next(python.parents[1].glob("lib/*/site-packages")) / "six.py").unlink()
    assert said(restore(name, state).python, "import six; print(six.__version__)") == "1.16.0"


def test_what_was_changed_in_a_made_environment_is_named(venv, state, recorded):
    venv.install("six==1.16.0")
    name = recorded()
    python = restore(name, state).python
    venv.uv("pip", "install", "-q", "--python", str(python), "six==1.17.0")
    assert [each.words for each in restore(name, state).differences] == [
        "the version of six differs (1.16.0 and 1.17.0)"
    ]


def test_this_processs_own_interpreter_is_used_as_it_is_where_it_has_that_set(state):
    name = probed([sys.executable], os.environ, state, state)["environment"]
    assert same_here(name, state)
    assert missing(name, state) == {}
    assert str(restore(name, state).python) == sys.executable
    assert not (state / "env").exists()


def test_all_that_cannot_be_had_is_named_before_anything_is_made_and_can_be_left_out(venv, state, recorded, package):
    venv.install("six==1.16.0", "-e", str(package()), str(package(name="other")))
    name = with_changes(
        state,
        recorded(),
        idna={"version": "3.999"},
        **{"no-such-package-of-ours": {"version": "1.0"}},
        fetched={"version": "1", "source": "git+" + "a" * 40},
    )
    lost = missing(name, state)
    assert set(lost) == {"own", "other", "idna", "no-such-package-of-ours", "fetched"}
    assert lost["own"] == "own 1.0 was installed from a folder, whose sources are not in the snapshot"
    assert lost["idna"].startswith("idna==3.999 cannot be had: No solution found")
    assert "an address that is not recorded" in lost["fetched"]
    with pytest.raises(LaunchError, match=r"own 1\.0 was installed from a folder"):
        restore(name, state)
    found = restore(name, state, without=lost)
    assert said(found.python, "import six; print(six.__version__)") == "1.16.0"
    assert {each.name for each in found.differences} == set(lost)


def test_a_python_that_cannot_be_had_is_named_and_its_neighbour_taken_only_where_that_is_said(venv, state, recorded):
    venv.install("six==1.16.0")
    name = with_changes(state, recorded(), python=f"{sys.version_info.major}.{sys.version_info.minor}.99")
    lost = missing(name, state)
    assert list(lost) == [PYTHON]
    assert lost[PYTHON].startswith(f"CPython {sys.version_info.major}.{sys.version_info.minor}.99 cannot be had")
    with pytest.raises(LaunchError, match="cannot be made: No interpreter found"):
        restore(name, state)
    assert [each.kind for each in restore(name, state, without=lost).differences] == ["python"]


def test_the_project_s_own_packages_come_from_the_snapshot_with_version_and_entry_points(
    venv, state, recorded, package, tmp_path
):
    sources = package("from importlib.metadata import entry_points, version\n")
    venv.install("-e", str(sources))
    tree = tmp_path / "tree"
    (tree / "packages").mkdir(parents=True)
    sources.rename(tree / "packages" / "own")
    name = recorded()
    assert missing(name, state, tree) == {}
    found = restore(name, state, tree)
    assert found.differences == ()
    code = (
        "import own; print(own.version('own'), [point.value for point in own.entry_points(group='console_scripts')],"
        " own.__file__)"
    )
    environment = os.environ | {"PYTHONPATH": str(tree / "packages" / "own")}
    done = subprocess.run([found.python, "-P", "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split()[:2] == ["1.0", "['own:run']"]
    assert str(tree) in done.stdout


def test_the_pins_of_the_project_around_do_not_speak_against_a_record(venv, state, recorded, monkeypatch):
    (state.parent / "pyproject.toml").write_text('[tool.uv]\nconstraint-dependencies = ["six==1.17.0"]\n')
    monkeypatch.chdir(state.parent)
    monkeypatch.setenv("VIRTUAL_ENV", str(state.parent / "another"))
    venv.install("six==1.17.0")
    name = with_changes(state, recorded(), six={"version": "1.16.0"})
    assert missing(name, state) == {}
    assert said(restore(name, state).python, "import six; print(six.__version__)") == "1.16.0"


def test_a_package_of_an_index_that_the_project_names_is_found_there(venv, state, recorded, package, tmp_path):
    venv.uv("build", "-q", "--wheel", "--out-dir", str(tmp_path / "wheels"), str(package()))
    venv.install("six==1.16.0", "own==1.0", "--find-links", str(tmp_path / "wheels"))
    tree, name = tmp_path / "tree", recorded()
    tree.mkdir()
    wheels = (tmp_path / "wheels").as_uri()
    index = f'[[tool.uv.index]]\nname = "mine"\nurl = "{wheels}"\nformat = "flat"\nexplicit = true\n'
    sources = '[tool.uv.sources]\nown = { index = "mine" }\nsix = { git = "https://example.invalid/six" }\n'
    (tree / "pyproject.toml").write_text(f'[project]\nname = "study"\nversion = "1"\n{index}{sources}')
    assert list(missing(name, state)) == ["own"]
    assert missing(name, state, tree) == {}
    assert restore(name, state, tree).differences == ()
    hashed = hashed_requirements(read_environment(state, name), tree)
    assert missing(name, state, tree, hashed=hashed) == {"own": "own 1.0 has no hash in the bundle"}


def test_a_bundles_hashes_are_those_of_the_files_and_another_file_is_refused(venv, state, recorded):
    venv.install("six==1.16.0")
    name = recorded()
    hashed = hashed_requirements(read_environment(state, name))
    assert hashed.startswith("six==1.16.0 \\\n    --hash=sha256:")
    found = restore(name, state, hashed=hashed)
    assert (found.differences, missing(name, state, hashed=hashed)) == ((), {})
    with pytest.raises(LaunchError, match=r"(?i)hash mismatch"):
        restore(name, state, hashed="six==1.16.0 --hash=sha256:" + "0" * 64)


def test_what_a_bundle_does_not_pin_is_missing(venv, state, recorded):
    venv.install("six==1.16.0", "idna==3.10")
    name = recorded()
    [pins] = [each for each in hashed_requirements(read_environment(state, name)).split("idna==") if "six" in each]
    six = pins[pins.index("six==") :]
    lost = {"idna": "idna 3.10 has no hash in the bundle"}
    assert missing(name, state, hashed=six) == lost
    assert [each.name for each in restore(name, state, without=lost, hashed=six).differences] == ["idna"]


def test_a_bundle_installs_nothing_beside_the_set_and_nothing_that_is_left_out_or_built(venv, state, recorded):
    venv.install("six==1.16.0", "idna==3.10")
    more = with_changes(state, recorded(), certifi={"version": "2024.8.30"}, docopt={"version": "0.6.2"})
    hashed = hashed_requirements(read_environment(state, more))
    assert {line.partition("==")[0] for line in hashed.splitlines() if "==" in line} == {
        "six",
        "idna",
        "certifi",
        "docopt",
    }
    found = restore(recorded(), state, without=["idna"], hashed=hashed)
    assert [each.words for each in found.differences] == ["the version of idna differs (3.10 and not installed)"]
    lost = missing(more, state, hashed=hashed)
    assert list(lost) == ["docopt"]
    assert "building from source is disabled" in lost["docopt"]


def test_a_package_of_sources_alone_is_not_missing(venv, state, recorded):
    name = with_changes(state, recorded(), docopt={"version": "0.6.2"})
    assert missing(name, state) == {}


def test_without_uv_the_way_to_have_it_is_said(venv, state, recorded, monkeypatch):
    venv.install("six==1.16.0")
    name = recorded()
    monkeypatch.setenv("PATH", str(state))
    for ask in (missing, restore):
        with pytest.raises(LaunchError, match=r"uv is not on the PATH.*pip install uv"):
            ask(name, state)


def test_an_index_that_gives_no_answer_is_said_at_once(venv, state, recorded, monkeypatch):
    name = with_changes(state, recorded(), idna={"version": "3.9"}, six={"version": "1.15.0"})
    monkeypatch.setenv("UV_CACHE_DIR", str(state / "empty"))
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(LaunchError, match="uv cannot say which packages there are"):
        missing(name, state)
