"""Where W&B keeps the files of a run."""

from __future__ import annotations

from experiments.runs.offline.places import run_id_of, wandb_files, wandb_folders


def test_all_starts_are_found_by_time_in_both_of_wandbs_folders_and_named_by_their_files(tmp_path):
    names = [
        "wandb/run-20260102_120000-r",
        ".wandb/offline-run-20260101_120000-r-1",
        "wandb/offline-run-20260103_1-r-sfx",
    ]
    for name in names:
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "run-r.wandb").touch()
    (tmp_path / "wandb" / "latest-run").symlink_to(tmp_path / names[0])
    (tmp_path / "wandb" / "offline-run-20260104_120000-empty").mkdir()
    found = wandb_files(wandb_folders(tmp_path))
    assert [str(path.parent.relative_to(tmp_path)) for path in found] == [names[1], names[0], names[2]]
    assert {run_id_of(path) for path in found} == {"r"}
