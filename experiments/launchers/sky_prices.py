"""What the machines of SkyPilot's jobs cost an hour, as far as SkyPilot's catalogs say.

The queue names machines in words, `2x[spot](gpus=L4:1, cpus=4, mem=16, g6.xlarge, disk=256)`, and has no price. Slurm
and Kubernetes have none at all, so nobody is asked there.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from experiments.errors import ExperimentsError

_WORDS = re.compile(r"(?P<nodes>\d+)x(?P<spot>\[spot\])?\((?P<parts>.*)\)", re.IGNORECASE)
_WITHOUT_PRICES = frozenset({"slurm", "kubernetes", "ssh", "-", ""})
_GLANCE_S = 2.0


@dataclass(frozen=True)
class Machines:
    """Machines of one kind that a job holds.

    Attributes:
        infra: `cloud/region/zone`, as far as it is known.
        instance: The cloud's word for the machine.
        accelerators: `L4:1`, or None.
    """

    nodes: int
    infra: str
    instance: str
    accelerators: str | None
    spot: bool


def machines_of(record: Mapping[str, Any]) -> Machines | None:
    """Return the machines of a record of SkyPilot's queue; None where they have no price, or are not known (yet)."""
    cloud = str(record.get("cloud") or "")
    found = _WORDS.fullmatch(str(record.get("cluster_resources_full") or ""))
    if found is None or cloud.lower() in _WITHOUT_PRICES:
        return None
    parts = [part.strip() for part in found["parts"].split(",")]
    named = dict(part.split("=", 1) for part in parts if "=" in part)
    plain = [part for part in parts if part and "=" not in part and part != "..."]
    if len(plain) != 1:
        return None
    place = [cloud.lower(), *(str(record.get(part) or "-") for part in ("region", "zone"))]
    infra = "/".join(place[: place.index("-")] if "-" in place else place)
    return Machines(int(found["nodes"]), infra, plain[0], named.get("gpus"), spot=found["spot"] is not None)


class Prices:
    """Remembers prices, and asks once for each kind of machine; a poll never waits long for an answer.

    Args:
        ask: Returns USD an hour of machines (as JSON values), None where there is no price; it may take long or fail.
    """

    def __init__(self, ask: Callable[[Sequence[Mapping[str, Any]]], Sequence[float | None]]) -> None:
        self._ask = ask
        self._known: dict[Machines, float | None] = {}
        self._asking: threading.Thread | None = None

    def of(self, records: Sequence[Mapping[str, Any]]) -> dict[int, float]:
        """Return USD an hour by job id, for the jobs whose price is known by now."""
        machines = {record["job_id"]: kind for record in records if (kind := machines_of(record)) is not None}
        wanted = list(dict.fromkeys(kind for kind in machines.values() if kind not in self._known))
        if wanted and (self._asking is None or not self._asking.is_alive()):
            self._asking = threading.Thread(target=self._learn, args=(wanted,), name="sky prices", daemon=True)
            self._asking.start()
            self._asking.join(_GLANCE_S)
        known = {job_id: self._known.get(kind) for job_id, kind in machines.items()}
        return {job_id: price for job_id, price in known.items() if price is not None}

    def _learn(self, wanted: Sequence[Machines]) -> None:
        try:
            self._known |= dict(zip(wanted, self._ask([asdict(kind) for kind in wanted]), strict=True))
        except (ExperimentsError, ValueError):
            return  # asked again by the next poll; the jobs themselves matter more
