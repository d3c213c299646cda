"""A notebook is its reader's from the first byte: what was edited, deleted or added in it stays."""

from __future__ import annotations

import dataclasses
import re

import pytest

from experiments.jobs.journal import BLANK, Journal
from experiments.notebooks import marks, template
from experiments.notebooks.data_cells import read_config, read_jobs, read_journal
from experiments.notebooks.generation import prepare, write, write_notebook
from experiments.notebooks.layout import canonical
from experiments.project.errors import NotebookError, UsageError
from experiments.types import BaseExperimentConfig, JobRef
from tests.notebooks.specs import REFS, own_section, sample_spec

OWN = """@app.cell
def _(known):
    longest = max(known().metrics)
    longest
    return


"""
MORE = REFS[0].model_copy(update={"run": "ann.sample.base.s2.cccccccc"})


LAST = "@app.cell\ndef scratch"


class Project:
    """A notebook that was generated, and a template that changes."""

    def __init__(self, root, patch):
        self.root, self.patch = root, patch
        self.path = root / "scratch" / "sample_nb.py"
        self.spec = sample_spec(jobs=REFS, root=root)

    def write(self, **options):
        changed = {name: options.pop(name) for name in list(options) if name not in {"theirs", "force"}}
        return write_notebook(self.path, dataclasses.replace(self.spec, **changed), **options)

    def change_template(self, name, old, new):
        """Publish another text of a cell, as a later version of the package has it."""
        known = template.template()
        cells = []
        for cell in known.cells:
            if cell.name == name:
                assert old in cell.body
                later = dataclasses.replace(cell, body=cell.body.replace(old, new))
                texts = dict(marks.published())
                texts[name] = texts[name] | {marks.hash_of(later.body)}
                self.patch.setattr(marks, "published", lambda texts=texts: texts)
                self.patch.setattr("experiments.notebooks.remaking.published", lambda texts=texts: texts)
            cells.append(later if cell.name == name else cell)
        later = dataclasses.replace(known, cells=tuple(cells))
        self.patch.setattr(template, "template", lambda: later)

    def edit(self, old, new):
        assert old in self.text
        self.path.write_text(self.text.replace(old, new, 1))

    def delete(self, name):
        self.path.write_text(re.sub(rf"@app.cell[^\n]*\ndef {name}\(.*?\n\n\n", "", self.text, flags=re.DOTALL))

    @property
    def text(self):
        return self.path.read_text()

    @property
    def names(self):
        return re.findall(r"^def (\w+)", self.text, re.MULTILINE)


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    made = Project(tmp_path, monkeypatch)
    made.write()
    return made


@pytest.mark.parametrize(
    ("edited", "template_changed", "field", "text"),
    [
        (False, False, None, "study.scores(chosen())"),
        (False, True, "replaced", "study.scores(chosen(), 2)"),
        (True, False, "kept", "study.scores(chosen())  # mine"),
        (True, True, "conflicts", "study.scores(chosen())  # mine"),
    ],
)
def test_a_generated_cell(project, edited, template_changed, field, text):
    if edited:
        project.edit("study.scores(chosen())", "study.scores(chosen())  # mine")
    if template_changed:
        project.change_template("scores", "chosen())", "chosen(), 2)")
    result = project.write()
    assert f"    {text}\n" in project.text
    for name in ("replaced", "kept", "conflicts"):
        names = [getattr(item, "cell", item) for item in getattr(result, name)]
        assert names == (["scores"] if name == field else [])
    assert result.exit_code == (1 if field == "conflicts" else 0)
    assert result.backup is None
    assert canonical(project.text) == project.text
    assert project.write().changed is False


def test_a_conflict_shows_the_difference_and_the_way_out_until_it_is_settled(project):
    project.edit("study.scores(chosen())", "study.scores(chosen())  # mine")
    project.change_template("scores", "chosen())", "chosen(), 2)")
    for _ in range(2):
        (conflict,) = project.write().conflicts
        assert "-    study.scores(chosen())  # mine\n+    study.scores(chosen(), 2)" in conflict.diff
        assert "--theirs scores" in conflict.text
    project.edit("study.scores(chosen())  # mine", "study.scores(chosen(), 2)")
    assert project.write().exit_code == 0


def test_an_edited_cell_that_is_renamed_is_the_users_and_no_conflict(project):
    project.edit("study.scores(chosen())", "study.scores(chosen())  # mine")
    project.edit("def scores", "def my_scores")
    project.change_template("scores", "chosen())", "chosen(), 2)")
    for _ in range(2):
        result = project.write()
        assert (result.exit_code, result.gone) == (0, ("scores",))
        assert "# mine" in project.text


@pytest.mark.parametrize("options", [{"theirs": ("scores",)}, {"force": True}])
def test_the_templates_version_can_be_taken_and_leaves_a_backup(project, options):
    project.edit("study.scores(chosen())", "study.scores(chosen())  # mine")
    before = project.text
    result = project.write(**options)
    assert "# mine" not in project.text
    assert (result.exit_code, result.replaced) == (0, ("scores",))
    assert result.backup.name == "sample_nb.py.bak"
    assert result.backup.read_text() == before
    assert project.write().backup is None


def test_force_never_resets_config_journal_and_jobs_nor_the_users_own_cells(project):
    project.edit('description="What a generated notebook looks like"', 'description="mine"')
    project.edit('hypothesis=""', 'hypothesis="It works."')
    project.edit("@app.cell\ndef scratch", f"{OWN}@app.cell\ndef scratch")
    before = project.text
    assert project.write(force=True, jobs=(), journal=Journal(hypothesis="other", rule=BLANK.rule)).changed is False
    assert project.text == before
    assert read_jobs(project.path) == REFS


@pytest.mark.parametrize("name", ["config", "journal", "jobs"])
def test_data_is_reset_only_where_it_is_asked_for_by_name(project, name):
    before = project.text
    project.edit(f"    return ({name},)", f"    print(1)\n    return ({name},)")
    project.write()
    assert "print(1)" in project.text
    result = project.write(theirs=(name,))
    assert (result.replaced, project.text) == ((name,), before)
    assert result.backup is not None


def test_a_second_backup_does_not_overwrite_the_first(project):
    for _ in range(2):
        project.edit("study.scores(chosen())", "study.scores(chosen())  # mine")
        project.write(force=True)
    assert sorted(path.name for path in project.path.parent.glob("*.bak*")) == [
        "sample_nb.py.bak",
        "sample_nb.py.bak.1",
    ]


def test_formatting_is_no_edit(project):
    project.edit("study.curves(known())", "study.curves(\n        known(),\n    )")
    project.change_template("curves", "known())", "known(), 2)")
    assert project.write().replaced == ("curves",)


def test_a_deleted_cell_stays_deleted_and_can_be_brought_back(project):
    project.delete("scores")
    project.change_template("scores", "chosen())", "chosen(), 2)")
    for options in ({}, {"force": True}):
        assert project.write(**options).gone == ("scores",)
        assert "scores" not in project.names
    assert project.write(theirs=("scores",)).added == ("scores",)
    assert "chosen(), 2)" in project.text
    assert project.names[:5] == ["study", "verdict", "search", "curves", "scores"]


def test_a_section_that_a_file_lacks_comes_in_only_when_it_is_asked_for(project):
    for name in ("replay", "export"):
        project.delete(name)
    result = project.write()
    assert (result.added, result.gone, result.changed) == ((), (), False)
    assert project.write(asked=("replays",)).added == ("replay",)
    assert project.names[project.names.index("replay") - 1] == "job_log"
    assert "export" not in project.names


def test_a_deleted_cell_that_others_need_is_named_and_nothing_is_written(project):
    for name in ("study", "replay"):
        project.delete(name)
    project.edit("def config():\n", "def config(known, study):\n    known, study\n")
    before = project.text
    with pytest.raises(
        NotebookError, match=r"cell 'replay' needs '\w+'.*deleted here.*--theirs study(.|\n)*Nothing was"
    ):
        project.write(asked=("replays",))
    assert project.text == before
    project.write()


def test_the_users_cells_stay_where_they_are(project):
    project.edit("@app.cell(hide_code=True)\ndef scores", f"{OWN}@app.cell(hide_code=True)\ndef scores")
    project.change_template("curves", "known())", "known(), 2)")
    assert project.write().replaced == ("curves",)
    assert OWN in project.text
    assert project.names[3:6] == ["curves", "_", "scores"]
    assert canonical(project.text) == project.text


def test_an_edited_setup_block_is_kept_and_completed(project):
    project.delete("scratch")
    project.edit("    import altair as alt\n", "    import re  # mine\n")
    project.write(asked=("scratch",))
    assert "    import re  # mine\n" in project.text
    assert "    import altair as alt\n" in project.text
    assert project.write().changed is False


def test_an_import_in_a_plain_setup_block_comes_in_its_place(project):
    project.delete("scratch")
    project.edit("    import altair as alt\n", "    import math\n")
    project.write(asked=("scratch",))
    assert "    import math\n\n    import altair as alt\n    import marimo as mo\n    from exp" in project.text


def test_a_users_cell_with_the_name_of_a_section_asked_for_is_a_conflict(project):
    project.delete("replay")
    project.edit("@app.cell\ndef scratch", OWN.replace("def _", "def replay") + "@app.cell\ndef scratch")
    (conflict,) = project.write(asked=("replays",)).conflicts
    assert conflict.cell == "replay"
    assert "longest" in project.text


def test_hidden_code_and_the_apps_settings_stay_as_the_user_set_them(project):
    project.edit("@app.cell(hide_code=True)\ndef scores", "@app.cell\ndef scores")
    project.edit('App(width="medium")', 'App(width="full")')
    project.change_template("scores", "chosen())", "chosen(), 2)")
    assert project.write().replaced == ("scores",)
    assert "@app.cell\ndef scores" in project.text
    assert 'App(width="full")' in project.text


def test_a_clash_with_a_users_name_writes_nothing(project):
    project.edit(LAST, f"@app.cell\ndef _():\n    jobs_shown = 1\n    return\n\n\n{LAST}")
    project.change_template("study", "jobs_table =", "jobs_shown = jobs_table =")
    before = project.text
    with pytest.raises(NotebookError, match="'jobs_shown' is defined by cell 'study' and by a cell without a name"):
        project.write()
    assert project.text == before


def test_what_the_user_broke_does_not_stop_a_merge(project):
    project.edit(LAST, f"@app.cell\ndef _():\n    print(absent)\n    return\n\n\n{LAST}")
    project.change_template("scores", "chosen())", "chosen(), 2)")
    assert project.write().replaced == ("scores",)
    assert "print(absent)" in project.text


def test_a_setting_given_now_changes_only_its_own_place(project):
    before = project.text
    given = BaseExperimentConfig(description="other", wandb_group="g")
    result = project.write(config=given, given=frozenset({"wandb_group"}))
    assert (result.replaced, result.backup) == (("config",), None)
    assert read_config(project.path) == {"description": "What a generated notebook looks like", "wandb_group": "g"}
    changed = set(project.text.split("\n")) - set(before.split("\n"))
    assert changed == {'        wandb_group="g",'}


def test_a_remark_in_a_config_that_a_flag_changes_is_in_the_backup(project):
    project.edit("    config = Base", "    # why\n    config = Base")
    result = project.write(config=BaseExperimentConfig(wandb_group="g"), given=frozenset({"wandb_group"}))
    assert "# why" in result.backup.read_text()


def test_a_config_that_cannot_be_read_is_kept_and_refuses_a_setting_given_now(project):
    project.edit("config = BaseExperimentConfig(", "config = make(BaseExperimentConfig, ")
    project.write()
    assert "config = make(BaseExperimentConfig, " in project.text
    with pytest.raises(NotebookError, match="cell 'config' is not one assignment of literals"):
        project.write(given=frozenset({"wandb_group"}))


def test_the_journal_of_a_file_stays_whatever_the_recipe_says_by_now(project):
    project.edit('hypothesis=""', 'hypothesis="It works."')
    project.write(journal=Journal(hypothesis="other", rule=BLANK.rule))
    assert read_journal(project.path).hypothesis == "It works."


class OtherConfig(BaseExperimentConfig):
    """Of another recipe."""


def test_the_notebook_of_another_recipe_is_refused_in_one_sentence_and_replaced_only_by_force(project):
    before = project.text
    with pytest.raises(NotebookError, match=r"is of another experiment: its config is a 'BaseExp.*a 'OtherConfig'"):
        project.write(config=OtherConfig())
    assert project.text == before
    assert project.write(config=OtherConfig(), force=True).backup.read_text() == before
    assert "OtherConfig()" in project.text


def test_a_notebook_that_is_replaced_leaves_each_of_its_job_references_that_can_be_read(project):
    project.edit("    jobs = [", "    jobs = [\n        JobRef(run=1 + 1),")
    before = project.text
    replaced = project.write(config=OtherConfig(), force=True, jobs=[JobRef(run="new")])
    assert read_jobs(project.path) == [*REFS, JobRef(run="new")]
    assert replaced.backup.read_text() == before
    project.path.write_text(project.text.replace("open_study", "open_something"))
    project.write(force=True, jobs=())
    assert read_jobs(project.path) == [*REFS, JobRef(run="new")]


def test_a_notebook_of_a_newer_version_is_said_and_loses_nothing(project):
    project.edit('__generated_with = "', '__generated_with = "9')
    project.edit("study.scores(chosen())", "study.scores(chosen(), by='seed')")
    project.edit(
        "@app.cell\ndef scratch",
        "@app.cell\ndef agents(study):\n    study.agents()\n    return\n\n\n@app.cell\ndef scratch",
    )
    result = project.write()
    assert "note: the notebook is of a newer version (marimo 9" in result.report()
    assert "kept as edited: scores" in result.report()
    assert "by='seed'" in project.text or 'by="seed"' in project.text
    assert "study.agents()" in project.text


def test_an_unknown_cell_to_take_is_an_error_that_lists_them(project):
    with pytest.raises(UsageError, match=r"--theirs 'scors'.*Cells: setup, study, verdict, search, curves, scores"):
        project.write(theirs=("scors",))


def test_after_a_launch_only_references_are_added(project):
    project.change_template("scores", "chosen())", "chosen(), 2)")
    project.edit("# A place for your own", "# Mine")
    before = project.text
    result = write(prepare(project.path, project.spec, launching=True), [MORE])
    assert result.changed
    assert read_jobs(project.path) == [*REFS, MORE]
    assert set(before.split("\n")) <= set(project.text.split("\n"))


def test_what_an_editor_saves_during_a_launch_is_not_lost(project):
    project.delete("replay")
    prepared = prepare(project.path, dataclasses.replace(project.spec, asked=("replays",)), launching=True)
    project.edit("# A place for your own", "# Mine")
    write(prepared, [MORE])
    assert "# Mine" in project.text
    assert "replay" in project.names
    assert read_jobs(project.path) == [*REFS, MORE]


def test_a_file_whose_jobs_cannot_be_read_is_refused_before_a_launch(project):
    prepare(project.path, project.spec, launching=True)
    project.edit("jobs = [", "jobs = list() + [")
    with pytest.raises(NotebookError, match=r"cell 'jobs' is not a plain list.*--theirs jobs"):
        prepare(project.path, project.spec, launching=True)
    prepare(project.path, project.spec, launching=True, theirs=("jobs",))


def test_references_that_cannot_be_added_are_a_conflict(project):
    project.edit("jobs = [", "jobs = list() + [")
    (conflict,) = project.write().conflicts
    assert conflict.cell == "jobs"
    assert project.write(theirs=("jobs",)).exit_code == 0
    assert read_jobs(project.path) == REFS


def test_an_own_section_comes_in_when_it_is_asked_for_and_stays_as_it_was_edited(project):
    own = own_section(project.root, "def weather(study):\n    return 'clear'\n", "weather")
    assert project.write(own=[own]).changed is False
    assert project.write(own=[own], asked=("weather",)).added == ("show_weather",)
    assert '    weather = load_recipe("my_recipe.py", __file__).weather\n' in project.text
    assert project.names[project.names.index("show_weather") + 1] == "config"
    project.edit("    weather(study)\n", "    weather(study)  # mine\n")
    assert project.write(own=[own]).kept == ("show_weather",)
    assert "# mine" in project.text
