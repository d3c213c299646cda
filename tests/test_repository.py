"""The promises that the repository makes about itself."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from experiments.cli import commands
from experiments.cli.recipe import parse
from experiments.recipes.arena_experiment import ArenaExperimentConfig

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def tracked_files():
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def test_the_two_commands_stand_in_the_first_20_lines_of_the_readme():
    head = README.splitlines()[:20]
    assert "    pip install uv && uv run experiments/recipes/arena_experiment.py" in head
    assert "    pip install uv && uv run pytest" in head


def test_the_readme_has_at_most_150_lines_and_its_links_lead_somewhere():
    assert len(README.splitlines()) <= 150
    links = re.findall(r"\]\((?!https?://)([^)#]+)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_no_registry_address_and_no_lock_file_is_committed():
    # The words are taken apart so that this file does not hold what it looks for.
    hosts = re.compile("|".join(["py" + r"pi\.org", "python" + r"hosted\.", "registry\\." + "npm"]))
    for path in tracked_files():
        assert path.name not in {"uv.lock", "package-lock.json"}
        if path.suffix in {".py", ".md", ".toml", ".txt", ".json", ".js", ".css", ""}:
            assert not hosts.search(path.read_text(encoding="utf-8", errors="ignore")), path


def test_no_value_is_changed_or_made_without_being_checked():
    """`replaced` checks; `model_copy(update=...)` and `model_construct` do not, so a bad value could be recorded."""
    found = []
    for path in [*(ROOT / "experiments").rglob("*.py"), *(ROOT / "apps").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.attr if isinstance(node, ast.Attribute) else None
            is_update = isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"model_copy", "copy"}
            if name in {"model_construct", "construct"} or (
                is_update and any(k.arg == "update" for k in node.keywords)
            ):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def test_every_command_of_the_readme_exists():
    table = README.split("## Commands")[1].split("\n## ")[0]
    rows = re.findall(r"(?m)^\| (`.*?) \|", table)
    listed = [word for row in rows for word in re.findall(r"`(\w+)", row)]
    assert sorted(listed) == sorted(commands())
    assert set(re.findall(r"`(?:uv run )?experiments (\w+)", README)) <= set(commands())


def test_every_flag_of_the_readme_exists(capsys):
    with pytest.raises(SystemExit):
        parse(ArenaExperimentConfig, ["--help"], prog="recipe.py")
    known = capsys.readouterr().out
    quick_start = README.split("## Quick start")[1].split("\n## ")[0]
    flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", quick_start))
    assert [flag for flag in flags if flag not in known and flag != "--help"] == []
