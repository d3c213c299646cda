"""What the agents did: every recorded replay as a picture, one or two of them played: `marimo run apps/replays.py`."""
# ruff: noqa: ANN001, ANN201, D103, PLR1711 - marimo writes the functions around cells
# mypy: disable-error-code="no-untyped-def"

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="full", app_title="Replays")

with app.setup:
    import marimo as mo

    from apps.parts.gallery import chosen_view, found_replays, gallery
    from apps.parts.links import asked, project
    from experiments.notebooks.styles import heading as page_heading
    from experiments.notebooks.styles import sentence


@app.cell
def opened():
    workspace = project()
    shown, problems = found_replays(workspace)
    return problems, shown, workspace


@app.cell
def pictures(shown, workspace):
    choice = mo.ui.anywidget(gallery(shown, workspace, asked("replay")["replay"]))
    mo.vstack([page_heading("Replays", 1), choice])
    return (choice,)


@app.cell
def unread(problems):
    mo.callout(mo.vstack([sentence(problem) for problem in problems]), kind="warn") if problems else None
    return


@app.cell
def viewer(choice, shown, workspace):
    chosen_view(shown, choice.value["chosen"], workspace)
    return


if __name__ == "__main__":
    app.run()
