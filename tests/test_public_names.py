from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import experiments

LAUNCHING = ("launch_training", "launch_multiple_training_runs")
WATCHING = ("monitor_training_statuses", "find_training_jobs")
READING = ("fetch_metrics", "plot_sps", "create_run_summary_table")
PLAYING = ("show_replay", "get_available_replays")
# Where somebody looks who knows the tree of the project's first README: what each module was for.
PLACES = {
    "experiments": (*LAUNCHING, *WATCHING, *READING, *PLAYING, "metrics_frame"),
    "experiments.launch": LAUNCHING,
    "experiments.wandb_utils": ("fetch_metrics", "find_training_jobs"),
    "experiments.monitoring": ("monitor_training_statuses",),
    "experiments.notebooks.training": LAUNCHING,
    "experiments.notebooks.monitoring": WATCHING,
    "experiments.notebooks.analysis": READING,
    "experiments.notebooks.replays": PLAYING,
}


def test_public_names_are_sorted_and_all_of_them_load():
    assert experiments.__all__ == sorted(experiments.__all__)
    for name in experiments.__all__:
        assert getattr(experiments, name) is not None
    assert sorted(experiments._HOME) == experiments.__all__


@pytest.mark.parametrize("place", PLACES)
def test_each_function_is_the_same_wherever_it_is_looked_for(place):
    for name in PLACES[place]:
        assert getattr(import_module(place), name) is getattr(experiments, name)


def test_a_name_that_is_none_is_an_attribute_error():
    for place in ("experiments", "experiments.launch"):
        with pytest.raises(AttributeError, match="launch_trainings"):
            _ = import_module(place).launch_trainings


@pytest.mark.parametrize("place", ["experiments", "experiments.launch", "experiments.wandb_utils"])
def test_the_functions_are_found_without_loading_what_only_a_call_needs(place):
    names = ", ".join(name for name in PLACES[place] if name not in ("plot_sps", "create_run_summary_table", *PLAYING))
    heavy = "{'wandb', 'marimo', 'pandas', 'numpy', 'altair', 'scipy', 'mettagrid'}"
    code = f"from {place} import {names}; import sys; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
