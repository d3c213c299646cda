"""What SkyPilot answered, as JSON values, and its errors, as the kinds of the bridge's protocol.

Imported by `bridge` in its own environment, so it imports nothing of Experiments, nor of SkyPilot.
"""

from __future__ import annotations

import json
import re
from typing import Any

FIELDS = [
    *("job_id", "job_name", "status", "submitted_at", "start_at", "end_at", "job_duration", "last_recovered_at"),
    *("recovery_count", "failure_reason", "details", "resources", "cluster_resources", "cluster_resources_full"),
    *("infra", "cloud", "region", "zone", "accelerators", "user_name", "workspace", "pool"),
]
OURS = ("EXPERIMENTS_LEDGER_ID", "EXPERIMENTS_PLAN_KEY")


class BridgeError(Exception):
    """What went wrong, as one of the kinds of this protocol."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def job_ids(answer: Any) -> list[int]:  # noqa: ANN401 - (ids, handle); the handle cannot even be printed
    """Return the ids of a launch."""
    ids = answer[0]
    return [int(job) for job in ids] if isinstance(ids, list) else [int(ids)]


def word(status: Any) -> str:  # noqa: ANN401 - an enum, or a word that this version does not know
    """Return a status as SkyPilot writes it."""
    return str(getattr(status, "value", status))


def record(found: Any) -> dict[str, Any]:  # noqa: ANN401 - SkyPilot's own type
    """Return a job of the queue."""
    values = {name: getattr(found, name, None) for name in FIELDS}
    return {**values, "status": word(found.status), "accelerators": plain(values["accelerators"])}


def plain(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a value that JSON has, or its text."""
    return value if isinstance(value, (dict, str, int, float, type(None))) else str(value)


def name_in(body: Any) -> str | None:  # noqa: ANN401 - JSON as text, or already read
    """Return the name in the body of a launch request; None where it has none."""
    try:
        name = (json.loads(body) if isinstance(body, str) else body).get("name")
    except (ValueError, AttributeError):
        return None
    return name if isinstance(name, str) else None


def marks(text: str | None) -> dict[str, str]:
    """Return what our launcher wrote into a job's environment; nothing else of it leaves this process."""
    import yaml  # type: ignore[import-untyped, unused-ignore]

    try:
        documents = [each for each in yaml.safe_load_all(text or "") if isinstance(each, dict)]
    except yaml.YAMLError:
        return {}
    envs: dict[str, Any] = {}
    for document in documents:
        envs.update(document.get("envs") or {})
    return {name: str(envs[name]) for name in OURS if name in envs}


def without_login(url: str) -> str:
    """Return an address without user and password."""
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}"


def explained(error: BaseException) -> dict[str, str]:
    """Return an error's kind and words."""
    kinds = {
        "ApiServerConnectionError": "down",
        "ApiServerAuthenticationError": "login",
        "APIVersionMismatchError": "version",
        "APINotSupportedError": "version",
        "ServerTemporarilyUnavailableError": "down",
        "ConnectionError": "down",
        "ConnectTimeout": "down",
        "ModuleNotFoundError": "missing-sky",
    }
    if isinstance(error, BridgeError):
        return {"kind": error.kind, "message": str(error)}
    names = [each.__name__ for each in type(error).__mro__]
    kind = next((kinds[name] for name in names if name in kinds), "other")
    if kind == "other" and re.search(r"\bPool \S+ not found", str(error)):
        kind = "no such pool"
    if "Pools are not supported" in str(error) or "unexpected keyword argument 'pool'" in str(error):
        kind = "no pools"
    if kind == "other" and "API server" in str(error) and "start" in str(error):
        kind = "down"  # a plain RuntimeError where a local server may not be started
    return {"kind": kind, "message": f"{type(error).__name__}: {error}"}


def pool(found: dict[str, Any]) -> dict[str, Any]:
    """Return what is told of a pool; its YAML, which may hold secrets, stays here but for the resources."""
    import yaml  # type: ignore[import-untyped, unused-ignore]

    try:
        resources = (yaml.safe_load(found.get("pool_yaml") or "") or {}).get("resources") or {}
    except (yaml.YAMLError, AttributeError):
        resources = {}
    return {
        "name": found["name"],
        "status": word(found["status"]),
        "version": found.get("version"),
        "wanted": found.get("target_num_replicas"),
        "resources": plain(resources),
        "workers": [
            {
                "id": worker["replica_id"],
                "status": word(worker["status"]),
                "version": worker.get("version"),
                "resources": worker.get("resources_str") or "",
                "infra": worker.get("infra") or "",
                "used_by": [str(job) for job in worker.get("used_by") or []],
            }
            for worker in found.get("replica_info") or []
        ],
    }
