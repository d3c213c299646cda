"""What is uploaded of a run whose later start logged rows again."""

from __future__ import annotations

from experiments.runs.offline import OfflineStore
from experiments.runs.trimming import uploadable
from experiments.runs.wandb_log import RunLog
from tests.fakes import wandb_files as fake


def started(folder, number, first, count, *, wide=10):
    writer = fake.offline_run(folder, "r", stamp=f"2026010{number}_120000")
    writer.write(fake.run("r", {"lr": number}, started_at=1.7e9 + number))
    writer.step = first
    writer.log(*({"loss": float(number), "text": "x" * wide} for _ in range(count)))
    return writer


def test_only_rows_that_count_are_uploaded_and_everything_else_as_it_was(tmp_path):
    first = started(tmp_path, 1, 1, 6, wide=40_000)  # records longer than a block of the file
    first.write(fake.console("printed after the last row that counts\n"), fake.exit_record(1))
    (first.path.parent / "files").mkdir()
    (first.path.parent / "files" / "media.html").write_text("m")
    second = started(tmp_path, 2, 4, 3)
    with uploadable(OfflineStore(tmp_path).log("r").pieces) as instead:
        assert list(instead) == [first.path.parent]
        [copy] = instead.values()
        log = RunLog(copy / first.path.name)
        assert (log.poll(), log.damage, log.exit_code, log.config) == (3, "", 1, {"lr": 1})
        assert log.history(["loss"])["_step"].tolist() == [1, 2, 3]
        assert [line.text for line in log.console()] == ["printed after the last row that counts"]
        assert (copy / "files" / "media.html").read_text() == "m"
    assert not copy.exists()
    assert second.path.exists()
    assert (first.path.parent / "files" / "media.html").exists()


def test_a_run_without_such_rows_is_uploaded_as_it_is(tmp_path):
    started(tmp_path, 1, 1, 3)
    started(tmp_path, 2, 4, 3)
    with uploadable(OfflineStore(tmp_path).log("r").pieces) as instead:
        assert instead == {}
