"""What the state folder could do without."""

from __future__ import annotations

import pytest

from experiments.cli.upkeep import disposable
from tests.fakes import wandb_files as fake
from tests.fakes.cases import case_copy


@pytest.mark.parametrize("folder", ["wandb", ".wandb"])
def test_only_the_files_of_runs_that_were_uploaded_whole_can_go(tmp_path, folder):
    fake.offline_run(tmp_path / "runs", "kept").write(fake.run("kept"))
    run = case_copy("data/sync-dir-suffix", tmp_path / "runs" / "sfx")
    (run / "wandb").rename(run / folder)
    [directory] = (run / folder).iterdir()
    assert disposable(tmp_path) == []
    (directory / "run-sfx.wandb.synced").touch()
    assert disposable(tmp_path) == [(directory, "uploaded to W&B")]
