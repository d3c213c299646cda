"""The log section: hypothesis, verdict, notes, and what a read-only page lacks."""

from __future__ import annotations

import pytest

from experiments.jobs.designs import record_journal
from experiments.jobs.journal import BLANK, Journal, Rule
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import command_permit, page_permit
from experiments.jobs.sparing import spared_runs
from experiments.notebooks import verdict
from experiments.notebooks.job_log import failures_in, retry_buttons, triage_view
from experiments.notebooks.study import Study as Page
from experiments.notebooks.styles import lines_html
from experiments.notebooks.verdict import (
    cancel_needless,
    hypothesis_lines,
    log_lines,
    note_form,
    rule_lines,
    verdict_lines,
)
from experiments.project.values import replaced
from experiments.types import JobRef, Plan, TrainingJob, TrainingJobConfig
from tests.fakes.registered import WRITTEN as LOOKED
from tests.fakes.registered import registered
from tests.fakes.studies import REWARD, two_arms

CONFIG = TrainingJobConfig(curriculum="arena/basic")
RULE = Rule(metric=REWARD, direction="higher", effect=0.5, arm="b", baseline="a")
WRITTEN = Journal(hypothesis="<b>b</b> wins", rule=RULE, notes={"2026-11-22 10:00": "a <i>note</i>", "soon": "later"})


@pytest.fixture
def study(tmp_path):
    return two_arms(tmp_path)


def plan(study):
    return Plan(
        experiment="study", user="ada", launcher="local", target="local", repeat=1, key="k" * 64, family="f", jobs=()
    )


def test_a_blank_journal_says_how_to_fill_it_and_has_no_verdict(study):
    assert "No hypothesis yet" in lines_html(hypothesis_lines(BLANK)).text
    assert verdict_lines(study.context, study.jobs, BLANK) == []


def test_a_verdict_names_interval_counts_and_origin(study):
    text = lines_html(verdict_lines(study.context, study.jobs, WRITTEN)).text
    assert "✓ Confirmed" in text
    assert "95 %" in text
    assert "3 of 3 finished" in text
    assert "18 rows of 6 runs, complete" in text


def test_a_verdict_waits_for_seeds_that_were_launched_and_that_nobody_knows_yet(study):
    more = [
        JobRef(run=f"ada.study.{arm}.s{seed}.zzzzzzzz", arm=arm, seed=seed) for arm in "ab" for seed in range(3, 10)
    ]
    text = lines_html(verdict_lines(study.context, [*study.jobs, *more], WRITTEN)).text
    assert "Interim" in text
    assert "3 of 10 seeds of b and 3 of 10 of a have ended; 7 of b and 7 of a are still out" in text
    assert not any(word in text for word in ("Confirmed", "Rejected", "Undecided"))


def test_a_verdict_waits_for_seeds_that_were_planned_and_never_handed_over(study):
    def job(run, arm, seed, state):
        fields = {"experiment": "study", "config": CONFIG, "launcher": "local", "plan_key": "k" * 64}
        return TrainingJob(run_name=run, arm=arm, seed=seed, state=state, **fields)

    with open_ledger(study.workspace) as ledger:
        for ref in study.jobs:
            ledger.add_attempt(job(ref.run, ref.arm, ref.seed, "submitted"))
        ledger.add_attempt(job("ada.study.b.s3.zzzzzzzz", "b", 3, "planned"))
    assert "3 of 4 seeds of b" in lines_html(verdict_lines(study.context, study.jobs, WRITTEN)).text
    assert study.context.with_unlaunched(study.jobs)[:-1] == study.jobs


def test_lost_seeds_are_said_with_the_command_that_runs_them_again(study):
    study.add("b", 3, [0.1], verdict="cancelled")
    study.publish()
    text = lines_html(verdict_lines(study.context, study.jobs, WRITTEN)).text
    assert "Undecided" in text
    assert "1 of 4 seeds of b was lost. b: 3 of 4 finished, 1 cancelled." in text
    assert "experiments retry ada.study.b.s3.abcdefgh" in text


def test_a_hypothesis_written_after_the_launch_is_said_beside_the_verdict(study):
    jobs = [
        TrainingJob(run_name=job.run, experiment="study", arm=job.arm, seed=job.seed, config=CONFIG, launcher="local")
        for job in study.jobs
    ]
    with open_ledger(study.workspace) as ledger:
        for job in jobs:
            ledger.add_attempt(job)
    assert "Written after the launch" in lines_html(verdict_lines(study.context, study.jobs, WRITTEN)).text
    assert "Written after the launch" in lines_html(rule_lines(study.context, study.jobs, WRITTEN)).text
    assert "Nothing is launched yet" in lines_html(rule_lines(study.context, [], WRITTEN)).text


def test_of_runs_launched_elsewhere_nothing_is_claimed(study):
    assert "only git can tell" in lines_html(rule_lines(study.context, study.jobs, WRITTEN)).text
    assert "after the launch" not in lines_html(verdict_lines(study.context, study.jobs, WRITTEN)).text


def test_text_of_a_person_is_shown_never_run(study):
    lines = [
        *hypothesis_lines(WRITTEN),
        *rule_lines(study.context, study.jobs, WRITTEN),
        *log_lines(study.context, WRITTEN),
    ]
    shown = lines_html(lines).text
    assert "&lt;b&gt;b&lt;/b&gt; wins" in shown
    assert "a &lt;i&gt;note&lt;/i&gt;" in shown
    assert "<i>note" not in shown


def test_notes_of_the_file_stand_by_time_and_those_without_one_last(study):
    text = lines_html(log_lines(study.context, WRITTEN)).text
    assert text.index("2026-11-22 10:00") < text.index("soon")
    assert log_lines(study.context, BLANK) == []


def test_a_page_that_may_not_launch_has_no_note_input_and_no_retry_button(study):
    study.add("a", 7, verdict="failed", log=["ValueError: <b>bad</b>"])
    study.publish()
    assert note_form(study.context) is None
    context = study.context
    assert context.store.name == "offline"
    failures = failures_in(context, study.jobs)
    assert page_permit() is None
    told = []
    retry_buttons(context, failures, lambda change: told.extend(change(())))[0]._on_click(None)
    assert not told[0].succeeded
    assert "is not a Permit" in told[0].text
    text = triage_view(failures, None).text
    assert "uv run experiments retry" in text
    assert "&lt;b&gt;bad" in text
    assert triage_view([], None) is None


def test_a_dry_run_records_nothing(study):
    dry = plan(study).model_copy(update={"launcher": "dry-run"})
    assert not record_journal(dry, WRITTEN, command_permit("test"), study.workspace)
    assert record_journal(plan(study), WRITTEN, command_permit("test"), study.workspace)


def test_a_verdict_on_a_difference_that_one_seed_gives_twice_says_that_it_is_noise(study):
    study.add("b", 1, [3.3] * 3, role="replicate", replicate=1)
    study.publish()
    assert "Noise floor" not in lines_html(verdict_lines(study.context, study.jobs, WRITTEN)).text
    study.add("b", 1, [9.0] * 3, role="replicate", replicate=2)
    study.publish()
    text = lines_html(verdict_lines(study.context, study.jobs, WRITTEN)).text
    assert "two runs of one seed differ by up to 5.85, so a difference of 2.1 is noise whatever n" in text
    assert "✓ Confirmed" in text


@pytest.fixture
def early(tmp_path):
    return registered(tmp_path)


def page_of(study, *, may_launch=True):
    page = Page(study.context, study.jobs, LOOKED)
    page.may_launch = may_launch
    return page


def test_only_an_editor_offers_to_cancel_what_an_early_verdict_made_needless(early):
    page = page_of(early)
    assert "Cancel these jobs" in page.verdict().page().text
    shown = page_of(early, may_launch=False)
    text = shown.verdict().page().text
    assert "Cancel these jobs" not in text
    told = [line["text"] for line in shown.verdict()._answer.widget.lines]
    assert "Confirmed at 3 of 6 planned seeds of each arm; 6 jobs can be cancelled." in told
    still = page.verdict().still().text
    assert "6 jobs can be cancelled" in still
    assert "<marimo-button" not in still


def test_a_press_without_a_person_s_leave_cancels_nothing(early):
    told, asked = cancel_needless(early.context, early.jobs, LOOKED)
    assert ("this page only shows" in told, asked) == (True, ())
    assert spared_runs(early.workspace) == frozenset()


def test_a_press_cancels_what_is_still_needless_and_is_offered_once(early, monkeypatch):
    monkeypatch.setattr(verdict, "page_permit", lambda: command_permit("a click"))
    page = page_of(early)
    section = page.verdict()
    section.page()
    section._spare._on_click(None)
    told = section.page().text
    assert "6 jobs asked to end. The verdict stays as it is." in told
    assert "Cancel these jobs" not in told
    assert len(spared_runs(early.workspace)) == 6


def test_a_press_after_the_verdict_has_changed_cancels_nothing(early, monkeypatch):
    monkeypatch.setattr(verdict, "page_permit", lambda: command_permit("a click"))
    other = Journal(hypothesis="b is better", rule=replaced(LOOKED.rule, effect=5.0))
    assert "has changed" in cancel_needless(early.context, early.jobs, other)[0]
    assert spared_runs(early.workspace) == frozenset()
