# /// experiments
# experiment = "sample"
# recipe = "recipes/sample.py"
# remake = "uv run recipes/sample.py sample --no-launch"
#
# [cells]
# setup = "5054a616e5d2"
# title = "323aecf4ea13"
# config = "eb83c36c8315"
# jobs = "5f86d9676240"
# tracked = "0221fce5540c"
# threshold_input = "38e6a59e5380"
# score_table = "70f151c7aa5c"
# summary = "dc566abd06a9"
# notes = "2f4126702a01"
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium")

with app.setup:
    import math

    import marimo as mo

    from experiments.notebooks.loading import load_recipe
    from experiments.types import BaseExperimentConfig, JobRef

    UNITS = load_recipe("tests/notebooks/samples/sample_sections.py", __file__).UNITS
    heading = load_recipe("tests/notebooks/samples/sample_sections.py", __file__).heading
    mean = load_recipe("tests/notebooks/samples/sample_sections.py", __file__).mean
    score = load_recipe("tests/notebooks/samples/sample_sections.py", __file__).score


@app.cell
def title(config):
    mo.md(f"""
    # {heading(config)}
    """)
    return


@app.cell
def config():
    config = BaseExperimentConfig(
        description="What a generated notebook looks like",
    )
    return (config,)


@app.cell
def jobs():
    jobs = [
        JobRef(run="ann.sample.base.s0.aaaaaaaa", arm="base", id="4711"),
        JobRef(
            run="ann.sample.base.s1.bbbbbbbb",
            arm="base",
            seed=1,
            launcher="skypilot",
            id="3",
            tracker="team/project",
        ),
    ]
    return (jobs,)


@app.cell
def tracked(jobs):
    # A run name is unique, so no job hides another.
    runs = {job.run: job for job in jobs}
    return (runs,)


@app.cell
def threshold_input():
    threshold = mo.ui.slider(0, 10, value=3, label="Threshold")
    mo.vstack([threshold])
    return (threshold,)


@app.cell
def score_table(runs, threshold):
    scores = [math.sqrt(score(job)) for job in runs.values() if score(job) > threshold.value]
    _shown = [f"{value:.2f}" for value in scores]  # kept for the table only

    unit = UNITS[1]
    mo.ui.table(
        [{"score": value, "unit": unit} for value in _shown],
        label='scores, in "reward"',
    )
    return scores, unit


@app.cell
def summary(scores, unit):
    mo.md(f"""
    Mean: {mean(scores):.1f} {unit}
    """)
    return


@app.cell
def notes():
    mo.md("""
    ## Notes

    Write here.
    """)
    return


if __name__ == "__main__":
    app.run()
