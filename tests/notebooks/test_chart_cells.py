"""The functions behind the analysis cells, over a real study on disk."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from experiments.jobs.watch.snapshots import Snapshot, write_live
from experiments.notebooks.chart_cells import (
    brushed_runs,
    clicked_note,
    comparison_note,
    draw_curves,
    draw_scores,
    follow_chart,
    standing_out,
    step_at,
)
from experiments.notebooks.chart_inputs import curve_controls, first_metric, note_metrics
from experiments.notebooks.chart_reading import arms_of, runs_with, standings
from experiments.notebooks.drawing import chart_widget, drawn_once
from experiments.notebooks.further_charts import draw_more, view_names, view_tabs
from experiments.notebooks.replays import near_click, run_dropdown
from experiments.types import JobRef
from tests.fakes.charted import ARMS, refs, write_replays, write_run
from tests.fakes.studies import Study
from tests.fakes.wandb_files import exit_record, offline_run, run


@pytest.fixture
def study(tmp_path):
    made = Study(tmp_path)
    for job in refs():
        failed = job.arm == ARMS[1] and job.seed == 2
        write_run(made.workspace.runs, job, 2.0 + ARMS.index(job.arm), rows=60 if failed else 120, code=int(failed))
        write_replays(made.workspace.runs, job)
    return made.context


def drawn(experiment, jobs, **options):
    view, controls = chart_widget(experiment), curve_controls(experiment, jobs)
    return draw_curves(view, experiment, jobs, controls, **options)


def test_the_trackers_word_counts_where_no_monitor_has_one(study):
    assert {status.verdict for status in standings(study, refs()).values()} == {"succeeded", "failed"}
    assert "8 of 9 finished (2 of 3 finished, 1 failed)" in drawn(study, refs()).description


def test_a_brush_finds_the_runs_with_a_value_inside_as_logged(study):
    controls = curve_controls(study, refs())
    [run] = runs_with(study, refs()[-1:], "overview/reward", "steps")
    step, value = run.curve.steps[50], run.curve.values[50]
    brush = {"x": [step - 1, step + 1], "y": [value - 1e-9, value + 1e-9]}
    assert brushed_runs(study, refs(), controls, brush) == [run.run]
    assert brushed_runs(study, refs(), controls, {}) == []


def test_brush_and_click_are_passed_on_once_and_a_zoom_passes_on_nothing(study):
    view, controls, told = chart_widget(study, can_select=True), curve_controls(study, refs()), []

    def follow():
        follow_chart(view, study, refs(), controls, lambda runs: told.append(len(runs)), told.append)

    follow()
    view.widget.set_state({"brush": {"x": [0, 2e5], "y": [-9, 99]}})
    follow()
    view.widget.set_state({"zoom": [1.0, 2.0]})
    follow()
    view.widget.set_state({"clicked": {"run": refs()[0].run, "x": 48_000.4, "nonce": "1"}})
    follow()
    follow()
    view.widget.set_state({"brush": {}})
    follow()
    view.widget.set_state({"clicked": {"run": "", "x": 0, "nonce": "2"}})
    follow()
    assert told == [9, (refs()[0].run, 48_000), 0, None]


def test_selected_rows_stand_out_before_brushed_runs_and_those_before_a_click():
    rows = SimpleNamespace(value=pd.DataFrame({"run_name": ["a"]}))
    assert standing_out(rows, ("b",), ("c", 1)) == ["a"]
    assert standing_out(None, ("b",), ("c", 1)) == ["b"]
    assert standing_out(None, (), ("c", 1)) == ["c"]
    assert standing_out(None, (), None) == []


def test_a_brush_around_nothing_is_taken_back(study):
    view = chart_widget(study, can_select=True)
    view.widget.set_state({"brush": {"x": [0, 1], "y": [1e6, 1e7]}})
    follow_chart(view, study, refs(), curve_controls(study, refs()), lambda _: None, lambda _: None)
    assert view.widget.brush == {}


def test_a_click_on_a_curve_over_time_finds_its_agent_steps(study):
    controls = curve_controls(study, refs())
    controls._update({"axis": ["wall time"]})
    job = refs()[0]
    [curve] = runs_with(study, [job], "overview/reward", "wall time")
    assert step_at(study, refs(), controls, job.run, float(curve.curve.steps[59])) == 60_000


def test_a_click_chooses_the_run_and_its_steps_in_the_replays(study):
    point = (refs()[4].run, 75_000)
    assert run_dropdown(refs(), chosen=point).value == point[0]
    assert near_click(point[0], point) == 75_000
    assert near_click(refs()[0].run, point) is None
    assert "fast-lr seed 1 at step 75,000" in clicked_note(refs(), point).text


def test_controls_that_are_made_again_keep_what_was_chosen(study):
    first = curve_controls(study, refs())
    first._update({"metric": ["losses/entropy"], "smoothing": 3, "log": True})
    again = curve_controls(study, refs()).value
    assert (again["metric"], again["smoothing"], again["log"]) == ("losses/entropy", 2.0, True)
    assert curve_controls(study, []).value["metric"] == "overview/reward"


def test_metrics_are_told_once(study):
    told = []
    note_metrics(study, refs(), (), told.append)
    assert "losses/entropy" in told[0]
    note_metrics(study, refs(), told[0], told.append)
    note_metrics(study, [], told[0], told.append)
    assert len(told) == 1


def test_another_axis_begins_with_all_of_it(study):
    view, controls = chart_widget(study), curve_controls(study, refs())
    draw_curves(view, study, refs(), controls)
    view.widget.set_state({"zoom": [40_000.0, 60_000.0]})
    draw_curves(view, study, refs(), controls)
    assert max(view.widget.datasets["k-x-y"]["x"]) <= 61_000
    controls._update({"axis": ["wall time"]})
    draw_curves(view, study, refs(), controls)
    assert list(view.widget.zoom) == []


def test_every_further_chart_is_drawn_and_a_single_run_is_not_flooded(study):
    controls = curve_controls(study, refs())
    shown = draw_more(chart_widget(study), study, refs(), view_tabs(refs(), controls), controls)
    assert shown.text.count("vega") >= len(view_names(refs()))
    assert view_names(refs()[:1]) == ["Speed", "Small charts", "Machines"]
    assert draw_scores(chart_widget(study), study, refs()[:1], controls) is None
    assert comparison_note(study, refs()[:3], controls) is None


def test_a_chart_of_brushed_runs_says_that_they_were_chosen_by_their_values(study):
    only = [job.run for job in refs()[:2]]
    chart = draw_scores(chart_widget(study), study, refs(), curve_controls(study, refs()), only=only)
    assert "Only the 2 of 9 runs that were brushed: chosen by their values" in chart.description


def test_no_jobs_are_sentences(study):
    controls = curve_controls(study, [])
    assert "No runs yet" in drawn(study, []).description
    assert draw_more(chart_widget(study), study, [], view_tabs([], controls), controls) is None


def test_viewers_of_the_same_data_share_one_drawing(study):
    jobs = refs()
    write_live(study.workspace.state / "live", Snapshot(versions={job.run: "1" for job in jobs}), with_metrics=True)
    made = []
    for _ in range(3):
        drawn_once(study, jobs, ("test",), lambda: made.append(1) or len(made))
    write_live(study.workspace.state / "live", Snapshot(versions={job.run: "2" for job in jobs}), with_metrics=True)
    drawn_once(study, jobs, ("test",), lambda: made.append(1) or len(made))
    assert len(made) == 2


def test_arms_keep_the_order_of_the_jobs():
    assert arms_of([JobRef(run="b", arm="b"), JobRef(run="a", arm="a"), JobRef(run="c", arm="b")]) == ("b", "a")


def test_the_page_of_a_trainer_of_ones_own_starts_with_its_return_over_its_own_counter(tmp_path):
    made = Study(tmp_path)
    for seed in (0, 1):
        job = JobRef(run=f"own{seed}", arm="own", seed=seed)
        rows = ({"charts/SPS": 9.0, "charts/episodic_return": 20.0 + n, "global_step": 100 * n} for n in range(5))
        offline_run(made.workspace.runs, job.run).write(run(job.run)).log(*rows).write(exit_record())
        made.jobs.append(job)
    assert curve_controls(made.context, made.jobs).value["metric"] == "charts/episodic_return"
    view = drawn(made.context, made.jobs)
    assert "charts/episodic_return over global_step" in view.description
    assert "Over global_step: no metric/agent_step was logged with it" in view.description
    assert [first_metric(names) for names in ([], ["a", "b"])] == ["overview/reward", "a"]
    assert first_metric(["eval/random_reward", "eval/reward"]) == "eval/reward"  # not what a random policy gets
