"""What the project runs: no text as code, and only the packages of the record."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.code_rules import dangers

ROOT = Path(__file__).parent.parent
PACKAGES = ("experiments", "apps", "widgets")
RECORD = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
PERMISSIVE = re.compile(
    r"\b(MIT|BSD|0BSD|Apache|ISC|MPL|Mozilla|PSF|Python Software Foundation|Public Domain|Zlib|CC0)\b", re.IGNORECASE
)


def tracked(*suffixes: str) -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *PACKAGES]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name.endswith(suffixes) and (ROOT / name).is_file()]


def installed() -> dict[str, importlib.metadata.Distribution]:
    """Return the packages of this environment by their normalised names, without the project itself."""
    found = {re.sub(r"[-_.]+", "-", each.name).lower(): each for each in importlib.metadata.distributions()}
    return {name: each for name, each in found.items() if name != "experiments"}


@pytest.mark.parametrize(
    "source",
    [
        *("eval(text)", "exec(text)", "compile(text, 'x', 'exec')", "__import__(name)", "list(map(eval, texts))"),
        *("import builtins as b\nb.exec(text)", "from builtins import eval as e\ne(text)"),
        *("import pickle", "from pickle import loads", "import cloudpickle as c", "def f():\n    import dill"),
        *("import importlib\nimportlib.import_module('marshal')", "import numpy\nnumpy.load(path, allow_pickle=True)"),
        *("import subprocess\nsubprocess.run(line, shell=True)", "from subprocess import Popen\nPopen(a, shell=asked)"),
        *("import os\nos.system(line)", "from os import popen as p\np(line)", "import pty\npty.spawn(line)"),
        *("from subprocess import getoutput\ngetoutput(line)", "import yaml\nyaml.load(text)"),
        *(
            "import yaml as y\ny.load(text, y.Loader)",
            "from yaml import load, FullLoader\nload(text, Loader=FullLoader)",
        ),
        *("import torch\ntorch.load(path)", "import pandas as pd\npd.read_pickle(path)"),
    ],
)
def test_what_runs_text_as_code_is_found(source):
    assert dangers(source) != []


@pytest.mark.parametrize(
    "source",
    [
        *("model.eval()", "re.compile(pattern)", "# eval(text)", "'exec(text)'", "import ast\nast.literal_eval(text)"),
        *("import yaml\nyaml.safe_load(text)", "import yaml as y\ny.load(text, Loader=y.CSafeLoader)"),
        *("import subprocess\nsubprocess.run([a], shell=False)", "import numpy as np\nnp.load(p, allow_pickle=False)"),
        *("def exec_command(words): ...", "evaluate(text)", "self.compile = 1", "from .pickled import x"),
    ],
)
def test_what_only_looks_like_it_is_not(source):
    assert dangers(source) == []


def test_the_packages_call_nothing_that_runs_text_as_code():
    files = tracked(".py")
    assert len(files) > 200
    found = {str(path.relative_to(ROOT)): dangers(path.read_text(encoding="utf-8")) for path in files}
    assert {name: what for name, what in found.items() if what} == {}


def test_the_browser_s_code_makes_no_code_from_text():
    made = re.compile(r"\beval\(|\bnew Function\(|\bdocument\.write|\bset(?:Timeout|Interval)\(\s*[\"'`]")
    files = tracked(".js", ".mjs")
    assert len(files) > 40
    assert [str(path) for path in files if made.search(path.read_text(encoding="utf-8"))] == []


def test_what_is_made_for_users_runs_no_text_as_code_either(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")

    def run(*words: str) -> None:
        subprocess.run([sys.executable, *words], cwd=tmp_path, env=environment, check=True, capture_output=True)

    run("-m", "experiments.cli", "new", "mine")
    [recipe] = tmp_path.rglob("mine.py")
    run(str(recipe), "--no-launch")
    made = [recipe, *tmp_path.rglob("*_nb.py")]
    assert len(made) == 2
    assert {path.name: what for path in made if (what := dangers(path.read_text(encoding="utf-8")))} == {}


def test_every_constraint_is_a_plain_version_of_the_index_and_stands_once():
    # No address, no repository, no path, no wildcard, no hash that only one platform has.
    assert [line for line in RECORD if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*==[0-9][A-Za-z0-9.!]*", line)] == []
    names = [line.split("==")[0] for line in RECORD]
    assert len(set(names)) == len(names) > 100


def test_the_constraints_of_uv_are_those_of_the_record():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["uv"]["constraint-dependencies"] == RECORD
    assert "sources" not in project["tool"]["uv"]
    assert "index" not in project["tool"]["uv"]


def test_whatever_is_installed_is_in_the_record_with_this_very_version():
    recorded = dict(line.split("==") for line in RECORD)
    assert {name: each.version for name, each in installed().items() if recorded.get(name) != each.version} == {}


@pytest.mark.skipif(
    (sys.platform, sys.version_info[:2]) != ("linux", (3, 11)), reason="the record was made on Linux with Python 3.11"
)
def test_whatever_is_in_the_record_is_installed():
    assert [line for line in RECORD if line.split("==")[0] not in installed()] == []


def test_no_package_was_installed_from_an_address_a_repository_or_a_folder():
    direct = {name: each.read_text("direct_url.json") for name, each in installed().items()}
    assert {name: text for name, text in direct.items() if text} == {}


def test_every_package_says_a_licence_that_lets_it_be_used_and_passed_on():
    said = {}
    for name, each in installed().items():
        classifiers = [text for text in each.metadata.get_all("Classifier") or [] if text.startswith("License")]
        fields = [each.metadata.get("License-Expression"), each.metadata.get("License")]
        said[name] = " ".join([*classifiers, *(field[:200] for field in fields if field)])
    assert {name: text for name, text in said.items() if not PERMISSIVE.search(text)} == {}


def test_the_packages_of_the_browser_code_are_exact_and_are_not_shipped():
    described = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    assert "dependencies" not in described
    versions = described["devDependencies"].values()
    assert [version for version in versions if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
