"""Five styles of arguments times four ways to give them: what the program gets, byte for byte, from a real process."""

from __future__ import annotations

import json
import sys

import pytest
from pydantic import create_model

from experiments.cli.recipe import parse
from experiments.experiment import Experiment
from experiments.launch import allow_launch, launch_training
from experiments.types import BaseExperimentConfig, Trainer, TrainingJobConfig
from tests.fakes.launching import wait_for_end, workspace_at

TEXTS = (
    *(
        "a b",
        "it's",
        'say "hi"',
        "a=b=c",
        "a,b,[c]",
        "line\nline\r\n",
        "😀 é 文",
        "$HOME `id` ; rm | &",
        "{seed} {{x}} {",
    ),
    *("\\", "tab\t", "%s", "~/x", "*", "", " ", "-", "--", "-0.5", "--looks-like-one", "+a=1", "@file", "x" * 100_000),
)
VALUES = {f"text_{at}": text for at, text in enumerate(TEXTS)}
DUMP = """
import json, os, sys
with open(os.path.join(os.environ["EXPERIMENTS_RUN_DIR"], "argv.json"), "w") as file:
    json.dump(sys.argv[1:], file)
"""
STYLES = {
    "key=value": {"style": "key=value"},
    "--key=value": {"style": "--key=value"},
    "--key value": {"style": "--key value"},
    "--with-dashes": {"style": "--key value", "dashes": True},
    "hydra": {"style": "hydra"},
}


def words_of(style: str) -> list[str]:
    """Return the words that set the values, written here by hand."""
    found: list[str] = []
    for key, text in VALUES.items():
        if style in {"key=value", "hydra"}:
            found.append(f"{key}={text}")
        elif style == "--key=value":
            found.append(f"--{key}={text}")
        else:
            name = f"--{key.replace('_', '-')}" if style == "--with-dashes" else f"--{key}"
            found += [f"{name}={text}"] if text.startswith("-") else [name, text]
    return found


Config = create_model("Config", __base__=BaseExperimentConfig, **dict.fromkeys(VALUES, (str, "")))


class Given(Experiment):
    """Its trainer gets what the recipe's config or its job says."""

    words: tuple[str, ...] | None = None

    def launch_training_runs(self):
        job = self.job() if self.words is None else TrainingJobConfig(trainer=self.trainer, additional_args=self.words)
        return [self.launch_training_run_from_config("only", job)]


def recipe_of(trainer, name, config, workspace, words=None):
    made = type("Recipe", (Given,), {"trainer": trainer, "words": words})(name, config)
    made.workspace = workspace
    return made


def launched(experiment):
    with allow_launch() as permit:
        return experiment.launch(experiment.plan(), permit)[0]


@pytest.mark.parametrize("style", STYLES)
def test_arguments_arrive_byte_for_byte_whatever_way_they_are_given(style, tmp_path):
    (tmp_path / "dump.py").write_text(DUMP)
    workspace = workspace_at(tmp_path, in_place=True)
    command = (sys.executable, "-S", "dump.py", "begin", "{args}", "end")
    trainer = Trainer(command=command, **STYLES[style])
    words, config = words_of(style), Config(**VALUES)
    typed = parse(Config, ["--seeds", "0", "--", *words], prog="recipe.py").config
    jobs = {
        "the recipe's words": launched(recipe_of(trainer, "words", Config(), workspace, tuple(words))),
        "its config's fields": launched(recipe_of(trainer, "fields", config, workspace)),
        "the command line": launched(recipe_of(trainer, "typed", typed, workspace, ())),
    }
    with allow_launch():
        jobs["a function"] = launch_training("called", "", trainer=trainer, workspace=workspace, **VALUES)
    wait_for_end(workspace, [job.run_name for job in jobs.values()])
    for way, job in jobs.items():
        arrived = json.loads((workspace.runs / job.run_name / "argv.json").read_text())
        assert (arrived[0], arrived[-1]) == ("begin", "end"), way
        if style == "hydra" and way in {"its config's fields", "a function"}:
            assert read_by_hydra(arrived[1:-1]) == VALUES, way
        else:
            assert arrived[1:-1] == words, way


def read_by_hydra(words: list[str]) -> dict[str, object]:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from omegaconf import OmegaConf

    overrides = OverridesParser.create().parse_overrides(words)
    return dict(OmegaConf.create({each.key_or_group: each.value() for each in overrides}))


def test_what_wandbs_sweeps_write_arrives_as_they_say(tmp_path):
    (tmp_path / "dump.py").write_text(DUMP)
    workspace = workspace_at(tmp_path, in_place=True)
    words = "${args_no_hyphens}", "--json", "${args_json}", "--", "${args}"
    trainer = Trainer(command=(sys.executable, "-S", "dump.py", *words), style="--key value", dashes=True)
    fields = {"learning_rate": 0.5, "label": "a 'b' 😀", "layers": [64, 32], "anneal": False}
    with allow_launch():
        job = launch_training("swept", "", trainer=trainer, workspace=workspace, **fields)
    wait_for_end(workspace, [job.run_name])
    arrived = json.loads((workspace.runs / job.run_name / "argv.json").read_text())
    assert arrived[:4] == ["learning_rate=0.5", "label=a 'b' 😀", "layers=[64, 32]", "anneal=false"]
    assert json.loads(arrived[5]) == fields
    assert arrived[7:] == ["--learning-rate", "0.5", "--label", "a 'b' 😀", "--layers", "64", "32", "--no-anneal"]
