"""Specs over the sample sections. `python -m tests.notebooks.specs` writes the golden notebook again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from experiments.notebooks.generation import NotebookSpec, generate
from experiments.notebooks.sections import Section
from experiments.types import BaseExperimentConfig, JobRef

ROOT = Path(__file__).parents[2]
SAMPLES = "tests/notebooks/samples/sample_sections.py"
NAMES = ("setup", "state", "analysis", "scratch")
GOLDEN = ROOT / "tests" / "notebooks" / "samples" / "golden_nb.py"
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


def spec_in(root, **options):
    """Return the sample spec for a project at `root`, which gets its own copy of the sections."""
    (root / "pyproject.toml").write_text("[tool.experiments]\n")
    (root / "sections.py").write_text((ROOT / SAMPLES).read_text())
    return dataclasses.replace(sample_spec(module="sections.py", **options), root=root)


if __name__ == "__main__":
    GOLDEN.write_text(generate(sample_spec(jobs=REFS)), encoding="utf-8")
