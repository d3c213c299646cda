"""The lines of a page that say what an experiment has to reach, and whether it does."""

from __future__ import annotations

import pytest

from experiments.jobs.criteria import Criterion, Stated, record_criteria
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import command_permit
from experiments.notebooks import Journal, Rule
from experiments.notebooks.acceptance import acceptance_lines
from experiments.notebooks.study import Study as Page
from experiments.notebooks.styles import lines_html
from experiments.notebooks.training import jobs_note
from experiments.types import Plan, PlannedJob, TrainingJobConfig
from tests.fakes.studies import REWARD, two_arms

RULE = Rule(metric=REWARD, direction="higher", effect=0.0, arm="b", baseline="a")
CONFIG = TrainingJobConfig(curriculum="arena/basic")


@pytest.fixture
def study(tmp_path):
    return two_arms(tmp_path)


def launch(study, *criteria):
    jobs = [
        PlannedJob(run_name=job.run, arm=job.arm, seed=job.seed, config=CONFIG, command=("true",)) for job in study.jobs
    ]
    fields = {"experiment": "study", "user": "ada", "launcher": "local", "target": "here", "repeat": 1}
    plan = Plan(**fields, key="k", family="f", jobs=tuple(jobs))
    record_criteria(plan, Stated(criteria), command_permit("test"), study.workspace)
    with open_ledger(study.workspace) as ledger:
        ledger.record_plan(plan)
        ledger.intend({job.run: {} for job in study.jobs}, "here", "me")
        ledger.conclude("me", accepted={job.run: job.run for job in study.jobs})


def test_a_page_has_a_row_for_each_criterion_and_arm_beside_its_scores(study):
    launch(study, Criterion(REWARD, ">=", 2, unit="<hearts> an episode"))
    text = lines_html(acceptance_lines(study.context, study.jobs)).text
    assert "✕ Acceptance: excluded: 1 of 2 met, by the criteria recorded on" in text
    assert "overview/reward of b at least 2 &lt;hearts&gt; an episode" in text
    assert "✓ met (mean 3.15, 2.78 to 3.52, 3 of 3 finished)" in text
    page = Page(study.context, study.jobs, Journal(hypothesis="", rule=None))
    assert "✕ Acceptance: excluded: 1 of 2 met" in page.scores(page.chosen()).still().text


def test_a_page_without_criteria_or_without_a_ledger_says_nothing_of_them(study):
    assert acceptance_lines(study.context, study.jobs) == []
    launch(study)
    assert acceptance_lines(study.context, study.jobs) == []
    assert acceptance_lines(study.context, []) == []


def test_criteria_that_cannot_be_read_are_not_taken_for_none(study):
    launch(study)
    with open_ledger(study.workspace) as ledger:
        ledger.add_event("criteria", plan_key="k", criteria="none")
    [line] = acceptance_lines(study.context, study.jobs)
    assert "could not be read" in line.text


def test_a_damaged_ledger_is_said_with_its_command_above_the_jobs_and_else_in_a_word(study):
    launch(study, Criterion(REWARD, ">=", 2))
    page = Page(study.context, study.jobs, Journal(hypothesis="b is more.", rule=RULE))
    assert page.jobs
    for file in study.workspace.state.glob("ledger.sqlite*"):
        file.write_bytes(b"no database")
    parts = [page.verdict(), page.scores(page.chosen()), page.search()]
    text = " ".join(str(part._display_().text) for part in parts)
    assert "doctor --rebuild" not in text
    assert text.count("The ledger cannot be read, as is said above the jobs.") >= 3
    assert "doctor --rebuild" in jobs_note(study.context, study.jobs).text
