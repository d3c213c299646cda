import numpy as np
import pytest

from experiments.trainer import checkpoint as checkpoints
from experiments.trainer.checkpoint import Checkpoint, DamagedCheckpoint
from experiments.trainer.progress import late_points


def made(step):
    return Checkpoint(
        {"policy/weight": np.full((3, 2), step, np.float32)}, {"agent_step": step, "rng": {"state": 2**100}}
    )


@pytest.fixture
def folder(tmp_path):
    for step in (5, 40, 300):
        checkpoints.save(tmp_path, made(step), keep=3)
    return tmp_path


def test_a_checkpoint_comes_back_as_it_was(folder):
    loaded = checkpoints.newest(folder, pytest.fail)
    assert loaded.agent_step == 300
    assert loaded.state["rng"] == {"state": 2**100}
    np.testing.assert_array_equal(loaded.group("policy")["weight"], np.full((3, 2), 300, np.float32))


def test_only_the_newest_are_kept_by_step_and_nothing_else_is_left(folder):
    checkpoints.save(folder, made(1000), keep=2)
    assert sorted(path.name for path in folder.iterdir()) == ["step_1000.npz", "step_300.npz"]


def test_the_first_at_or_after_each_point_is_kept_beside_the_newest(tmp_path):
    points = late_points(1000, 4, 0.4)
    assert points == [700, 800, 900, 1000]
    for step in (690, 705, 790, 805, 850, 910, 990, 1002):
        checkpoints.save(tmp_path, made(step), keep=2, points=points)
    assert [checkpoints.step_of(path) for path in checkpoints.saved(tmp_path)] == [705, 805, 910, 990, 1002]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:200] + b"\0\1\2\3" * 8 + data[232:],
        lambda _: b"",
        lambda _: b"no checkpoint",
    ],
    ids=["cut", "altered", "empty", "other"],
)
def test_a_damaged_file_is_stepped_over_with_a_warning(folder, damage):
    newest = folder / "step_300.npz"
    newest.write_bytes(damage(newest.read_bytes()))
    with pytest.raises(DamagedCheckpoint, match=r"step_300\.npz"):
        checkpoints.load(newest)
    warnings = []
    assert checkpoints.newest(folder, warnings.append).agent_step == 40
    assert len(warnings) == 1
    assert "step_300.npz" in warnings[0]


def test_a_pickled_array_is_not_loaded(tmp_path):
    np.savez(tmp_path / "step_1.npz", state=np.array([{"format": 1}], dtype=object))
    with pytest.raises(DamagedCheckpoint):
        checkpoints.load(tmp_path / "step_1.npz")


def test_other_files_are_not_checkpoints(tmp_path):
    for name in ("step_x.npz", ".step_7.npz.12.tmp", "step_7.json"):
        (tmp_path / name).write_bytes(b"")
    assert checkpoints.newest(tmp_path, pytest.fail) is None
