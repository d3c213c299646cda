import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium")

with app.setup(hide_code=True):
    import altair as alt
    import marimo as mo

    from experiments.notebooks import JobRef, Journal, Rule, open_study
    from experiments.types import BaseExperimentConfig


@app.cell(hide_code=True)
def study(config, jobs, journal):
    study = open_study(__file__, lambda: config, lambda: jobs, lambda: journal)  # so a deleted cell ends nothing
    known, chosen, news, plan = study.values
    jobs_table = study.jobs_table
    study
    return chosen, jobs_table, known, news, plan, study


@app.cell(hide_code=True, expand_output=True)
def verdict(study):
    study.verdict()
    return


@app.cell(hide_code=True, expand_output=True)
def search(news, study):
    study.search(news())
    return


@app.cell(hide_code=True, expand_output=True)
def curves(known, study):
    study.curves(known())
    return


@app.cell(hide_code=True)
def scores(chosen, study):
    study.scores(chosen())
    return


@app.cell(hide_code=True, expand_output=True)
def monitor(known, study):
    study.monitor(known())
    return


@app.cell(hide_code=True)
def job_log(jobs_table, known, study):
    study.job_log(jobs_table.value["selected"], known())
    return


@app.cell(hide_code=True, expand_output=True)
def replay(chosen, known, study):
    study.replay(known(), chosen())
    return


@app.cell(hide_code=True)
def runs(chosen, news, study):
    study.runs(chosen(), news())
    return


@app.cell(hide_code=True, expand_output=True)
def details(chosen, news, study):
    study.details(chosen(), news())
    return


@app.cell
def config():
    config = BaseExperimentConfig()
    return (config,)


@app.cell(hide_code=True, expand_output=True)
def launch(known, plan, study):
    study.launch(plan, known())
    return


@app.cell
def journal():
    journal = Journal(
        hypothesis="",
        rule=None,
    )
    return (journal,)


@app.cell
def jobs():
    jobs = []
    return (jobs,)


@app.cell(hide_code=True)
def export(study):
    study.export()
    return


@app.cell
def scratch(news, study):
    # A place for your own: this cell runs again when rows arrive, and nothing takes your changes away.
    _frame = study.frame(news=news())
    _median = _frame.groupby(["arm", "step"], as_index=False)["value"].median()
    _lines = alt.Chart(_median).mark_line().encode(x="step:Q", y="value:Q", color=study.colour)
    mo.vstack([mo.md("## Scratch"), study.draw("median", _lines.properties(width="container", height=200))])
    return


if __name__ == "__main__":
    app.run()
