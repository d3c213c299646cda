from __future__ import annotations

import pytest
from pydantic import ValidationError

from experiments.project.errors import UsageError, reasons
from experiments.project.trainers.known import metta, reference, trainer_named
from experiments.project.trainers.value import Checkpoints, Metrics, Trainer, check_variables, sets_seed

TRAINER = Trainer(command="python train.py --seed {seed} --env 'a b'", style="--key value")


def refused(**fields):
    with pytest.raises(ValidationError) as told:
        Trainer(**{"command": ("x",), **fields})
    return reasons(told.value)


def test_a_command_in_one_text_is_split_into_words_and_is_no_shells():
    assert TRAINER.command == ("python", "train.py", "--seed", "{seed}", "--env", "a b")
    assert Trainer(command="echo $HOME ; ls").command == ("echo", "$HOME", ";", "ls")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"command": "train 'x"}, "is not a list of words"),
        ({"command": ()}, "at least 1 item"),
        ({"metrics": {"primary": "return"}}, "'return' has no direction, so nobody can tell which run is better. Add"),
        ({"metrics": {"direction": "higher"}}, "none is named. Add primary = 'KEY'"),
        (
            {"metrics": {"replay_links": ("https://v/",)}},
            "'https://v/' does not say where in a link the replay's address is. Write {url}",
        ),
        ({"env": {"A B": "x"}}, "'A B' is no variable"),
        ({"env": {"WANDB_RUN_ID": "x"}}, "'WANDB_RUN_ID' is set for every run"),
        ({"evaluate": "eval.py {checkpoint} {out}"}, "an evaluation has to be told its {maps}. Put {maps} into"),
        ({"style": "yaml"}, "style 'yaml'"),
        ({"checkpoints": {"pattern": "/save/*"}}, "'/save/*' do not lie in their folder. Say where they lie"),
        ({"checkpoints": {"pattern": "../*"}}, "'../*' do not lie in their folder"),
    ],
)
def test_what_is_wrong_of_a_trainer_is_said_when_it_is_made(fields, says):
    assert says in refused(**fields)


def test_a_variable_that_every_launch_sets_is_refused_with_its_option():
    trainer = Trainer(name="mine", command="x", env={"OMP_NUM_THREADS": "4", "WANDB_PROJECT": "hills"})
    with pytest.raises(
        UsageError, match=r"sets WANDB_PROJECT='hills', .* launch with --wandb-project, or set wandb_proj"
    ):
        check_variables(trainer)
    check_variables(Trainer(command="x", env={"OMP_NUM_THREADS": "4"}))


@pytest.mark.parametrize(
    "word",
    [
        "--seed 3",
        "--seed=3",
        "seed=3",
        "+seed=3",
        "++seed=3",
        "~seed",
        "-seed 3",
        "system.seed=3",
        "--trainer.seed 3",
        "--random-seed=3",
        "seed_everything=3",
        "train/seed=3",
    ],
)
def test_a_seed_that_is_set_by_hand_is_caught_in_every_style(word):
    style = "hydra" if word[0] in "+~" else "--key value"
    trainer = Trainer(command=("x", "{seed}"), style=style)
    assert any(sets_seed(each.key, trainer) for each in trainer.read(word.split()))


@pytest.mark.parametrize(
    "word", ["seeds=3", "--eval-seed 3", "training_env.seed=3", "evaluation.seed=3", "--env.seed=1"]
)
def test_a_seed_of_its_own_is_none_of_the_run(word):
    assert not any(sets_seed(each.key, TRAINER) for each in TRAINER.read(word.split()))


def test_the_argument_that_the_command_shows_as_the_seeds_is_one():
    trainer = Trainer(command="train -s {seed} {args}", style="--key value")
    assert trainer.seed_key == "s"
    assert sets_seed("s", trainer)
    assert Trainer(command="x", seed="--rng").seed_key == "rng"
    assert not Trainer(command="x").passes_seed
    assert Trainer(command="x", env={"SEED": "{seed}"}).passes_seed


def test_checkpoints_are_known_by_their_names():
    of = Checkpoints(pattern="step_{step}*.pt")
    assert (of.step_of("step_120.pt"), of.step_of("step_7-best.pt"), of.step_of("last.pt")) == (120, 7, None)
    assert of.glob == "step_**.pt"
    of = Checkpoints(pattern="{step}/model_{step}.pt")
    assert (of.step_of("120/model_120.pt"), of.step_of("120/model_7.pt"), of.step_of("model_7.pt")) == (120, None, None)


def test_a_projects_trainer_has_its_name_before_ours():
    own = {"metta": TRAINER}
    assert trainer_named("metta", own) is TRAINER
    assert trainer_named("metta", {}) is metta()
    with pytest.raises(
        UsageError, match=r"'meta' is not known. Did you mean 'metta'\? There are: metta, refe.*Add one"
    ):
        trainer_named("meta", {})


def test_what_is_not_said_is_left_out_of_json():
    assert Trainer(command="x").model_dump(mode="json", exclude_defaults=False)["metrics"] == {}
    assert Metrics(step="s").model_dump(mode="json") == {"step": "s"}
    assert Trainer.model_validate_json(metta().model_dump_json()) == metta()
    assert reference().metrics.direction == "higher"
