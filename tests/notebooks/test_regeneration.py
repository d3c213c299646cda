from __future__ import annotations

import dataclasses
import re

import pytest

from experiments.errors import NotebookError
from experiments.notebooks.generation import check_target, read_jobs, write_after_launch, write_notebook
from experiments.notebooks.layout import canonical
from tests.notebooks.specs import REFS, sample_spec

MODULE = '''"""Sections."""

import math

import marimo as mo

CELLS = {"setup": ("title",), "state": ("numbers", "total"), "extra": ("extra",)}


def title(config):
    mo.md(heading(config))


def numbers(jobs):
    # Counted from 1.
    rows = [math.sqrt(1 + job.seed) for job in jobs]
    return (rows,)


def total(rows):
    mo.stat(sum(rows), label="Total")


def extra(rows):
    mo.stat(len(rows), label="Extra")


def heading(config):
    return config.description
'''
OWN = """@app.cell
def _(rows):
    longest = max(rows)
    longest
    return


"""


class Project:
    """A project with section templates that change, and a notebook generated from them."""

    def __init__(self, root):
        self.root = root
        self.module = root / "sections.py"
        self.module.write_text(MODULE)
        self.path = root / "scratch" / "sample_nb.py"
        self.names = ("setup", "state")

    def spec(self, jobs=REFS):
        spec = sample_spec(jobs=jobs, names=self.names, module="sections.py")
        return dataclasses.replace(spec, root=self.root)

    def write(self, **options):
        return write_notebook(self.path, self.spec(), **options)

    def change_template(self, old, new):
        assert old in self.module.read_text()
        self.module.write_text(self.module.read_text().replace(old, new))

    def edit(self, old, new):
        text = self.path.read_text()
        assert old in text
        self.path.write_text(text.replace(old, new, 1))

    @property
    def text(self):
        return self.path.read_text()

    def without_header(self):
        return self.text.split("# ///\n", 1)[1]


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    made = Project(tmp_path)
    made.write()
    return made


@pytest.mark.parametrize(
    ("edited", "template_changed", "field", "label"),
    [
        (False, False, None, "Total"),
        (False, True, "replaced", "Sum"),
        (True, False, "kept", "Mine"),
        (True, True, "conflicts", "Mine"),
    ],
)
def test_a_generated_cell(project, edited, template_changed, field, label):
    if edited:
        project.edit('label="Total"', 'label="Mine"')
    if template_changed:
        project.change_template('label="Total"', 'label="Sum"')
    result = project.write()
    assert f'label="{label}"' in project.text
    for name in ("replaced", "kept", "conflicts"):
        names = [getattr(item, "cell", item) for item in getattr(result, name)]
        assert names == (["total"] if name == field else [])
    assert result.exit_code == (1 if field == "conflicts" else 0)
    assert result.backup is None
    assert canonical(project.text) == project.text
    assert project.write().changed is False


def test_a_conflict_shows_the_difference_and_the_way_out_until_it_is_settled(project):
    project.edit('label="Total"', 'label="Mine"')
    project.change_template('label="Total"', 'label="Sum"')
    for _ in range(2):
        (conflict,) = project.write().conflicts
        assert '-    mo.stat(sum(rows), label="Mine")\n+    mo.stat(sum(rows), label="Sum")' in conflict.diff
        assert "--theirs total" in conflict.text
    project.edit('label="Mine"', 'label="Sum"')
    assert project.write().exit_code == 0


def test_an_edited_cell_that_is_renamed_is_the_users_and_no_conflict(project):
    project.edit('label="Total"', 'label="Mine"')
    project.edit("def total", "def my_total")
    project.change_template('label="Total"', 'label="Sum"')
    for _ in range(2):
        result = project.write()
        assert (result.exit_code, result.gone) == (0, ("total",))
        assert 'label="Mine"' in project.text


@pytest.mark.parametrize("options", [{"theirs": ("total",)}, {"force": True}])
def test_the_templates_version_can_be_taken_and_leaves_a_backup(project, options):
    project.edit('label="Total"', 'label="Mine"')
    project.change_template('label="Total"', 'label="Sum"')
    before = project.text
    result = project.write(**options)
    assert 'label="Sum"' in project.text
    assert (result.exit_code, result.replaced) == (0, ("total",))
    assert result.backup.name == "sample_nb.py.bak"
    assert result.backup.read_text() == before
    assert project.write().backup is None


def test_a_second_backup_does_not_overwrite_the_first(project):
    for _ in range(2):
        project.edit('label="Total"', 'label="Mine"')
        project.write(force=True)
    assert sorted(path.name for path in project.path.parent.glob("*.bak*")) == [
        "sample_nb.py.bak",
        "sample_nb.py.bak.1",
    ]


def test_formatting_is_no_edit(project):
    project.edit('mo.stat(sum(rows), label="Total")', "mo.stat(\n        sum(rows),\n        label='Total',\n    )")
    project.change_template('label="Total"', 'label="Sum"')
    assert project.write().replaced == ("total",)


def test_a_deleted_cell_stays_deleted_and_can_be_brought_back(project):
    project.path.write_text(re.sub(r"@app.cell\ndef total\(.*?return\n\n\n", "", project.text, flags=re.DOTALL))
    project.change_template('label="Total"', 'label="Sum"')
    for _ in range(2):
        assert project.write().gone == ("total",)
        assert "def total" not in project.text
    assert project.write(theirs=("total",)).added == ("total",)
    assert 'label="Sum"' in project.text


def test_a_deleted_cell_that_others_need_is_named_and_nothing_is_written(project):
    project.path.write_text(re.sub(r"@app.cell\ndef numbers\(.*?\n\n\n", "", project.text, flags=re.DOTALL))
    project.edit("def total(rows)", "def total()")
    project.edit('mo.stat(sum(rows), label="Total")', 'mo.stat(0, label="Total")')
    project.names = ("setup", "state", "extra")
    before = project.text
    with pytest.raises(
        NotebookError, match=r"cell 'extra' needs 'rows'.*deleted here.*--theirs numbers(.|\n)*Nothing was"
    ):
        project.write()
    assert project.text == before


def test_the_users_cells_stay_where_they_are_and_get_the_names_that_they_use(project):
    project.edit("@app.cell\ndef total", f"{OWN}@app.cell\ndef total")
    project.change_template("# Counted from 1.", "# Counted from 1, by seed.")
    result = project.write()
    assert result.replaced == ("numbers",)
    assert OWN in project.text
    assert re.findall(r"^def (\w+)", project.text, re.MULTILINE) == ["title", "config", "jobs", "numbers", "_", "total"]
    assert canonical(project.text) == project.text


def test_a_users_cell_that_reads_a_removed_import_keeps_it(project):
    project.edit("@app.cell\ndef total", "@app.cell\ndef _():\n    math.pi\n    return\n\n\n@app.cell\ndef total")
    project.change_template("math.sqrt(1 + job.seed)", "job.seed")
    project.write()
    assert "    import math\n" in project.text
    assert project.write().changed is False


def test_an_import_that_nothing_uses_any_more_goes(project):
    project.change_template("math.sqrt(1 + job.seed)", "job.seed")
    project.write()
    assert "import math" not in project.text


def test_an_edited_setup_block_is_kept_and_completed(project):
    project.edit("    import math\n", "    import math\n    import re  # mine\n")
    project.change_template("sum(rows)", "math.fsum(rows) + len(Path().parts)")
    project.change_template("import math\n", "import math\nfrom pathlib import Path\n")
    project.write()
    assert "    import re  # mine\n" in project.text
    assert "    from pathlib import Path\n" in project.text
    assert project.write().changed is False


def test_an_edited_setup_block_follows_a_helper_that_moved(project):
    project.edit("    import math\n", "    import math\n    import re  # mine\n")
    project.change_template("import math\n", "import cmath as math\n")
    project.write()
    assert "import re  # mine" in project.text
    assert "    import cmath as math\n" in project.text
    assert "    import math\n" not in project.text


def test_a_new_cell_is_added_behind_the_one_that_it_follows(project):
    project.edit("@app.cell\ndef total", f"{OWN}@app.cell\ndef total")
    project.names = ("setup", "state", "extra")
    assert project.write().added == ("extra",)
    assert re.findall(r"^def (\w+)", project.text, re.MULTILINE)[-3:] == ["_", "total", "extra"]


def test_a_cell_that_is_no_longer_generated_goes_unless_it_was_edited(project):
    project.names = ("setup", "state", "extra")
    project.write()
    project.names = ("setup", "state")
    assert project.write().removed == ("extra",)
    assert "Extra" not in project.text
    project.names = ("setup", "state", "extra")
    project.write()
    project.edit("Extra", "Mine")
    project.names = ("setup", "state")
    assert project.write().kept == ("extra",)
    assert "Mine" in project.text
    assert "extra =" not in project.text


def test_a_users_cell_with_the_name_of_a_new_one_is_a_conflict(project):
    project.edit("@app.cell\ndef total", OWN.replace("def _", "def extra") + "@app.cell\ndef total")
    project.names = ("setup", "state", "extra")
    (conflict,) = project.write().conflicts
    assert conflict.cell == "extra"
    assert "longest" in project.text


def test_hidden_code_and_the_apps_settings_stay_as_the_user_set_them(project):
    project.edit("@app.cell\ndef total", "@app.cell(hide_code=True)\ndef total")
    project.edit('App(width="medium")', 'App(width="full")')
    project.change_template('label="Total"', 'label="Sum"')
    assert project.write().replaced == ("total",)
    assert "@app.cell(hide_code=True)\ndef total" in project.text
    assert 'App(width="full")' in project.text


def test_a_clash_with_a_users_name_writes_nothing(project):
    project.edit("@app.cell\ndef total", "@app.cell\ndef _():\n    mean = 1\n    return\n\n\n@app.cell\ndef total")
    project.change_template("    mo.stat(sum(rows)", "    mean = sum(rows)\n    mo.stat(mean")
    project.change_template('label="Total")\n', 'label="Total")\n    return (mean,)\n')
    before = project.text
    with pytest.raises(NotebookError, match="'mean' is defined by a cell without a name and by cell 'total'"):
        project.write()
    assert project.text == before


def test_what_the_user_broke_does_not_stop_a_merge(project):
    project.edit("@app.cell\ndef total", "@app.cell\ndef _():\n    print(absent)\n    return\n\n\n@app.cell\ndef total")
    project.change_template('label="Total"', 'label="Sum"')
    assert project.write().replaced == ("total",)
    assert "print(absent)" in project.text


def test_a_changed_config_replaces_only_its_cell(project):
    spec = project.spec()
    before = project.without_header()
    result = write_notebook(
        project.path, dataclasses.replace(spec, config=spec.config.model_copy(update={"description": "b"}))
    )
    assert result.replaced == ("config",)
    assert project.without_header() == before.replace("What a generated notebook looks like", "b")


def test_an_unknown_cell_to_take_is_an_error_that_lists_them(project):
    with pytest.raises(NotebookError, match=r"--theirs 'tottal'.*Cells: setup, title, config, jobs, numbers, total"):
        project.write(theirs=("tottal",))


def test_after_a_launch_only_references_are_added(project):
    project.change_template('label="Total"', 'label="Sum"')
    project.edit("# Counted from 1.", "# Mine.")
    more = REFS[0].model_copy(update={"run": "ann.sample.base.s2.cccccccc"})
    result = write_after_launch(project.path, project.spec(jobs=[*REFS, more]))
    assert result.changed
    assert read_jobs(project.path) == [*REFS, more]
    assert "Total" in project.text
    assert "# Mine." in project.text


def test_a_merge_that_would_fail_is_found_before_a_launch(project):
    check_target(project.path, project.spec())
    project.edit("jobs = [", "jobs = list() + [")
    with pytest.raises(NotebookError, match=r"cell 'jobs' is not a plain list.*--theirs jobs"):
        check_target(project.path, project.spec())
    check_target(project.path, project.spec(), theirs=("jobs",))


def test_references_that_cannot_be_added_are_a_conflict(project):
    project.edit("jobs = [", "jobs = list() + [")
    (conflict,) = project.write().conflicts
    assert conflict.cell == "jobs"
    assert project.write(theirs=("jobs",)).exit_code == 0
    assert read_jobs(project.path) == REFS
