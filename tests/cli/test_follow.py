from __future__ import annotations

import io

from rich.console import Console

from experiments.cli.follow import follow, plain_line, progress_table
from experiments.types import JobStatus


def status(verdict="running", **values):
    return JobStatus(run_name="ada.exp.base.s0.abcdefgh", verdict=verdict, **values)


def text_of(table, width=140):
    out = Console(file=io.StringIO(), width=width)
    out.print(table)
    return out.file.getvalue()


def test_following_ends_when_every_job_has_ended_and_tells_success():
    polls = iter([[status("pending")], [status("succeeded")]])
    out = Console(file=io.StringIO())
    assert follow(lambda: next(polls), out) is True
    assert "succeeded" in out.file.getvalue()


def test_following_a_failed_job_tells_failure_and_its_reason():
    out = Console(file=io.StringIO(), width=200)
    assert follow(lambda: [status("failed", reason="exit code 1")], out) is False
    assert "exit code 1" in out.file.getvalue()


def test_a_row_shows_steps_speed_reward_and_time_left():
    running = status(step=50_000, total_steps=100_000, sps=1000.0, reward=3.25, started_at=0.0, as_of=50.0)
    shown = text_of(progress_table([running]))
    assert all(part in shown for part in ("● running", "50k of 100k", "1k", "3.25", "50 s"))


def test_a_long_run_name_keeps_its_end_visible():
    name = "ada." + "x" * 40 + ".a-long-arm.s3.abcdefgh"
    assert "a-long-arm.s3.abcdefgh" in text_of(progress_table([JobStatus(run_name=name, verdict="running")]))


def test_what_nobody_knows_of_a_job_is_left_out_of_its_line():
    assert plain_line(status("running", total_steps=None, step=10)) == "ada.exp.base.s0.abcdefgh  running  10 steps"
    assert plain_line(status("pending", total_steps=100)) == "ada.exp.base.s0.abcdefgh  pending"
