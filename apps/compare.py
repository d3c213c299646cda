"""Runs and arms beside each other, chosen by search: `marimo run apps/compare.py`, or `experiments serve`."""
# ruff: noqa: ANN001, ANN201, D103, PLR1711 - marimo writes the functions around cells
# mypy: disable-error-code="no-untyped-def"

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="full", app_title="Compare")

with app.setup:
    import marimo as mo

    from apps.parts.comparing import arm_picker, compared, compared_note, known_arms
    from apps.parts.links import asked, keep, project, search_input
    from experiments.notebooks.styles import heading as page_heading


@app.cell
def opened():
    workspace = project()
    start = asked("search")
    offered = known_arms(workspace)
    return offered, start, workspace


@app.cell
def choice(start):
    words = search_input(start["search"], "Words in experiment, arm or run")
    return (words,)


@app.cell
def picks(offered, words):
    arms = arm_picker(offered, words.value, asked("arms")["arms"], on_change=lambda chosen: keep(arms=chosen))
    mo.vstack([page_heading("Compare", 1), words, arms])
    return (arms,)


@app.cell
def study(arms, offered, workspace):
    study = compared(workspace, offered, arms.value)
    known, chosen, news, _ = study.values
    compared_note(offered, study.jobs, workspace, arms.value)
    return chosen, known, news, study


@app.cell
def curves(known, study):
    study.curves(known()) if study.jobs else None
    return


@app.cell
def scores(chosen, study):
    study.scores(chosen()) if study.jobs else None
    return


@app.cell
def replay(chosen, known, study):
    study.replay(known(), chosen()) if study.jobs else None
    return


@app.cell
def runs(chosen, news, study):
    study.runs(chosen(), news()) if study.jobs else None
    return


@app.cell
def details(chosen, news, study):
    study.details(chosen(), news()) if study.jobs else None
    return


if __name__ == "__main__":
    app.run()
