"""A project whose recipe can be searched over, with a trainer that takes a moment and whose best settings are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from experiments.jobs.ledger import Ledger
from experiments.jobs.sweeps.search import Course, courses
from experiments.project.workspace import Workspace
from tests.fakes.project import Project
from tests.fakes.waiting import wait_until

RECIPE = '''
from typing import Annotated, Literal

from experiments.experiment import Experiment
from experiments.jobs.journal import Rule
from experiments.types import BaseExperimentConfig, Control, Field, Metrics, Trainer


class StudyConfig(BaseExperimentConfig):
    """A study."""

    learning_rate: Annotated[float, Control("log_slider")] = Field(0.0001, ge=1e-5, le=1.0, description="Step size.")
    batch: int = Field(256, ge=1, description="Batch.")
    fails_above: float = Field(1000.0, description="Fails above this rate.")
    kind: Literal["a", "b"] = Field("a", description="Told to nobody.")


class Study(Experiment):
    trainer = Trainer(
        name="swept",
        command=("{{python}}", "-m", "tests.fakes.swept_trainer", "--seed", "{{seed}}"),
        style="--key value",
        dashes=True,
        uses_gpus=False,
        metrics=Metrics(step="step", primary="score", direction="higher"),
    )
    {rule}
    config: StudyConfig

    def launch_training_runs(self):
        return [self.launch_training_run_from_config(arm, self.job(kind=None)) for arm in {arms}]


if __name__ == "__main__":
    Study.main(StudyConfig, name="study")
'''
RULE = 'rule = Rule(metric="score", direction="higher", effect=0.5)'
SEARCH = ("--search", "learning_rate=log:1e-5..1e-1", "batch=256,512")


class Swept(Project):
    """A project with that recipe; the first trial's words are `SEARCH`."""

    def __init__(
        self, folder: Path, *, rule: str = RULE, arms: tuple[str, ...] = ("base",), **settings: object
    ) -> None:
        super().__init__(folder, **{"max_parallel": 2, **settings})
        self.recipe.write_text(RECIPE.format(rule=rule, arms=repr(arms)))

    @property
    def workspace(self) -> Workspace:
        return Workspace.find(self.root)

    def spec(self, run_name: str) -> dict[str, Any]:
        """Return what the launcher was told of a job."""
        with Ledger.open(self.state, read_only=True) as ledger:
            return ledger.spec(run_name) or {}

    def courses(self) -> list[Course]:
        with Ledger.open(self.state, read_only=True) as ledger:
            return courses(ledger)

    def hold(self) -> None:
        """Let no job end before `release`, but where it is ended."""
        self.state.mkdir(exist_ok=True)
        (self.state / "hold").touch()

    def release(self) -> None:
        (self.state / "hold").unlink()

    def wait_until_done(self, timeout_s: float = 120.0) -> list[Course]:
        """Wait until every search is done, by what the ends of jobs carry on alone."""
        wait_until(lambda: (found := self.courses()) and not any(c.is_open for c in found), timeout_s=timeout_s)
        return self.courses()
