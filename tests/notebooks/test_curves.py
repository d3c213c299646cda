"""Learning curves, scores and further charts, over a real study on disk."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.jobs.ran import Mark
from experiments.jobs.rule import Rule
from experiments.jobs.watch.snapshots import Snapshot, write_live
from experiments.notebooks.charts.runs import over_metric
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.controls import CurveControls
from experiments.notebooks.curves import (
    brushed_runs,
    clicked_lines,
    comparison_lines,
    draw_curves,
    draw_scores,
    noise_lines,
    step_at,
)
from experiments.notebooks.details import SPEED, draw_more, view_names
from experiments.notebooks.replays import near_click, run_dropdown
from experiments.notebooks.shared import arms_of, chart_widget, drawn_once, runs_with, standings
from experiments.results.logged import first_metric
from experiments.types import JobRef
from tests.fakes.charted import ARMS, refs, write_replays, write_run
from tests.fakes.studies import REWARD, Study, two_arms
from tests.fakes.wandb_files import exit_record, offline_run, run


@pytest.fixture
def study(tmp_path):
    made = Study(tmp_path)
    for job in refs():
        failed = job.arm == ARMS[1] and job.seed == 2
        write_run(made.workspace.runs, job, 2.0 + ARMS.index(job.arm), rows=60 if failed else 120, code=int(failed))
        write_replays(made.workspace.runs, job)
    return made.context


def controls_for(experiment, jobs):
    made = CurveControls(experiment, lambda: None)
    made.offer(jobs)
    return made


def drawn(experiment, jobs, **options):
    view, controls = chart_widget(experiment), controls_for(experiment, jobs)
    return draw_curves(view, experiment, jobs, controls, **options)


def test_at_first_the_controls_show_what_the_rule_decides_by(study):
    rule = Rule(metric="losses/entropy", direction="lower", effect=0.1, score="best", statistic="iqm")
    controls = CurveControls(study, lambda: None, rule=rule)
    controls.offer([])
    controls.offer(refs())
    shown = [controls.value[name] for name in ("metric", "summary", "statistic")]
    assert shown == ["losses/entropy", "best value", "interquartile mean"]
    controls._changed({**controls.value, "summary": "last 10 %"})
    controls.offer(refs())
    assert controls.value["summary"] == "last 10 %"


def test_the_trackers_word_counts_where_no_monitor_has_one(study):
    assert {status.verdict for status in standings(study, refs()).values()} == {"succeeded", "failed"}
    assert "8 of 9 finished (2 of 3 finished, 1 failed)" in drawn(study, refs()).description


def test_a_brush_finds_the_runs_with_a_value_inside_as_logged(study):
    controls = controls_for(study, refs())
    [run] = runs_with(study, refs()[-1:], "overview/reward", "steps")
    step, value = run.curve.steps[50], run.curve.values[50]
    brush = {"x": [step - 1, step + 1], "y": [value - 1e-9, value + 1e-9]}
    assert brushed_runs(study, refs(), controls, brush) == [run.run]
    assert brushed_runs(study, refs(), controls, {}) == []


def test_a_click_on_a_curve_over_time_finds_its_agent_steps(study):
    controls = controls_for(study, refs())
    controls._changed({**controls.value, "axis": "wall time"})
    job = refs()[0]
    [curve] = runs_with(study, [job], "overview/reward", "wall time")
    assert step_at(study, refs(), controls, job.run, float(curve.curve.steps[59])) == 60_000


def test_any_logged_metric_is_an_x_axis_and_says_that_nothing_rests_on_it(study):
    controls = controls_for(study, refs())
    over = over_metric("losses/entropy")
    assert over in controls.elements["axis"].options
    controls._changed({**controls.value, "axis": over})
    chart = draw_curves(chart_widget(study), study, refs(), controls)
    assert "In the order of losses/entropy, not of time: scores and claims rest on steps" in chart.description
    job = refs()[0]
    [curve] = runs_with(study, [job], "overview/reward", over)
    [logged] = runs_with(study, [job], "losses/entropy", "steps")
    assert set(curve.curve.steps) <= set(logged.curve.values)
    assert (np.diff(curve.curve.steps) > 0).all()
    at = int(logged.curve.values.argmax())
    assert step_at(study, refs(), controls, job.run, float(logged.curve.values[at])) == logged.curve.steps[at]


def test_a_run_without_the_metric_of_the_axis_says_so(study):
    [curve] = runs_with(study, refs()[:1], "overview/reward", over_metric("no/such"))
    assert (len(curve.curve.steps), curve.problem) == (0, "no/such not known")


def test_a_click_chooses_the_run_and_its_steps_in_the_replays(study):
    point = (refs()[4].run, 75_000)
    assert run_dropdown(refs(), chosen=point).value == point[0]
    assert near_click(point[0], point) == 75_000
    assert near_click(refs()[0].run, point) is None
    assert "fast-lr seed 1 at step 75,000" in clicked_lines(refs(), point)[0].text


def test_another_axis_begins_with_all_of_it(study):
    view, controls = chart_widget(study), controls_for(study, refs())
    draw_curves(view, study, refs(), controls)
    view.widget.set_state({"zoom": [40_000.0, 60_000.0]})
    draw_curves(view, study, refs(), controls)
    assert max(view.widget.datasets["k-x-y"]["x"]) <= 61_000
    controls._changed({**controls.value, "axis": "wall time"})
    draw_curves(view, study, refs(), controls)
    assert list(view.widget.zoom) == []


def test_every_further_chart_is_drawn_and_a_single_run_is_not_flooded(study):
    controls = controls_for(study, refs())
    shown = draw_more(chart_widget(study), study, refs(), SimpleNamespace(value=SPEED), controls)
    assert shown.text.count("vega") >= len(view_names(refs()))
    assert view_names(refs()[:1]) == ["Speed", "Small charts", "Machines"]
    assert draw_scores(chart_widget(study), study, refs()[:1], controls) is None
    assert comparison_lines(study, refs()[:3], controls) == []


def test_a_chart_of_brushed_runs_says_that_they_were_chosen_by_their_values(study):
    only = [job.run for job in refs()[:2]]
    chart = draw_scores(chart_widget(study), study, refs(), controls_for(study, refs()), only=only)
    assert "Only the 2 of 9 runs that were brushed: chosen by their values" in chart.description


def test_no_jobs_are_sentences(study):
    controls = controls_for(study, [])
    assert "No runs yet" in drawn(study, []).description
    assert draw_more(chart_widget(study), study, [], SimpleNamespace(value=SPEED), controls) is None


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
    assert controls_for(made.context, made.jobs).value["metric"] == "charts/episodic_return"
    view = drawn(made.context, made.jobs)
    assert "charts/episodic_return over global_step" in view.description
    assert "Over global_step: no metric/agent_step was logged with it" in view.description
    assert [first_metric(names) for names in ([], ["a", "b"])] == ["overview/reward", "a"]
    assert first_metric(["eval/random_reward", "eval/reward"]) == "eval/reward"  # not what a random policy gets


def test_how_far_runs_of_one_seed_lie_apart_stands_under_the_scores(tmp_path):
    made = two_arms(tmp_path)
    controls = controls_for(made.context, made.jobs)
    assert noise_lines(made.context, made.jobs, controls) == []
    made.add("a", 0, [1.0] * 3, role="replicate", replicate=1)
    made.publish()
    [line] = noise_lines(made.context, made.jobs, controls)
    assert line.text == "Noise floor: runs of one seed are identical here (2 runs of 1 seed)."
    made.add("b", 0, [3.4] * 3, role="reproduction")
    made.publish()
    [line] = noise_lines(made.context, made.jobs, controls)
    assert "two runs of one seed differ by up to 0.4, so less than that is noise whatever n" in line.text
    chart = drawn(made.context, made.jobs)
    assert "1 replicate and 1 reproduction not counted" in chart.usermeta["summary"]
    said, *_ = [line.text for line in comparison_lines(made.context, made.jobs, controls)]
    assert said.startswith("b against a: better")
    assert "3 of 3 finished, 1 reproduction not counted" in said


def test_arms_of_different_code_are_not_compared_unless_the_rule_pools_them(tmp_path, monkeypatch):
    made = two_arms(tmp_path)
    marks = {job.run: Mark(job.arm, run=job.run) for job in made.jobs}
    monkeypatch.setattr(NotebookContext, "code_marks", lambda *_: marks)
    controls = controls_for(made.context, made.jobs)
    line, standing = comparison_lines(made.context, made.jobs, controls)
    assert standing.text.startswith("Exploratory: this suggests and decides nothing; only the verdict rests on")
    assert line.text.startswith("b against a: undecided, difference 2.1")
    assert "B and a ran different code (experiments diff" in line.text
    made.add("a", 9, [1.0] * 3, role="fork")
    marks[made.jobs[-1].run] = Mark("of the fork alone", run=made.jobs[-1].run)
    assert made.context.code_words(made.jobs) == []
    line, *_ = comparison_lines(replace(made.context, pool_codes=True), made.jobs, controls)
    assert line.text.startswith("b against a: better")


def test_a_fork_names_its_parent_on_its_curve(tmp_path):
    made = two_arms(tmp_path)
    parent = made.jobs[0].run
    fork = made.add("a", 0, [1.0, 2.0, 9.0], role="fork")
    made.publish()
    jobs = [*made.jobs[:-1], JobRef(run=fork.run, arm="a", seed=0, role="fork", parent=parent)]
    runs = runs_with(made.context, jobs, REWARD, "steps")
    assert runs[-1].label == f"a seed 0 fork of {parent}"
    assert runs[0].label == "a seed 0"
    assert f"fork of {parent}" in str(drawn(made.context, jobs).to_dict())
