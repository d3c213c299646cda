"""What SkyPilot says, in our words: records of its queue, its history of a job, its logs. Pure, but for `endpoint`."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.launchers.base import SchedulerStatus
from experiments.look import without_escapes

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


def is_configured(environ: Mapping[str, str] | None = None) -> bool:
    """Say whether this user has told SkyPilot of a server."""
    env = os.environ if environ is None else environ
    return bool(env.get("SKYPILOT_API_SERVER_ENDPOINT") or _configured(env))


def _configured(env: Mapping[str, str]) -> str | None:
    home = Path(env.get("HOME") or Path.home())
    path = Path(env.get("SKYPILOT_GLOBAL_CONFIG") or home / ".sky" / "config.yaml").expanduser()
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
