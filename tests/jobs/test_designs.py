"""Designs: numbered within their family before the launch, and exploratory where anything is no longer as recorded."""

from __future__ import annotations

import math
import time

import pytest

from experiments.jobs.designs import design_words, in_order, record_journal, registration_of
from experiments.jobs.families import arms_of_rule, family_of, level_of, place_of
from experiments.jobs.journal import Journal, Rule
from experiments.jobs.leases import tenure
from experiments.jobs.ledger import open_ledger, reading
from experiments.jobs.ledger.mending import rebuild
from experiments.jobs.ledger.reading import read_job
from experiments.jobs.permits import command_permit
from experiments.project.errors import UsageError
from experiments.project.standing import CHOOSING
from experiments.project.values import replaced
from experiments.types import KeptControl, Metrics, Trainer
from tests.fakes.launching import plan_in, workspace_at

RULE = Rule(metric="reward", direction="higher", effect=0.1, arm="b", baseline="a")
JOURNAL = Journal(hypothesis="b is better", rule=RULE)
"""The same for all designs below, but for the experiment's name."""


@pytest.fixture
def workspace(tmp_path):
    return workspace_at(tmp_path)


def planned(workspace, name="exp", *, seeds=range(3), arms=("a", "b"), candidate="", **config):
    """Return the plan of an experiment, whose last arm is a candidate of its own unless it is named."""
    plan = plan_in(workspace, seeds=seeds, arms=arms, **config)
    own = ("trainer.candidate=" + (candidate or name),)
    jobs = tuple(
        replaced(
            job,
            run_name=job.run_name.replace(".exp.", f".{name}."),
            config=replaced(job.config, additional_args=own) if job.arm in {"b", "candidate"} else job.config,
        )
        for job in plan.jobs
    )
    return replaced(plan, experiment=name, key=f"{name}-{plan.key}", family=f"{name}-{plan.family}", jobs=jobs)


def launched(workspace, plan, journal=JOURNAL):
    """Record a journal and a plan as a launch does, and that a launcher took its jobs; return them."""
    record_journal(plan, journal, command_permit("test"), workspace)
    with open_ledger(workspace) as ledger, tenure() as owner:
        ledger.record_plan(plan, tracker="offline", provenance={})
        names = [job.run_name for job in plan.jobs]
        ledger.conclude(
            owner, accepted={name: name for name in ledger.intend({key: {} for key in names}, "here", owner)}
        )
        return [job.ref() for job in ledger.jobs(plan_key=plan.key)]


def test_what_was_recorded_before_the_launch_is_registered_as_the_first_of_its_family(workspace):
    found = registration_of(workspace, launched(workspace, planned(workspace)), JOURNAL)
    assert found.is_registered
    assert found.number == 1
    assert found.level == pytest.approx(0.05 * 6 / math.pi**2)
    assert found.seeds == {"b": (0, 1, 2), "a": (0, 1, 2)}
    assert found.words == "Registered: design 1 of its family, level 0.03."


def test_each_further_candidate_against_the_same_baseline_gets_a_smaller_level(workspace):
    levels = []
    for number in range(1, 5):
        jobs = launched(workspace, planned(workspace, f"exp{number}"))
        levels.append(registration_of(workspace, jobs, JOURNAL).level)
    assert levels == [pytest.approx(level_of(number)) for number in range(1, 5)]
    assert sum(level_of(number) for number in range(1, 10_000)) < 0.05


def test_a_preview_says_the_number_that_a_launch_gets(workspace):
    plan = planned(workspace)
    with open_ledger(workspace) as ledger:
        assert place_of(family_of(plan, JOURNAL, ledger), ledger) == (1, 0)
    launched(workspace, plan)
    with open_ledger(workspace) as ledger:
        assert place_of(family_of(plan, JOURNAL, ledger), ledger) == (1, 0)
        assert place_of(family_of(planned(workspace, "next"), JOURNAL, ledger), ledger) == (2, 0)


@pytest.mark.parametrize(
    ("change", "kin"),
    [
        ({"curriculum": "other"}, ""),
        ({"additional_args": ("trainer.x=1",)}, "1 design of this metric and trainer whose baseline has other"),
    ],
)
def test_another_baseline_is_another_family_and_one_of_other_settings_is_told(workspace, change, kin):
    """A setting that changes nothing would else make a family anew, at the full level, as often as one likes."""
    launched(workspace, planned(workspace))
    plan = planned(workspace, "next")
    jobs = tuple(replaced(job, config=replaced(job.config, **change)) for job in plan.jobs)
    with open_ledger(workspace) as ledger:
        assert kin in design_words(replaced(plan, jobs=jobs), JOURNAL, ledger)
    found = registration_of(workspace, launched(workspace, replaced(plan, jobs=jobs)), JOURNAL)
    assert found.number == 1
    assert kin in found.words
    assert found.kin == bool(kin)


def test_whoever_asks_a_new_question_each_night_is_told_how_many_false_claims_that_makes(workspace):
    """A fresh metric is a fresh family at the full level, and no level that there is holds over all of them."""
    said = []
    for night in range(1, 5):
        journal = replaced(JOURNAL, rule=replaced(RULE, metric=f"metric {night}"))
        plan = planned(workspace, f"night{night}", seeds=range(3 * night, 3 * night + 3))
        with open_ledger(workspace) as ledger:
            before = design_words(plan, journal, ledger)
        said.append(registration_of(workspace, launched(workspace, plan, journal), journal).words)
        assert said[-1].partition("level 0.03.")[2] in before
    assert said[0] == "Registered: design 1 of its family, level 0.03."
    assert said[3].endswith(
        "With it this project registered claims of 4 families: were there no difference in any, up to 0.2 of them "
        "would be falsely decided."
    )
    journal = replaced(JOURNAL, rule=replaced(RULE, metric="metric 1"))
    again = launched(workspace, planned(workspace, "night5", seeds=range(20, 23)), journal)
    assert "claims of 4 families" in registration_of(workspace, again, journal).words


def test_another_machine_tag_or_arms_name_is_no_other_family(workspace):
    launched(workspace, planned(workspace))
    plan = planned(workspace, "next", arms=("base", "candidate"), gpus=0, wandb_tags=("again",))
    journal = replaced(JOURNAL, rule=replaced(RULE, arm="candidate", baseline="base"))
    assert registration_of(workspace, launched(workspace, plan, journal), journal).number == 2


def with_trainer(plan, **fields):
    """Return a plan whose jobs have a trainer of their own, of which some things are known."""
    trainer = Trainer(**{"name": "mine", "command": ("python", "train.py", "{seed}"), **fields})
    return replaced(plan, jobs=tuple(replaced(job, config=replaced(job.config, trainer=trainer)) for job in plan.jobs))


@pytest.mark.parametrize(
    "fields",
    [{"name": "renamed"}, {"metrics": Metrics(step="steps")}, {"note": "Mind the step."}, {"uses_gpus": False}],
)
def test_a_trainer_that_is_called_otherwise_or_better_known_starts_no_family_and_makes_no_seed_unseen(
    workspace, fields
):
    launched(workspace, with_trainer(planned(workspace)))
    again = with_trainer(planned(workspace, "next", candidate="exp"), **fields)
    assert "had been run before" in registration_of(workspace, launched(workspace, again), JOURNAL).reason
    fresh = with_trainer(planned(workspace, "fresh"), **fields)
    assert registration_of(workspace, launched(workspace, fresh), JOURNAL).number == 3
    other = with_trainer(planned(workspace, "other"), command=("python", "other.py", "{seed}"))
    assert registration_of(workspace, launched(workspace, other), JOURNAL).number == 1


def test_evaluations_on_another_number_of_maps_are_of_the_same_family(workspace):
    """Else one asks for 63 maps where 64 did not confirm it, at the whole level once more."""
    numbers = []
    for maps in (64, 63, 65):
        journal = replaced(JOURNAL, rule=replaced(RULE, metric=f"eval/{maps}-maps/return", last_values=3))
        jobs = launched(workspace, planned(workspace, f"exp{maps}"), journal)
        numbers.append(registration_of(workspace, jobs, journal).number)
    assert numbers == [1, 2, 3]


def test_seeds_launched_later_are_the_same_design_and_no_part_of_it(workspace):
    first = launched(workspace, planned(workspace))
    second = launched(workspace, planned(workspace, seeds=range(3, 10)))
    found = registration_of(workspace, [*first, *second], JOURNAL)
    assert (found.is_registered, found.number) == (True, 1)
    assert found.seeds["b"] == (0, 1, 2)


def test_a_rule_that_plans_more_seeds_than_are_launched_waits_for_the_next_numbers(workspace):
    journal = replaced(JOURNAL, rule=replaced(RULE, seeds=5))
    found = registration_of(workspace, launched(workspace, planned(workspace, seeds=[7, 3]), journal), journal)
    assert found.seeds["a"] == (3, 7, 8, 9, 10)
    assert in_order([], replaced(RULE, seeds=3)) == (0, 1, 2)
    assert in_order([0, 1, 2, 3], replaced(RULE, seeds=3)) == (0, 1, 2)


def test_a_rule_changed_after_the_launch_is_exploratory_at_its_own_level(workspace):
    jobs = launched(workspace, planned(workspace))
    found = registration_of(workspace, jobs, replaced(JOURNAL, rule=replaced(RULE, effect=0.01)))
    assert (found.is_registered, found.is_changed, found.level) == (False, True, 0.05)
    assert found.words.startswith("Exploratory: The rule changed after the launch")
    assert found.seeds == {}


def test_an_arm_launched_before_the_rule_was_written_makes_it_exploratory(workspace):
    """The baseline's scores were there to be looked at when the rule was written."""
    baseline = launched(workspace, planned(workspace, arms=("a",)), Journal(hypothesis="", rule=None))
    candidate = launched(workspace, planned(workspace, arms=("b",)))
    found = registration_of(workspace, [*baseline, *candidate], JOURNAL)
    assert found.reason.startswith("Nothing was recorded before 'a' was launched")


def test_a_rule_recorded_when_the_jobs_of_a_plan_were_there_already_is_exploratory(workspace):
    plan = planned(workspace)
    launched(workspace, plan, Journal(hypothesis="", rule=None))
    found = registration_of(workspace, launched(workspace, plan), JOURNAL)
    assert found.reason.startswith("Nothing was recorded before 'b' was launched")


def test_seeds_that_a_search_chose_by_carry_no_registered_claim(workspace):
    found = registration_of(
        workspace, launched(workspace, planned(workspace, seeds=range(CHOOSING, CHOOSING + 3))), JOURNAL
    )
    assert "that a search chose by" in found.reason


def test_runs_whose_launch_nobody_recorded_are_exploratory(workspace):
    assert not registration_of(workspace, [], JOURNAL).is_registered
    jobs = launched(workspace, planned(workspace))
    other = workspace_at(workspace.root / "elsewhere")
    assert "not recorded here" in registration_of(other, jobs, JOURNAL).reason


@pytest.mark.parametrize(("stated", "said"), [({"baseline": "c"}, "baseline 'c'"), ({"arm": "d"}, "arm 'd'")])
def test_a_rule_about_an_arm_that_nobody_launches_is_refused_before_the_launch(workspace, stated, said):
    plan = planned(workspace)
    with pytest.raises(UsageError, match=f"{said} is no arm of this experiment") as refused:
        launched(workspace, plan, replaced(JOURNAL, rule=replaced(RULE, **stated)))
    assert "'a', 'b'" in str(refused.value)
    with open_ledger(workspace) as ledger:
        assert not ledger.has_plan(plan.key)


def test_an_arm_that_was_launched_earlier_may_be_the_baseline(workspace):
    launched(workspace, planned(workspace, arms=("a",)), Journal(hypothesis="", rule=None))
    assert launched(workspace, planned(workspace, arms=("b",)))


def test_which_arms_a_rule_is_about_is_known_only_where_it_says_so():
    assert arms_of_rule(replaced(RULE, arm="", baseline=""), ["a", "b"]) == ("b", "a")
    assert arms_of_rule(replaced(RULE, arm=""), ["a", "b", "c"]) is None
    assert arms_of_rule(replaced(RULE, arm="a"), ["a", "b"]) is None


def test_what_a_launch_registers_is_said_before_it_and_not_again_with_further_seeds(workspace):
    def words(plan, journal=JOURNAL):
        with open_ledger(workspace) as ledger:
            return design_words(plan, journal, ledger)

    plan = planned(workspace)
    assert (
        words(plan) == "Registers design 1 of its family (level 0.03), the first with this baseline, metric and task."
    )
    launched(workspace, plan)
    assert words(plan) == words(planned(workspace, seeds=range(5))) == ""
    assert words(planned(workspace, "next")).startswith(
        "Registers design 2 of its family: level 0.0076, since 1 design"
    )
    assert words(plan, Journal(hypothesis="", rule=RULE)) == ""
    unsaid = replaced(JOURNAL, rule=replaced(RULE, arm=""))
    assert "name its arm" in words(planned(workspace, "other", arms=("a", "b", "c")), unsaid)


WITHOUT = Journal(hypothesis="", rule=None)


def test_a_candidate_that_was_chosen_on_its_seeds_is_exploratory_under_a_new_name_and_registered_on_fresh_ones(
    workspace,
):
    """Twenty arms are looked at, and the best of them registered and run once more: the same numbers come out."""
    launched(workspace, planned(workspace, "look", candidate="best"), WITHOUT)
    found = registration_of(workspace, launched(workspace, planned(workspace, "claim", candidate="best")), JOURNAL)
    assert "Seed 0 of 'b' had been run before this was recorded" in found.reason
    assert "--seeds 3..7" in found.reason
    fresh = launched(workspace, planned(workspace, "fresh", candidate="best", seeds=range(3, 6)))
    assert registration_of(workspace, fresh, JOURNAL).is_registered


def test_a_baseline_that_was_seen_is_registered_only_as_that_of_its_family(workspace):
    launched(workspace, planned(workspace, arms=("a",), seeds=range(9)), WITHOUT)
    found = registration_of(workspace, launched(workspace, planned(workspace, "unlucky", seeds=range(3, 6))), JOURNAL)
    assert "Seed 3 of 'a' had been run before" in found.reason


def test_of_the_baseline_that_earlier_designs_showed_no_seeds_are_picked(workspace):
    """Of nine seeds three were unlucky: a candidate on these would be better than they, and no better than the rest."""
    for at in range(3):
        launched(workspace, planned(workspace, f"exp{at}", seeds=range(3 * at, 3 * at + 3)))
    plan = planned(workspace, "picked", seeds=[1, 4, 7])
    with open_ledger(workspace) as ledger:
        assert "Of the seeds of 'a' that earlier designs showed" in design_words(plan, JOURNAL, ledger)
    found = registration_of(workspace, launched(workspace, plan), JOURNAL)
    assert "some decide and others do not, such as seed 0, so they may have been picked" in found.reason
    assert "--seeds 9..13" in found.reason
    for name, seeds in (("all", range(9)), ("more", range(10)), ("fresh", range(20, 23))):
        jobs = launched(workspace, planned(workspace, name, seeds=seeds))
        assert registration_of(workspace, jobs, JOURNAL).is_registered, name


def test_seeds_that_go_on_to_all_that_were_seen_are_none_that_were_picked(workspace):
    """A design that looks after three seeds launches the others later; it plans them all the same."""
    launched(workspace, planned(workspace, "before", seeds=range(5)))
    journal = replaced(JOURNAL, rule=replaced(RULE, seeds=6))
    assert registration_of(workspace, launched(workspace, planned(workspace), journal), journal).is_registered


def test_seeds_that_were_picked_of_runs_with_a_setting_that_changes_nothing_are_told(workspace):
    """Nobody can say which settings change nothing; that lower seeds were passed over can be said."""
    launched(workspace, planned(workspace, "look", candidate="best", seeds=range(9)), WITHOUT)
    for name, seeds, said in (("picked", [2, 5, 7], True), ("lowest", range(5), False), ("fresh", [20, 23], False)):
        plan = planned(workspace, name, candidate="best, and nothing else", seeds=seeds)
        jobs = tuple(
            replaced(job, config=replaced(job.config, additional_args=(*job.config.additional_args, f"note={name}")))
            for job in plan.jobs
        )
        found = registration_of(workspace, launched(workspace, replaced(plan, jobs=jobs)), JOURNAL)
        assert found.is_registered
        assert found.words.endswith("and 5 lower seeds such as 0 passed over.") == said, found.words


def test_a_replicate_of_a_seed_shows_as_much_as_the_seed_itself(workspace):
    plan = planned(workspace, "look", candidate="best")
    jobs = tuple(replaced(job, role="replicate", replicate=1) for job in plan.jobs)
    launched(workspace, replaced(plan, jobs=jobs), WITHOUT)
    found = registration_of(workspace, launched(workspace, planned(workspace, "claim", candidate="best")), JOURNAL)
    assert "Seed 0 of 'b' had been run before this was recorded" in found.reason


@pytest.fixture
def clock(monkeypatch):
    """Set the clock back by a day from now on."""
    now = time.time
    return lambda: monkeypatch.setattr(time, "time", lambda: now() - 86_400)


def test_a_clock_that_was_set_back_makes_no_rule_older_than_the_runs(workspace, clock):
    plan = planned(workspace)
    jobs = launched(workspace, plan)
    clock()
    changed = replaced(JOURNAL, rule=replaced(RULE, effect=0.01))
    launched(workspace, plan, changed)
    assert "The rule changed after the launch" in registration_of(workspace, jobs, changed).reason
    assert registration_of(workspace, jobs, JOURNAL).is_registered
    unwritten = planned(workspace, "late", seeds=range(3, 6))
    launched(workspace, unwritten, WITHOUT)
    clock()
    jobs = launched(workspace, unwritten)
    assert "Nothing was recorded before 'b' was launched" in registration_of(workspace, jobs, JOURNAL).reason


def test_a_clock_that_was_set_back_makes_no_seed_unseen(workspace, clock):
    launched(workspace, planned(workspace, "look", candidate="best"), WITHOUT)
    clock()
    found = registration_of(workspace, launched(workspace, planned(workspace, "claim", candidate="best")), JOURNAL)
    assert "Seed 0 of 'b' had been run before this was recorded" in found.reason


def test_a_ledger_that_is_rebuilt_keeps_the_order_of_its_records(workspace, clock):
    plan = planned(workspace)
    launched(workspace, plan, WITHOUT)
    clock()
    jobs = launched(workspace, plan)
    rebuild(workspace.state)
    assert "Nothing was recorded before 'b' was launched" in registration_of(workspace, jobs, JOURNAL).reason


@pytest.mark.parametrize(
    ("steps", "window", "is_registered"),
    [(("100000", "109000"), None, False), (("100000", "1e5"), None, True), (("100000", "109000"), (0.0, 1e5), True)],
)
def test_arms_that_train_unequal_steps_are_compared_at_steps_that_the_rule_names(
    workspace, steps, window, is_registered
):
    """Scores are taken of runs that end within a tenth of each other, so that a candidate could train a tenth more."""
    journal = replaced(JOURNAL, rule=replaced(RULE, window=window))
    plan = planned(workspace)
    total = dict(zip("ab", steps, strict=True))
    jobs = tuple(
        replaced(
            job,
            config=replaced(job.config, additional_args=(f"x={job.arm}", f"trainer.total_timesteps={total[job.arm]}")),
        )
        for job in plan.jobs
    )
    plan = replaced(plan, jobs=jobs)
    with open_ledger(workspace) as ledger:
        said = design_words(plan, journal, ledger)
    found = registration_of(workspace, launched(workspace, plan, journal), journal)
    assert found.is_registered == is_registered
    assert ("(109,000 for 'b', 100,000 for 'a')" in found.reason) != is_registered
    assert said.startswith("This launch makes no registered claim. The arms train unequal steps") != is_registered


def test_the_second_launch_of_a_design_alone_is_no_registered_claim(workspace):
    """Else one launches it on other seeds, or once more, until a page of that launch alone confirms it."""
    launched(workspace, planned(workspace))
    other_seeds = launched(workspace, planned(workspace, seeds=range(3, 6)))
    assert "6 runs of the seeds that decide are not shown" in registration_of(workspace, other_seeds, JOURNAL).reason


def test_attempts_that_are_left_out_or_turned_round_make_it_exploratory(workspace):
    jobs = launched(workspace, planned(workspace))
    with open_ledger(workspace) as ledger:
        [first] = ledger.jobs(run_names=[jobs[0].run])
        again = replaced(first, run_name=f"{first.run_name}x", attempt=2, retry_of=first.run_name)
        ledger.add_attempt(again)
    shown = [*jobs, again.ref()]
    assert registration_of(workspace, shown, JOURNAL).is_registered
    assert "1 run of the seeds that decide is not shown" in registration_of(workspace, shown[1:], JOURNAL).reason
    assert "not in the order" in registration_of(workspace, shown[::-1], JOURNAL).reason


def test_arms_of_several_experiments_and_one_picked_of_many_are_exploratory(workspace):
    one = launched(workspace, planned(workspace, "one", candidate="x"))
    two = launched(workspace, planned(workspace, "two", candidate="y"))
    mixed = [job for job in one if job.arm == "a"] + [job for job in two if job.arm == "b"]
    assert "several experiments (one, two)" in registration_of(workspace, mixed, JOURNAL).reason
    unsaid = replaced(JOURNAL, rule=replaced(RULE, arm="", baseline=""))
    many = launched(workspace, planned(workspace, "many", arms=("a", "b", "c"), seeds=range(50, 53)), unsaid)
    picked = [job for job in many if job.arm != "c"]
    assert "the rule does not say" in registration_of(workspace, picked, unsaid).reason


def test_seeds_launched_later_with_other_settings_are_no_seeds_of_the_design(workspace):
    journal = replaced(JOURNAL, rule=replaced(RULE, seeds=5))
    first = launched(workspace, planned(workspace, candidate="x"), journal)
    assert registration_of(workspace, first, journal).is_registered
    second = launched(workspace, planned(workspace, candidate="y", seeds=range(3, 5)), journal)
    assert "has other settings" in registration_of(workspace, [*first, *second], journal).reason


def test_candidates_that_are_called_the_baseline_are_of_the_controls_family_all_the_same(workspace):
    """`control lower than candidate` is `candidate higher than control`: else each would be the first of its family."""
    turned = replaced(JOURNAL, rule=replaced(RULE, arm="a", baseline="b", direction="lower"))
    numbers = []
    for at in range(3):
        jobs = launched(workspace, planned(workspace, f"exp{at}"), turned if at else JOURNAL)
        numbers.append(registration_of(workspace, jobs, turned if at else JOURNAL).number)
    assert numbers == [1, 2, 3]


@pytest.mark.parametrize(("last", "is_registered"), [(None, False), (3, True)])
def test_a_rule_over_evaluations_says_how_many_of_the_last_checkpoints_count(workspace, last, is_registered):
    rule = replaced(RULE, metric="eval/8-maps/return", last_values=last)
    journal = replaced(JOURNAL, rule=rule)
    found = registration_of(workspace, launched(workspace, planned(workspace), journal), journal)
    assert found.is_registered == is_registered
    assert ("last_values=10" in found.reason) != is_registered


def test_that_seeds_were_seen_is_said_before_the_launch(workspace):
    launched(workspace, planned(workspace, "look", candidate="best"), WITHOUT)
    with open_ledger(workspace) as ledger:
        said = design_words(planned(workspace, "claim", candidate="best"), JOURNAL, ledger)
    assert said.startswith("This launch makes no registered claim. Seed 0 of 'b' had been run before")


def test_the_control_of_many_designs_is_read_no_row_at_a_time(workspace, monkeypatch):
    """A page asks at every refresh, and a night has nine hundred designs of one baseline."""
    for at in range(5):
        jobs = launched(workspace, planned(workspace, f"exp{at}"))
    reading._job.cache_clear()  # a row is read once a process
    read = []
    monkeypatch.setattr("experiments.jobs.ledger.reading.read_job", lambda row: read.append(row) or read_job(row))
    assert registration_of(workspace, jobs, JOURNAL).number == 5
    assert {row["experiment"] for row in read} == {"exp4"}


def kept(jobs, config, **fields):
    """Return the control that some jobs were kept as."""
    return KeptControl(name="arena", version="1", arm="a", config=config, runs=tuple(jobs), **fields)


@pytest.fixture
def control(workspace):
    plan = planned(workspace, "controls", arms=("a",))
    return kept(launched(workspace, plan, WITHOUT), plan.jobs[0].config)


def against(workspace, control, name="exp", journal=JOURNAL, **fields):
    """Launch a candidate beside a control; return the runs of both."""
    plan = replaced(planned(workspace, name, arms=("b",), **fields), control=control)
    return [*control.runs, *launched(workspace, plan, journal)]


def test_a_candidate_beside_a_kept_control_is_registered_on_its_seeds(workspace, control):
    found = registration_of(workspace, against(workspace, control), JOURNAL)
    assert (found.reason, found.number) == ("", 1)
    assert found.seeds == {"b": (0, 1, 2), "a": (0, 1, 2)}


def test_candidates_against_one_control_are_one_family_whatever_they_are_called(workspace, control):
    """Else an unlucky control would confirm every candidate after it."""
    launched(workspace, planned(workspace, "own", seeds=range(20, 23)))  # with a baseline of its own
    found = [registration_of(workspace, against(workspace, control, f"exp{at}"), JOURNAL) for at in range(3)]
    assert [one.number for one in found] == [2, 3, 4]
    assert [one.level for one in found] == [pytest.approx(level_of(number)) for number in (2, 3, 4)]


def test_a_control_that_was_chosen_of_several_has_a_part_of_the_level(workspace, control):
    jobs = against(workspace, replaced(control, chosen_from=4))
    assert registration_of(workspace, jobs, JOURNAL).level == pytest.approx(level_of(1) / 4)
    plan = replaced(planned(workspace, "next", arms=("b",)), control=replaced(control, chosen_from=4))
    with open_ledger(workspace) as ledger:
        assert "one of 4 arms to choose from" in design_words(plan, JOURNAL, ledger)


def test_a_control_named_after_the_candidate_ran_registers_nothing(workspace, control):
    unsaid = replaced(JOURNAL, rule=replaced(RULE, arm="", baseline=""))
    candidate = launched(workspace, planned(workspace, arms=("b",), seeds=range(3)), unsaid)
    later = launched(workspace, replaced(planned(workspace, arms=("b",), seeds=range(3, 6)), control=control), unsaid)
    found = registration_of(workspace, [*control.runs, *candidate, *later], unsaid)
    assert "'b' was launched before control 'arena' was named for it" in found.reason


def test_of_a_control_no_seeds_are_picked(workspace, control):
    journal = replaced(JOURNAL, rule=replaced(RULE, seeds=4))
    jobs = against(workspace, control, journal=journal)
    assert "The rule decides by 4 seeds" in registration_of(workspace, jobs, journal).reason
    whole = against(workspace, control, "whole", seeds=range(2))
    assert registration_of(workspace, whole, JOURNAL).seeds["b"] == (0, 1, 2)
    assert "Not all runs of control" in registration_of(workspace, whole[1:], JOURNAL).reason
    turned = [*reversed(control.runs), *whole[3:]]
    assert "Not all runs of control" in registration_of(workspace, turned, JOURNAL).reason


def test_a_baseline_launched_beside_its_control_makes_it_exploratory(workspace, control):
    plan = replaced(planned(workspace, seeds=range(5, 8)), control=control)
    jobs = [*control.runs, *launched(workspace, plan)]
    assert "'a' was launched here beside control 'arena'" in registration_of(workspace, jobs, JOURNAL).reason


def test_a_control_of_another_machine_registers_as_one_of_this(tmp_path, workspace, control):
    """Its runs are in no ledger here: what the plan has of it is enough."""
    elsewhere = workspace_at(tmp_path / "elsewhere")
    assert registration_of(elsewhere, against(elsewhere, control), JOURNAL).is_registered
