"""The page of a search in a real editor: it follows the trials, freezes the winner once, and expands at an edge."""

from __future__ import annotations

import pytest

from experiments.jobs.batches import courses as batched_courses
from experiments.jobs.journal import recorded_journals
from experiments.jobs.ledger import Ledger
from experiments.jobs.sweeps.search import CHOOSING
from tests.browser.test_notebook import SECONDS, click_when_still, folder, jobs_of, open_page  # noqa: F401 - a fixture
from tests.fakes.serving import marimo_server
from tests.fakes.swept import Swept

pytestmark = pytest.mark.browser
TWO = ("--trials", "2", "--trial-seeds", "2", "--no-follow")
RATES = ("--search", "learning_rate=log:1e-5..1e-1", *TWO)
EDGES = ("--search", "batch=300..301", *TWO)
"""Whatever is tried of two numbers is at an end of them."""
LOOKING = 'rule = Rule(metric="score", direction="higher", effect=0.5, looks=(3, 5, 8))'


@pytest.mark.slow
def test_a_page_follows_the_trials_to_their_end_and_a_double_click_freezes_the_winner_once(browser, folder):  # noqa: F811
    project = Swept(folder, max_parallel=1)
    project.run(*RATES)
    with marimo_server("edit", project.notebook(), cwd=folder) as url:
        page = open_page(browser, url)
        page.get_by_text("Done: 2 of 2 trials ended, 0 out").wait_for(timeout=150 * SECONDS)
        [course] = project.courses()
        best = course.search.arm_of(course.best.number)
        assert page.get_by_text("A search is exploratory:").count() == 1
        assert page.get_by_text(str(CHOOSING), exact=False).filter(has_text="seed 1000000").count() == 0
        click_when_still(page, f"Freeze {best} and launch 10 jobs")
        page.get_by_text("10 jobs launched as study-confirm.").wait_for(timeout=60 * SECONDS)
        page.get_by_text("Frozen as study-confirm:").wait_for(timeout=30 * SECONDS)
        assert page.get_by_role("button", name="Freeze").count() == 0
        page.close()
    frozen = [job for job in jobs_of(project) if job.experiment == "study-confirm"]
    assert sorted((job.arm, job.seed) for job in frozen) == sorted(
        (arm, seed) for arm in ("baseline", best) for seed in range(5)
    )
    assert (project.notebook().parent / "study-confirm_nb.py").exists()


@pytest.mark.slow
def test_a_winner_is_frozen_by_its_button_with_the_rule_that_looks_and_goes_on_until_it_decides(browser, folder):  # noqa: F811
    project = Swept(folder, max_parallel=2, rule=LOOKING)
    project.run(*RATES)
    [course] = project.wait_until_done()
    best = course.search.arm_of(course.best.number)
    project.hold()  # else the first batch may be over, and the next begun, before it is looked at
    with marimo_server("edit", project.notebook(), cwd=folder) as url:
        page = open_page(browser, url)
        page.get_by_text("further ones follow by themselves until the rule decides").wait_for(timeout=150 * SECONDS)
        click_when_still(page, f"Freeze {best} and launch 6 jobs until decided")
        page.get_by_text("6 jobs launched as study-confirm.").wait_for(timeout=60 * SECONDS)
        page.get_by_text("Frozen as study-confirm:").wait_for(timeout=30 * SECONDS)
        assert page.get_by_role("button", name="Freeze").count() == 0
        page.close()
    frozen = [job for job in jobs_of(project) if job.experiment == "study-confirm"]
    assert sorted((job.arm, job.seed) for job in frozen) == sorted(
        (arm, seed) for arm in ("baseline", best) for seed in range(3)
    )
    with Ledger.open(project.state, read_only=True) as ledger:
        [batches] = batched_courses(ledger)
    assert (batches.ended, batches.batched.experiment) == ("", "study-confirm")
    [record] = recorded_journals(project.workspace, [frozen[0].plan_key])
    assert (record.journal.rule.looks, record.journal.rule.arm) == ((3, 5, 8), best)
    project.release()


@pytest.mark.slow
def test_a_page_that_only_shows_offers_the_command_and_no_button_and_an_edge_is_searched_beyond(browser, folder):  # noqa: F811
    project = Swept(folder, max_parallel=2)
    project.run(*EDGES)
    project.wait_until_done()
    with marimo_server("run", project.notebook(), cwd=folder) as url:
        page = open_page(browser, url)
        page.get_by_text("Freeze the winner: uv run experiments sweep freeze study").wait_for(timeout=120 * SECONDS)
        names = [button.inner_text() for button in page.get_by_role("button").all()]
        assert not [name for name in names if name.startswith(("Freeze", "Expand"))]
        page.close()
    with marimo_server("edit", project.notebook(), cwd=folder) as url:
        page = open_page(browser, url)
        click_when_still(page, "Expand: search batch=", timeout_s=150)
        page.get_by_text("study-2 is open and goes on by itself.").wait_for(timeout=60 * SECONDS)
        page.close()
    courses = {course.search.experiment: course for course in project.wait_until_done()}
    assert len(courses["study-2"].trials) == 2
    assert courses["study-2"].search.space["batch"].text in {"299..301", "300..302"}
    assert len(project.started()) == len(set(project.started())) == 8
