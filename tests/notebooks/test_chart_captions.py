"""The line beneath every chart: short, and with whatever changes what may be concluded; the rest opens from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from experiments.jobs.ran import Mark
from experiments.notebooks.charts import (
    CurveOptions,
    ScoreOptions,
    curve_chart,
    improvement_chart,
    learning_curves,
    metric_grid,
    performance_profile,
    score_strip,
    setting_effects,
)
from experiments.notebooks.charts.captions import per_arm
from experiments.notebooks.shared import left_out
from experiments.results.frames import metrics_frame
from experiments.runs.store import Origin
from tests.fakes.studies import REWARD, Study
from tests.notebooks.test_charts import arms, nothing, run

NOTE = left_out(list("abcdefghi"), list("abc"))
CHARTS = {
    "curves": lambda runs, note="": learning_curves(runs, CurveOptions(note=note)),
    "scores": lambda runs, note="": score_strip(runs, ScoreOptions(note=note)),
    "improvement": lambda runs, note="": improvement_chart(runs, ScoreOptions(note=note)),
    "profile": lambda runs, note="": performance_profile(runs, ScoreOptions(note=note)),
    "settings": lambda runs, note="": setting_effects(
        runs, {"lr": {one.run: at for at, one in enumerate(runs)}}, ScoreOptions(note=note)
    ),
    "grid": lambda runs, note="": metric_grid({"losses/a": runs, "losses/b": runs}),
}
LIMITS = {
    "interim: 1 of 7 runs still out": run(seed=9, outcome="unfinished", state="running"),
    "1 of 7 runs lost": run(seed=9, outcome="failed", state="failed"),
    "sampled or with rows lost in 1 run": replace(
        run(seed=9, state="succeeded"), origin=Origin("api.wandb.ai", 40, 4_000, complete=False, as_of=0.0)
    ),
    "a note on the rows of 1 run": replace(
        run(seed=9, state="succeeded"), origin=Origin("offline", 40, 40, complete=True, as_of=0.0, note="forked")
    ),
    "1 of 7 runs ran other code": replace(run(seed=9, state="succeeded"), code=Mark("x", differed=True)),
    "1 of 7 runs not read": replace(nothing(seed=9, outcome="unread"), state="succeeded"),
}


def line_of(chart):
    return chart.to_dict(validate=False)["usermeta"]["summary"]


def whole():
    """Return two arms of three seeds, of the same code, all read."""
    return [replace(one, code=Mark("x")) for one in arms(state="succeeded")]


@pytest.mark.parametrize(
    ("chart", "line"),
    [
        ("curves", "mean, 95 % Student t interval, n = 3, complete, 00:00 UTC"),
        ("scores", "mean, 95 % Student t interval, n = 3, complete, 00:00 UTC"),
        ("improvement", "probability of improvement, no interval, n = 3, complete, 00:00 UTC"),
        ("profile", "performance profile, Wilson 95 % band, n = 3, complete, 00:00 UTC"),
        ("settings", "mean of each value, no interval, complete, 00:00 UTC"),
        ("grid", "one line a run, no statistic over seeds, complete, 00:00 UTC"),
    ],
)
def test_a_line_says_method_n_completeness_and_time(chart, line):
    assert line_of(CHARTS[chart](whole())) == line


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("chart", CHARTS)
def test_what_limits_a_conclusion_stands_in_the_line_and_nothing_is_called_complete(chart, limit):
    line = line_of(CHARTS[chart]([*whole(), LIMITS[limit]]))
    assert limit in line
    assert "complete" not in line


@pytest.mark.parametrize("chart", [name for name in CHARTS if name != "grid"])
def test_a_choice_of_runs_by_their_values_is_in_the_line(chart):
    line = line_of(CHARTS[chart](whole(), NOTE))
    assert "Only the 3 of 9 runs that were brushed: chosen by their values, so no interval holds" in line
    assert "complete" not in line


def test_runs_of_which_nobody_knows_what_became_are_not_called_complete():
    line = line_of(learning_curves(arms(state="")))
    assert "all rows read" in line
    assert "complete" not in line


def test_a_table_without_an_origin_claims_neither_rows_nor_time(tmp_path):
    study = Study(tmp_path)
    study.add("a", 0, [1.0, 2.0])
    table = metrics_frame(study.jobs, REWARD, store=study.store)
    table.attrs["origin"] = ""
    assert line_of(curve_chart(table, REWARD)) == "one line a run, no interval"
    table.attrs["origin"] = "2 values of 1 of 1 run (offline, sampled)"
    assert line_of(curve_chart(table, REWARD)).endswith("no interval, 2 values of 1 of 1 run (offline, sampled)")


def test_the_time_is_that_of_the_newest_data():
    late = replace(run(seed=9), origin=Origin("offline", 40, 40, complete=True, as_of=75_480.0))
    assert line_of(learning_curves([*arms(), late])).endswith(", 20:58 UTC")


def test_n_is_a_range_where_arms_differ_and_what_has_no_interval_is_said():
    line = line_of(learning_curves([*arms(state="succeeded"), run("third", state="succeeded")]))
    assert line.startswith("mean, 95 % Student t interval (not for every arm), n = 3,")
    line = line_of(score_strip([*arms(state="succeeded"), run("base", 4, state="succeeded")]))
    assert "n = 3 to 4" in line


def test_a_sentence_that_holds_of_several_arms_is_told_once():
    assert per_arm([("a", "x"), ("b", "x"), ("c", "y"), ("", "z")]) == ["a, b: x", "c: y", "z"]
    [many] = per_arm((f"arm-{number}", "x") for number in range(20))
    assert many.endswith("arm-7 and 12 more arms: x")
