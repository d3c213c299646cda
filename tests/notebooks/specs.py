"""Specs over the sample sections."""

from __future__ import annotations

from pathlib import Path

from experiments.notebooks.generation import NotebookSpec
from experiments.notebooks.sections import Section
from experiments.types import BaseExperimentConfig, JobRef

ROOT = Path(__file__).parents[2]
SAMPLES = "tests/notebooks/samples/sample_sections.py"
NAMES = ("setup", "state", "analysis", "scratch")
REFS = [
    JobRef(run="ann.sample.base.s0.aaaaaaaa", arm="base", id="4711"),
    JobRef(run="ann.sample.base.s1.bbbbbbbb", arm="base", seed=1, launcher="skypilot", id="3", tracker="team/project"),
]


def sample_spec(config=None, jobs=(), names=NAMES, module=SAMPLES):
    return NotebookSpec(
        name="sample",
        config=config or BaseExperimentConfig(description="What a generated notebook looks like"),
        sections=[Section(name, module) for name in names],
        recipe="recipes/sample.py",
        remake="uv run recipes/sample.py sample --no-launch",
        jobs=jobs,
        root=ROOT,
    )
