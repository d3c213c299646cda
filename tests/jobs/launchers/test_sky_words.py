"""What SkyPilot says, in our words; the records, events and logs were recorded from a real one."""

from __future__ import annotations

import pytest

from experiments.jobs.events import interruptions
from experiments.jobs.launchers.sky.words import another_job, endpoint, history, incident, printed, status_of
from experiments.jobs.watch.verdicts import verdict
from experiments.types import TERMINAL_VERDICTS
from tests.fakes.skypilot import PAYLOADS

ROWS = [{"word": row["new_status"], "reason": row["reason"], "at": row["timestamp"]} for row in PAYLOADS["events"]]


def test_a_failed_job_has_its_reason_and_exit_code():
    status = status_of(PAYLOADS["failed"], ())
    assert (status.word, status.exit_code) == ("FAILED", 127)
    assert status.reason.startswith("Job exited with exit code 127 (user program failure).")
    assert verdict(status.word, None, exit_code=127, detail=status.reason)[0] == "failed"


def test_a_job_that_no_machine_can_hold_says_so_in_one_plain_line():
    reason = status_of(PAYLOADS["prechecks"], ()).reason
    assert reason.startswith("Catalog does not contain any instances satisfying the request: 1x Slurm(cpus=1000")
    assert not any(part in reason for part in ("\n", "\x1b", "sky.exceptions", "Hint"))


def test_a_job_that_is_being_prepared_says_what_it_waits_for():
    status = status_of(PAYLOADS["starting"], ())
    assert (status.word, status.started_at) == ("STARTING", None)
    assert status.reason == "Launching (nodes allocated; Slurm job 4 on rig)"


def test_a_record_alone_tells_when_it_was_queued_and_ran_and_what_it_ran_on():
    status = status_of(PAYLOADS["succeeded"], ())
    assert [word for word, _, _ in status.events] == ["PENDING", "RUNNING", "SUCCEEDED"]
    assert status.duration_s == pytest.approx(33.3, abs=0.1)
    assert status.resources == "1x[CPU:1] on Slurm (rig)"
    assert status_of(PAYLOADS["prechecks"], ()).resources == "1x[CPU:1000]"


@pytest.mark.parametrize("zone_h", [0, 2, -5.5, 5.75])
def test_a_recovery_has_its_times_whatever_zone_the_server_writes_in(zone_h):
    record = PAYLOADS["recovered"]
    events = history(ROWS, record["submitted_at"] - zone_h * 3600)
    [gap] = interruptions(events)
    assert gap.back_at - gap.at == pytest.approx(47.8, abs=0.1)
    assert events[0][2] == pytest.approx(record["submitted_at"] - zone_h * 3600, abs=5)
    assert status_of(record, events).recoveries == 1


@pytest.mark.parametrize("word", ["CANCELLING", "WINDING_DOWN", "RECOVERING", "STARTING", "A_WORD_OF_TOMORROW"])
def test_a_word_that_is_not_an_end_is_kept_as_it_is_and_ends_nothing(word):
    status = status_of({**PAYLOADS["running"], "status": word}, ())
    state, reason = verdict(status.word, None, detail=status.reason)
    assert (status.word, state in TERMINAL_VERDICTS) == (word, False)
    assert "TOMORROW" not in word or word in reason


def test_a_log_is_what_the_job_printed_without_colours_prefixes_and_skypilots_own_words():
    assert printed(PAYLOADS["log"]) == [
        "bash: !/bin/sh\\nPYTHONPATH=.: event not found",
        "bash: ./node-python: No such file or directory",
        "srun: error: vm: task 0: Exited with exit code 127",
        "ERROR: Job 1 failed with return code list: [127] ",
    ]
    assert printed(PAYLOADS["no_log"]) == []


def test_a_printed_line_that_looks_like_a_prefix_and_an_empty_line_are_kept():
    lines = ["\x1b[36m(a.b.s0, pid=7)\x1b[0m (x) y\n", "(a.b.s0, pid=7) \n", "(head, rank=0, pid=12) z\n", "(q) r\n"]
    assert printed(lines) == ["(x) y", "", "z", "(q) r"]


def test_the_endpoint_is_the_environments_then_the_configs_without_its_login(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("api_server:\n  endpoint: https://ada:secret@sky.example/\n")
    assert endpoint({"SKYPILOT_GLOBAL_CONFIG": str(config)}) == "https://sky.example"
    assert endpoint({"SKYPILOT_API_SERVER_ENDPOINT": "http://u:p@h:1"}) == "http://h:1"
    config.write_text("api_server: [")
    assert endpoint({"SKYPILOT_GLOBAL_CONFIG": str(config)}) == "http://127.0.0.1:46580"
    assert endpoint({"HOME": str(tmp_path / "nowhere")}) == "http://127.0.0.1:46580"


def test_an_id_that_is_another_job_on_this_server_is_unknown_and_says_whose():
    status = another_job(4, "ada.mine", PAYLOADS["recovered"])
    assert status.word == "UNKNOWN"
    assert "'ada.preempt.baseline.s0.we6l6372'" in status.reason


def test_several_jobs_of_one_name_are_told_with_what_was_done():
    assert incident([3], [], []) == ""
    assert incident([3, 5], [5], [9]) == (
        "SkyPilot has 2 jobs of this name: 3 is used, beside 5; asked 5 to end; job 9 has this name too but was not "
        "launched from this ledger"
    )
