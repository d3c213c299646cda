"""The spec of a sample notebook. `python -m tests.notebooks.specs` writes the golden notebook again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from experiments.notebooks.generation import generate
from experiments.notebooks.template import SECTIONS, NotebookSpec
from experiments.types import BaseExperimentConfig, JobRef

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "notebooks" / "samples" / "golden_nb.py"
VERSION_0_1 = ROOT / "tests" / "fakes" / "version_0_1_nb.py"
REFS = [
    JobRef(run="ann.sample.base.s0.aaaaaaaa", arm="base", id="4711"),
    JobRef(run="ann.sample.base.s1.bbbbbbbb", arm="base", seed=1, launcher="skypilot", id="3", tracker="team/project"),
]


def sample_spec(config=None, jobs=(), sections=tuple(SECTIONS), **options):
    return NotebookSpec(
        name="sample",
        config=config or BaseExperimentConfig(description="What a generated notebook looks like"),
        sections=sections,
        jobs=jobs,
        **{"root": ROOT, **options},
    )


def spec_in(root, **options):
    """Return the sample spec for a project at `root`."""
    (root / "pyproject.toml").write_text("[tool.experiments]\n")
    return dataclasses.replace(sample_spec(**options), root=root)


def own_section(root, text, name):
    """Return a recipe's own section, from a file that lies in no package."""
    from experiments.notebooks.loading import load_recipe

    (root / "pyproject.toml").write_text("[tool.experiments]\n")
    (root / "my_recipe.py").write_text(text)
    return getattr(load_recipe("my_recipe.py", str(root / "any_nb.py")), name)


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(generate(sample_spec(jobs=REFS)), encoding="utf-8")
