"""Figure, table and methods sentence from the same runs."""

from __future__ import annotations

import csv
import io
import math

import pytest

from experiments.jobs.journal import Journal
from experiments.notebooks.charts.runs import read_runs
from experiments.notebooks.controls import Choice
from experiments.notebooks.paper import HEADINGS, files_view, paper_kit, paper_part, paper_words
from experiments.notebooks.verdict import judged
from experiments.project.values import replaced
from experiments.statistics import Summary
from experiments.types import JobRef
from tests.fakes.registered import RULE, WRITTEN, registered
from tests.fakes.studies import REWARD, Study

LOOKED = Journal(hypothesis="b is better", rule=replaced(RULE, looks=None, spending=None))
HOSTILE = "a.b[0]:\"'<b>&{x}"


@pytest.fixture
def study(tmp_path):
    study = Study(tmp_path)
    for arm, mean in (("base", 1.0), ("rate_0.1", 3.0)):
        for seed in range(4):
            study.add(arm, seed, [0.0, mean, mean + seed * mean / 20])
    study.add("rate_0.1", 4, verdict="failed")
    study.publish()
    return study


def runs(study, metric=REWARD):
    return read_runs(study.jobs, metric, store=study.store, statuses=study.statuses)


def test_the_figure_is_drawn_without_a_network(study):
    kit = paper_kit(runs(study))
    assert kit.svg.startswith("<svg")
    assert kit.png.startswith(b"\x89PNG")
    assert "return per agent" in kit.svg


def test_the_words_beside_a_figure_say_where_a_band_is_cut(study):
    for seed in range(2):
        study.add("two", seed, [1.0 + seed] * 3)
    kit = paper_kit(runs(study))
    assert "In the figure: the band goes beyond the y-axis, which is made for runs and means: two from -" in kit.methods


def test_table_file_and_sentence_hold_the_same_numbers(study):
    kit = paper_words(runs(study))
    assert kit.rows[1][:2] == ("rate_0.1", "4 of 5 finished")
    low, high = kit.rows[1][3].split(" to ")
    [arm] = [
        row for row in csv.DictReader(io.StringIO(kit.csv)) if row["arm"] == "rate_0.1" and row["statistic"] == "mean"
    ]
    assert float(low) == pytest.approx(float(arm["low"]), rel=0.01)
    assert float(high) == pytest.approx(float(arm["high"]), rel=0.01)
    assert r"rate\_0.1 & 4 of 5 finished" in kit.latex
    for said in ("8 of 9 finished", "Student t interval", "Compared with base", "agent steps", "Nothing is smoothed"):
        assert said in kit.methods


def test_a_failed_seed_is_in_the_file_with_its_reason(study):
    rows = list(csv.DictReader(io.StringIO(paper_words(runs(study)).csv)))
    [failed] = [row for row in rows if row["arm"] == "rate_0.1" and row["seed"] == "4"]
    assert failed["value"] == ""
    assert "failed" in failed["note"]


def test_while_seeds_are_out_table_files_and_sentence_are_interim_without_p(study):
    for seed in range(5, 8):
        study.add("rate_0.1", seed, [0.0], verdict="running")
    kit = paper_words(runs(study))
    assert kit.rows[1][HEADINGS.index("p (Holm)")] == "interim"
    assert kit.methods.startswith("Interim: 4 of 4 seeds of base and 5 of 8 of rate_0.1 have ended; 3 of rate_0.1 are")
    assert "Interim: " in kit.latex
    text = kit.latex + kit.csv + kit.methods
    assert not any(word in text for word in ("better", "worse", "p ="))


def test_lost_seeds_leave_no_p_and_are_said(study):
    kit = paper_words(runs(study))
    assert kit.rows[1][HEADINGS.index("p (Holm)")] == "undecided"
    assert "Undecided: rate_0.1 against base: 1 of 5 seeds of rate_0.1 was lost." in kit.methods


def test_finished_runs_without_the_metric_are_called_finished_and_the_metric_named(study):
    study.jobs = [job for job in study.jobs if study.statuses[job.run].verdict == "succeeded"]
    kit = paper_words(runs(study, "no.such/metric"), Choice("no.such/metric"))
    assert [row[1] for row in kit.rows] == ["4 of 4 finished, 4 without a score"] * 2
    assert "8 of 8 finished, 8 without a score" in kit.methods
    assert "without a value of no.such/metric" in kit.methods


def test_a_page_waits_for_runs_that_no_monitor_and_no_tracker_knows(study):
    study.jobs = [job for job in study.jobs if study.statuses[job.run].verdict == "succeeded"]
    study.jobs.append(JobRef(run="ada.study.base.s9.zzzzzzzz", arm="base", seed=9))
    text = paper_part(study.context, study.jobs).text
    assert "4 of 5 seeds of base and 4 of 4 of rate_0.1 have ended; 1 of base is still out" in text


def test_smoothing_is_said_and_changes_no_number(study):
    plain, smooth = (paper_words(runs(study), Choice(smoothing=share)) for share in (0.0, 0.1))
    assert plain.rows == smooth.rows
    assert "smoothed for display only" in smooth.methods


def test_no_runs_one_seed_all_failed_and_no_such_metric_are_sentences(study, tmp_path):
    assert paper_kit([]).problem
    assert paper_part(study.context, []) is None
    (tmp_path / "alone").mkdir()
    alone = Study(tmp_path / "alone")
    alone.add("one", 0, [1.0, 2.0])
    assert "1 seed" in paper_kit(runs(alone)).methods
    alone.add("bad", 0, verdict="failed")
    alone.add("nan", 0, [math.nan, math.inf])
    alone.add("same", 0, [2.0, 2.0])
    alone.add("same", 1, [2.0, 2.0])
    alone.add("words", 0, ["a", "b"])
    kit = paper_kit(runs(alone))
    assert [row[0] for row in kit.rows] == ["one", "bad", "nan", "same", "words"]
    assert paper_kit(runs(alone, "no/such"), Choice("no/such")).rows


def test_names_with_markup_are_text_in_every_form(tmp_path):
    study = Study(tmp_path)
    for seed in range(2):
        study.add("<script>x", seed, [1.0, 2.0 + seed], metric=HOSTILE)
    kit = paper_kit(runs(study, HOSTILE), Choice(HOSTILE))
    assert "<script>" not in kit.svg
    assert r"\textless{}script\textgreater{}x" in kit.latex
    assert "<script>" not in paper_part(study.context, study.jobs).text
    assert "Save figure (SVG)" in files_view(kit, "x").text


def test_the_claim_of_a_design_is_told_with_its_number_and_level_and_all_others_as_exploratory(tmp_path):
    made = registered(tmp_path, arms={"a": 1.0, "b": 3.0, "c": 2.0}, running=0, journal=LOOKED)
    jobs = made.context.with_unlaunched(made.jobs)
    claimed = judged(made.context, jobs, LOOKED)[1]
    kit = paper_words(runs(made), claimed=claimed)
    at = HEADINGS.index("claim")
    assert [row[at] for row in kit.rows] == [
        "",
        "confirmed, registered (design 1, level 0.03)",
        "exploratory",
    ]
    assert kit.rows[1][at - 2 : at - 1] == ("–",)  # noqa: RUF001 - the sign for a missing value
    assert "(97.3 %)" in kit.rows[1][HEADINGS.index("95 % interval of it")]
    assert "Confirmed. " in kit.claims
    assert "Registered: design 1 of its family, level 0.03." in kit.claims
    assert "The others are exploratory: this suggests and decides nothing" in kit.claims
    assert "Registered: design 1" in kit.latex
    assert "confirmed, registered (design 1, level 0.03)" in kit.csv
    text = paper_part(made.context, made.jobs, journal=LOOKED).text
    assert "Registered: design 1 of its family" in text


def test_another_metric_score_or_statistic_than_the_rule_s_is_exploratory(tmp_path):
    made = registered(tmp_path, running=0)
    claimed = judged(made.context, made.jobs, WRITTEN)[1]
    at = HEADINGS.index("claim")
    for other in (Choice("overview/sps"), Choice(summary=Summary("best")), Choice(statistic="median")):
        kit = paper_words(runs(made, other.metric), other, claimed=claimed)
        assert kit.rows[1][at] == "exploratory"
        assert "The comparisons of the table are exploratory" in kit.claims


def test_a_rule_that_nobody_recorded_and_no_rule_at_all_make_exploratory_claims(study):
    rule = replaced(RULE, arm="rate_0.1", baseline="base", looks=None, spending=None)
    late = Journal(hypothesis="the rate helps", rule=rule)
    kit = paper_words(runs(study), claimed=judged(study.context, study.jobs, late)[1])
    assert kit.rows[1][-1] == "exploratory"
    assert "Exploratory: " in kit.claims
    assert "Registered" not in kit.claims
    assert paper_words(runs(study)).claims.startswith("The comparisons of the table are exploratory: ")
