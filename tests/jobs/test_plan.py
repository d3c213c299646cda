from __future__ import annotations

from dataclasses import replace

import pytest

from experiments.jobs.plan import Placement, RecordedJob, make_plan, refuse_secrets, with_interpreter
from experiments.project.errors import UsageError
from experiments.types import TrainingJobConfig, parse_seeds

PLACE = Placement(
    user="ada",
    ledger_id="ledger-1",
    launcher="local",
    target="here",
    train_command=("{python}", "-m", "trainer", "run={run}", "trainer.curriculum={curriculum}", "seed={seed}"),
)


def recorded(arm: str = "base", **config) -> RecordedJob:
    return RecordedJob(arm, TrainingJobConfig(curriculum="arena", **config))


def test_the_same_request_gives_the_same_plan():
    assert make_plan("exp", [recorded()], PLACE, seeds=(0, 1)) == make_plan("exp", [recorded()], PLACE, seeds=(0, 1))


@pytest.mark.parametrize(
    "other",
    [
        make_plan("exp2", [recorded()], PLACE),
        make_plan("exp", [recorded("other")], PLACE),
        make_plan("exp", [recorded(gpus=2)], PLACE),
        make_plan("exp", [recorded(additional_args=("a=1",))], PLACE),
        make_plan("exp", [recorded()], PLACE, seeds=(1,)),
        make_plan("exp", [recorded()], PLACE, repeat=2),
    ],
)
def test_what_changes_a_run_changes_the_key_and_the_names(other):
    base = make_plan("exp", [recorded()], PLACE)
    assert base.key != other.key
    assert base.jobs[0].run_name != other.jobs[0].run_name


def test_tags_and_the_git_flag_do_not_change_the_key():
    labelled = recorded(wandb_tags=("a",), skip_git_check=True)
    assert make_plan("exp", [labelled], PLACE).key == make_plan("exp", [recorded()], PLACE).key


def test_two_ledgers_never_share_a_run_name():
    other = Placement(**{**PLACE.__dict__, "ledger_id": "ledger-2"})
    mine, theirs = make_plan("exp", [recorded()], PLACE), make_plan("exp", [recorded()], other)
    assert mine.key == theirs.key
    assert mine.jobs[0].run_name != theirs.jobs[0].run_name


def test_a_run_name_shows_user_experiment_arm_and_seed():
    name = make_plan("exp", [recorded("big-lr")], PLACE, seeds=(3,)).jobs[0].run_name
    assert name.startswith("ada.exp.big-lr.s3.")
    assert len(name.rsplit(".", 1)[1]) == 8


def test_seeds_multiply_every_arm_in_order():
    plan = make_plan("exp", [recorded("a"), recorded("b")], PLACE, seeds=(0, 1))
    assert [(job.arm, job.seed) for job in plan.jobs] == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]


def test_a_command_is_filled_once_and_braces_in_values_stay():
    plan = make_plan("exp", [RecordedJob("a", TrainingJobConfig(curriculum="{seed}{run}"))], PLACE)
    job = plan.jobs[0]
    assert with_interpreter(job.command, "py") == (
        *("py", "-m", "trainer", f"run={job.run_name}", "trainer.curriculum={seed}{run}", "seed=0"),
    )


@pytest.mark.parametrize("label", ["", "My Run", "a/../b", "naïve", "x" * 41, "a\nb", "'q'"])
def test_a_label_that_is_no_name_is_refused_with_a_suggestion(label):
    with pytest.raises(UsageError, match="Try '"):
        make_plan("exp", [recorded(label)], PLACE)


def test_two_jobs_with_one_label_are_refused():
    with pytest.raises(UsageError, match="label 'a' and seed 0"):
        make_plan("exp", [recorded("a"), recorded("a")], PLACE)


def test_seeds_of_the_recipe_and_of_the_command_line_do_not_mix():
    with pytest.raises(UsageError, match="sets seed 4"):
        make_plan("exp", [RecordedJob("a", TrainingJobConfig(curriculum="x"), seed=4)], PLACE, seeds=(1,))


def test_a_seed_among_the_additional_arguments_is_refused():
    with pytest.raises(UsageError, match="--seeds"):
        make_plan("exp", [recorded(additional_args=("trainer.seed=3",))], PLACE)


@pytest.mark.parametrize(
    "argument", ["hub.token=abc", "data=https://ada:abc@host/x", "data.note=hunter2-hunter2", f"x=hf_{'a' * 34}"]
)
def test_an_argument_that_holds_a_secret_is_refused_without_saying_it(argument, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "hunter2-hunter2")
    with pytest.raises(UsageError, match=r"holds a secret.*environment") as error:
        refuse_secrets(make_plan("exp", [recorded(), recorded("b", additional_args=("a=1", argument))], PLACE))
    assert not [word for word in ("abc", "hunter2", "aaaa") if word in str(error.value)]
    with pytest.raises(UsageError, match=r"'\*\*\*' holds a secret"):
        refuse_secrets(make_plan("exp", [recorded()], replace(PLACE, train_command=("train", "--api-key", "abc"))))
    refuse_secrets(make_plan("exp", [recorded(additional_args=("a=1", "b=x"))], PLACE))


def test_a_plan_above_max_jobs_is_refused_with_the_number():
    with pytest.raises(UsageError, match="10,000 jobs"):
        make_plan("exp", [recorded()], PLACE, seeds=range(10_000), max_jobs=500)


def test_a_run_name_over_120_characters_is_refused():
    long = Placement(**{**PLACE.__dict__, "user": "u" * 40})
    with pytest.raises(UsageError, match="120"):
        make_plan("e" * 40, [recorded("a" * 40)], long)


@pytest.mark.parametrize(("text", "seeds"), [("5", (0, 1, 2, 3, 4)), ("0..4", (0, 1, 2, 3, 4)), ("3,7", (3, 7))])
def test_seeds_are_a_count_a_range_or_a_list(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "0", "a", "4..1", "3,3", "-1", "1.5", "0..4,2", "٣", "²", "0..٤", "1,\uff12"])
def test_what_is_not_a_list_of_seeds_is_refused(text):
    with pytest.raises(UsageError, match="--seeds"):
        parse_seeds(text)


def test_a_seed_given_twice_is_named_however_many_there_are():
    with pytest.raises(UsageError, match="names seed 1500 twice"):
        parse_seeds("0..2000,1500")
