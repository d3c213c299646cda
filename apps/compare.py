"""Runs and arms beside each other, chosen by search: `marimo run apps/compare.py`, or `experiments serve`."""
# ruff: noqa: ANN001, ANN201, B018, D103, PLR1711 - marimo writes the functions around cells
# mypy: disable-error-code="no-untyped-def"

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="full", app_title="Compare")

with app.setup:
    import marimo as mo

    from apps.comparing import arm_picker, compared, compared_note, known_arms, search_input
    from apps.links import asked, keep, project
    from experiments.notebooks.analysis import runs_table
    from experiments.notebooks.chart_cells import (
        clicked_note,
        comparison_note,
        draw_curves,
        draw_scores,
        follow_chart,
        standing_out,
    )
    from experiments.notebooks.chart_inputs import controls_view, curve_controls, note_metrics
    from experiments.notebooks.diffs import diff_inputs, diff_inputs_view, diff_view
    from experiments.notebooks.drawing import chart_widget, on_page
    from experiments.notebooks.further_charts import draw_more, view_tabs
    from experiments.notebooks.groups import group_picker, group_picker_view, group_view
    from experiments.notebooks.monitoring import watched_metrics
    from experiments.notebooks.paper_kit import paper_kit_view
    from experiments.notebooks.replays import near_click, replay_view, run_dropdown, step_dropdown
    from experiments.notebooks.run_table import selected_runs, table_downloads


@app.cell
def opened():
    workspace = project()
    start = asked("search")
    known = known_arms(workspace)
    return known, start, workspace


@app.cell
def choice(start):
    words = search_input(start["search"], on_change=lambda text: keep(search=text))
    return (words,)


@app.cell
def picks(known, words):
    arms = arm_picker(known, words.value, asked("arms")["arms"], on_change=lambda chosen: keep(arms=chosen))
    mo.vstack([mo.md("# Compare"), words, arms])
    return (arms,)


@app.cell
def chosen_runs(arms, known, workspace):
    experiment, tracked_jobs = compared(workspace, known, arms.value)
    compared_note(known, tracked_jobs)
    return experiment, tracked_jobs


@app.cell
def clicks():
    clicked_point, set_clicked_point = mo.state(None)
    return clicked_point, set_clicked_point


@app.cell
def data_version(experiment):
    metrics_file = watched_metrics(experiment)
    return (metrics_file,)


@app.cell
def brushing():
    brushed, set_brushed = mo.state(())
    return brushed, set_brushed


@app.cell
def metric_names():
    known_metrics, set_known_metrics = mo.state(())
    return known_metrics, set_known_metrics


@app.cell
def new_metrics(
    experiment,
    known_metrics,
    metrics_file,
    set_known_metrics,
    tracked_jobs,
):
    note_metrics(experiment, tracked_jobs, known_metrics(), set_known_metrics, metrics_file)
    return


@app.cell
def analysis_inputs(experiment, known_metrics, tracked_jobs):
    known_metrics()
    controls = curve_controls(experiment, tracked_jobs)
    controls_view(controls)
    return (controls,)


@app.cell
def curve_area(experiment):
    curve_view = chart_widget(experiment, can_select=True)
    on_page(curve_view)
    return (curve_view,)


@app.cell
def chart_events(
    controls,
    curve_view,
    experiment,
    set_brushed,
    set_clicked_point,
    tracked_jobs,
):
    follow_chart(curve_view, experiment, tracked_jobs, controls, set_brushed, set_clicked_point)
    return


@app.cell
def learning_curves(
    brushed,
    clicked_point,
    controls,
    curve_view,
    experiment,
    metrics_file,
    run_rows,
    tracked_jobs,
):
    _standing = standing_out(run_rows, brushed(), clicked_point())
    draw_curves(curve_view, experiment, tracked_jobs, controls, metrics_file, selected=_standing)
    return


@app.cell
def clicked_run(clicked_point, tracked_jobs):
    clicked_note(tracked_jobs, clicked_point())
    return


@app.cell
def score_area(experiment):
    score_view = chart_widget(experiment)
    on_page(score_view)
    return (score_view,)


@app.cell
def scores(
    brushed,
    controls,
    experiment,
    metrics_file,
    run_rows,
    score_view,
    tracked_jobs,
):
    draw_scores(
        score_view,
        experiment,
        tracked_jobs,
        controls,
        metrics_file,
        selected=selected_runs(run_rows),
        only=brushed(),
    )
    return


@app.cell
def comparison(controls, experiment, metrics_file, tracked_jobs):
    comparison_note(experiment, tracked_jobs, controls, metrics_file)
    return


@app.cell
def more_inputs(controls, tracked_jobs):
    more_tabs = view_tabs(tracked_jobs, controls)
    more_tabs
    return (more_tabs,)


@app.cell
def more_area(experiment):
    more_view = chart_widget(experiment)
    on_page(more_view)
    return (more_view,)


@app.cell
def more_charts(
    brushed,
    controls,
    experiment,
    metrics_file,
    more_tabs,
    more_view,
    run_rows,
    tracked_jobs,
):
    draw_more(
        more_view,
        experiment,
        tracked_jobs,
        more_tabs,
        controls,
        metrics_file,
        selected=selected_runs(run_rows),
        only=brushed(),
    )
    return


@app.cell
def run_summary(brushed, controls, experiment, metrics_file, tracked_jobs):
    run_rows = runs_table(experiment, tracked_jobs, controls, brushed(), metrics_file)
    run_rows
    return (run_rows,)


@app.cell
def run_files(experiment, run_rows):
    table_downloads(run_rows, f"{experiment.name}-runs")
    return


@app.cell
def group_keys_input(experiment, tracked_jobs):
    group_keys = group_picker(experiment, tracked_jobs)
    group_picker_view(group_keys) if tracked_jobs else None
    return (group_keys,)


@app.cell
def grouped_runs(controls, experiment, group_keys, metrics_file, tracked_jobs):
    group_view(experiment, tracked_jobs, group_keys.value, controls, metrics_file)
    return


@app.cell
def diff_choice(tracked_jobs):
    diff_pair = diff_inputs(tracked_jobs)
    diff_inputs_view(diff_pair) if len(tracked_jobs) > 1 else None
    return (diff_pair,)


@app.cell
def run_differences(diff_pair, experiment, metrics_file, tracked_jobs):
    diff_view(experiment, tracked_jobs, diff_pair, metrics_file)
    return


@app.cell
def for_a_paper(controls, experiment, metrics_file, tracked_jobs):
    paper_kit_view(experiment, tracked_jobs, controls, metrics_file)
    return


@app.cell
def replay_other(tracked_jobs):
    other_picker = run_dropdown(tracked_jobs, label="Compare with", none="no other run")
    return (other_picker,)


@app.cell
def replay_runs(clicked_point, other_picker, tracked_jobs):
    run_picker = run_dropdown(tracked_jobs, chosen=clicked_point())
    mo.vstack([mo.md("## Replays"), mo.hstack([run_picker, other_picker], justify="start", gap=1.5)])
    return (run_picker,)


@app.cell
def replay_step(clicked_point, experiment, run_picker):
    step_picker = step_dropdown(experiment, run_picker.value, near=near_click(run_picker.value, clicked_point()))
    step_picker
    return (step_picker,)


@app.cell
def replay(experiment, other_picker, run_picker, step_picker):
    viewer = replay_view(experiment, run_picker.value, step_picker.value, other_picker.value)
    viewer
    return


if __name__ == "__main__":
    app.run()
