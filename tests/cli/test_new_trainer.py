"""A recipe for a script that exists: written from its command line and its help, and good as it stands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.cli import run
from experiments.cli.new_trainer import options_in, spelled_as, trainer_of_command
from experiments.project.errors import UsageError

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "experiments" / "recipes" / "examples" / "scripts"


def tool(name):
    return shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}") or name


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("WANDB_MODE", "offline")
    for path in SCRIPTS.glob("*.py"):
        shutil.copy(path, tmp_path)
    return tmp_path


def recipe_in(folder, name):
    return folder / "experiments" / "recipes" / f"{name}.py"


def assert_is_clean(recipe):
    for arguments in (["check"], ["format", "--check"]):
        command = [tool("ruff"), *arguments, "--config", str(ROOT / "pyproject.toml"), str(recipe)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_to_read_the_help_of_no_program_is_refused_with_how_to_name_one(folder):
    assert run(["new", "study", "--read-help"]) == 2
    assert not (folder / "experiments" / "recipes" / "study.py").exists()


@pytest.mark.parametrize(
    ("script", "fields", "typed", "arrives"),
    [
        (
            "plain.py",
            ["learning_rate: str | None = Field(None", "steps: str | None"],
            ["--learning-rate", "0.5"],
            "plain.py --seed 0 --learning-rate 0.5\n",
        ),
        (
            "cleanrl_ppo.py",
            [
                'env_id: str = Field("CartPole-v1"',
                "learning_rate: float = Field(0.0025",
                "anneal_lr: bool = Field(True",
            ],
            ["--vary", "learning_rate=0.1"],
            "cleanrl_ppo.py --seed 0 --exp-name ppo --no-track",
        ),
    ],
)
def test_the_help_of_a_script_becomes_the_fields_of_its_recipe(folder, capsys, script, fields, typed, arrives):
    command = f"{sys.executable} {script} --seed {{seed}}"
    assert run(["new", "mine", "--trainer", command, "--read-help"]) == 0
    assert "options found in its help:" in capsys.readouterr().out
    recipe = recipe_in(folder, "mine")
    text = recipe.read_text()
    assert [field for field in fields if field not in text] == []
    assert "seed:" not in text
    assert_is_clean(recipe)
    done = subprocess.run([sys.executable, str(recipe), "--dry-run", *typed], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert arrives in done.stdout
    assert "5 jobs of mine" in done.stdout


def test_without_leave_the_program_is_not_run(folder, capsys):
    (folder / "loud.py").write_text("open('ran', 'w')")
    command = f"{sys.executable} loud.py --seed {{seed}}"
    assert run(["new", "mine", "--trainer", command]) == 0
    assert "--read-help" in capsys.readouterr().out
    assert not (folder / "ran").exists()
    assert_is_clean(recipe_in(folder, "mine"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import no_such_module", "it ended with exit code 1: ModuleNotFoundError: No module named 'no_such_module'"),
        ("", "it said nothing"),
        ("raise SystemExit(3)", "it ended with exit code 3\n"),
        ("import time; time.sleep(60)", "it did not end within 1 s"),
    ],
)
def test_a_help_that_cannot_be_read_is_no_help_without_options(folder, capsys, monkeypatch, text, says):
    monkeypatch.setattr("experiments.cli.new_trainer._PATIENCE_S", 1 if "sleep" in text else 60)
    (folder / "mute.py").write_text(text)
    assert run(["new", "mine", "--trainer", f"{sys.executable} mute.py --seed {{seed}}", "--read-help"]) == 0
    said = capsys.readouterr().out
    assert says in said
    assert "options found" not in said
    assert_is_clean(recipe_in(folder, "mine"))


def test_a_help_without_options_is_known_to_have_none(folder, capsys):
    (folder / "bare.py").write_text("print('usage: bare.py args')")
    assert run(["new", "mine", "--trainer", f"{sys.executable} bare.py args --seed {{seed}}", "--read-help"]) == 0
    assert "options found in its help: none" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("python train.py", r"does not say where the seed goes.*--trainer 'python train.py --seed \{seed\}'"),
        ("no-such-program --seed {seed}", "'no-such-program' is no program here"),
        ("python train.py --seed {sed}", r"\{sed\} in '\{sed\}' is no placeholder. Did you mean \{seed\}"),
        ("python 'train.py --seed {seed}", "is not a list of words"),
    ],
)
def test_a_command_that_cannot_train_is_refused_and_nothing_is_written(folder, command, says):
    with pytest.raises(UsageError, match=says):
        trainer_of_command("mine", command)
    assert run(["new", "mine", "--trainer", command]) == 2
    assert not (folder / "experiments").exists()


HELP = """
usage: x [OPTIONS]

Options:
  --batch_size INTEGER   Rows of a batch.  [default: 32]
  --name TEXT            Of the run.
  --out TEXT             Where.
  -l, --lr FLOAT         Step size. [default: 0.01]
  --seed INTEGER         Seed.
  --wandb-tags TEXT      Ours.
  --flag / --no-flag     A switch.
"""


def test_options_are_read_from_other_helps_and_what_is_ours_is_left_out():
    trainer = trainer_of_command("mine", f"{sys.executable} x.py --out={{run_dir}} --seed={{seed}}")
    assert trainer.style == "--key=value"
    found = {option.name: (option.kind, option.default) for option in options_in(HELP, trainer)[0]}
    assert found == {"batch_size": ("int", 32), "lr": ("float", 0.01), "flag": ("bool", None)}


def test_a_hydra_program_says_so_in_its_help():
    trainer = trainer_of_command("mine", f"{sys.executable} x.py seed={{seed}}")
    assert spelled_as("x is powered by Hydra.\n", trainer).style == "hydra"
    assert trainer.style == "key=value"


def test_a_field_says_what_the_help_says_of_its_option():
    trainer = trainer_of_command("mine", f"{sys.executable} x.py --seed {{seed}}")
    boxed = "│ --lr FLOAT             Step size of Adam. (default: 0.1)   │\n│ --n INT      (default: 3)   │\n╰─────╯\n"
    assert [option.description for option in options_in(boxed, trainer)[0]] == [
        "Step size of Adam.",
        "Option --n of the program.",
    ]


ARGPARSE = """
options:
  -h, --help            show this help message and exit
  --lr LR               step size
  -b N, --batch-size N  rows
  --normalize-adv       normalise advantages
  --a-switch-of-a-long-name
                        say so
  --torch-deterministic [TORCH_DETERMINISTIC]
                        if toggled (default: True)
  --layers N [N ...]    of the network
  --num_envs NUM_ENVS   at once (default: 4)
"""
ABSL = """
  --lr: step size
    (default: '0.1')
  --[no]track: log it
    (default: 'true')
"""
TYPER = """
│ *  --name            TEXT   Of it [required]              │
│    --rate   -r       FLOAT  [default: 0.5]                │
│    --fast   --no-fast       Go fast [default: no-fast]    │
│    --mode            [a|b]  Which                         │
"""


@pytest.mark.parametrize(
    ("text", "known", "left_out"),
    [
        (
            ARGPARSE,
            {
                "lr": ("str", None), "batch_size": ("int", None), "normalize_adv": ("bool", None),
                "a_switch_of_a_long_name": ("bool", None), "torch_deterministic": ("str", "True"),
            },
            ["--layers", "--num_envs"],
        ),
        (ABSL, {"lr": ("float", 0.1), "track": ("bool", True)}, []),
        (TYPER, {"rate": ("float", 0.5), "fast": ("bool", False), "mode": ("str", None)}, []),
    ],
)  # fmt: skip
def test_a_switch_takes_no_value_and_what_no_field_can_say_is_named(text, known, left_out):
    trainer = spelled_as(text, trainer_of_command("mine", f"{sys.executable} x.py --seed {{seed}}"))
    options, others = options_in(text, trainer)
    assert {option.name: (option.kind, option.default) for option in options} == known
    assert others == left_out


def test_a_switch_that_nothing_switches_off_reaches_the_program_as_it_takes_it(folder, capsys):
    (folder / "switched.py").write_text(
        "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--seed')\n"
        "parser.add_argument('--fast', action='store_true', help='go fast')\nprint(parser.parse_args())\n"
    )
    assert run(["new", "mine", "--trainer", f"{sys.executable} switched.py --seed {{seed}}", "--read-help"]) == 0
    recipe = recipe_in(folder, "mine")
    assert_is_clean(recipe)
    for typed, arrives in (([], "switched.py --seed 0\n"), (["--fast"], "switched.py --seed 0 --fast\n")):
        done = subprocess.run([sys.executable, str(recipe), "--dry-run", *typed], capture_output=True, text=True)
        assert arrives in done.stdout, done.stderr


ODD = """
import argparse
parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
for name in ("seed", "lambda", "copy", "float", "model-config"):
    parser.add_argument(f"--{name}", metavar="FLOAT", help="x")
parser.add_argument("--clip", type=float, default=float("inf"), help="of the gradient")
print(parser.parse_args())
"""


def test_a_recipe_can_be_run_whatever_a_program_calls_its_options_and_itself(folder, capsys):
    (folder / "new_recipe.py").write_text(ODD)
    assert run(["new", "mine", "--trainer", f"{sys.executable} new_recipe.py --seed {{seed}}", "--read-help"]) == 0
    said = capsys.readouterr().out
    assert "left out, for they are given behind a -- only: --lambda, --copy, --float, --model-config" in said
    recipe = recipe_in(folder, "mine")
    assert "clip: float | None = Field(None" in recipe.read_text()
    assert_is_clean(recipe)
    done = subprocess.run([sys.executable, str(recipe), "--dry-run"], capture_output=True, text=True)
    assert "new_recipe.py --seed 0\n" in done.stdout, done.stderr
    assert done.stderr == ""
