"""The search of an experiment on its page: trials in every state, what is said of them, and what follows."""

from __future__ import annotations

import re

import pytest

from experiments.jobs.handover import LAUNCHERS
from experiments.jobs.ledger import open_ledger
from experiments.jobs.sweeps.ranges import Choices
from experiments.jobs.sweeps.search import Course, Trial, end_search, open_search
from experiments.launch import allow_launch
from experiments.notebooks import Journal, Rule
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.curves import comparison_lines
from experiments.notebooks.searching import search_lines, trial_table
from experiments.notebooks.study import Study
from experiments.notebooks.styles import lines_html
from experiments.notebooks.verdict import rule_lines, verdict_lines
from experiments.results.freezing import EXPLORATORY
from experiments.results.steps import take_step
from experiments.types import BaseExperimentConfig, JobRef, JobStatus
from tests.fakes.stepped import SPACE, course, opened, search_of, to_the_end

CLAIMS = re.compile(r"\b(confirmed|rejected|better than (?!it is)|worse than|significant|p = )\b", re.IGNORECASE)
RULE = Rule(metric="score", direction="higher", effect=0.5)


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Return a function that opens a search whose jobs end at once, and what its notebook opens."""

    def begun(search=None, dies=lambda _seed, _said: False, *, ends=True):
        workspace, cluster = opened(tmp_path, search or search_of(trials=3), dies)
        monkeypatch.setitem(LAUNCHERS, "skypilot", lambda _: cluster)
        if ends:
            to_the_end(workspace)
        return NotebookContext("study", tmp_path / "study_nb.py", workspace, BaseExperimentConfig())

    return begun


def page_of(context, hypothesis=""):
    return Study(context, [], Journal(hypothesis=hypothesis, rule=RULE))


def still(context):
    return page_of(context).search().still().text


def trials(*scores, **search):
    found = tuple(
        Trial(
            number,
            {"rate": 0.001 * (number + 1), "batch": 256},
            "key",
            score is not None,
            score if score != "lost" else None,
            {"1000000": score, "1000001": score} if score not in {None, "lost"} else {"1000000": None},
            "all of its seeds are lost (failed)" if score == "lost" else "",
        )
        for number, score in enumerate(scores)
    )
    return Course(search_of(trials=40, **search), found)


def words(lines):
    return [f"{line.label} {line.text}".strip() for line in lines]


def test_a_page_shows_each_trial_with_its_settings_seeds_score_and_state(begin):
    context = begin()
    text = still(context)
    for trial in course(context.workspace).trials:
        assert f'<td class="number">{trial.number}</td><td class="number">{trial.values["rate"]:g}</td>' in text
    assert "✓ Done: 3 of 3 trials ended, 0 out" in text
    assert text.count("✓ scored") == 2
    assert text.count("✓ best") == 1
    assert "2 seeds of the search in each trial" in text
    assert "Freeze the winner: uv run experiments sweep freeze study" in text


def test_a_page_says_in_one_sentence_that_trials_decide_nothing_and_claims_nothing_of_them(begin):
    context = begin()
    page = page_of(context, "More is more.")
    text = page.search().still().text
    assert text.count(EXPLORATORY) == 1
    shown = [text, page.verdict().still().text, page.scores(page.chosen()).still().text]
    assert [found.group(0) for part in shown if (found := CLAIMS.search(part))] == []
    assert "A search, so there is no verdict" in shown[1]


def test_trials_are_compared_nowhere_pair_by_pair(begin):
    context = begin()
    jobs = page_of(context).jobs
    assert len({job.arm for job in jobs}) == 3
    said = words(comparison_lines(context, jobs, page_of(context).chosen()))
    assert said == ["Trials of a search are not compared: their scores have chosen among them."]


def test_no_verdict_and_no_registration_are_told_of_a_search(begin):
    context = begin()
    journal = Journal(hypothesis="More is more.", rule=RULE)
    jobs = page_of(context).jobs
    assert len(verdict_lines(context, jobs, journal)) == 1
    assert rule_lines(context, jobs, journal) == []


def test_a_seed_of_a_search_is_shown_by_its_number_within_the_search(begin):
    context = begin()
    jobs = page_of(context).jobs
    assert {job.seed for job in jobs} == {1_000_000, 1_000_001}
    assert [job.label for job in jobs][:2] == ["trial-0 seed 0 of the search", "trial-0 seed 1 of the search"]
    assert "1000000" not in re.sub(r"trial-\d+\.s100000\d", "", still(context))


def test_a_search_that_nobody_stepped_yet_has_an_empty_page(begin):
    text = still(begin(ends=False))
    assert "● Goes on: 0 of 3 trials ended, 0 out" in text
    assert "No trial yet" in text
    assert "<table><thead>" not in text


def test_an_experiment_without_a_search_says_how_one_begins(tmp_path, begin):
    context = begin()
    other = NotebookContext("other", tmp_path / "other_nb.py", context.workspace, BaseExperimentConfig())
    assert "This experiment has no search. Begin one: RECIPE --search" in still(other)


def test_trials_that_lost_all_their_seeds_say_why_and_nothing_is_to_be_frozen(begin):
    text = still(begin(search_of(trials=2), lambda _seed, _said: True))
    assert text.count("✕ failed") == 2
    assert "all of its seeds are lost" in text
    assert "No trial has a score: the table below says why." in text
    assert "has a score, so there is nothing to freeze" in text


def test_a_trial_that_is_out_is_running_or_pending_as_its_jobs_are():
    jobs = [JobRef(run=f"r{at}", arm=f"trial-{at}", seed=1_000_000) for at in range(2)]
    statuses = {"r0": JobStatus(run_name="r0", arm="trial-0", seed=1_000_000, verdict="running")}
    text = trial_table(trials(None, None), jobs, statuses).text
    assert (text.count("● running"), text.count("○ pending")) == (1, 1)


def test_a_seed_that_was_lost_stands_among_the_scores_of_its_trial():
    found = trials(1.0)
    lost = Trial(0, found.trials[0].values, "key", True, 2.0, {"1000000": 2.0, "1000001": None}, "1 of 2 seeds lost")
    text = trial_table(Course(found.search, (lost,)), [], {}).text
    assert ">2, lost</td>" in text
    assert "<td>1 of 2 seeds lost</td>" in text


@pytest.mark.parametrize("number", [1, 3, 40])
def test_there_is_one_row_a_trial_whatever_their_number(number):
    text = trial_table(trials(*map(float, range(number))), [], {}).text
    assert text.count("<tr>") == number + 1


def test_of_very_many_trials_the_newest_are_shown_and_the_others_counted():
    text = trial_table(trials(*map(float, range(250))), [], {}).text
    assert text.count("<tr>") == 201
    assert "50 earlier trials left out: experiments sweep shows all." in text


def test_settings_and_reasons_of_others_are_text_in_the_table():
    space = {**SPACE, "batch": Choices(values=("<b>", "b"))}
    bad = Trial(0, {"rate": 0.001, "batch": "<b>"}, "", True, None, {}, "<script>alert(1)</script>")
    found = Course(search_of().model_copy(update={"space": space}), (bad,))
    text = trial_table(found, [], {}).text + lines_html(search_lines(found)).text
    assert ("<b>" in text, "<script>" in text) == (False, False)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_a_best_trial_at_an_edge_is_said_to_be_there():
    found = trials(1.0)
    edge = Trial(0, {"rate": 0.09, "batch": 256}, "key", True, 2.0, {"1000000": 2.0})
    assert words(search_lines(Course(found.search, (edge,))))[-1] == (
        "At an edge: rate 0.09 of the best trial is at the high end of log:1e-05..0.1. Expand it to log:1e-05..1: "
        "experiments sweep expand study."
    )


def test_a_search_that_somebody_ended_says_so(begin):
    context = begin(ends=False)
    with allow_launch() as permit, open_ledger(context.workspace) as ledger:
        end_search(ledger, course(context.workspace).search, permit)
    assert "Ended early: 0 of 3 trials ended" in words(search_lines(course(context.workspace)))[0]


def test_a_page_is_behind_once_a_trial_was_told_and_not_after_it_was_drawn_again(begin):
    context = begin(ends=False)
    page = page_of(context)
    page.search().still()
    assert page.has_moved() is False
    with allow_launch() as permit:
        take_step(context.workspace, permit)
    assert page.has_moved() is True
    page.search().still()
    assert page.has_moved() is False
    to_the_end(context.workspace)
    page.search().still()
    assert page.has_moved() is False


def test_two_arms_have_a_search_each_and_the_sentence_stands_once(begin):
    context = begin(search_of(arm="baseline", trials=1))
    with allow_launch() as permit, open_ledger(context.workspace) as ledger:
        open_search(ledger, search_of(arm="other", trials=1), permit)
    text = still(context)
    assert re.findall(r"<h3>(.*?)</h3>", text) == ["baseline", "other"]
    assert text.count(EXPLORATORY) == 1
    assert "✓ Done: 1 of 1 trial ended" in text
    assert "● Goes on: 0 of 1 trial ended" in text
