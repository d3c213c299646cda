"""Whatever is typed: an answer, or one line that says what is wrong. Never a traceback, and nothing half recorded."""

from __future__ import annotations

import itertools
import os
import random
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from experiments import cli
from experiments.cli.recipe import run_recipe
from experiments.recipes.arena_experiment import ArenaExperiment, ArenaExperimentConfig
from experiments.recipes.learning_rate_study import LearningRateStudy, LearningRateStudyConfig
from tests.fakes.cases import CASES, case_copy
from tests.share import share

pytestmark = pytest.mark.slow

POISON = (CASES / "serve" / "additional_args_that_poison.txt").read_text().splitlines()
ODD = [
    *(
        "",
        " ",
        "-",
        "--",
        "0",
        "-1",
        "5000",
        "1e999",
        "nan",
        "inf",
        "99999999999999999999",
        "0x10",
        "true",
        "None",
        "[]",
    ),
    *(
        "[",
        "{}",
        "a=b",
        "=",
        "a=",
        "a,b",
        ",",
        "..",
        "../..",
        "/",
        "\n",
        "a\nb",
        "\t",
        "\x1b[31m",
        "é",
        "名",
        "\U0001f600",
    ),
    *("\udcff", "a\udcffb", "x" * 300, "*", "$(id)", "'", '"', "{run}", "{python}", "%s", "{0}", "lr", *POISON),
]
EACH = share(1, 3)
"""Each flag and command is tried with one of so many odd values, the next one with others: none is left out."""
RECIPE_FLAGS = [
    *(
        "--gpus",
        "--nodes",
        "--curriculum",
        "--spot",
        "--additional-args",
        "--wandb-tags",
        "--wandb-entity",
        "--sections",
    ),
    *("--wandb-group", "--description", "--seeds", "--vary", "--launcher", "--max-jobs", "--max-cost", "--wandb-mode"),
    *("--learning-rate", "--output-dir", "--runs", "--job-ids", "--resume", "--theirs", ""),
]
COMMANDS = [
    *(
        "status",
        "logs",
        "show",
        "cancel",
        "retry",
        "note",
        "tag",
        "untag",
        "archive",
        "protect",
        "record",
        "diff",
        "runs",
        "sync",
        "pull",
        "replay",
    ),
    "",
]


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXPERIMENTS_HOME", str(tmp_path / "state"))
    return tmp_path


def outcome(call, capsys):
    """Return how a command ended and what it said; a traceback is an exception here, and fails the test."""
    try:
        code = call()
    except SystemExit as end:
        code = end.code
    return code, capsys.readouterr()


def is_answered(code, said) -> bool:
    """Say whether a command did what was asked, or said in one line why not."""
    errors = [line for line in said.err.splitlines() if line.startswith("error: ")]
    return code == 0 or (code in {1, 2} and len(errors) == 1 and "Traceback" not in said.err)


@pytest.mark.parametrize("flag", RECIPE_FLAGS)
def test_an_odd_value_of_a_recipes_flag_is_an_answer_or_one_line(project, monkeypatch, capsys, flag):
    wrong = []
    for value in ODD[RECIPE_FLAGS.index(flag) % EACH :: EACH]:
        words = [f"{flag}={value}"] if flag else [value]
        monkeypatch.setattr(sys, "argv", ["recipe.py", "odd", *words, "--dry-run"])
        call = lambda: run_recipe(ArenaExperiment, ArenaExperimentConfig, default_name="odd")  # noqa: E731
        code, said = outcome(call, capsys)
        if not is_answered(code, said):
            wrong.append((words, code, said.err))
    assert wrong == []


@pytest.mark.parametrize("command", COMMANDS)
def test_an_odd_word_of_a_command_is_an_answer_or_one_line(project, capsys, command):
    wrong = []
    for value, extra in itertools.product(ODD[COMMANDS.index(command) % EACH :: EACH], ([], ["x"])):
        words = [*([command] if command else []), value, *extra]
        code, said = outcome(lambda words=words: cli.run(words), capsys)
        if not (is_answered(code, said) or code in {0, 1}):
            wrong.append((words, code, said.err))
        assert "Traceback" not in said.err
    assert wrong == []


def test_several_odd_words_at_once_are_an_answer_or_one_line(project, monkeypatch, capsys):
    chance = random.Random(15)
    wrong = []
    for _ in range(share(150, 75)):
        flags = chance.sample([flag for flag in RECIPE_FLAGS if flag], 3)
        words = [word for flag in flags for word in (flag, chance.choice(ODD))]
        monkeypatch.setattr(sys, "argv", ["study.py", "odd", *words, "--dry-run"])
        call = lambda: run_recipe(LearningRateStudy, LearningRateStudyConfig, default_name="odd")  # noqa: E731
        code, said = outcome(call, capsys)
        if not is_answered(code, said):
            wrong.append((words, code, said.err))
    assert wrong == []


def ran(project: Path, *words: str | bytes) -> subprocess.CompletedProcess[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EXPERIMENTS_")}
    return subprocess.run(
        [sys.executable, *words], cwd=project, capture_output=True, check=False, env=environment, timeout=300
    )


def test_an_argument_that_no_process_takes_is_one_line_and_any_other_hides_no_job(tmp_path):
    project = case_copy("launch/poison", tmp_path / "project")
    subprocess.run(["git", "init", "-q", "."], cwd=project, check=True)
    common = ("--no-follow", "--skip-git-check")
    assert ran(project, "recipe.py", "good", *common).returncode == 0
    files = sorted(project.rglob("plans/*"))
    bad = ran(project, "recipe.py", "bad", *common, "--additional-args", b"a=\xff")
    assert (bad.returncode, bad.stdout, len(bad.stderr.splitlines())) == (2, b"", 1), bad.stderr
    assert sorted(project.rglob("plans/*")) == files
    # What these mean is for the program to say, which is none of ours.
    odd = ran(project, "recipe.py", "odd", *common, "--additional-args", "lr", "=x", "~trainer.x")
    assert odd.returncode == 0, odd.stderr
    status = ran(project, "-m", "experiments.cli", "status")
    assert status.returncode == 0
    assert status.stderr == b""
    listed = [line.split(".")[1:3] for line in status.stdout.decode().splitlines() if re.match(r"[^ ]+\.s0\.", line)]
    assert listed == [["good", "a"], ["good", "b"], ["odd", "a"], ["odd", "b"]]


@pytest.mark.parametrize(
    "words",
    [
        *(["--gpus", "5000"], ["--curriculum", ""], ["--learning-rate=0.1"], ["--additional-args", "trainer.bogus=1"]),
        *([b"--wandb-tags", b"\xff"], [b"\xff"], ["--additional-args", "trainer.total_timesteps=-1"]),
        *(["--vary", "additional_args=a=1,b=2"], ["--additional-args", "seed=1"]),
    ],
)
def test_a_recipe_value_out_of_range_is_one_line_with_exit_code_2(tmp_path, words):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    source = Path(sys.modules[ArenaExperiment.__module__].__file__)
    (tmp_path / "arena.py").write_bytes(source.read_bytes())
    done = ran(tmp_path, "arena.py", "odd", *words)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, b"", 1), done.stderr
    assert done.stderr.startswith(b"error: ")
    assert list(tmp_path.rglob("plans/*")) == []


NO_NAMES = ["x" * 256, "é" * 128, "a/" + "x" * 256 + "/b", "a/" * 2048, "a\0b"]


@pytest.mark.parametrize("name", NO_NAMES, ids=["long", "long in bytes", "long inside", "long path", "NUL"])
def test_a_path_that_no_file_can_have_is_refused_in_one_line(project, monkeypatch, capsys, name):
    wrong = []
    commands = [
        *(["export", name], ["export", "nb.py", "--output", name], ["record", name], ["new", name]),
        *(["replay", "inspect", name], ["replay", "map", name], ["replay", "convert", "a.json", name]),
        *(["logs", name], ["show", name], ["serve", name], ["pull", "--from", name]),
    ]
    for words in commands:
        code, said = outcome(lambda words=words: cli.run(words), capsys)
        if code != 2 or len(said.err.splitlines()) != 1:
            wrong.append((words[:2], code, said.err))
    for words in ([name], ["n", "--output-dir", name], ["n", "--sections", name], ["n", "--theirs", name]):
        monkeypatch.setattr(sys, "argv", ["recipe.py", *words, "--no-launch"])
        call = lambda: run_recipe(ArenaExperiment, ArenaExperimentConfig, default_name="odd")  # noqa: E731
        code, said = outcome(call, capsys)
        if code != 2 or len(said.err.splitlines()) != 1:
            wrong.append((words[:2], code, said.err))
    assert wrong == []


@pytest.mark.parametrize("is_new", [True, False], ids=["of a new notebook", "of one that is there"])
def test_the_generated_version_of_no_cell_is_refused_with_the_cells_there_are(project, monkeypatch, capsys, is_new):
    for words in ([] if is_new else [[]]) + [["--theirs", "nosuch"]]:
        monkeypatch.setattr(sys, "argv", ["recipe.py", "odd", "--no-launch", "--output-dir", "nb", *words])
        call = lambda: run_recipe(ArenaExperiment, ArenaExperimentConfig, default_name="odd")  # noqa: E731
        code, said = outcome(call, capsys)
    assert code == 2
    assert said.err.startswith("error: --theirs 'nosuch': no such generated cell. Cells: setup, study, verdict")


def test_a_user_without_a_name_and_a_home_is_answered(project, monkeypatch, capsys):
    """As in a container that runs under any number."""

    def nobody(_):
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("pwd.getpwuid", nobody)
    for name in ("HOME", "USER", "LOGNAME", "LNAME", "USERNAME", "XDG_CONFIG_HOME", "EXPERIMENTS_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "~nobody/netrc")
    for words in (["status"], ["runs"], ["doctor"], ["pull", "--all"]):
        code, said = outcome(lambda words=words: cli.run(words), capsys)
        assert code in {0, 1, 2}, said.err
    monkeypatch.setattr(sys, "argv", ["recipe.py", "odd", "--dry-run"])
    call = lambda: run_recipe(ArenaExperiment, ArenaExperimentConfig, default_name="odd")  # noqa: E731
    code, said = outcome(call, capsys)
    assert (code, len(said.err.splitlines())) == (2, 1)
    assert "export EXPERIMENTS_USER=NAME" in said.err


@pytest.mark.parametrize("address", ["http://[::1", "http://host:port", "http://h:99999"])
def test_an_address_of_the_server_that_is_none_is_one_line(project, monkeypatch, capsys, address):
    monkeypatch.setenv("WANDB_BASE_URL", address)
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    code, said = outcome(lambda: cli.run(["runs"]), capsys)
    assert (code, len(said.err.splitlines())) == (2, 1), said.err
    assert "export WANDB_BASE_URL=https://HOST" in said.err


@pytest.mark.timeout(60)
def test_what_is_neither_file_nor_folder_is_refused_before_it_is_opened(project, capsys):
    """A pipe would be waited for, a device read without end or replaced by a file."""
    os.mkfifo(project / "pipe.py")
    (project / "circle.py").symlink_to("circle.py")
    (project / "nb.py").write_text("import marimo\n\napp = marimo.App()\n")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket.py")
    wrong = []
    for name in ("pipe.py", "circle.py", "socket.py"):
        for words in (
            *(
                ["export", name],
                ["record", name],
                ["export", "nb.py", "--output", name],
                ["pull", "--all", "--from", name],
            ),
            *(["replay", "inspect", name], ["replay", "map", name], ["replay", "convert", "a.json", name]),
            *(["serve", name],),
        ):
            code, said = outcome(lambda words=words: cli.run(words), capsys)
            if code != 2 or len(said.err.splitlines()) != 1 or name not in said.err:
                wrong.append((words, code, said.err))
    assert wrong == []


@pytest.mark.parametrize("help_flag", ["--help", "-h"])
def test_a_flag_whose_value_is_forgotten_before_help_is_one_line(project, monkeypatch, capsys, help_flag):
    for words in (["pull", "--all", "--from", help_flag], ["serve", "--host", help_flag]):
        code, said = outcome(lambda words=words: cli.run(words), capsys)
        assert (code, said.out, len(said.err.splitlines())) == (2, "", 1), said.err
    code, said = outcome(lambda: cli.run(["pull", help_flag]), capsys)
    assert (code, said.err) == (0, "")
    assert max(map(len, said.out.splitlines())) < 300
