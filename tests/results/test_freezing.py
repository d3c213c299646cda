"""A search is frozen as one registered design, on seeds that never chose, and never twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from experiments.jobs.batches import courses as batched_courses
from experiments.jobs.criteria import Criterion, Stated
from experiments.jobs.designs import registration_of
from experiments.jobs.handover import LAUNCHERS
from experiments.jobs.journal import recorded_in
from experiments.jobs.ledger import open_ledger
from experiments.jobs.ledger.mending import rebuild
from experiments.jobs.plan import RecordedJob
from experiments.jobs.preparation import prepare_plan
from experiments.jobs.rule import Rule
from experiments.jobs.submission import submit
from experiments.jobs.sweeps.freezing import Pick, Sides
from experiments.jobs.sweeps.search import Course, Trial, course_of, end_search, open_search
from experiments.jobs.sweeps.suggesting import suggested
from experiments.jobs.sweeps.template import make_template
from experiments.launch import allow_launch
from experiments.project.errors import LaunchRefused, UsageError
from experiments.project.provenance import OwnCode, Provenance
from experiments.project.values import replaced
from experiments.results import freezing
from experiments.results.accepted_by import asked_of
from experiments.results.freezing import design_of, effort_words, launch_design
from experiments.results.searching import as_opened
from experiments.results.steps import take_step
from experiments.types import TrainingJobConfig
from tests.fakes import stepped
from tests.fakes.stepped import SPACE, config_of, course, opened, to_the_end

PUSHED = Provenance(state="clean", commit="a" * 40, pushed="yes", own=OwnCode())


def search_of(**changes):
    return stepped.search_of(**{"provenance": PUSHED, **changes})


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Return a function that opens a search whose jobs end at once."""

    def begun(search=None, dies=lambda _seed, _said: False, *, ends=True):
        workspace, cluster = opened(tmp_path, search or search_of(trials=4), dies)
        # Else nothing of a job would be left once its node is gone, and it is refused.
        workspace = replace(workspace, settings=replaced(workspace.settings, run_root="/shared/runs"))
        monkeypatch.setitem(LAUNCHERS, "skypilot", lambda _: cluster)
        if ends:
            to_the_end(workspace)
        return workspace, cluster

    return begun


def frozen(workspace, experiment="study", **options):
    """Freeze an experiment's search; return the design with the jobs that were launched."""
    design = design_of(workspace, experiment, **options)
    with allow_launch() as permit:
        return design, launch_design(design, permit)


def more_trials(workspace, trials):
    with allow_launch() as permit, open_ledger(workspace) as ledger:
        open_search(ledger, replaced(course(workspace).search, trials=trials), permit)
    to_the_end(workspace)


def ran_before(workspace, config, seeds, experiment="before"):
    """Launch a config on some seeds, as a person did before the search."""
    search = course(workspace).search
    place = as_opened(search, workspace)
    jobs = [RecordedJob("own", config)]
    options = {"launcher": "skypilot", "repeat": 1, "train_command": search.train_command}
    plan = prepare_plan(place, experiment, jobs, seeds=seeds, has_own_code=True, **options)
    with allow_launch() as permit:
        submit(plan, permit, place, own=OwnCode())


def test_the_winner_meets_the_baseline_on_seeds_from_0_with_the_configs_that_the_search_recorded(begin):
    workspace, cluster = begin()
    best = course(workspace).best
    design, jobs = frozen(workspace)
    assert design.name == "study-confirm"
    assert [(job.arm, job.seed) for job in jobs] == [
        *(("baseline", seed) for seed in range(5)),
        *((f"trial-{best.number}", seed) for seed in range(5)),
    ]
    assert {job.arm: job.config for job in jobs} == {
        "baseline": config_of({}),
        f"trial-{best.number}": config_of(best.values),
    }
    assert len(cluster.jobs()) == 4 * 2 + 10


def test_its_rule_is_that_of_the_search_and_registered_before_its_first_job(begin):
    workspace, _ = begin()
    design, jobs = frozen(workspace, seeds=4)
    rule = course(workspace).search.rule
    arm = f"trial-{course(workspace).best.number}"
    assert design.journal.rule == replaced(rule, arm=arm, baseline="baseline", seeds=4)
    found = registration_of(workspace, [job.ref() for job in jobs], design.journal)
    assert (found.reason, found.number) == ("", 1)
    assert found.seeds == {arm: (0, 1, 2, 3), "baseline": (0, 1, 2, 3)}
    with open_ledger(workspace, read_only=True) as ledger:
        assert recorded_in(ledger, [design.plan.key])[0].at <= min(job.created_at for job in jobs)


def test_what_the_recipe_asks_is_recorded_with_the_design_and_follows_its_arms(begin):
    """Of a recipe with one arm, whatever it is called, the winner stands in its place."""
    stated = Stated((Criterion("score", ">=", 0.25), Criterion("score", ">", 0.5, arm="own")), "study.py", "Study")
    workspace, _ = begin(search_of(trials=4, accept=stated))
    design, jobs = frozen(workspace)
    arm = f"trial-{course(workspace).best.number}"
    assert f"Has to reach: score at least 0.25; score of {arm} more than 0.5." in design.notes
    asked = asked_of(workspace, design.name)
    assert [(one.arm, one.bound) for one in asked.criteria] == [("", 0.25), (arm, 0.5)]
    assert asked.exploratory == ""
    assert {job.run for job in asked.jobs} == {job.run_name for job in jobs}


def test_of_searches_of_several_arms_each_keeps_its_criteria_and_a_third_is_said_to_be_left_out(begin):
    stated = Stated(
        tuple(Criterion("score", ">=", at, arm=arm) for at, arm in enumerate(("baseline", "other", "third")))
    )
    workspace, _ = of_two(begin, accept=stated)
    design = design_of(workspace, "study")
    winner, baseline = design.sides.winner.arm, design.sides.baseline.arm
    assert {one.arm for one in design.accept.criteria} == {winner, baseline}
    assert "About no arm of it, so not held to: score of third at least 2." in design.notes


def test_freezing_twice_launches_nothing_twice_and_completes_what_was_left(begin):
    workspace, cluster = begin()
    first, _ = frozen(workspace)
    launched = len(cluster.jobs())
    again, jobs = frozen(workspace)
    assert (again.is_frozen, again.plan.key, len(jobs)) == (True, first.plan.key, 10)
    assert len(cluster.jobs()) == launched
    assert again.notes[0].startswith("It was frozen before: nothing is launched twice.")
    with pytest.raises(UsageError, match="was frozen before as 'study-confirm', with 5 seeds of each arm"):
        design_of(workspace, "study", seeds=8)


def test_a_freeze_that_is_killed_between_its_record_and_its_plan_makes_the_same_plan(begin, monkeypatch):
    workspace, cluster = begin()
    before, told = design_of(workspace, "study"), len(cluster.jobs())

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, allow_launch() as permit:
        patched.setattr(freezing, "tracker_of", killed)
        with pytest.raises(KeyboardInterrupt):
            launch_design(before, permit)
    after, jobs = frozen(workspace)
    assert after.plan.key == before.plan.key
    assert len(cluster.jobs()) == told + len(jobs)
    assert registration_of(workspace, [job.ref() for job in jobs], after.journal).is_registered


def test_another_winner_after_more_trials_is_a_design_of_its_own_and_the_second_of_its_family(begin):
    workspace, _ = begin(search_of(trials=2))
    first, _ = frozen(workspace)
    more_trials(workspace, 16)
    second, jobs = frozen(workspace)
    assert second.sides.winner.trial.number != first.sides.winner.trial.number
    assert second.name == "study-confirm-2"
    found = registration_of(workspace, [job.ref() for job in jobs], second.journal)
    assert (found.number, {job.seed for job in jobs}) == (2, set(range(5, 10)))


def test_seeds_on_which_either_arm_ran_before_are_not_used(begin):
    workspace, _ = begin()
    ran_before(workspace, config_of({}), range(3))
    ran_before(workspace, config_of(course(workspace).best.values), [7], "other")
    design, jobs = frozen(workspace)
    assert {job.seed for job in jobs} == set(range(8, 13))
    assert registration_of(workspace, [job.ref() for job in jobs], design.journal).is_registered


def test_nothing_is_launched_without_a_person(begin):
    workspace, cluster = begin()
    design, before = design_of(workspace, "study"), len(cluster.jobs())
    with pytest.raises(LaunchRefused, match="refused to launch 10 jobs"):
        launch_design(design, None)
    assert len(cluster.jobs()) == before
    assert design_of(workspace, "study").is_frozen is False


def test_a_search_that_goes_on_is_not_frozen(begin):
    workspace, _ = begin(ends=False)
    with pytest.raises(UsageError, match=r"goes on .*experiments sweep study --end"):
        design_of(workspace, "study")


def test_an_ended_search_is_frozen_with_the_trials_that_it_has(begin):
    workspace, _ = begin(search_of(trials=2))
    more = replaced(course(workspace).search, trials=40)
    with allow_launch() as permit, open_ledger(workspace) as ledger:
        open_search(ledger, more, permit)
        end_search(ledger, more, permit)
    assert design_of(workspace, "study").sides.winner.course.search.trials == 40


@pytest.mark.parametrize(
    ("dies", "said"),
    [
        (lambda _seed, _said: True, "no trial of 'study' has a score"),
        (lambda seed, _said: seed == 1_000_000, "lost seeds, and the rule states no floor"),
    ],
)
def test_a_search_without_a_trial_that_all_seeds_stand_behind_has_nothing_to_freeze(begin, dies, said):
    workspace, cluster = begin(search_of(trials=2), dies)
    with pytest.raises(UsageError, match=said):
        design_of(workspace, "study")
    assert len(cluster.jobs()) == 4


def test_a_search_that_was_never_opened_has_nothing_to_freeze(begin):
    workspace, _ = begin()
    with pytest.raises(UsageError, match="'nothing' has no search, so there is nothing to freeze"):
        design_of(workspace, "nothing")


def test_a_winner_with_the_recipes_own_settings_has_nothing_to_confirm(begin):
    first = suggested(search_of(), [])  # what a search asks first does not depend on the recipe's own settings
    workspace, _ = begin(search_of(trials=1, own=first, own_config=config_of(first).model_dump(mode="json")))
    with pytest.raises(UsageError, match=r"the best trial has the recipe's own settings .* nothing to confirm"):
        design_of(workspace, "study")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"seeds": 0}, "--seeds 0 is no number from 3 to 1,000"),
        ({"seeds": 2}, "--seeds 2 is no number from 3"),
        ({"seeds": 10_000}, "--seeds 10000 is no number"),
        ({"arm": "other"}, "the search is over one arm, so --arm 'other' is none of its"),
        ({"name": "Not A Name"}, "experiment 'Not A Name' cannot be part of a run name"),
        ({"name": "study"}, "experiment 'study' has jobs already"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(begin, options, said):
    workspace, _ = begin()
    with pytest.raises(UsageError, match=said):
        design_of(workspace, "study", **options)


def test_seeds_are_those_that_the_rule_plans_and_no_others(begin):
    rule = Rule(metric="score", direction="higher", effect=0.5, looks=(4, 8))
    workspace, _ = begin(search_of(trials=2, rule=rule))
    with pytest.raises(UsageError, match="--seeds 5 is not what the search's rule plans: 8 of each arm"):
        design_of(workspace, "study", seeds=5)
    design, jobs = frozen(workspace)
    assert (design.journal.rule.looks, len(jobs)) == ((4, 8), 16)


def two_arms(trials=(2, 2), **changes):
    def other(values) -> TrainingJobConfig:
        made = config_of(values)
        return replaced(made, wandb_tags=("other",), additional_args=(*made.additional_args, "--fails-above", "5"))

    makes = {"baseline": config_of, "other": other}
    return [
        search_of(
            arm=arm,
            trials=number,
            template=make_template(SPACE, makes[arm]),
            own_config=makes[arm]({}).model_dump(mode="json"),
            **changes,
        )
        for (arm, number) in zip(makes, trials, strict=True)
    ]


def of_two(begin, trials=(2, 2), **changes):
    first, second = two_arms(trials, **changes)
    workspace, cluster = begin(first, ends=False)
    with allow_launch() as permit, open_ledger(workspace) as ledger:
        open_search(ledger, second, permit)
    while any(found.is_open for found in both(workspace)):
        to_the_end(workspace)
        with allow_launch() as permit:
            take_step(workspace, permit)
    return workspace, cluster


def both(workspace):
    with open_ledger(workspace, read_only=True) as ledger:
        return [course_of(ledger, search) for search in two_arms()]


def test_a_baseline_that_was_searched_too_meets_the_candidate_with_its_own_best_trial(begin):
    workspace, _ = of_two(begin)
    design, jobs = frozen(workspace)
    baseline, other = (found.best.number for found in both(workspace))
    assert {job.arm for job in jobs} == {f"baseline-trial-{baseline}", f"other-trial-{other}"}
    assert design.journal.rule.baseline == f"baseline-trial-{baseline}"
    assert effort_words(both(workspace)) == "Both arms got as many trials: baseline 2 trials, other 2 trials."
    assert effort_words(both(workspace)) in design.journal.hypothesis
    with pytest.raises(UsageError, match="which arm is to be confirmed against 'baseline'"):
        design_of(workspace, "study", arm="baseline")


def test_a_baseline_that_got_fewer_trials_is_said_to_have(begin):
    workspace, _ = of_two(begin, (2, 5))
    said = design_of(workspace, "study").journal.hypothesis
    assert "did not get as many trials: baseline 2 trials, other 5 trials. A difference" in said


def test_that_the_baselines_own_settings_were_never_searched_is_recorded_where_every_page_says_the_hypothesis(begin):
    workspace, _ = begin()
    design, _ = frozen(workspace)
    with open_ledger(workspace, read_only=True) as ledger:
        said = recorded_in(ledger, [design.plan.key])[0].journal.hypothesis
    assert "the recipe's own settings (rate 0.0001, batch 256), which nobody searched" in said
    assert "no trial went into it and 4 into the winner" in said


def test_a_rebuilt_ledger_knows_what_was_frozen(begin):
    workspace, cluster = begin()
    before, _ = frozen(workspace)
    (workspace.state / "ledger.sqlite").write_bytes(b"\x00" * 8192)
    assert rebuild(workspace.state).problems == []
    launched = len(cluster.jobs())
    after, jobs = frozen(workspace)
    assert (after.is_frozen, after.plan.key, len(jobs)) == (True, before.plan.key, 10)
    assert len(cluster.jobs()) == launched
    assert registration_of(workspace, [job.ref() for job in jobs], after.journal).is_registered


LOOKING = {"looks": (3, 5, 8)}


def test_a_design_whose_rule_looks_is_launched_in_batches_until_it_is_decided_and_once(begin):
    """The trials differ by far more than the noise of seeds, so that the first look decides."""
    rule = Rule(metric="score", direction="higher", effect=0.0, **LOOKING)
    workspace, cluster = begin(search_of(trials=4, rule=rule))
    told = len(cluster.jobs())
    design, jobs = frozen(workspace, until_decided=True)
    assert sorted({job.seed for job in jobs}) == [0, 1, 2]
    assert "its first batch" in design.sentence
    again, _ = frozen(workspace, until_decided=True)
    assert again.is_frozen
    with allow_launch() as permit:
        for _ in range(4):
            take_step(workspace, permit)
    with open_ledger(workspace, read_only=True) as ledger:
        [batches] = batched_courses(ledger)
        budget = next(each for each in ledger.budgets() if each.name == batches.batched.budget)
    handed = cluster.jobs()[told:]
    assert len({job["name"] for job in handed}) == len(handed)
    assert batches.ended
    assert budget.jobs == len(handed) <= 16


def test_a_design_without_looks_is_not_launched_until_decided(begin):
    workspace, _ = begin()
    with pytest.raises(UsageError, match="need a rule that looks before its end"):
        design_of(workspace, "study", until_decided=True)


def test_that_the_baselines_best_trial_scored_no_worse_is_said():
    def picked(arm, score):
        course = Course(search_of(arm=arm), (Trial(0, {"rate": 0.001, "batch": 256}, "key", True, score),))
        return Pick(course, course.trials[0])

    def said(ours, theirs, direction="higher"):
        rule = Rule(metric="score", direction=direction, effect=0.0)
        return freezing._looks_worse(Sides(picked("other", ours), picked("baseline", theirs)), rule)

    assert said(1.0, 2.0) == ("In the search the baseline did no worse: 2 in its best trial, 1 in that of other.")
    assert (said(2.0, 1.0), said(1.0, 2.0, "lower")) == ("", "")
    assert said(1.0, 1.0)
    assert said(2.0, 1.0, "lower")


def test_trials_without_a_score_are_counted_in_what_each_arm_got():
    def course(arm, *scores):
        trials = [Trial(at, {"rate": 0.001, "batch": 256}, "key", True, score) for at, score in enumerate(scores)]
        return Course(search_of(arm=arm), tuple(trials))

    assert effort_words([course("a", 1.0, None), course("b", 1.0, 2.0)]) == (
        "Both arms got as many trials: a 2 trials (1 with a score), b 2 trials."
    )
