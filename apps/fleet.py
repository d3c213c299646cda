"""Every experiment and job."""
# ruff: noqa: ANN201, PLR1711, D103 - marimo writes the functions around cells
# mypy: disable-error-code="no-untyped-def"

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="full", app_title="Fleet")

with app.setup:
    import marimo as mo


@app.cell
def heading():
    mo.md("""
    # Fleet
    """)
    return


if __name__ == "__main__":
    app.run()
