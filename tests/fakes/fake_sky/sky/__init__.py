"""A SkyPilot of files: as much of the SDK as the bridge calls, with its ways of failing.

Jobs and requests are lines of files in FAKE_SKY_DIR, so that several processes see one queue. `faults.json` there says
what goes wrong: `{"down": true}`, `{"login": true}`, `{"slow_s": {"queue_v2": 5}}`, `{"refuse": "..."}`,
`{"no_repository": true}`, `{"die": "before-post"}` (also `after-post`, `in-get`; once), `{"no_pools": true}`.
`changes.json` holds fields of jobs by id, `pools.json` the pools by name.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import time
import types
from pathlib import Path

__version__ = "0.14.1"
FOLDER = Path(os.environ["FAKE_SKY_DIR"])
PAYLOADS = json.loads((Path(__file__).parents[3] / "jobs" / "launchers" / "sky_payloads" / "records.json").read_text())


class ApiServerConnectionError(RuntimeError):
    pass


class ApiServerAuthenticationError(RuntimeError):
    pass


class Record(types.SimpleNamespace):
    """A record of which fields that nobody asked for are None."""

    def __getattr__(self, name):
        return None


def faults():
    path = FOLDER / "faults.json"
    return json.loads(path.read_text()) if path.exists() else {}


def reached(step):
    if faults().get("die") == step:
        (FOLDER / "faults.json").unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def call(name):
    """Note a call, be as slow as asked, and fail as a server that is down would."""
    with (FOLDER / "calls").open("a") as file:
        file.write(f"{name}\n")
    print(f"SkyPilot prints on {name}")
    sys.stdout.flush()
    os.write(1, b"and its libraries write\n")
    time.sleep(faults().get("slow_s", {}).get(name, 0))
    if faults().get("down"):
        raise ApiServerConnectionError("Could not connect to SkyPilot API server at http://fake:1")
    if faults().get("login") and name != "api_info":
        raise ApiServerAuthenticationError("Authentication required")


def lines(name):
    path = FOLDER / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def append(name, make):
    with (FOLDER / name).open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        made = make(len(lines(name)) + 1)
        file.write(json.dumps(made) + "\n")
    return made


class Task:
    def __init__(self, config):
        self.config = config

    @classmethod
    def from_yaml_config(cls, config):
        known = {"name", "resources", "num_nodes", "workdir", "envs", "secrets", "setup", "run", "pool"}
        unknown = config.keys() - known
        if unknown:
            raise ValueError(f"Invalid task YAML: {sorted(unknown)}")
        config.pop("name")
        return cls(config)

    def update_envs_and_secrets_from_workdir(self):
        if faults().get("no_repository"):
            raise ValueError("Failed to access repository")
        self.config["envs"]["GIT_COMMIT_HASH"] = self.config["workdir"]["ref"]


class Resources:
    """Machines of which one kind has a price."""

    def __init__(self, infra, instance_type, use_spot):
        call("Resources")
        if instance_type != "g6.xlarge":
            raise ValueError(f"Instance type {instance_type!r} not found in {infra!r}.")
        self.price = 0.35 if use_spot else 0.80

    def get_cost(self, seconds):
        return self.price * seconds / 3600


def api_info():
    call("api_info")
    status = "needs_auth" if faults().get("login") else faults().get("status", "healthy")
    return Record(status=status, version="0.14.1", api_version="62")


def api_status(all_status, fields):
    call("api_status")
    return [Record(**line) for line in lines("requests")]


def get(request):
    reached("in-get")
    call("get")
    if request in _ANSWERS:
        answer = _ANSWERS.pop(request)
        if isinstance(answer, Exception):
            raise answer
        return answer
    for line in lines("requests"):
        if line["request_id"] == request:
            return ([line["job"]], object())
    raise RuntimeError(f"Failed to get request {request}: 404 not found")


def launch(task, dryrun):
    call("launch")
    refused = faults().get("refuse")
    return _answer(ValueError(refused) if refused else (None, None))


_ANSWERS = {}


def _answer(value):
    name = f"answer-{len(_ANSWERS)}-{time.monotonic_ns()}"
    _ANSWERS[name] = value
    return name


def _pools():
    path = FOLDER / "pools.json"
    return json.loads(path.read_text()) if path.exists() else {}


def _refuse_without_pools():
    if faults().get("no_pools"):
        raise RuntimeError(
            "Pools are not supported in your API server. Please upgrade to a newer API server to use pools."
        )


class serve:  # noqa: N801 - a module of SkyPilot's
    UpdateMode = str


class jobs:  # noqa: N801 - a module of SkyPilot's
    @staticmethod
    def launch(task, name, pool=None):
        reached("before-post")
        call("jobs.launch")
        if "refuse" in faults():
            raise ValueError(faults()["refuse"])
        if pool is not None:
            _refuse_without_pools()
            if pool not in _pools():
                return _answer(AssertionError(f"Pool {pool} not found"))
        through = {} if pool is None else {"pool": pool}
        job = append("jobs", lambda number: {"id": number, "name": name, **task.config, **through})
        body = json.dumps({"name": name, "task": task.config})
        made = append(
            "requests",
            lambda number: {
                "request_id": f"request-{number}",
                "name": "sky.jobs.launch",
                "status": "SUCCEEDED",
                "request_body": body,
                "job": job["id"],
            },
        )
        reached("after-post")
        return made["request_id"]

    @staticmethod
    def queue_v2(refresh, all_users, fields, job_ids=None, name_match=None):
        call("queue_v2")
        changes = json.loads((FOLDER / "changes.json").read_text()) if (FOLDER / "changes.json").exists() else {}
        found = []
        for job in lines("jobs"):
            if (job_ids is None or job["id"] in job_ids) and (name_match is None or name_match in job["name"]):
                marks = "".join(f"\n  {name}: {value}" for name, value in job["envs"].items())
                own = {"job_id": job["id"], "job_name": job["name"], "user_yaml": f"name: x\n---\nenvs:{marks}"}
                own |= {"pool": job.get("pool")}
                found.append(Record(**{**PAYLOADS["running"], **own, **changes.get(str(job["id"]), {})}))
        return _answer((found, len(found), {}, len(found)))

    @staticmethod
    def cancel(job_ids):
        call("jobs.cancel")
        path = FOLDER / "changes.json"
        changes = json.loads(path.read_text()) if path.exists() else {}
        for job_id in job_ids:
            changes.setdefault(str(job_id), {})["status"] = "CANCELLING"
        path.write_text(json.dumps(changes))
        return _answer(None)

    @staticmethod
    def pool_status(names):
        call("pool_status")
        _refuse_without_pools()
        return _answer([found for name, found in _pools().items() if names is None or name in names])

    @staticmethod
    def pool_apply(task, name, mode, workers=None):
        call("pool_apply")
        _refuse_without_pools()
        pools, before = _pools(), _pools().get(name)
        version = 1 if before is None else before["version"] + (task is not None)
        number = workers or task.config["pool"]["workers"]
        yaml = before["pool_yaml"] if task is None else json.dumps(task.config)
        worker = PAYLOADS["pool"]["replica_info"][0]
        made = [{**worker, "replica_id": each + 1, "version": version} for each in range(number)]
        pools[name] = {
            **PAYLOADS["pool"],
            "name": name,
            "version": version,
            "target_num_replicas": number,
            "pool_yaml": yaml,
            "replica_info": made,
        }
        (FOLDER / "pools.json").write_text(json.dumps(pools))
        return _answer(None)

    @staticmethod
    def pool_down(names):
        call("pool_down")
        pools = {name: found for name, found in _pools().items() if name not in names}
        (FOLDER / "pools.json").write_text(json.dumps(pools))
        return _answer(None)

    @staticmethod
    def tail_logs(job_id, follow, tail, preload_content):
        call("tail_logs")
        return iter([*PAYLOADS["log"], None])
