"""What stands at the head of a log comes from the notebook, the ledger, the runs and the code, each with its origin."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from experiments.jobs.journal import Journal, Rule
from experiments.jobs.ran import Mark
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.export.facts import texts_of
from experiments.notebooks.export.head import gather, set_against, top_html
from experiments.notebooks.export.record import LoggedMetric
from experiments.notebooks.export.run.running import CellRecord
from experiments.notebooks.study import Study as Notebook
from experiments.project.trainers.value import Metrics
from experiments.project.values import replaced
from experiments.types import BaseExperimentConfig
from tests.fakes.studies import REWARD, Study
from tests.notebooks.export.pages import head as made_head
from tests.notebooks.export.pages import page_of, sheet
from widgets.jobs import JobTable

WHEN = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


@pytest.fixture
def study(tmp_path):
    made = Study(tmp_path)
    for seed in range(5):
        made.add("slow", seed, [0.1 * seed + step for step in range(10)])
        made.add("fast", seed, [0.1 * seed + (3 + 0.02 * seed) * step for step in range(10)])
    return made


def head_of(study, /, *, cells=(), **values):
    # Nobody's ledger here has them; their state is what the tracker says.
    jobs = [job.model_copy(update={"launcher": "elsewhere"}) for job in study.jobs]
    values = {"experiment": study.context, "tracked_jobs": jobs, **values}
    notebook = study.root / "study_nb.py"
    return gather(cells, values, notebook=notebook, experiment="study", created=WHEN, who="ada")


def test_the_journal_gives_hypothesis_verdict_and_the_number_that_decides(study):
    rule = Rule(metric=REWARD, direction="higher", effect=1.0, arm="fast", baseline="slow")
    record = head_of(study, journal=Journal(hypothesis="Fast is better.", rule=rule)).record
    assert record.hypothesis == "Fast is better."
    assert record.verdict.startswith("Confirmed. fast minus slow: ")
    assert record.key_metric.name == "return per agent, fast minus slow (exploratory)"
    assert record.key_metric.text.startswith("18.4 [18")
    assert record.key_metric.value == pytest.approx(18.36)


def test_the_study_of_a_notebook_gives_its_jobs_and_where_their_runs_are(study):
    rule = Rule(metric=REWARD, direction="higher", effect=1.0, arm="fast", baseline="slow")
    journal = Journal(hypothesis="Fast is better.", rule=rule)
    jobs = [job.model_copy(update={"launcher": "elsewhere"}) for job in study.jobs]
    made = Notebook(study.context, jobs, journal)
    head = head_of(study, study=made, experiment=None, tracked_jobs=None, journal=journal)
    assert len(head.record.jobs) == 10
    assert head.record.verdict.startswith("Confirmed. fast minus slow: ")


def test_without_a_journal_the_mean_over_runs_says_how_many(study):
    metric = head_of(study).record.key_metric
    assert (metric.name, metric.text) == ("return per agent", "18.4 (mean of 10 runs, 9 to 28.1)")


@pytest.mark.parametrize("ended", ["succeeded", "failed"])
def test_a_seed_that_was_launched_again_is_one_run_of_the_mean_and_the_first(study, ended):
    study.add("slow", 0, [1000.0] * 3, name="ada.study.slow.s0.again", verdict=ended)
    text = head_of(study).record.key_metric.text
    assert "mean of 10 runs" in text
    assert text.endswith("to 28.1)")


def test_a_mean_over_runs_of_different_code_says_so(study, monkeypatch):
    codes = [str(number % 2) for number in range(len(study.jobs))]
    marks = {job.run: Mark(code, run=job.run) for job, code in zip(study.jobs, codes, strict=True)}
    monkeypatch.setattr(NotebookContext, "code_marks", lambda _, jobs: {job.run: marks[job.run] for job in jobs})
    assert "(mean of 10 runs of 2 codes, 9 to 28.1)" in head_of(study).record.key_metric.text


def test_jobs_stand_in_order_with_their_state(study):
    study.add("late", 0, verdict="unknown")
    head = head_of(study)
    assert [(job["arm"], job["seed"], job["state"]) for job in head.jobs][:2] == [
        ("slow", 0, "succeeded"),
        ("fast", 0, "succeeded"),
    ]
    assert (head.jobs[-1]["arm"], head.jobs[-1]["state"]) == ("late", "unknown")
    assert len(head.record.jobs) == 11


def test_sources_say_how_much_was_read_and_from_when(study):
    [(source, words)] = head_of(study).sources
    assert source == "offline"
    assert words.startswith("100 rows of 10 of 10 runs; newest ")


def test_the_digest_follows_the_data_and_nothing_else(study):
    first = head_of(study).record.data
    assert head_of(study).record.data == first
    study.add("fast", 9, [1.0])
    assert head_of(study).record.data != first


def test_the_config_shows_differences_first_and_no_secret(study):
    config = BaseExperimentConfig(description="mine", additional_args=("hub.token=hunter22hunter22",))
    head = head_of(study, config=config)
    assert head.config[0] == ("description", "mine")
    assert all(value.endswith("(default)") for _, value in head.config[2:])
    assert set(head.record.config) == {"description", "additional_args"}


def test_jobs_of_unknown_code_have_no_commit_and_the_head_says_so(study):
    head = head_of(study)
    assert (head.record.commit, head.record.dirty) == ("", None)
    assert "the code that ran is in no commit that is known" in top_html(sheet(), head, "")


def test_code_that_is_in_no_commit_is_said_to_be_kept_as_its_snapshot(study):
    head = head_of(study)
    kept = replaced(head.record, commit="", snapshot="47fcb42aae0ca892")
    top = top_html(sheet(), replace(head, record=kept), "")
    assert "code in no git commit, kept as snapshot 47fcb42aae" in top
    assert "no commit that is known" not in top


def test_a_mean_is_called_by_the_metric_of_its_trainer_and_is_over_one_metric(tmp_path):
    own = Study(tmp_path)
    named = Metrics(step="step", primary="accuracy", direction="higher")
    for seed in range(2):
        own.add("a", seed, [0.5 + seed / 4], metric="accuracy", step="step", metrics=named)
    own.add("a", 2, [100.0])
    metric = head_of(own).record.key_metric
    assert (metric.name, metric.text) == ("accuracy", "0.625 (mean of 2 runs, 0.5 to 0.75)")


def test_what_changed_is_said_and_a_log_that_says_the_same_keeps_its_place(study):
    first = head_of(study)
    assert set_against(head_of(study), first.record, "study.old.html").record == first.record
    study.add("fast", 9, [1.0], name="new-run")
    record = set_against(head_of(study), first.record, "study.old.html").record
    assert record.previous == "study.old.html"
    assert record.changes[0] == "1 job added: new-run"


def test_a_notebook_without_an_experiment_has_a_head_too(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    cells = [CellRecord("a", code="mo.md('# Mine')"), CellRecord("b", error=ValueError("no\nmore"))]
    head = gather(cells, {"jobs": 5}, notebook=tmp_path / "x.py", experiment="x", created=WHEN, who="")
    assert (head.record.title, head.jobs, head.record.key_metric) == ("Mine", (), None)
    assert head.record.problems == ("b: no",)


def test_what_a_cell_tells_is_not_told_again_in_the_head():
    texts = {"hypothesis": "A **curriculum** helps.", "verdict": "Confirmed. fast minus slow: 18.4."}
    full = made_head(**texts, key_metric=LoggedMetric(name="difference", value=18.4, text="18.4 [18, 19]"))
    alone = top_html(sheet(), full, "")
    assert all(part in alone for part in ("<strong>curriculum</strong>", "minus slow: 18.4", "18.4 [18, 19]"))
    told = top_html(sheet(), full, "<p>✓ Confirmed</p><p>fast minus\nslow: 18.4.</p><p>A <b>curriculum</b> helps.</p>")
    assert not any(part in told for part in ("curriculum", "18.4"))
    jobs = ({"run": "ada.arena.a.s0.x", "state": "failed"},)
    assert "ada.arena.a.s0.x" in page_of(head=made_head(jobs=jobs)).html.decode()
    page = page_of(JobTable(rows=list(jobs)), head=made_head(jobs=jobs)).html.decode()
    assert page.count("<td>ada.arena.a.s0.x</td>") == 1


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('mo.md("""\n# A *title*\n""")', {"title": "A *title*"}),
        ('mo.md("**Hypothesis.** More\\nis more.\\n\\nOther.")', {"hypothesis": "More is more."}),
        ('mo.md("**Verdict.** Confirmed, rejected or undecided?")', {}),
        ("mo.md(text)", {}),
        ("not python (", {}),
        ("#" * 100, {}),
    ],
)
def test_texts_are_found_in_markdown_only(code, found):
    assert texts_of([CellRecord("a", code=code)]) == found
