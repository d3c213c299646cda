"""Which checkpoints a run has: files as trainers leave them."""

from __future__ import annotations

from experiments.jobs.checkpoints import Saved, saved_by
from experiments.project.trainers.value import Checkpoints, Trainer


def test_checkpoints_in_a_folder_for_each_step_are_found_by_their_step(tmp_path):
    trainer = Trainer(command="train", checkpoints=Checkpoints(pattern="step_{step}/model.pt"))
    paths = [tmp_path / "checkpoints" / f"step_{step}" / "model.pt" for step in (5, 12)]
    for path in paths:
        path.parent.mkdir(parents=True)
        path.touch()
    assert saved_by(trainer, tmp_path, "run") == [Saved(paths[0], 5), Saved(paths[1], 12)]
