"""What the records of a bundle say is believed no more than its names: nothing in it leads out of its own files."""

from __future__ import annotations

import json

import pytest

from experiments.project.errors import UsageError
from experiments.project.snapshots import Snapshot
from experiments.results.bundle.archive import Content, DamagedBundle, write_archive
from experiments.results.bundle.opening import Bundle
from experiments.results.bundle.records import bundled_name, original_name
from experiments.types import TrainingJob, TrainingJobConfig

ID, RUN = "a" * 40, "ada.study.a.s0.abcdefgh"


def contents():
    """Return a whole small bundle as JSON values by name; its only run has one file of code."""
    snapshot = Snapshot(id=ID, commit="b" * 40).model_dump(mode="json")
    job = TrainingJob(
        run_name=RUN,
        experiment="study",
        arm="a",
        seed=0,
        config=TrainingJobConfig(curriculum="arena/basic"),
        launcher="local",
    )
    record = {"job": job.model_dump(mode="json"), "own": {"snapshot": snapshot}, "roots": ["src"]}
    bundle = {
        "experiment": "study",
        "plans": [],
        "runs": [RUN],
        "snapshots": {ID: {"snapshot": snapshot, "modes": {"a.py": "100644"}}},
        "checkpoints": "last",
    }
    return {"bundle.json": bundle, f"runs/{RUN}/record.json": record, f"code/{ID}/a.py": "x"}


def opened(tmp_path, values):
    path = tmp_path / "b.tar.gz"
    write_archive(path, "study", {name: Content(json.dumps(value).encode()) for name, value in values.items()})
    return Bundle.opened(path)


def test_a_whole_bundle_opens_and_says_what_it_would_run(tmp_path):
    bundle = opened(tmp_path, contents())
    assert "1 run, checkpoints: last" in bundle.lines()
    assert bundle.chosen(None) == bundle.chosen("a") == [RUN]
    with pytest.raises(UsageError, match="neither a run nor an arm"):
        bundle.chosen("b")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda bundle, run: bundle["snapshots"].clear(), f"snapshot {ID[:12]}, is not in the bundle"),
        (lambda bundle, run: run.update(own=None), "no snapshot of its code was taken"),
        (lambda bundle, run: run.update(code={"environment": "0123"}), "set 0123, is not in the bundle"),
        (lambda bundle, run: run.update(began={"run": "first", "step": 5}), "the checkpoint of first"),
        (lambda bundle, run: run.update(began={"run": "first", "file": "step_5.npz"}), "the checkpoint of first"),
    ],
)
def test_a_run_whose_code_packages_or_beginning_are_not_in_it_cannot_be_run_again(tmp_path, spoil, said):
    values = contents()
    assert opened(tmp_path, values).lacking() == {}
    spoil(values["bundle.json"], values[f"runs/{RUN}/record.json"])
    assert said in opened(tmp_path, values).lacking()[RUN]


def test_an_unpacked_folder_that_somebody_edited_is_said_and_never_used(tmp_path):
    bundle = opened(tmp_path, contents())
    folder = bundle.unpacked(tmp_path / "state")
    assert bundle.unpacked(tmp_path / "state") == folder
    (folder / "code" / ID / "a.py").write_text("evil")
    with pytest.raises(DamagedBundle, match=f"'code/{ID}/a.py' in .* is not what the bundle holds"):
        bundle.unpacked(tmp_path / "state")


@pytest.mark.parametrize("place", ["../..", "/etc", "src/../../x"])
def test_a_folder_outside_of_the_snapshot_is_refused(tmp_path, place):
    values = contents()
    values[f"runs/{RUN}/record.json"]["roots"] = [place]
    with pytest.raises(DamagedBundle, match="names the folder"):
        opened(tmp_path, values)
    values = contents()
    values[f"runs/{RUN}/record.json"]["own"]["snapshot"]["prefix"] = place
    with pytest.raises(DamagedBundle, match="names the folder"):
        opened(tmp_path, values)


@pytest.mark.parametrize("name", ["%2E%2E/evil", "../a.py", "%2Fetc/evil", ".git/hooks/x", "missing.py"])
def test_a_file_of_a_snapshot_that_is_not_in_it_or_leads_out_is_refused(tmp_path, name):
    values = contents()
    values["bundle.json"]["snapshots"][ID]["modes"] = {name: "100644"}
    if ".." not in name and name != "missing.py":
        values[f"code/{ID}/{name}"] = "evil"
    with pytest.raises(DamagedBundle, match="names the file"):
        opened(tmp_path, values)


@pytest.mark.parametrize("run", ["../../x", "..", "a/b", ""])
def test_a_run_whose_name_is_no_file_name_is_refused(tmp_path, run):
    values = contents()
    values["bundle.json"]["runs"] = [run]
    with pytest.raises(DamagedBundle, match="cannot be read"):
        opened(tmp_path, values)
    values = contents()
    values[f"runs/{RUN}/record.json"]["began"] = {"run": run, "file": "step_1.npz"}
    with pytest.raises(DamagedBundle, match="cannot be read"):
        opened(tmp_path, values)


def test_the_record_of_another_run_and_a_missing_one_are_refused(tmp_path):
    values = contents()
    values[f"runs/{RUN}/record.json"]["job"]["run_name"] = "other"
    with pytest.raises(DamagedBundle, match="is that of another"):
        opened(tmp_path, values)
    values = contents()
    del values[f"runs/{RUN}/record.json"]
    with pytest.raises(DamagedBundle, match="is missing"):
        opened(tmp_path, values)


@pytest.mark.parametrize("name", [b"a.py", b"caf\xe9", b"50%", b"a\nb", b"a\\b", "café".encode(), b" x "])
def test_any_name_of_a_file_comes_back_and_every_system_can_write_it(name):
    kept = bundled_name(name)
    assert original_name(kept) == name
    assert kept.isascii()
    assert "\\" not in kept
    assert "\n" not in kept
