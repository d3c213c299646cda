# /// experiments
# experiment = "version_0_1"
# recipe = "experiments/recipes/learning_rate_study.py"
# remake = "uv run experiments/recipes/learning_rate_study.py version_0_1 --learning-rates 0.003 0.01 --total-timesteps 30000 --no-launch"
#
# [cells]
# setup = "34886cf85024"
# opened = "e886473abd1a"
# heading = "2be9139e391a"
# config = "a83b12f15fff"
# jobs = "5f86d9676240"
# journal = "0cfd01f50c34"
# launch_count = "2ba67ed67cd9"
# clicked_curve = "d42daf14bb77"
# tracked = "e7cd83569700"
# code = "3fe43b53004d"
# hypothesis = "596174ef8bcf"
# log_data = "e5a6b166aefd"
# verdict = "6867563424a4"
# log_note = "baa82ab8dabe"
# log_lines_shown = "d1f3974f11bd"
# plan_inputs = "cbee42545515"
# plan_form = "2597a53d9d70"
# planned = "1017023dcfa8"
# launch_controls = "fb3163e9d915"
# launched = "41134ed16e6d"
# outcome = "476f91aba324"
# monitor_heading = "47191d6fa0ae"
# monitor_table = "73d5cdb77019"
# log_inputs = "60b6fb465e17"
# job_log = "3c9ecb9a1020"
# job_ends = "c09676b42685"
# retry_offer = "360b0380a9aa"
# triage = "cdb7fc0a68ea"
# data_version = "38c49508be8a"
# brushing = "3b63e290e3d7"
# metric_names = "d72f42c8303f"
# new_metrics = "6dd0df9c19b4"
# analysis_inputs = "080aba8296f1"
# curve_area = "2f59d45a7426"
# chart_events = "ed68b15a013f"
# learning_curves = "c33296f86661"
# clicked_run = "13c6ea32a8c2"
# score_area = "1a87605a21f0"
# scores = "fc6fd29fe4f2"
# comparison = "397f5673bc4c"
# more_inputs = "717b29a2b3b2"
# more_area = "dae231413863"
# more_charts = "735d6ab6f3fe"
# run_summary = "14c89be5a279"
# run_files = "996dbcc27098"
# group_keys_input = "93622fe6694d"
# grouped_runs = "2dab99a2970f"
# diff_choice = "6941237db607"
# run_differences = "cc4078b2a67f"
# for_a_paper = "cea947bcabb3"
# replay_other = "cd3bc52e2a74"
# replay_runs = "82d834410d07"
# replay_step = "13ad28d61ca6"
# replay = "c700d473261a"
# export_command = "ffe7c929f223"
# export_controls = "ad7832825d8f"
# exported = "5d071aaeb532"
# scratch = "bde473ffe51b"
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium")

with app.setup:
    import marimo as mo
    from experiments.forms import config_form
    from experiments.journal import Journal, Rule
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
    from experiments.notebooks.exports import export_clicked, export_control, export_hint
    from experiments.notebooks.further_charts import draw_more, view_tabs
    from experiments.notebooks.groups import group_picker, group_picker_view, group_view
    from experiments.notebooks.journal import hypothesis_view, log_view_of, note_form, verdict_view
    from experiments.notebooks.launching import (
        launch_clicked,
        launch_control,
        launch_form,
        launch_outcome,
        page_permit,
        plan_preview,
        run_inputs,
    )
    from experiments.notebooks.logs import lines_dropdown, log_view
    from experiments.notebooks.paper_kit import paper_kit_view
    from experiments.notebooks.run_table import selected_runs, table_downloads
    from experiments.notebooks.triage import failures_in, in_editor, retry_buttons, triage_view

    from experiments.notebooks.analysis import runs_table
    from experiments.notebooks.context import open_notebook
    from experiments.notebooks.monitoring import job_monitor, watched_metrics
    from experiments.notebooks.replays import near_click, replay_view, run_dropdown, step_dropdown
    from experiments.notebooks.training import code_note, jobs_note, notebook_heading
    from experiments.recipes.learning_rate_study import LearningRateStudyConfig
    from experiments.types import JobRef


@app.cell
def opened(config):
    experiment = open_notebook(__file__, config)
    return (experiment,)


@app.cell
def heading(experiment):
    notebook_heading(experiment)
    return


@app.cell
def config():
    config = LearningRateStudyConfig(
        learning_rates=(0.003, 0.01),
        total_timesteps=30000,
    )
    return (config,)


@app.cell
def jobs():
    jobs = [
        JobRef(run="ann.version_0_1.rate-0_003.s10.aaaaaaaa", arm="rate-0_003", seed=10, id="4711"),
        JobRef(run="ann.version_0_1.rate-0_01.s10.bbbbbbbb", arm="rate-0_01", seed=10, id="4712"),
    ]
    return (jobs,)


@app.cell
def journal():
    journal = Journal(
        hypothesis=(
            "With 400,000 agent steps, Adam's step size of 0.01 learns more than 0.001: "
            "the budget ends long before learning does, so larger steps pay as long as "
            "they do not break the policy. A first look at seeds 0 to 4 suggested it; "
            "these five seeds are new, so that they can say no."
        ),
        rule=Rule(metric="overview/reward", direction="higher", effect=1.0, arm="rate-0_01", baseline="rate-0_001"),
    )
    return (journal,)


@app.cell
def launch_count():
    launches, set_launches = mo.state(())
    return launches, set_launches


@app.cell
def clicked_curve():
    clicked_point, set_clicked_point = mo.state(None)
    return clicked_point, set_clicked_point


@app.cell
def tracked(experiment, jobs, launches):
    launches()
    tracked_jobs = experiment.joined(jobs)
    jobs_note(experiment, jobs)
    return (tracked_jobs,)


@app.cell
def code(experiment, tracked_jobs):
    code_note(experiment, tracked_jobs)
    return


@app.cell
def hypothesis(experiment, journal, tracked_jobs):
    hypothesis_view(experiment, tracked_jobs, journal)
    return


@app.cell
def log_data(experiment):
    log_file = watched_metrics(experiment)
    return (log_file,)


@app.cell
def verdict(experiment, journal, log_file, tracked_jobs):
    verdict_view(experiment, tracked_jobs, journal, log_file)
    return


@app.cell
def log_note(experiment):
    note_input = note_form(experiment)
    note_input
    return (note_input,)


@app.cell
def log_lines_shown(experiment, journal, log_file, note_input):
    log_view_of(experiment, journal, note_input, log_file)
    return


@app.cell
def plan_inputs(config, experiment):
    config_inputs = config_form(config, name=experiment.name)
    how_inputs = run_inputs(experiment)
    return config_inputs, how_inputs


@app.cell
def plan_form(config_inputs, experiment, how_inputs):
    launch_form(experiment, config_inputs, how_inputs)
    return


@app.cell
def planned(config_inputs, experiment, how_inputs, launches):
    launches()
    preview = plan_preview(experiment, config_inputs, how_inputs)
    preview.view() if page_permit() else None
    return (preview,)


@app.cell
def launch_controls(preview):
    launch_button = launch_control(preview)
    launch_button
    return (launch_button,)


@app.cell
def launched(experiment, journal, launch_button, preview, set_launches):
    launch_clicked(preview, launch_button, experiment, set_launches, journal)
    return


@app.cell
def outcome(launches):
    launch_outcome(launches())
    return


@app.cell
def monitor_heading():
    mo.md("""
    ## Monitor
    """)
    return


@app.cell
def monitor_table(experiment, tracked_jobs):
    job_table = job_monitor(experiment, tracked_jobs)
    job_table
    return (job_table,)


@app.cell
def log_inputs():
    log_lines = lines_dropdown()
    log_again = mo.ui.run_button(label="Read the log again")
    mo.hstack([log_lines, log_again], justify="start")
    return log_again, log_lines


@app.cell
def job_log(experiment, job_table, log_again, log_lines, tracked_jobs):
    log_again
    log_view(experiment, tracked_jobs, job_table.value["selected"], log_lines.value)
    return


@app.cell
def job_ends(experiment):
    ends_file = watched_metrics(experiment)
    return (ends_file,)


@app.cell
def retry_offer():
    may_retry = in_editor()
    return (may_retry,)


@app.cell
def triage(ends_file, experiment, may_retry, set_launches, tracked_jobs):
    _failures = failures_in(experiment, tracked_jobs, ends_file)
    retry_controls = retry_buttons(experiment, _failures, set_launches) if may_retry else None
    triage_view(_failures, retry_controls)
    return


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


@app.cell
def export_command(experiment):
    export_hint(experiment)
    return


@app.cell
def export_controls():
    export_button = export_control()
    export_button
    return (export_button,)


@app.cell
def exported(experiment, export_button):
    export_clicked(experiment, export_button)
    return


@app.cell
def scratch():
    mo.md("""
    ## Scratch

    Cells that you add anywhere in this notebook are kept when it is made again.
    """)
    return


if __name__ == "__main__":
    app.run()
