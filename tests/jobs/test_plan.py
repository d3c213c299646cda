from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from experiments.jobs.commands import with_interpreter
from experiments.jobs.plan import (
    Name,
    Placement,
    RecordedJob,
    make_plan,
    read_name,
    refuse_secrets,
    run_name,
    training_jobs,
)
from experiments.project.errors import UsageError
from experiments.types import JobRef, TrainingJobConfig, parse_seeds

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


def test_every_replicate_of_a_seed_is_a_job_of_its_own_whose_number_is_in_its_name():
    plan = make_plan("exp", [recorded()], PLACE, seeds=(3, 4), same_seed=3)
    seeds, replicates = (3, 3, 3, 4, 4, 4), (0, 1, 2, 0, 1, 2)
    assert tuple(job.seed for job in plan.jobs) == seeds
    assert tuple(job.replicate for job in plan.jobs) == replicates
    assert [job.counts for job in plan.jobs] == [True, False, False] * 2
    assert len({job.run_name for job in plan.jobs}) == 6
    for job in plan.jobs:
        assert read_name(job.run_name) == ("base", job.seed, job.replicate, job.role)
        assert job.command[-1] == f"seed={job.seed}"
    assert plan.jobs[2].run_name.startswith("ada.exp.base.s3r2.")
    assert [(job.role, job.replicate) for job in training_jobs(plan)] == [
        (job.role, job.replicate) for job in plan.jobs
    ]


def test_a_plan_without_replicates_has_the_key_and_the_names_that_it_always_had():
    plan = make_plan("exp", [recorded()], PLACE, seeds=(0, 1))
    assert plan.key == "9b5a6d1f2e1c5b65d0a5b0aba6c89c240a43b925050cc0969ecb87afbfbb0fcf"
    assert [job.run_name for job in plan.jobs] == ["ada.exp.base.s0.euehdfij", "ada.exp.base.s1.xr2cxwet"]
    assert not {"role", "replicate", "parent"} & set(plan.jobs[0].model_dump(mode="json"))


def test_what_a_run_is_to_another_changes_its_key_and_is_in_its_name():
    own = make_plan("exp", [RecordedJob("a", TrainingJobConfig(curriculum="x"), 2)], PLACE)
    for role in ("reproduction", "fork", "evaluation"):
        job = RecordedJob("a", TrainingJobConfig(curriculum="x"), 2, role=role, parent=own.jobs[0].run_name)
        plan = make_plan("exp", [job], PLACE, same_seed=3)
        [planned] = plan.jobs
        assert (planned.role, planned.parent, planned.counts) == (role, own.jobs[0].run_name, False)
        assert read_name(planned.run_name) == ("a", 2, 0, role)
        assert plan.key != own.key


@pytest.mark.parametrize("name", [Name("a", 3), Name("a", 3, 2, "replicate"), Name("a", 3, 2, "reproduction")])
def test_a_run_name_says_what_it_was_made_of_in_every_attempt(name):
    names = [run_name("ada", "exp", name, ledger_id="l", plan_key="k", attempt=attempt) for attempt in (1, 2, 3)]
    assert len(set(names)) == 3
    assert {read_name(text) for text in names} == {name}


@pytest.mark.parametrize("text", ["ada.exp.a.s3r0.aaaaaaaa", "ada.exp.a.s3-seed.aaaaaaaa", "ada.exp.a.s3r.aaaaaaaa"])
def test_a_name_that_no_run_of_ours_can_have_says_nothing(text):
    assert read_name(text) is None


def test_no_run_is_a_seed_and_a_replicate():
    with pytest.raises(ValidationError, match="a seed cannot be replicate 2"):
        JobRef(run="r", replicate=2)
    with pytest.raises(ValidationError, match="a replicate cannot be replicate 0"):
        JobRef(run="r", role="replicate")


@pytest.mark.parametrize("number", [0, -1, 10_000])
def test_less_than_one_run_of_a_seed_and_more_than_a_name_can_count_are_refused(number):
    with pytest.raises(UsageError, match=r"from 1 to 9,999. Try --same-seed 3"):
        make_plan("exp", [recorded()], PLACE, same_seed=number)


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
