"""A look that decides early: the offer to cancel comes to an open page by itself, and a person's press takes it."""

from __future__ import annotations

import shutil

import pytest

from experiments.jobs.sparing import spared_runs
from tests.fakes.registered import RULE, registered
from tests.fakes.serving import ROOT, marimo_server, scratch_folder

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SECONDS = 1_000
JOURNAL = f"Journal(hypothesis='b is better', rule=Rule(**{RULE.model_dump(exclude_defaults=True)!r}))"
OFFER = "Confirmed at 3 of 6 planned seeds of each arm; 6 jobs can be cancelled"


@pytest.fixture
def study():
    """A study whose last runs of the first look have not ended yet, and what their ends are."""
    with scratch_folder() as folder:
        settings = (folder / "pyproject.toml").read_text()
        made = registered(folder)
        (folder / "pyproject.toml").write_text(settings)
        shutil.rmtree(folder / ".experiments" / "live")
        text = (ROOT / "tests" / "notebooks" / "samples" / "golden_nb.py").read_text()
        for name, value in (("journal", JOURNAL), ("jobs", "[]")):
            start, end = text.index(f"    {name} = "), text.index(f"    return ({name},)")
            text = f"{text[:start]}    {name} = {value}\n{text[end:]}"
        (folder / "study_nb.py").write_text(text)
        # What it logged comes before its end, and neither is there yet: a run is at its end where its file says so.
        late = [*made.workspace.runs.glob("*.s2.*/**/*.wandb"), *made.workspace.runs.glob("*.s2.*/job.json")]
        ends = {path: path.read_bytes() for path in late}
        for path in ends:
            path.unlink()
        yield made, ends


def test_the_offer_comes_when_a_look_decides_and_is_taken_once(browser, study):
    made, ends = study
    with marimo_server("edit", made.root / "study_nb.py", cwd=made.root) as url:
        page = browser.new_page()
        page.goto(url)
        page.get_by_text("A look is due after 3 of 6 planned seeds.").wait_for(timeout=90 * SECONDS)
        button = page.get_by_role("button", name="Cancel these jobs")
        assert button.count() == 0
        for path, content in ends.items():
            path.write_bytes(content)
        page.get_by_text(OFFER).wait_for(timeout=60 * SECONDS)
        button.wait_for(timeout=30 * SECONDS)
        button.click()
        page.get_by_text("6 jobs asked to end. The verdict stays as it is.").wait_for(timeout=30 * SECONDS)
        assert len(spared_runs(made.workspace)) == 6
        page.get_by_text("3 spared seeds not counted").first.wait_for(timeout=60 * SECONDS, state="attached")
        assert page.get_by_text("✓ Confirmed").count() == 1
        button.wait_for(timeout=30 * SECONDS, state="detached")
        page.close()


def test_a_page_that_only_shows_says_it_and_offers_nothing(browser, study):
    made, ends = study
    for path, content in ends.items():
        path.write_bytes(content)
    with marimo_server("run", made.root / "study_nb.py", cwd=made.root) as url:
        page = browser.new_page()
        page.goto(url)
        page.get_by_text(OFFER).wait_for(timeout=90 * SECONDS)
        assert page.get_by_role("button", name="Cancel these jobs").count() == 0
        page.close()
