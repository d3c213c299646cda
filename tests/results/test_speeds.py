"""A run has one speed: what the monitor, the table of runs and the head of a log say is one number."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from experiments.jobs.watch.verdicts import job_status
from experiments.notebooks.monitoring import job_row
from experiments.project.look import quantity
from experiments.results.rows import run_rows
from experiments.runs.store import SPS_KEYS, RunInfo, latest_sps
from experiments.types import JobRef
from tests.notebooks.export.pages import head, page_of

JOB = JobRef(run="ada.study.a.s0.abcdefgh", arm="a", seed=0, launcher="elsewhere")
SUMMARIES = [
    *({key: 12_345.0} for key in SPS_KEYS),
    {"overview/sps": math.nan, "sps": 12_345.0},
    {"overview/sps": "fast", "train/sps": 12_345},
    {"overview/sps": 12_345.0, "sps": 1.0},
]


@pytest.mark.parametrize("summary", SUMMARIES, ids=str)
def test_monitor_table_and_log_have_one_number(summary):
    info = RunInfo(JOB.run, "running", summary=summary)
    status = job_status(JOB, None, info, as_of=1.0)
    [row] = run_rows([JOB], SimpleNamespace(find=lambda _: [info]), statuses={JOB.run: status})
    logged = job_row(status)
    assert status.sps == row.sps == logged["sps"] == latest_sps(summary) == 12_345
    html = page_of(head=head(jobs=(logged,))).html.decode()
    assert f">{quantity(12_345)}<" in html


@pytest.mark.parametrize("summary", [{}, {"sps": None}, {"overview/sps": math.inf}, {"sps": True}], ids=str)
def test_a_speed_that_nobody_knows_is_none_everywhere(summary):
    info = RunInfo(JOB.run, "running", summary=summary)
    status = job_status(JOB, None, info, as_of=1.0)
    [row] = run_rows([JOB], SimpleNamespace(find=lambda _: [info]), statuses={JOB.run: status})
    assert (status.sps, row.sps, job_row(status)["sps"]) == (None, None, None)
