"""What SkyPilot says, in our words: records of its queue, its history of a job, its logs; and whether it has a job.

Whether it has one that nobody knows to be launched is asked by its request, among open requests, and by its name.
SkyPilot takes the same name twice, so "absent" is said only after all three were asked, in this order, of the very
server and as the very user that the ledger noted before anything was sent.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.jobs.launchers.base import Absent, Found, SchedulerStatus, Unknown
from experiments.jobs.launchers.sky.client import BridgeClient, SkyError
from experiments.jobs.launchers.sky.task import LEDGER_MARK, PLAN_MARK
from experiments.jobs.ledger import open_ledger
from experiments.project.files import expanded, home_folder
from experiments.project.look import without_escapes
from experiments.project.state_words import SCHEDULER_ENDS
from experiments.project.workspace import Workspace

LOCAL_ENDPOINT = "http://127.0.0.1:46580"
History = tuple[tuple[str, str, float], ...]

_PREFIX = re.compile(r"^\((?:[^()\s]+, )?(?:[^()]*\b)?(?:pid|rank)=\d+[^()]*\) ?")
_OWN_WORDS = re.compile(r"^(?:[├└]── |✓ Job finished|✗ Job |⚙︎ |Job \d+ not found\.|Waiting for task|Task from )")
_EXIT_CODE = re.compile(r"exit code (-?\d+)")


def endpoint(environ: Mapping[str, str] | None = None) -> str:
    """Return the address of the API server in use, without its login, as SkyPilot's own configuration has it."""
    env = os.environ if environ is None else environ
    url = env.get("SKYPILOT_API_SERVER_ENDPOINT") or _configured(env) or LOCAL_ENDPOINT
    return re.sub(r"//[^/@]*@", "//", url).rstrip("/")


def is_configured() -> bool:
    """Say whether this user has told SkyPilot of a server."""
    return bool(os.environ.get("SKYPILOT_API_SERVER_ENDPOINT") or _configured(os.environ))


def _configured(env: Mapping[str, str]) -> str | None:
    home = Path(env.get("HOME") or home_folder())
    path = expanded(env.get("SKYPILOT_GLOBAL_CONFIG") or str(home / ".sky" / "config.yaml"))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    import yaml  # type: ignore[import-untyped, unused-ignore]

    try:
        server = (yaml.safe_load(text) or {}).get("api_server") or {}
        found = server.get("endpoint")
    except (yaml.YAMLError, AttributeError):
        return None
    return found if isinstance(found, str) else None


def status_of(record: Mapping[str, Any], events: History, *, incident: str = "") -> SchedulerStatus:
    """Return one record of SkyPilot's queue as a status; its word is SkyPilot's own.

    Args:
        record: As the bridge has it.
        events: From `history`; without them, what the record alone tells.
        incident: What else is wrong with the job.
    """
    failure, details = str(record["failure_reason"] or ""), str(record["details"] or "")
    recoveries = int(record["recovery_count"] or 0)
    code = _EXIT_CODE.search(failure)
    # Of a recovery the history tells more.
    known = failure or ("" if record["status"] == "RECOVERING" else details)
    if record.get("pool") and record["status"] == "PENDING" and not known:
        known = f"waits for a worker of pool {record['pool']!r}, all of which are busy or on their way"
    reasons = [incident, _sentence(known)]
    return SchedulerStatus(
        word=str(record["status"]),
        reason="; ".join(reason for reason in reasons if reason),
        started_at=record["start_at"],
        ended_at=record["end_at"],
        exit_code=int(code[1]) if code else None,
        duration_s=record["job_duration"],
        recoveries=recoveries,
        resources=_resources(record),
        events=events or _from_record(record),
    )


def another_job(job_id: int, run: str, record: Mapping[str, Any]) -> SchedulerStatus:
    """Return the status of a run whose id is another job's on this server."""
    return SchedulerStatus(
        "UNKNOWN", f"job {job_id} at {endpoint()} is called {record['job_name']!r}; it is not {run!r}"
    )


def needs_history(record: Mapping[str, Any]) -> bool:
    """Say whether a record's own times leave out what happened: a recovery."""
    return bool(record["recovery_count"]) or record["status"] == "RECOVERING"


def _from_record(record: Mapping[str, Any]) -> History:
    ended = (str(record["status"]), _one_line(str(record["failure_reason"] or "")), record["end_at"])
    known = [("PENDING", "", record["submitted_at"]), ("RUNNING", "", record["start_at"]), ended]
    return tuple((word, reason, float(at)) for word, reason, at in known if at)


def history(rows: Sequence[Mapping[str, str]], submitted_at: float | None) -> History:
    """Return SkyPilot's events of a job, oldest first, with times in Unix seconds.

    Its times name no zone. The first event is the submission, whose time is known from the queue as well: the
    difference, in whole quarters of an hour, is the server's zone.
    """
    times = [dt.datetime.fromisoformat(row["at"]) for row in rows]
    seconds = [(time if time.tzinfo else time.replace(tzinfo=dt.UTC)).timestamp() for time in times]
    zone = 0.0
    if submitted_at and times and times[0].tzinfo is None:
        zone = round((seconds[0] - submitted_at) / 900) * 900.0
    return tuple((row["word"], row["reason"], second - zone) for row, second in zip(rows, seconds, strict=True))


def printed(lines: Sequence[str]) -> list[str]:
    """Return what a job printed out of what SkyPilot shows: no colours, no `(name, pid=1)`, none of its own words."""
    found = []
    for line in "".join(lines).split("\n"):
        plain = without_escapes(line).rstrip("\r")
        text = _PREFIX.sub("", plain)
        if text == plain and (_OWN_WORDS.match(plain) or not plain.strip()):
            continue
        found.append(text)
    return found


def incident(mine: Sequence[int], ended: Sequence[int], strangers: Sequence[int]) -> str:
    """Return what is wrong where SkyPilot has several jobs of one name; empty where it has not."""
    parts = []
    if len(mine) > 1:
        others = ", ".join(str(job_id) for job_id in mine[1:])
        parts.append(f"SkyPilot has {len(mine)} jobs of this name: {mine[0]} is used, beside {others}")
    if ended:
        parts.append(f"asked {', '.join(map(str, ended))} to end")
    if strangers:
        parts.append(f"job {', '.join(map(str, strangers))} has this name too but was not launched from this ledger")
    return "; ".join(parts)


def _resources(record: Mapping[str, Any]) -> str:
    used = record["cluster_resources"]
    words = used if used and used != "-" else record["resources"] or ""
    place = record["infra"]
    if not place or place == "-":
        place = "/".join(str(record[part]) for part in ("cloud", "region", "zone") if record[part] not in {None, "-"})
    return f"{words} on {place}" if place and words else str(words)


def _sentence(text: str) -> str:
    """Return a failure without the class of its exception and without the hints of a terminal."""
    return _one_line(re.sub(r"^\[[\w.]+\] ", "", text.partition("\n\nHint")[0]))


def _one_line(text: str) -> str:
    return " ".join(without_escapes(text).split())


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
    with open_ledger(workspace, read_only=True) as ledger:
        events = ledger.events(run_name=run_name)
        ours = {LEDGER_MARK: ledger.id, PLAN_MARK: ledger.rows(run_names=[run_name])[0].plan_key}
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
        with open_ledger(workspace) as ledger:
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
    return answer, ended, incident(mine, ended, strangers)


def _is_open(word: str) -> bool:
    return word not in SCHEDULER_ENDS
