"""A project as an agent meets it: a recipe with two arms of a known trainer, and a permit that a person granted."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.fakes.swept import Swept

WRITTEN = (
    'rule = Rule(metric="score", direction="higher", effect=0.5, arm="fast", baseline="base", floor=0.0, '
    "ceiling=20.0)\n"
    '    hypothesis = "A rate nearer to 0.003 scores higher."'
)
PLAIN = "[self.launch_training_run_from_config(arm, self.job(kind=None)) for arm in ('base', 'fast')]"
TRAIN = """
import random

from tests.fakes import swept_trainer

known = swept_trainer.score_of
swept_trainer.score_of = lambda rate, *more: known(rate, *more) + random.Random(f"{rate} {more}").gauss(0, 0.1)
swept_trainer.main()
"""
RATES = (
    "[self.launch_training_run_from_config(arm, self.job(kind=None, learning_rate=rate)) "
    "for arm, rate in (('base', 0.0001), ('fast', 0.001))]"
)


class Skilled(Swept):
    """A project whose arms differ by more than their rule asks for."""

    def __init__(self, folder: Path, **settings: object) -> None:
        super().__init__(folder, rule=WRITTEN, arms=("base", "fast"), **settings)
        written = self.recipe.read_text()
        assert PLAIN in written
        self.recipe.write_text(written.replace(PLAIN, RATES).replace('"-m", "tests.fakes.swept_trainer"', '"train.py"'))
        (folder / "train.py").write_text(TRAIN)

    def typed(self, words: list[str], answer: str = "yes") -> tuple[int, str]:
        """Have a person type a command and answer its question; return its exit code and what the terminal showed."""
        leader, follower = pty.openpty()
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "experiments.cli", *words],
            cwd=self.root, env=environment(), stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
        )  # fmt: skip
        os.close(follower)
        os.write(leader, f"{answer}\n".encode())
        shown = b""
        try:
            while piece := os.read(leader, 4096):
                shown += piece
        except OSError:  # the other end is closed
            pass
        os.close(leader)
        return child.wait(60), shown.decode()

    def permit(self, file: str = "../night.permit", *more: str) -> Path:
        """Have a person grant a permit for the recipe; return the file of its token."""
        words = ["permit", "--name", "night", "--jobs", "20", "--recipes", "study.py", "--save", file, *more]
        code, shown = self.typed(words)
        assert code == 0, shown
        return (self.root / file).resolve()


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a program that works in such a project."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EXPERIMENTS_PERMIT")}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[2]), **more}
