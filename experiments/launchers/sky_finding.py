"""Whether SkyPilot has a job that nobody knows to be launched: by its request, among open requests, by its name.

SkyPilot takes the same name twice, so "absent" is said only after all three were asked, in this order, of the very
server and as the very user that the ledger noted before anything was sent.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.launchers import sky_words
from experiments.launchers.base import Absent, Found, Unknown
from experiments.launchers.bridge_client import BridgeClient, SkyError
from experiments.launchers.sky_task import LEDGER_MARK, PLAN_MARK
from experiments.types import TERMINAL_VERDICTS
from experiments.verdicts import SCHEDULER_WORDS
from experiments.workspace import Workspace

ASKING, REQUEST, INCIDENT = "asking", "request", "incident"
"""Kinds of ledger events: who asks which server; the server's request; another job of the same name."""

# Every answer of SkyPilot's queue costs it a new process: seconds on a fast machine, over a minute on a busy one.
QUICK_S, QUEUE_S, LAUNCH_S = 30.0, 120.0, 600.0
SETTLE_S = 2.0
"""What a killed client had sent is in the server's list of requests within this."""


def find_job(client: BridgeClient, workspace: Workspace, run_name: str) -> Found | Absent | Unknown:
    """Say whether SkyPilot has the job of a run; its doubles are noted as an incident, and ended where they are ours.

    Raises:
        SkyError: SkyPilot cannot be asked.
    """
    server = client.call("health", deadline_s=QUICK_S).result
    with workspace.ledger(read_only=True) as ledger:
        events = ledger.events(run_name=run_name)
        ours = {LEDGER_MARK: ledger.id, PLAN_MARK: ledger.jobs(run_names=[run_name])[0].plan_key}
    begun = max((event.at for event in events if event.kind in {"intent", ASKING}), default=0.0)
    time.sleep(max(0.0, min(SETTLE_S, begun + SETTLE_S - time.time())))
    asking = next((event.data for event in reversed(events) if event.kind == ASKING), None)
    if asking is not None and (asking["user"], asking["server"]) != (server["user"], server["endpoint"]):
        return Unknown(
            f"it was handed over by SkyPilot's user {asking['user']} at {asking['server']}; here is user "
            f"{server['user']} at {server['endpoint']}"
        )
    noted = [str(event.data["id"]) for event in events if event.kind == REQUEST]
    # Open requests before the queue: one that ends in between is in the queue by then.
    listed = client.call("requests", name=run_name, deadline_s=QUICK_S).result
    _wait_for(client, noted[-1:], [each["request"] for each in listed if each["status"] in {"PENDING", "RUNNING"}])
    named = client.call("named", name=run_name, deadline_s=QUEUE_S).result
    answer, ended, text = _choose(named, ours)
    if ended:
        client.call("cancel", jobs={str(job_id): run_name for job_id in ended}, deadline_s=2 * QUEUE_S)
    if text:
        with workspace.ledger() as ledger:
            ledger.add_event(INCIDENT, run_name=run_name, what=text)
    if isinstance(answer, Absent) and any(each["status"] == "SUCCEEDED" for each in listed):
        return Unknown("SkyPilot took the launch, but its queue does not show the job")
    return answer


def _wait_for(client: BridgeClient, noted: Sequence[str], still_open: Sequence[str]) -> None:
    """Wait until launch requests have ended, however they do; one that is open must be answered for."""
    for request in dict.fromkeys([*noted, *still_open]):
        try:
            client.call("request", request=request, deadline_s=LAUNCH_S)
        except SkyError as error:
            if request in still_open and error.kind not in {"failed", "missing", "other"}:
                raise


def _choose(named: Sequence[Mapping[str, Any]], ours: Mapping[str, str]) -> tuple[Found | Absent, list[int], str]:
    """Return which of the jobs with our name is ours, which of its doubles shall end, and what is wrong in words."""
    # A job without any mark has our name, which ends in a hash that nothing else gives: it is ours, but not ended.
    mine = sorted(job["id"] for job in named if not job["marks"] or job["marks"] == ours)
    strangers = [job["id"] for job in named if job["marks"] and job["marks"] != ours]
    marked = {job["id"]: job["status"] for job in named if job["marks"] == ours}
    ended = [job_id for job_id in mine[1:] if job_id in marked and _is_open(marked[job_id])]
    answer = Found(str(mine[0])) if mine else Absent()
    return answer, ended, sky_words.incident(mine, ended, strangers)


def _is_open(word: str) -> bool:
    return SCHEDULER_WORDS.get(word) not in TERMINAL_VERDICTS
