"""Every chart over every kind of bad input: a chart or a sentence, never an exception; and what charts must say."""

from __future__ import annotations

import itertools
import json
import math
import warnings

import numpy as np
import pytest

from experiments.notebooks.charts import (
    CurveOptions,
    Mark,
    RunCurve,
    ScoreOptions,
    comparison_sentences,
    improvement_chart,
    learning_curves,
    matching,
    metric_grid,
    performance_profile,
    read_runs,
    score_strip,
    setting_effects,
)
from experiments.notebooks.charts.theme import arm_colour
from experiments.project import look
from experiments.runs.store import Origin
from experiments.statistics import Curve, Summary
from tests.fakes.studies import REWARD, Study
from widgets.charts.changes import change_of
from widgets.charts.chart import divided

NASTY = "<img src=x onerror=alert(1)>.[0]:\"'\\ {a} datum.y #%"


def run(arm="base", seed=0, *, rows=40, level=1.0, outcome="finished", unit="agent steps", values=None, state=""):
    steps = np.arange(1, rows + 1) * 100.0
    noise = np.random.default_rng([seed, len(arm)]).normal(0, 0.1, rows)
    values = level * (1 - np.exp(-steps / 1000)) + noise if values is None else values
    curve = Curve(steps, values, arm=arm, seed=seed, outcome=outcome, unit=unit, run=f"ada.exp.{arm}.s{seed}.abcdefgh")
    return RunCurve(curve, state, Origin("offline", rows, rows, complete=True, as_of=0.0))


def arms(names=("base", "other"), seeds=3, **more):
    return [run(arm, seed, level=1.0 + at, **more) for at, arm in enumerate(names) for seed in range(seeds)]


def nothing(arm="base", seed=0, outcome="finished"):
    return RunCurve(Curve([], [], arm=arm, seed=seed, outcome=outcome, run=f"{arm}.{seed}"), problem="no value of loss")


BAD = {
    "no runs": [],
    "one run": [run()],
    "one seed an arm": arms(seeds=1),
    "runs without a value": [nothing(), nothing(seed=1)],
    "some runs without a value": [*arms(), nothing("third"), nothing("base", 7, "failed")],
    "all seeds failed": arms(outcome="failed"),
    "all but one unfinished": [run(), *(run(seed=seed, outcome="unfinished", rows=9) for seed in (1, 2, 3))],
    "not finite": [run(values=np.full(40, np.nan)), run(seed=1, values=np.full(40, np.inf)), run(seed=2)],
    "some not finite": [run(values=np.where(np.arange(40) % 3, 1.0, np.nan)), run(seed=1)],
    "a diverged run": [run(seed=seed, values=np.r_[np.ones(39), [np.inf if seed else 1.0]]) for seed in range(4)],
    "no spread": [run(seed=seed, values=np.full(40, 2.0)) for seed in range(3)],
    "all zero": [run(seed=seed, values=np.zeros(40)) for seed in range(3)],
    "different units": [run(), run(seed=1, unit="updates")],
    "one point": [run(rows=1), run(seed=1, rows=1), run("other", rows=1)],
    "huge and tiny": [run(values=np.full(40, 1e140)), run(seed=1, values=np.full(40, 1e-300))],
    "negative": [run(seed=seed, values=-np.arange(40.0)) for seed in range(3)],
    "nasty names": [run(NASTY, seed) for seed in range(2)] + [run("a.b[c]:d", seed) for seed in range(2)],
    "no name": [run("", seed) for seed in range(3)],
    "a seed twice": [run(), run(), run(seed=1)],
    "no overlap": [run(), run(seed=1, rows=3)],
    "many arms": arms(tuple(f"arm-{number}" for number in range(20)), 2),
    "500 runs": arms(tuple(f"arm-{number}" for number in range(50)), 10),
}
CHARTS = {
    "curves": learning_curves,
    "curves, smooth, log": lambda runs: learning_curves(runs, CurveOptions(smoothing=0.05, log=True)),
    "curves, window": lambda runs: learning_curves(runs, CurveOptions(window=(500.0, 900.0), smoothing=0.02)),
    "curves, empty window": lambda runs: learning_curves(runs, CurveOptions(window=(1e9, 2e9))),
    "curves, runs only": lambda runs: learning_curves(runs, CurveOptions(by_run=True, metric=NASTY, safe=False)),
    "curves, selected": lambda runs: learning_curves(runs, CurveOptions(selected=tuple(r.run for r in runs[:3]))),
    "curves, iqm, dark": lambda runs: learning_curves(runs, CurveOptions(statistic="iqm", dark=True)),
    "curves, marks": lambda runs: learning_curves(runs, marks=[Mark(r.run, 300.0, NASTY) for r in runs]),
    "scores": score_strip,
    "scores, iqm": lambda runs: score_strip(runs, ScoreOptions(statistic="iqm", summary=Summary("best"))),
    "improvement": improvement_chart,
    "profile": performance_profile,
    "grid": lambda runs: metric_grid({"losses/a": runs, NASTY: runs, "none": []}, smoothing=0.02),
    "grid, log": lambda runs: metric_grid({"losses/a": runs}, log=True, selected=[r.run for r in runs[:1]]),
    "settings": lambda runs: setting_effects(
        runs, {NASTY: {r.run: NASTY + r.arm for r in runs}, "lr": {r.run: 10.0**-i for i, r in enumerate(runs)}}
    ),
}


ALWAYS_TRIED = {"no runs", "some runs without a value", "nasty names"}
PAIRS = [
    pytest.param(chart, case, marks=() if case in ALWAYS_TRIED or chart in ("curves", "scores") else pytest.mark.slow)
    for chart in CHARTS
    for case in BAD
]


def test_a_caution_that_holds_for_several_comparisons_is_told_once_and_last():
    *said, caution = comparison_sentences(arms(("base", "other", "third"), 5))
    assert [sentence.split(",")[0] for sentence in said] == ["other against base: better", "third against base: better"]
    assert caution.startswith("This rests on roughly normal scores")
    assert not any("normal" in sentence or "  " in sentence for sentence in said)


@pytest.mark.parametrize(("chart", "case"), PAIRS)
def test_any_input_gives_a_chart_or_a_sentence(chart, case):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = CHARTS[chart](BAD[case])
        spec = made.to_dict(validate=case in ALWAYS_TRIED)
    assert made.description
    assert not [number for number in numbers(spec.get("datasets", {})) if not math.isfinite(number)]
    comparison_sentences(BAD[case])


def numbers(value):
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return [value] if isinstance(value, float) else []
    return [number for entry in value for number in numbers(entry)]


@pytest.mark.parametrize("chart", ["curves", "curves, smooth, log", "scores", "improvement", "profile", "settings"])
def test_texts_of_users_are_values_of_rows_and_never_fields_or_expressions(chart):
    spec = CHARTS[chart](BAD["nasty names"]).to_dict()
    form = divided(spec)["spec"]
    fields = [entry["field"] for entry in objects(form) if isinstance(entry.get("field"), str)]
    assert all(field.isidentifier() for field in fields)
    assert not [entry for entry in objects(form) if NASTY in str(entry.get("expr", ""))]


def objects(value):
    if isinstance(value, dict):
        yield value
    for entry in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(entry)


@pytest.mark.parametrize("rows", [100_000])
@pytest.mark.parametrize("window", [None, (4_000_000.0, 6_000_000.0), (5_432_000.0, 5_432_300.0)])
def test_a_spike_of_one_row_is_drawn_at_any_zoom(rows, window):
    values = np.zeros(rows)
    values[54_320] = 9.0
    spec = learning_curves([run(rows=rows, values=values)], CurveOptions(window=window)).to_dict()
    [points] = [data for data in spec["datasets"].values() if data and set(data[0]) == {"x", "y", "k"}]
    assert max(point["y"] for point in points) == 9.0
    assert len(points) <= 2_002


def test_a_failed_seed_is_counted_marked_and_drawn():
    runs = [*arms(("base",), 4), run(seed=4, rows=15, outcome="failed", state="failed")]
    spec = learning_curves(runs).to_dict()
    assert "4 of 5 finished, 1 failed" in spec["usermeta"]["caption"]
    rows = [row for data in spec["datasets"].values() for row in data]
    assert [row["run"] for row in rows if "e" in row] == ["base seed 4"]
    assert [row["t"] for row in rows if row.get("t")] == ["base n = 4"]


def test_numbers_of_seeds_that_begin_and_end_one_after_the_other_are_not_printed_over_each_other():
    runs = []
    for seed in range(6):
        steps = np.linspace(2_000.0 * seed, 100_000.0 - 2_000.0 * seed, 300)
        origin = Origin("offline", 300, 300, complete=True, as_of=0.0)
        runs.append(RunCurve(Curve(steps, steps / 1000, arm="base", seed=seed, run=f"r{seed}"), "", origin))
    spec = learning_curves(runs).to_dict()
    rows = [row for data in spec["datasets"].values() for row in data]
    told = sorted({(row["x"], row["t"]) for row in rows if row.get("t")})
    assert all(later - earlier > 8_000 for (earlier, _), (later, _) in itertools.pairwise(told))
    assert "base n = 6" in [text for _, text in told]


def test_a_caption_names_interval_seeds_smoothing_origin_and_age():
    caption = learning_curves(arms(), CurveOptions(smoothing=0.1)).to_dict()["usermeta"]["caption"]
    for part in (
        "Pointwise 95 % Student t interval of the mean",
        "n = 3 seeds an arm, all finished",
        "smoothed for display only (EMA, half-life 390 agent steps); all numbers are from values as logged",
        "240 values of 6 of 6 runs (offline, complete), as of 00:00:00 UTC",
    ):
        assert part in caption


def test_a_sampled_run_is_said_to_be_sampled():
    sampled = RunCurve(run().curve, origin=Origin("api.wandb.ai", 40, 4_000, complete=False, as_of=0.0))
    assert "sampled or with rows lost in 1 run" in learning_curves([sampled]).to_dict()["usermeta"]["caption"]


def test_smoothing_changes_no_score():
    plain, smooth = (learning_curves(arms(), CurveOptions(smoothing=share)).to_dict() for share in (0.0, 0.1))
    assert plain != smooth
    assert score_strip(arms()).to_dict() == score_strip(arms()).to_dict()
    raw = [
        max(row["y"] for data in spec["datasets"].values() for row in data if "y" in row) for spec in (plain, smooth)
    ]
    assert raw[0] == raw[1]


def test_a_few_far_values_do_not_squeeze_the_others_and_are_marked():
    values = np.sin(np.arange(2_000.0) / 50)
    values[700] = 1e6
    spec = learning_curves([run(rows=2_000, values=values)]).to_dict()
    ((low, high),) = axis_ends(spec)
    assert (low, high) == pytest.approx((-1, 7), abs=0.1)
    assert "1 value of 1 run beyond it" in spec["usermeta"]["caption"]
    assert [row for data in spec["datasets"].values() for row in data if "cut_high" in row]


def two_seeds(arm="two", start=2.0, apart=1.5):
    """Two runs so far apart that the interval of their mean goes from -7 to 12."""
    wave = 0.1 * np.sin(np.arange(40.0) / 5)
    return [run(arm, seed, values=start + apart * seed + wave) for seed in range(2)]


def axis_ends(spec):
    """Return both ends of each axis that has some of its own."""
    params = divided(spec)["params"]
    ends = {name.removesuffix("_from") for name in params if name.endswith("_from")}
    return {(params[f"{name}_from"], params[f"{name}_to"]) for name in ends} - {(None, None)}


def drawn(spec, *columns):
    rows = [row for data in spec["datasets"].values() for row in data if set(columns) <= row.keys()]
    return [row[column] for row in rows for column in columns if row[column] is not None]


@pytest.mark.parametrize("options", [CurveOptions(), CurveOptions(smoothing=0.1), CurveOptions(log=True)])
def test_an_interval_of_two_seeds_does_not_set_the_axis_and_is_said_to_be_cut(options):
    spec = learning_curves([*two_seeds(), *(run("three", seed, level=3.0) for seed in range(3))], options).to_dict()
    ((low, high),) = axis_ends(spec)
    assert 0 <= low < 2
    assert 3.5 < high < 6
    ends = drawn(spec, "low", "high")
    assert (min(ends), max(ends)) == (pytest.approx(low), pytest.approx(high))
    assert "beyond the y-axis, which is made for runs and means: two from -" in spec["usermeta"]["caption"]


def test_a_band_among_its_runs_leaves_the_axis_as_it_is():
    spec = learning_curves(arms(seeds=8)).to_dict()
    assert axis_ends(spec) == set()
    assert "beyond" not in spec["usermeta"]["caption"]


def test_an_axis_cut_at_an_interval_stays_while_rows_come_in():
    first, second = (
        divided(learning_curves([run("", 0, rows=rows), run("", 1, rows=rows, level=2.0)]).to_dict())
        for rows in (40, 42)
    )
    assert "beyond the y-axis" in first["caption"]
    assert first["spec"] == second["spec"]


def test_what_is_never_negative_is_not_drawn_below_0_and_what_is_may_be():
    speed = learning_curves(two_seeds(start=900.0, apart=400.0), CurveOptions(metric="overview/sps")).to_dict()
    assert min(min(axis_ends(speed))) >= 0
    assert min(drawn(speed, "low")) >= 0
    below = learning_curves(two_seeds(start=-2.0)).to_dict()
    assert min(min(axis_ends(below))) < -2


def test_an_interval_of_two_seeds_is_cut_on_the_strip_of_scores_and_its_numbers_stay():
    spec = score_strip([*two_seeds(), *(run("three", seed, level=3.0 + 0.2 * seed) for seed in range(3))]).to_dict()
    ((low, high),) = axis_ends(spec)
    assert 0 <= low < 2
    assert 3.5 < high <= 6
    assert min(drawn(spec, "from")) >= low
    assert max(drawn(spec, "to")) <= high
    assert min(drawn(spec, "low")) < -5
    assert (
        "The interval goes beyond the x-axis, which is made for runs and means: two from -"
        in (spec["usermeta"]["caption"])
    )


def test_an_interval_of_five_seeds_is_drawn_whole_on_the_strip():
    spec = score_strip([run("five", seed, level=3.0 + 0.2 * seed) for seed in range(5)]).to_dict()
    assert (drawn(spec, "from"), drawn(spec, "to")) == (drawn(spec, "low"), drawn(spec, "high"))
    assert "beyond" not in spec["usermeta"]["caption"]


def test_small_charts_count_runs_not_curves_and_name_runs_without_a_value():
    grid = metric_grid({"loss": [*arms(), nothing()], "entropy": arms()}).to_dict()
    assert "480 values of 6 of 7 runs" in grid["usermeta"]["caption"]
    assert "base seed 0: no value of loss" in grid["usermeta"]["caption"]


def test_a_run_whose_last_values_are_nan_has_diverged_and_none_of_them_is_passed_over(tmp_path):
    study = Study(tmp_path)
    study.add("late", 0, [1.0] * 98 + [math.nan] * 2)
    study.add("always", 0, [math.nan] * 100)
    late, always = runs = read_runs(study.jobs, REWARD, store=study.store)
    assert (late.curve.outcome, late.curve.lost, late.state) == ("diverged", 2, "diverged")
    assert (always.curve.outcome, always.curve.lost) == ("diverged", 100)
    assert always.problem == "no finite value of overview/reward"
    assert "late: 0 of 1 finished, 1 diverged" in learning_curves(runs).to_dict()["usermeta"]["caption"]


def test_an_arm_keeps_its_colour_where_others_are_not_drawn():
    every = ("base", "fast", "slow")
    alone = learning_curves([run("slow")], CurveOptions(arms=every)).to_dict()
    scale = next(entry for entry in objects(alone) if entry.get("domain") == list(every))
    assert scale["range"][2] == look.LIGHT.arms[2]


def test_beyond_eight_arms_only_the_chosen_have_a_colour():
    names = [f"arm-{number}" for number in range(9)]
    colours = arm_colour(names, look.LIGHT, ["arm-7"])
    assert colours["arm-7"] == look.LIGHT.arms[0]
    assert {colours[name] for name in names if name != "arm-7"} == {look.LIGHT.muted}


def test_of_many_arms_the_first_the_chosen_and_the_best_have_bands_and_the_others_one_grey_line():
    names = tuple(f"arm-{number:02d}" for number in range(20))
    runs = arms(names, 3)
    chosen = next(one.run for one in runs if one.arm == "arm-03")
    spec = learning_curves(runs, CurveOptions(selected=(chosen,))).to_dict()
    rows = {name: values for name, values in spec["datasets"].items() if values}
    best = {f"arm-{number}" for number in range(14, 20)}
    assert {row["arm"] for values in rows.values() for row in values if "low" in row} == {"arm-00", "arm-03", *best}
    table = next(values for values in rows.values() if "label" in values[0])
    grey = [row for row in table if row["arm"] not in {"arm-00", "arm-03", *best}]
    assert [row["label"] for row in grey[:2]] == ["arm-01: mean of 3 seeds", "arm-02: mean of 3 seeds"]
    assert len(grey) == 12
    assert grey[0]["run"] == next(one.run for one in runs if one.arm == "arm-01")  # a click on it chooses its arm
    caption = spec["usermeta"]["caption"]
    assert "those selected and the best by score, 8 of 20 arms. Grey: the mean alone of 12 other arms" in caption
    assert spec["usermeta"]["summary"].startswith("mean, 95 % Student t interval of 8 of 20 arms, n = 3")


def test_a_hidden_run_has_no_line_and_counts_all_the_same():
    runs = arms(("base", "other"), 3)
    whole, without = (learning_curves(runs, CurveOptions(hidden=away)).to_dict() for away in ((), (runs[0].run,)))
    means = [
        [row["m"] for values in spec["datasets"].values() for row in values if "m" in row] for spec in (whole, without)
    ]
    assert means[0] == means[1]
    drawn = [row["run"] for values in without["datasets"].values() for row in values if "label" in row]
    assert set(drawn) == {one.run for one in runs[1:]}
    assert "1 run hidden by hand: statistics over seeds, scores and verdicts count" in without["usermeta"]["caption"]
    arm = learning_curves(runs, CurveOptions(hidden=tuple(one.run for one in runs[:3]))).to_dict()
    assert {row["arm"] for values in arm["datasets"].values() for row in values if "m" in row} == {"other"}
    assert (
        "All 6 runs are hidden"
        in learning_curves(runs, CurveOptions(hidden=tuple(one.run for one in runs))).description
    )


def test_of_many_arms_the_strip_has_rows_of_the_best_and_says_how_many_there_are():
    names = tuple(f"arm-{number:02d}" for number in range(40))
    made = score_strip(arms(names, 2))
    assert made.height == 24 * 30
    assert "the best by score, 24 of 40 arms; the table of runs and the groups have all" in made.usermeta["caption"]


def test_wildcards_find_metrics_and_treat_other_signs_as_text():
    names = ["losses/policy", "losses/value", "Entropy", "a[0].b", "overview/reward"]
    assert matching("losses/*", names) == ["losses/policy", "losses/value"]
    assert matching("entropy, a[0]", names) == ["Entropy", "a[0].b"]
    assert matching("", names) == matching("[z]", names) == []


def test_new_rows_leave_the_form_of_a_chart_as_it_is():
    first, second = (divided(learning_curves(arms(rows=rows)).to_dict()) for rows in (40, 55))
    assert first["spec"] == second["spec"]
    assert first["datasets"].keys() == second["datasets"].keys()
    assert json.dumps(first["datasets"]) != json.dumps(second["datasets"])


def waves(rows, *, spike=0.0, low=2.0):
    """Two runs of one arm, of which the first ends in one far value."""
    values = low + np.sin(np.arange(float(rows)) / 5)
    values[-1] += spike
    return [run("", seed, rows=rows, values=values if seed == 0 else values[::-1]) for seed in range(2)]


@pytest.mark.parametrize(
    "chart",
    [
        learning_curves,
        lambda runs: learning_curves(runs, CurveOptions(log=True)),
        lambda runs: learning_curves([*runs, run("", 2, level=-1.0)], CurveOptions(log=True)),
        lambda runs: learning_curves(runs, CurveOptions(window=(200.0, 900.0))),
        lambda runs: metric_grid({"losses/a": runs, NASTY: runs}),
        score_strip,
    ],
    ids=["linear", "log", "symlog", "zoomed", "small charts", "scores"],
)
def test_an_axis_that_follows_its_rows_leaves_the_form_of_the_chart_as_it_is(chart):
    first, second = (divided(chart(waves(rows, low=low)).to_dict()) for rows, low in ((120, 2.0), (170, 9.0)))
    assert first["spec"] == second["spec"]
    assert first["datasets"].keys() == second["datasets"].keys()


def test_a_far_value_that_comes_in_moves_the_ends_of_small_charts_and_not_their_form():
    first, second = (divided(metric_grid({"a": waves(500, spike=spike)}).to_dict()) for spike in (0.0, 1e6))
    assert first["spec"] == second["spec"]
    assert (first["params"]["y0_title"], first["params"]["y0_to"]) == ("a", None)
    assert "cut at" in second["params"]["y0_title"]
    assert second["params"]["y0_to"] < 20


def test_five_hundred_runs_make_a_chart_of_moderate_size_with_a_readable_legend():
    spec = learning_curves(BAD["500 runs"]).to_dict(validate=False)
    assert len(json.dumps(spec)) < 1_500_000
    legends = [entry["legend"] for entry in objects(spec) if isinstance(entry.get("legend"), dict)]
    assert all(len(legend.get("values", [])) <= 8 for legend in legends)


def test_arms_beside_the_trials_of_a_search_are_compared_and_the_trials_are_not():
    trials = [run(f"trial-{at}", 1_000_000 + seed, level=1.0 + at) for at in range(2) for seed in range(3)]
    runs = [*trials, *arms()]
    said = comparison_sentences(runs)
    assert len(said) >= 1
    assert not [sentence for sentence in said if "trial" in sentence]
    assert comparison_sentences([run for run in runs if run.arm.startswith("trial")]) == []
    only = improvement_chart([run for run in runs if run.arm.startswith("trial")])
    assert "Trials of a search are not compared" in only.description


def drawn_of(rows, **options):
    steps = np.arange(1.0, rows + 1)
    values = np.sin(steps / 50) + np.sin(steps * 7919)
    grown = Curve(steps, values, arm="base", seed=0, outcome="unfinished", run="ada.exp.base.s0.abcdefgh")
    return divided(learning_curves([RunCurve(grown, "running")], CurveOptions(**options)).to_dict())


def test_a_page_is_sent_the_new_points_of_a_run_that_grows_and_not_the_old():
    """Of a run that logs a row at a time, whatever the smoothing: all of it only as often as its length doubles."""
    for smoothing in (0.0, 0.1):
        before, sent = None, []
        for rows in range(100_000, 100_400, 20):
            found = drawn_of(rows, smoothing=smoothing)["datasets"]
            piece = change_of(before, found)
            sent.append(len(json.dumps(found if piece is None else piece)))
            before = found
        assert sum(sent[1:]) < 0.5 * sent[0]


def test_rows_by_the_million_send_no_more_than_what_can_be_seen():
    before = None
    for rows in range(1_000_000, 7_000_000, 1_500_000):
        found = drawn_of(rows)["datasets"]
        piece = change_of(before, found)
        assert len(json.dumps(found if piece is None else piece)) < 100_000
        before = found
