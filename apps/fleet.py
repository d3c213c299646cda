"""Every experiment and job of a project, live: `marimo run apps/fleet.py`, or `experiments serve`."""
# ruff: noqa: ANN001, ANN201, B018, D103, PLR1711 - marimo writes the functions around cells
# mypy: disable-error-code="no-untyped-def"

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="full", app_title="Fleet")

with app.setup:
    import marimo as mo

    from apps.parts import details
    from apps.parts.feed import fleet_table, known_choice
    from apps.parts.links import asked, keep, project
    from experiments.notebooks.job_log import lines_dropdown
    from experiments.notebooks.styles import heading as page_heading


@app.cell
def opened():
    workspace = project()
    start = asked("experiment", "run", "open", "view", "metric")
    return start, workspace


@app.cell
def table(start, workspace):
    fleet = mo.ui.anywidget(
        fleet_table(workspace, experiment=start["experiment"], run=start["run"], all_open=start["open"] == "all")
    )
    mo.vstack([page_heading("Fleet", 1), fleet])
    return (fleet,)


@app.cell
def choice(start, workspace):
    first = known_choice(workspace, start["experiment"], start["run"])
    chosen, set_chosen = mo.state(first)
    seen, set_seen = mo.state("")
    last = {"selected": first, "seen": ""}
    return chosen, last, seen, set_chosen, set_seen


@app.cell
def follow(fleet, last, set_chosen, set_seen):
    details.follow(fleet.value, last, set_chosen, set_seen)
    return


@app.cell
def heading(chosen, workspace):
    details.heading_of(workspace, chosen())
    return


@app.cell
def views(start):
    view = details.view_picker(start["view"], on_change=lambda name: keep(view=name))
    return (view,)


@app.cell
def pickers(chosen, start, workspace):
    metric = details.metric_dropdown(
        workspace, chosen()["experiment"], start["metric"], on_change=lambda name: keep(metric=name or "")
    )
    log_lines = lines_dropdown()
    return log_lines, metric


@app.cell
def choices(chosen, log_lines, metric, view):
    beside = {"Curves": [metric], "Log": [log_lines]}.get(view.value, [])
    mo.hstack([view, *beside], justify="start", align="center", gap=1.5) if chosen()["experiment"] else None
    return


@app.cell
def chart(chosen, workspace):
    curves = details.empty_chart(workspace, chosen()["experiment"]) if chosen()["experiment"] else None
    return (curves,)


@app.cell
def shown(curves, view):
    curves if view.value == "Curves" else None
    return


@app.cell
def drawn(chosen, curves, metric, seen, view, workspace):
    seen()
    details.draw_curves(
        curves, workspace, chosen(), metric.value
    ) if curves is not None and view.value == "Curves" else None
    return


@app.cell
def detail(chosen, log_lines, seen, view, workspace):
    seen()
    details.view_of(view.value, workspace, chosen(), log_lines.value)
    return


if __name__ == "__main__":
    app.run()
