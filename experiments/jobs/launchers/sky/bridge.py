# /// script
# requires-python = ">=3.9"
# dependencies = ["skypilot==0.14.*"]
# ///
"""SkyPilot behind two pipes: JSON lines in, JSON lines out; started and watched by `client`.

It runs in an environment of its own (`uv run --script`, or an interpreter that has SkyPilot), so it imports nothing of
Experiments. A request is `{"id": 1, "verb": "poll", ...}`. It is answered by any number of `{"id": 1, "note": {...}}`
and then by `{"id": 1, "result": ..., "sky_s": seconds spent in SkyPilot}`, or in the result's place by
`"error": {"kind": ..., "message": ...}`. Kinds: `down` (no server), `login`, `version`, `invalid` (refused before
anything was sent), `failed` (the server tried and could not), `missing` (the server knows no such request), `no pools`
(neither this SkyPilot nor its server knows what a pool is), `no such pool` and `other`.

All calls that start something are made by one thread, because the SDK keeps what it knows of the server in context
variables; only waiting is done elsewhere, with a copy of that thread's context. What SkyPilot prints goes to stderr.
No secret is in any answer: the requests of other clients, which hold them, are searched here and stay here.
"""

from __future__ import annotations

import contextvars
import copy
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, cast

import bridge_answers as answers  # type: ignore[import-not-found, unused-ignore]  # a file beside this one
from bridge_answers import BridgeError  # type: ignore[import-not-found, unused-ignore]

PROTOCOL = 1
Note = Callable[[dict[str, Any]], None]


class Wait:
    """What is left of a verb once the server has its request: waiting, which another thread does."""

    def __init__(self, finish: Callable[[], Any]) -> None:
        self.finish = finish


class Clock:
    """Seconds spent inside SkyPilot's own calls, so that the bridge's share can be measured."""

    def __init__(self) -> None:
        self.spent = 0.0

    def __call__(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any call of the SDK
        """Return what `call` returns, and count how long it took."""
        began = time.monotonic()
        try:
            return call(*args, **kwargs)
        finally:
            self.spent += time.monotonic() - began


def _sky() -> Any:  # noqa: ANN401 - SkyPilot's own module
    import sky  # type: ignore[import-not-found, unused-ignore]

    return sky


def health(_: dict[str, Any], clock: Clock, __: Note) -> dict[str, Any]:
    """Return versions, user and server; whether a server answers is what the caller wants to know."""
    from sky.server import common  # type: ignore[import-not-found, unused-ignore]
    from sky.utils import common_utils  # type: ignore[import-not-found, unused-ignore]

    sky = _sky()
    info = clock(sky.api_info)
    status = getattr(info.status, "value", str(info.status))
    server = {"status": status, "version": info.version, "api_version": info.api_version}
    if status == "needs_auth":
        raise BridgeError("login", "the server wants a login")
    if status not in {"healthy", "HEALTHY"}:
        kind = "version" if status == "version_mismatch" else "down"
        raise BridgeError(kind, f"the server says {status!r} (version {info.version}, here {sky.__version__})")
    endpoint = answers.without_login(common.get_server_url())
    return {"client": sky.__version__, "server": server, "endpoint": endpoint, "user": common_utils.get_user_hash()}


def submit(args: dict[str, Any], clock: Clock, note: Note) -> Wait:
    """Launch a managed job; notes the request's id as soon as the server has it, then waits for the job's id."""
    sky = _sky()
    task = _task(args["task"])
    # A server that is down or wants a login is found out before anything could have been sent.
    health({}, clock, note)
    through = {"pool": args["pool"]} if args.get("pool") else {}
    request = str(clock(sky.jobs.launch, task, name=args["task"]["name"], **through))
    note({"request": request})
    return Wait(lambda: {"ids": answers.job_ids(clock(sky.get, request))})


def request(args: dict[str, Any], clock: Clock, _: Note) -> Wait:
    """Return the job ids of an earlier launch request, waiting for it."""
    sky = _sky()

    def finish() -> dict[str, Any]:
        try:
            return {"ids": answers.job_ids(clock(sky.get, args["request"]))}
        except RuntimeError as error:
            if " 404 " in str(error):
                raise BridgeError("missing", "the server no longer knows the request") from None
            raise

    return Wait(finish)


def requests(args: dict[str, Any], clock: Clock, _: Note) -> list[dict[str, Any]]:
    """Return the launch requests whose job has exactly this name, as `request`, `status`; their contents stay here."""
    fields = ["request_id", "name", "status", "request_body", "created_at"]
    return [
        {"request": item.request_id, "status": str(item.status).rpartition(".")[2]}
        for item in clock(_sky().api_status, all_status=True, fields=fields)
        if str(item.name).endswith("jobs.launch") and answers.name_in(item.request_body) == args["name"]
    ]


def named(args: dict[str, Any], clock: Clock, _: Note) -> Wait:
    """Return every job of exactly this name with the marks of its launch: `id`, `status`, `user`, `marks`."""
    sky = _sky()
    fields = ["job_id", "job_name", "status", "user_name", "user_yaml"]
    # The filter takes any part of a name.
    pending = clock(sky.jobs.queue_v2, refresh=False, all_users=True, name_match=args["name"], fields=fields)

    def finish() -> list[dict[str, Any]]:
        records = [record for record in clock(sky.get, pending)[0] if record.job_name == args["name"]]
        return [
            {
                "id": record.job_id,
                "status": answers.word(record.status),
                "user": record.user_name,
                "marks": answers.marks(record.user_yaml),
            }
            for record in records
        ]

    return Wait(finish)


def poll(args: dict[str, Any], clock: Clock, _: Note) -> Wait:
    """Return one record a job for all `ids`, in one request."""
    sky = _sky()
    ids = [int(job) for job in args["ids"]]
    pending = clock(sky.jobs.queue_v2, refresh=False, all_users=True, job_ids=ids, fields=answers.FIELDS)
    return Wait(lambda: [answers.record(record) for record in clock(sky.get, pending)[0]])


def prices(args: dict[str, Any], clock: Clock, _: Note) -> Wait:
    """Return USD an hour of each of some machines; None where SkyPilot's catalogs have no price or are not there."""
    sky = _sky()

    def price(machines: dict[str, Any]) -> float | None:
        wanted = {"infra": machines["infra"], "instance_type": machines["instance"], "use_spot": machines["spot"]}
        if machines["infra"].startswith("gcp"):  # there the accelerator is no part of the machine
            wanted["accelerators"] = machines["accelerators"]
        try:
            return float(clock(sky.Resources(**wanted).get_cost, 3600)) * int(machines["nodes"])
        except Exception:  # noqa: BLE001 - a price that is not to be had is not known, whyever
            return None

    return Wait(lambda: [price(machines) for machines in args["machines"]])


def events(args: dict[str, Any], clock: Clock, _: Note) -> Wait:
    """Return what happened to a job, oldest first, as `word`, `reason`, `at` (the server's local time)."""
    sky = _sky()
    from sky.server import common

    # This version of the SDK has no function for it.
    body = {"job_id": int(args["job"]), "limit": 200}
    pending = common.get_request_id(clock(common.make_authenticated_request, "POST", "/jobs/events", json=body))

    def finish() -> list[dict[str, Any]]:
        rows = clock(sky.get, pending)
        return [
            {"word": row["new_status"], "reason": row["reason"] or "", "at": str(row["timestamp"])}
            for row in reversed(rows)
        ]

    return Wait(finish)


def cancel(args: dict[str, Any], clock: Clock, _: Note) -> Wait:
    """Ask for the end of jobs (id to name); a job whose name is another one is not ours, and is left alone."""
    sky = _sky()
    wanted = {int(job): name for job, name in args["jobs"].items()}
    fields = ["job_id", "job_name"]
    listed = clock(sky.jobs.queue_v2, refresh=False, all_users=True, job_ids=list(wanted), fields=fields)
    names = {record.job_id: record.job_name for record in clock(sky.get, listed)[0]}
    ours = [job for job, name in wanted.items() if names.get(job) == name]
    others = {str(job): names.get(job) for job in wanted if job not in ours}
    if not ours:
        return Wait(lambda: {"asked": [], "others": others})
    pending = clock(sky.jobs.cancel, job_ids=ours)

    def finish() -> dict[str, Any]:
        clock(sky.get, pending)
        return {"asked": [str(job) for job in ours], "others": others}

    return Wait(finish)


def logs(args: dict[str, Any], clock: Clock, _: Note) -> Wait:
    """Return the lines that a job printed so far, as SkyPilot shows them: the newest attempt's."""
    sky = _sky()
    lines = clock(sky.jobs.tail_logs, job_id=int(args["job"]), follow=False, tail=None, preload_content=False)
    return Wait(lambda: [line for line in clock(list, lines) if line is not None])


def dryrun(args: dict[str, Any], clock: Clock, note: Note) -> Wait:
    """Have SkyPilot itself check a task and find machines for it; nothing is launched."""
    sky = _sky()
    task = _task(args["task"])
    health({}, clock, note)
    pending = clock(sky.launch, task, dryrun=True)

    def finish() -> dict[str, Any]:
        clock(sky.get, pending)
        return {"ok": True}

    return Wait(finish)


def pools(_: dict[str, Any], clock: Clock, __: Note) -> Wait:
    """Return every pool there is: `name`, `status`, `version`, `wanted` workers, its `resources` and its `workers`."""
    pending = clock(_pool_call("pool_status"), None)
    return Wait(lambda: [answers.pool(found) for found in clock(_sky().get, pending)])


def pool_apply(args: dict[str, Any], clock: Clock, note: Note) -> Wait:
    """Make a pool as the task says, or bring one of its name up to date; without a task only its number of workers."""
    apply = _pool_call("pool_apply")
    from sky import serve  # type: ignore[import-not-found, unused-ignore]

    task = _task(args["task"]) if args["task"] else None
    health({}, clock, note)
    pending = clock(apply, task, args["name"], mode=serve.UpdateMode("rolling"), workers=args["workers"])
    return Wait(lambda: clock(_sky().get, pending) or {})


def pool_down(args: dict[str, Any], clock: Clock, _: Note) -> Wait:
    """Ask for the end of a pool and of its workers."""
    pending = clock(_pool_call("pool_down"), [args["name"]])
    return Wait(lambda: clock(_sky().get, pending) or {})


VERBS: dict[str, Callable[[dict[str, Any], Clock, Note], Any]] = {
    verb.__name__: verb
    for verb in cast(
        "list[Callable[..., Any]]",
        [
            *(health, submit, request, requests, named, poll, prices, events, cancel, logs, dryrun),
            *(pools, pool_apply, pool_down),
        ],
    )
}


def _pool_call(name: str) -> Any:  # noqa: ANN401 - a function of the SDK
    call = getattr(_sky().jobs, name, None)
    if call is None:
        raise BridgeError("no pools", f"SkyPilot {_sky().__version__} has none")
    return call


def _task(config: dict[str, Any]) -> Any:  # noqa: ANN401 - SkyPilot's own type
    try:
        # It takes its argument apart.
        task = _sky().Task.from_yaml_config(copy.deepcopy(config))
        if isinstance(config.get("workdir"), dict):
            # Only SkyPilot's command line does this by itself; without it a node is told of no repository.
            task.update_envs_and_secrets_from_workdir()
    except Exception as error:
        raise BridgeError("invalid", str(error)) from error
    else:
        return task


class Bridge:
    """Reads requests, answers them, and ends with whoever started it."""

    def __init__(self, out: Any) -> None:  # noqa: ANN401 - a binary file
        self._out = out
        self._lock = threading.Lock()
        self._asked: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def run(self) -> None:
        """Answer until the other end closes the pipe, or dies."""
        threading.Thread(target=self._read, daemon=True).start()
        try:
            sky = _sky()
        except Exception as error:  # noqa: BLE001 - the other end says what to do about it
            self._say({"hello": PROTOCOL, "error": answers.explained(error)})
            return
        self._say({"hello": PROTOCOL, "client": sky.__version__, "python": sys.version.split()[0], "pid": os.getpid()})
        while True:
            self._begin(self._asked.get())

    def _read(self) -> None:
        for line in sys.stdin.buffer:
            self._asked.put(json.loads(line))
        # Nobody waits for an answer any more, and a request that was not sent yet must not be sent by an orphan.
        os._exit(0)

    def _begin(self, asked: dict[str, Any]) -> None:
        number, clock = asked["id"], Clock()
        try:
            answer = VERBS[asked["verb"]](asked, clock, lambda note: self._say({"id": number, "note": note}))
        except Exception as error:  # noqa: BLE001 - told to the other end
            self._say({"id": number, "error": answers.explained(error), "sky_s": clock.spent})
            return
        if not isinstance(answer, Wait):
            self._say({"id": number, "result": answer, "sky_s": clock.spent})
            return
        context = contextvars.copy_context()
        waiting = threading.Thread(target=context.run, args=(self._finish, number, answer, clock), daemon=True)
        waiting.start()

    def _finish(self, number: int, wait: Wait, clock: Clock) -> None:
        try:
            self._say({"id": number, "result": wait.finish(), "sky_s": clock.spent})
        except Exception as error:  # noqa: BLE001 - told to the other end
            told = answers.explained(error)
            kind = "failed" if told["kind"] == "other" else told["kind"]
            self._say({"id": number, "error": {**told, "kind": kind}, "sky_s": clock.spent})

    def _say(self, message: dict[str, Any]) -> None:
        line = json.dumps(message, default=str).encode() + b"\n"
        with self._lock:
            self._out.write(line)
            self._out.flush()


def main() -> None:
    """Serve the protocol on stdin and stdout."""
    # What SkyPilot or its libraries print must not be taken for an answer, whatever way it is printed.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    Bridge(answers).run()


if __name__ == "__main__":
    main()
