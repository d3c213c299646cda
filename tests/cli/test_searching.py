"""`--search` of a recipe: what it refuses, what it records, and that it goes on by itself."""

from __future__ import annotations

import importlib.util
import re
import sys

import pytest

from experiments.cli.options import asks_for_search
from experiments.cli.recipe import parse
from experiments.cli.searching import run_search
from experiments.jobs.permits import READ_ONLY
from experiments.project.errors import LaunchError, UsageError
from tests.fakes.answers import data_in
from tests.fakes.project import jobs_of
from tests.fakes.swept import SEARCH, Swept


@pytest.fixture
def project(tmp_path):
    return Swept(tmp_path)


def asked(project, *words):
    """Do what the recipe's command line does, in this process."""
    loader = importlib.util.spec_from_file_location("searched_recipe", project.recipe)
    recipe = sys.modules["searched_recipe"] = importlib.util.module_from_spec(loader)
    loader.loader.exec_module(recipe)
    request = parse(recipe.StudyConfig, words, prog="study.py")
    assert asks_for_search(request.options)
    return run_search(recipe.Study, request, default_name="study").code


def test_a_search_goes_on_by_the_ends_of_its_jobs_alone_and_its_notebook_has_the_first(project):
    said = project.run(*SEARCH, "--trials", "3", "--trial-seeds", "2").stdout
    assert "Search over learning_rate log:1e-05..0.1, batch 256,512: 3 trials of 2 seeds, up to 6 jobs" in said
    assert "uv run experiments sweep study" in said
    [course] = project.wait_until_done()
    assert len(project.started()) == len(set(project.started())) == 6
    assert {job.seed for job in jobs_of(project)} == {1_000_000, 1_000_001}
    assert {job.arm for job in jobs_of(project)} == {"trial-0", "trial-1", "trial-2"}
    assert "trial-0" in project.notebook().read_text()
    table = project.command("sweep", "study").stdout
    assert f"best so far: trial-{course.best.number} (" in table
    shown = data_in(project.command("sweep", "study", "--json").stdout)
    assert (shown["searches"][0]["state"], shown["searches"][0]["best"]) == ("done", course.best.number)
    assert len(shown["trials"]) == 3


@pytest.mark.slow
def test_later_trials_run_what_was_recorded_whatever_becomes_of_the_recipe(tmp_path):
    project = Swept(tmp_path, max_parallel=1)
    project.run(*SEARCH, "--trials", "1")
    project.wait_until_done()
    snapshots = {job.run_name: project.spec(job.run_name)["snapshot"]["id"] for job in jobs_of(project)}
    project.run(*SEARCH, "--trials", "2")
    project.recipe.write_text("raise SystemExit('nobody asks the recipe')")
    project.wait_until_done()
    assert {project.spec(job.run_name)["snapshot"]["id"] for job in jobs_of(project)} == set(snapshots.values())
    assert len(jobs_of(project)) == 2


@pytest.mark.slow
def test_the_same_search_again_launches_nothing_twice_and_follows_to_its_end(project):
    first = project.run(*SEARCH, "--trials", "2", "--trials-at-once", "1").stdout
    again = project.run(*SEARCH, "--trials", "2", "--follow").stdout
    assert "Search over" in first
    assert "Search over" not in again
    assert len(project.started()) == len(jobs_of(project)) == 2
    assert not project.courses()[0].is_open
    assert project.command("step").stdout == "Nothing goes on by itself.\n"


@pytest.mark.slow
def test_each_arm_of_a_recipe_has_a_search_of_its_own_with_as_many_trials(tmp_path):
    project = Swept(tmp_path, arms=("baseline", "other"))
    project.run(*SEARCH, "--trials", "1")
    assert [course.search.arm for course in project.wait_until_done()] == ["baseline", "other"]
    assert {job.arm for job in jobs_of(project)} == {"baseline-trial-0", "other-trial-0"}


def test_a_dry_run_shows_the_first_trial_and_records_nothing(project, capsys):
    assert asked(project, *SEARCH, "--trials", "2", "--dry-run") == 0
    said = capsys.readouterr().out
    assert "Its first trial:" in said
    assert re.search(r"trial-0 .*learning_rate [0-9.e-]+, batch (256|512)", said)
    assert "the baseline" not in said
    assert "Dry run: nothing was launched" in said
    assert (jobs_of(project), project.courses(), project.notebook().exists()) == ([], [], False)


@pytest.mark.slow
def test_a_dry_run_shows_the_very_trial_that_the_launch_begins_with(project, capsys):
    assert asked(project, *SEARCH, "--trials", "1", "--dry-run") == 0
    shown = capsys.readouterr().out
    project.run(*SEARCH, "--trials", "1")
    project.wait_until_done()
    [job] = jobs_of(project)
    assert job.run_name in shown
    assert asked(project, *SEARCH, "--trials", "2", "--dry-run") == 0
    assert "The search of study is there already (1 of 1 trial ended)" in capsys.readouterr().out


def test_an_arm_that_is_told_nothing_of_what_is_searched_is_named_with_the_way_out(tmp_path):
    project = Swept(tmp_path, arms=("baseline", "changed"))
    text = project.recipe.read_text()
    one, fixed = "self.job(kind=None)", "self.job(kind=None, learning_rate=0.1)"
    assert one in text
    project.recipe.write_text(text.replace(one, f"{one} if arm == 'changed' else {fixed}"))
    with pytest.raises(UsageError, match=r"'baseline' is not told of learning_rate.*Tell every arm of it"):
        asked(project, "--search", "learning_rate=0.1..0.2", "--trials", "2", "--dry-run")


def test_the_end_of_its_budget_ends_a_search_and_its_jobs_and_the_same_command_goes_on(tmp_path):
    project = Swept(tmp_path, max_parallel=1)
    project.hold()
    said = project.run(*SEARCH, "--trials", "50", "--trials-at-once", "3", "--budget", "jobs=40", "until=2099-01-01")
    assert "Its budget is 'study': 0 of 40 jobs, until 2099-01-01 00:00. End it: uv run exp" in said.stdout
    ended = project.command("budget", "end", "study", "--cancel", "--yes", code=None)
    assert "Budget study is ended" in ended.stdout
    [course] = project.wait_until_done()
    assert course.why.startswith("its budget has ended (ended with experiments budget end study")
    number = len(jobs_of(project))
    assert number == 3
    assert "ended early (its budget has ended" in project.command("sweep", "study").stdout
    project.release()
    again = project.run(*SEARCH, "--trials", "50").stdout
    assert f"Its budget is 'study': {number} of 50 jobs" in again
    assert len(jobs_of(project)) > number
    project.command("budget", "end", "study", "--cancel", "--yes", code=None)
    project.wait_until_done()


@pytest.mark.slow
def test_an_ended_search_asks_no_more(project):
    project.run(*SEARCH, "--trials", "50")
    said = project.command("sweep", "study", "--end").stdout
    assert "ending: " in said or "ended early: " in said
    [course] = project.wait_until_done()
    assert 1 <= len(course.trials) < 10


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*SEARCH,), "a search has settings and a number of trials"),
        (("--trials", "3"), "a search has settings and a number of trials"),
        (("--search", "--trials", "3"), "names nothing to search over"),
        ((*SEARCH, "--trials", "0"), "--trials 0 is no number from 1"),
        ((*SEARCH, "--trials", "3", "--trial-seeds", "0"), "--trial-seeds 0 is no number"),
        ((*SEARCH, "--trials", "3", "--trials-at-once", "-1"), "--trials-at-once -1 is no number"),
        ((*SEARCH, "--trials", "3", "--vary", "batch=1,2"), "--vary does not go with --search"),
        ((*SEARCH, "--trials", "3", "--seeds", "5"), "--seeds does not go with --search"),
        ((*SEARCH, "--trials", "3", "--resume", "x"), "--resume does not go with --search"),
        ((*SEARCH, "--trials", "3", "--again"), "do not go with --search"),
        ((*SEARCH, "--trials", "3", "--no-launch"), "do not go with --search"),
        ((*SEARCH, "--trials", "3", "--in-place"), "a search runs one snapshot"),
        ((*SEARCH, "--trials", "3", "--max-jobs", "2"), "up to 3 jobs; at most 2 are allowed"),
        ((*SEARCH, "--trials", "3", "--budget", "jobs=0"), "starts nothing"),
        ((*SEARCH, "--trials", "3", "--budget", "hours=3"), "'hours=3' is no limit of a budget"),
        ((*SEARCH, "--trials", "3", "--trial-seeds", "2", "--budget", "jobs=1"), "2 further jobs would take 2"),
        (("--search", "learning_rat=1..2", "--trials", "3"), "Did you mean 'learning_rate'?"),
        (("--search", "learning_rate=1", "--trials", "3"), "give two or more values"),
        (("--search", "learning_rate=0.1..0.01", "--trials", "3"), "is no range"),
        (("--search", "kind", "--trials", "3"), "the recipe tells no job of it"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_one_sentence_before_anything_is_launched(project, words, said):
    with pytest.raises((UsageError, LaunchError)) as refused:
        asked(project, *words)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not list((project.state / "runs").glob("*"))


def test_a_search_without_a_rule_takes_its_trainer_s_metric_and_without_one_is_refused(tmp_path, capsys):
    project = Swept(tmp_path, rule="")
    assert asked(project, *SEARCH, "--trials", "1", "--dry-run") == 0
    assert "by score (higher is better)" in capsys.readouterr().out
    text = project.recipe.read_text().replace(', primary="score", direction="higher"', "")
    project.recipe.write_text(text)
    with pytest.raises(UsageError, match="a search needs to know what is better"):
        asked(project, *SEARCH, "--trials", "1")


@pytest.mark.slow
def test_an_experiment_without_a_search_says_which_have_one(project):
    assert "Begin one: RECIPE --search" in project.command("sweep", "study", code=2).stderr
    project.run(*SEARCH, "--trials", "1")
    assert "There are: study." in project.command("step", "other", code=2).stderr
    project.wait_until_done()


@pytest.mark.slow
def test_a_process_that_may_only_read_carries_nothing_on(project, monkeypatch):
    project.run(*SEARCH, "--trials", "1")
    project.wait_until_done()
    monkeypatch.setenv(READ_ONLY, "1")
    assert "read-only" in project.command("step", code=1).stderr


@pytest.mark.slow
def test_a_search_is_frozen_from_its_record_and_its_snapshot_though_its_recipe_is_gone(tmp_path):
    project = Swept(tmp_path, max_parallel=4)
    project.run(*SEARCH, "--trials", "2", "--no-follow")
    [course] = project.wait_until_done()
    project.recipe.write_text("raise SystemExit('nobody asks the recipe')")
    before = len(jobs_of(project))
    shown = project.command("sweep", "freeze", "study", "--seeds", "3", "--dry-run").stdout
    assert "study-confirm: trial-" in shown
    assert "Registers design 1 of its family" in shown
    assert "nobody searched: no trial went into it" in shown
    assert (len(jobs_of(project)), "Dry run: nothing was launched" in shown) == (before, True)
    project.command("sweep", "freeze", "study", "--seeds", "3")
    said = project.command("sweep", "freeze", "study").stdout
    assert "It was frozen before: nothing is launched twice." in said
    jobs = [job for job in jobs_of(project) if job.experiment == "study-confirm"]
    assert sorted({job.seed for job in jobs}) == [0, 1, 2]
    assert len(jobs) == 6
    snapshots = {project.spec(job.run_name)["snapshot"]["id"] for job in jobs_of(project)}
    assert snapshots == {course.search.provenance.own.snapshot.id}
    project.wait_until_started(before + 6)
    assert len(project.started()) == len(set(project.started())) == before + 6
    notebook = (project.notebook().parent / "study-confirm_nb.py").read_text()
    assert "study.launch" not in notebook
    assert f'arm="trial-{course.best.number}"' in notebook
