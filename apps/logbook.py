"""The exported logs, searchable: `marimo run apps/logbook.py`, or `experiments serve`."""
# ruff: noqa: ANN001, ANN201, B018, D103, PLR1711 - marimo writes the functions around cells
# mypy: disable-error-code="no-untyped-def"

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Logbook")

with app.setup:
    import marimo as mo

    from apps.parts.links import asked, project, search_input
    from apps.parts.logs import file_dropdown, log_frame, log_list, logs_of
    from experiments.notebooks.styles import heading as page_heading


@app.cell
def opened():
    workspace = project()
    start = asked("search", "log")
    logs, others = logs_of(workspace)
    return logs, others, start, workspace


@app.cell
def search(start):
    words = search_input(start["search"], "Words in titles, verdicts, runs, settings")
    mo.vstack([page_heading("Logbook", 1), words])
    return (words,)


@app.cell
def listed(logs, others, words):
    log_list(logs, words.value, others)
    return


@app.cell
def choice(logs, start):
    opened_log = file_dropdown(logs, start["log"])
    opened_log
    return (opened_log,)


@app.cell
def shown(logs, opened_log, workspace):
    log_frame(workspace, logs, opened_log.value if opened_log is not None else None)
    return


if __name__ == "__main__":
    app.run()
