"""What is uploaded of a run whose later start logged rows again."""

from __future__ import annotations

from experiments.runs.offline.store import OfflineStore
from experiments.runs.transfer.trimming import uploadable
from experiments.runs.wandb_file.log import RunLog
from tests.fakes import wandb_files as fake


def started(folder, number, first, count, *, wide=10):
    began = 1.7e9 + number * 1000
    writer = fake.offline_run(folder, "r", stamp=f"2026010{number}_120000", began=began)
    writer.write(fake.run("r", {"lr": number}, started_at=began))
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
        assert (log.poll(), log.damage, log.exit_code, log.facts.config) == (3, "", 1, {"lr": 1})
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


def writers(folder, *keys):
    """Write two files of one run, written at the same time, with a file of media each."""
    for number, key in enumerate(keys):
        writer = fake.offline_run(folder, "r", stamp=f"20260101_12000{number}", began=1.7e9 + number)
        writer.write(fake.run("r", {f"from{number}": number}, started_at=1.7e9 + number))
        writer.log(*({key: float(step)} for step in range(4))).write(fake.exit_record(number, runtime=9))
        media = writer.path.parent / "files" / "media" / "html"
        media.mkdir(parents=True)
        (media / f"{number}.html").write_text(str(number))
        (media / "same.html").write_text(str(number))
    log = OfflineStore(folder).log("r")
    return log, uploadable(log.pieces, log.directories)


def test_writers_at_once_are_uploaded_as_one_file_with_what_each_has(tmp_path):
    log, uploaded = writers(tmp_path, "rank0/loss", "rank1/loss")
    with uploaded as instead:
        assert list(instead) == log.directories
        [copy] = set(instead.values())
        one = RunLog(copy / "run-r.wandb")
        assert (one.poll(), one.damage, one.exit_code, one.facts.config) == (4, "", 1, {"from0": 0, "from1": 1})
        frame = one.history(["rank0/loss", "rank1/loss"])
        assert frame["_step"].tolist() == frame["rank0/loss"].tolist() == frame["rank1/loss"].tolist() == [0, 1, 2, 3]
        assert {key for key in one.facts.summary if "loss" in key} == {"rank0/loss", "rank1/loss"}
        media = copy / "files" / "media" / "html"
        assert sorted((path.name, path.read_text()) for path in media.iterdir()) == [
            ("0.html", "0"),
            ("1.html", "1"),
            ("same.html", "0"),
        ]


def test_what_two_writers_logged_alike_is_one_row(tmp_path):
    _, uploaded = writers(tmp_path, "loss", "loss")
    with uploaded as instead:
        one = RunLog(next(iter(instead.values())) / "run-r.wandb")
        assert one.poll() == 4


def test_a_writer_that_was_uploaded_before_is_not_sent_again_with_the_other(tmp_path):
    log, _ = writers(tmp_path, "rank0/loss", "rank1/loss")
    with uploadable(log.pieces, log.directories[1:]) as instead:
        assert instead == {}
