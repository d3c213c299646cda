"""The order of imports of DESIGN section 3: a lower layer never imports a higher one."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = [
    {"clock", "errors", "look", "types", "settings", "journal"},
    {
        *("redaction", "processes", "provenance", "planning", "arms", "leases", "ledger_schema", "ledger_reading"),
        *("ledger", "ledger_rebuild", "permits", "launchers", "workspace", "handover", "launch", "preparation"),
        *("trainer", "runs", "wandb_utils", "verdicts", "snapshots", "polling", "watching", "monitoring"),
        *(
            "statistics",
            "lookup",
            "alerting",
            "alerts",
            "direct",
            "notes",
            "sky_preview",
            "journal_record",
            "scoring",
            "judging",
            "latex",
            "run_rows",
            "run_diff",
            "triage",
            "run_root",
            "costs",
            "job_events",
            "job_logs",
            "doctor",
            "doctor_checks",
        ),
    },
    {"forms", "notebooks"},
    {"notebooks.generation", "notebooks.export"},
    {
        *(
            "experiment",
            "commandline",
            "session",
            "preview",
            "follow",
            "terminal",
            "editor",
            "cli",
            "commands",
            "recipes",
            "templates",
        ),
    },
]
HEAVY = {"wandb", "sky", "marimo", "altair", "pandas", "numpy", "pyarrow", "scipy", "mettagrid"}


def modules():
    for package in ("experiments", "widgets"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if not {"scratch", "log"} & set(parts):
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imported(path, *, inside_functions=True):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if inside_functions else tree.body
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer(name):
    """Return the layer of a module of `experiments`, the most specific entry first; None where it is not ours."""
    rest = name.removeprefix("experiments.")
    if name in {"experiments", rest}:
        return None
    parts = rest.split(".")
    for length in range(len(parts), 0, -1):
        for number, names in enumerate(LAYERS):
            if ".".join(parts[:length]) in names:
                return number
    return None


def test_no_module_imports_a_higher_layer():
    wrong = [
        f"{name} imports {other}"
        for name, path in modules()
        for other in imported(path)
        if layer(name) is not None and layer(other) is not None and layer(name) < layer(other)
    ]
    assert wrong == []


def test_every_module_has_a_layer():
    names = [name for name, _ in modules() if name.startswith("experiments.")]
    assert [name for name in names if layer(name) is None and name != "experiments.__main__"] == []


def test_widgets_import_nothing_of_experiments():
    wrong = [f"{n}: {o}" for n, p in modules() if n.startswith("widgets") for o in imported(p) if "experiments" in o]
    assert wrong == []


def test_only_the_bridge_imports_sky():
    wrong = [n for n, p in modules() if "sky" in {o.split(".")[0] for o in imported(p)}]
    assert set(wrong) <= {"experiments.launchers.sky_bridge"}


@pytest.mark.parametrize(
    "module", ["experiments", "experiments.experiment", "experiments.cli", "experiments.recipes.arena_experiment"]
)
def test_starting_a_command_loads_nothing_heavy(module):
    code = f"import sys, {module}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []
