"""Files of controls: read back as they were kept, or refused in one sentence with the next command."""

from __future__ import annotations

import json

import pytest

from experiments.jobs.controls.files import names_in, path_of, read_control, write_control
from experiments.project.code_tree import read_code
from experiments.project.errors import UsageError
from experiments.project.snapshots import take
from experiments.project.values import replaced
from tests.fakes.kept import control_file, repository_at


@pytest.fixture
def workspace(tmp_path):
    return repository_at(tmp_path / "project")


@pytest.fixture
def kept(workspace):
    return write_control(workspace, control_file(workspace))[0]


def edited(workspace, change):
    path = path_of(workspace.root, "kept")
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_a_control_is_read_back_as_it_was_kept(workspace, kept):
    assert read_control(workspace.root, "kept") == kept
    assert names_in(workspace.root) == ["kept"]
    assert path_of(workspace.root, "kept").stat().st_mode & 0o444 == 0o444  # git hands it to others


def test_the_same_arm_kept_again_is_the_control_that_is_there(workspace, kept):
    later = control_file(workspace, kept_at="2027-01-01T00:00:00+00:00", chosen_from=3)
    assert write_control(workspace, later) == (kept, False)


def test_other_runs_never_take_a_name_and_another_is_offered(workspace, kept):
    with pytest.raises(UsageError, match="is kept already: arm baseline of old, seeds 0, 1, 2") as refused:
        write_control(workspace, control_file(workspace, seeds=(0, 1)))
    assert "--as kept-2" in str(refused.value)
    assert read_control(workspace.root, "kept") == kept


def test_a_control_that_is_not_there_names_those_that_are(workspace, kept):
    with pytest.raises(
        UsageError, match=r"there is no control 'other'\. Kept are: kept\. Keep one: experiments controls"
    ):
        read_control(workspace.root, "other")


@pytest.mark.parametrize("run", ["../../etc/passwd", "/etc", ".hidden", "a b", "", "x" * 200])
def test_a_file_of_somebody_else_names_no_path_as_a_run(workspace, kept, run):
    edited(workspace, lambda content: content["runs"][0]["ref"].update(run=run))
    with pytest.raises(UsageError, match="is no run name"):
        read_control(workspace.root, "kept")


@pytest.mark.parametrize("field", ["name", "experiment", "arm"])
def test_a_file_of_somebody_else_brings_no_markup(workspace, kept, field):
    edited(workspace, lambda content: content.update({field: "<img src=x>"}))
    with pytest.raises(UsageError, match=r"cannot be read.*git checkout"):
        read_control(workspace.root, "kept")


@pytest.mark.parametrize("name", [("kept",), 7, "../kept", "a/b", "", "Kept", "x" * 41, "-x", "ü"])
def test_a_name_cannot_climb_or_be_no_name(workspace, name):
    with pytest.raises(UsageError, match="is no name of a control"):
        path_of(workspace.root, name)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', "[" * 100_000, "\0"])
def test_a_damaged_file_is_said_with_how_to_restore_it(workspace, kept, text):
    path_of(workspace.root, "kept").write_text(text)
    with pytest.raises(UsageError, match=r"cannot be read.*git checkout -- experiments/controls/kept.json"):
        read_control(workspace.root, "kept")


def test_an_unknown_format_is_refused_as_such(workspace, kept):
    edited(workspace, lambda content: content.update(format=2, invented=True))
    with pytest.raises(UsageError, match="has format 2, and this version of Experiments reads format 1"):
        read_control(workspace.root, "kept")


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["scores"][0]["values"].update({"ada.old.baseline.s0.aaaaaaaa": 9.0}),
        lambda content: content["runs"].pop(),
        lambda content: content.update(chosen_from=2),
        lambda content: content.update(version="0" * 16),
    ],
)
def test_a_file_that_was_changed_by_hand_is_no_control(workspace, kept, change):
    edited(workspace, change)
    with pytest.raises(UsageError, match="is not as it was kept"):
        read_control(workspace.root, "kept")


def test_a_file_under_another_name_is_refused(workspace, kept):
    path_of(workspace.root, "kept").rename(path_of(workspace.root, "other"))
    with pytest.raises(UsageError, match="holds control 'kept'"):
        read_control(workspace.root, "other")


def test_keeping_a_control_changes_no_code_but_a_module_of_that_folder_is_code(workspace):
    """Else every candidate would run other code than its control."""

    def code():
        return read_code(workspace.root)["sha256"], take(workspace.root, workspace.state, workspace.settings).id

    before = code()
    control = control_file(workspace)
    write_control(workspace, control)
    assert code() == before
    (workspace.root / "experiments" / "controls" / "own.py").write_text("x = 1\n")
    assert code()[0] != before[0]
    assert code()[1] != before[1]
    assert replaced(control, version="").digest == control.digest
