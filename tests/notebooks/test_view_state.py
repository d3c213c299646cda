"""How a page was left: kept by experiment, read back, and no reason for a page not to open."""

from __future__ import annotations

import pytest

from experiments.notebooks.view_state import FOLDER, keep_view, read_view
from experiments.project.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n", encoding="utf-8")
    return Workspace.find(tmp_path)


def test_a_page_is_as_it_was_left_and_each_experiment_has_its_own(workspace):
    assert read_view(workspace, "arena") == {}
    keep_view(workspace, "arena", {"hidden": {"runs": [], "arms": ["a<b>"]}})
    assert read_view(workspace, "arena") == {"hidden": {"runs": [], "arms": ["a<b>"]}}
    assert read_view(workspace, "maze") == {}


@pytest.mark.parametrize("text", ["", "[]", "{", "\0"])
def test_a_file_that_nobody_can_read_is_a_page_as_it_is_at_first(workspace, text):
    keep_view(workspace, "arena", {})
    (workspace.state / FOLDER / "arena.json").write_text(text, encoding="utf-8")
    assert read_view(workspace, "arena") == {}


def test_a_page_lives_where_nothing_can_be_kept(workspace):
    (workspace.state / FOLDER).write_text("no folder", encoding="utf-8")
    keep_view(workspace, "arena", {"hidden": {}})
    assert read_view(workspace, "arena") == {}
