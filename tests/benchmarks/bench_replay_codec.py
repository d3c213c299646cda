"""Encoding replays: CPU against parsing alone, memory, size on the wire, and a replay of 1,000 agents."""

from __future__ import annotations

import gc
import json
import random
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from tests.benchmarks import Bar
from tests.widgets.replays import shipped_named, text_of
from widgets.replay.codec.limits import Limits
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.wire import encode

REPLAYS = (("default.json.z", 0.06), ("the_280_agents.json.z", 0.25))
_ROUNDS = 5
_MIB = 1024 * 1024

_PEAK = """
import sys
from pathlib import Path
from widgets.replay.codec.limits import Limits
from widgets.replay.codec.wire import encode
from widgets.replay.codec.normalise import load_replay
def high_water():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
before = high_water()
encode(load_replay(sys.argv[1], limits=getattr(Limits, sys.argv[2]))).pack("all")
print(before, high_water())
"""


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the least CPU time of a few runs, with the garbage collector off as in the codec."""
    least = float("inf")
    for _ in range(_ROUNDS):
        gc.collect()
        gc.disable()
        started = time.process_time()
        done = work()
        least = min(least, time.process_time() - started)
        del done
        gc.enable()
    return least


def peak_bytes(path: Path, limits: str) -> tuple[int, int]:
    """Return the memory of a process after importing the codec, and its peak when it has encoded a replay."""
    command = [sys.executable, "-c", _PEAK, str(path), limits]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    before, peak = done.stdout.split()
    return int(before), int(peak)


def encoding(name: str, size_limit: float) -> Iterator[Bar]:
    """Measure one shipped replay."""
    path = shipped_named(name)
    data, text = path.read_bytes(), text_of(path)
    parsing = cpu_seconds(lambda: msgspec.json.decode(text))
    whole = cpu_seconds(lambda: encode(load_replay(data)).pack("all"))
    note = f"{len(text) / 1e6:.1f} MB raw; {whole * 1e3:.0f} ms against {parsing * 1e3:.0f} ms"
    yield Bar(f"encode {name}: CPU against msgspec.json.decode", whole / parsing, 5.0, "x", note=note)
    before, peak = peak_bytes(path, "default")
    allowed = (5 * len(text) + 60e6) / 1e6
    yield Bar(f"encode {name}: peak memory above importing the codec", (peak - before) / 1e6, allowed, "MB")
    yield from sizes(name, size_limit)


def sizes(name: str, size_limit: float) -> Iterator[Bar]:
    """Compare what is sent of one shipped replay with its file."""
    data = shipped_named(name).read_bytes()
    encoded = encode(load_replay(data))
    # Texts and configuration are sent when their panel opens.
    for parts, said, gate in (("steps", "as a page opens", True), ("all", "every chunk", False)):
        packed = len(encoded.pack(parts))
        name_of = f"encode {name}: wire size against the .json.z, {said}"
        note = f"{packed:,} of {len(data):,} bytes"
        yield Bar(name_of, packed / len(data), size_limit, "x", note=note, gate=gate)


def large_replay(agents: int, steps: int, distinct: int = 20) -> bytes:
    """Return the JSON of a version 4 replay in which every field changes as often as in `default.json.z`.

    `distinct` agents are made and repeated under other numbers, which changes nothing for the codec.
    """
    rng = random.Random(0)
    bodies = [_agent_body(steps, rng) for _ in range(min(distinct, agents))]
    objects = [
        b'{"id":%d,"agent_id":%d,"type_name":"agent",%s}' % (number + 1, number, bodies[number % len(bodies)])
        for number in range(agents)
    ]
    head = {
        "version": 4,
        "num_agents": agents,
        "max_steps": steps,
        "map_size": [500, 500],
        "action_names": ["noop", "north", "south", "west", "east"],
        "item_names": ["hp", "energy", "ore", "heart"],
        "type_names": ["agent"],
        "animation_names": ["none", "bump"],
    }
    return json.dumps(head).encode()[:-1] + b',"objects":[' + b",".join(objects) + b"]}"


def _agent_body(steps: int, rng: random.Random) -> bytes:
    x = y = 250
    location, action, success, animation = [], [], [], []
    reward, total, inventory, infos = [], [], [], []
    earned = 0.0
    for step in range(steps):
        if rng.random() < 0.6 or step == 0:
            x, y = (x + rng.choice((-1, 0, 1))) % 500, (y + rng.choice((-1, 0, 1))) % 500
            location.append(f"[{step},[{x},{y}]]")
        if rng.random() < 0.26 or step == 0:
            action.append(f"[{step},{rng.randrange(5)}]")
        if rng.random() < 0.03 or step == 0:
            success.append(f"[{step},{rng.choice(('true', 'false'))}]")
        if rng.random() < 0.05 or step == 0:
            animation.append(f"[{step},{rng.randrange(2)}]")
        gained = 0.00019999999494757503 * (step % 20 > 2)
        earned += gained
        if step % 20 in (0, 3):
            reward.append(f"[{step},{gained!r}]")
        total.append(f"[{step},{earned!r}]")
        if rng.random() < 0.33 or step == 0:
            held = (100, rng.randrange(20), rng.randrange(4), step // 3000)
            inventory.append(f"[{step},[[0,{held[0]}],[1,{held[1]}],[2,{held[2]}],[3,{held[3]}]]]")
        if rng.random() < 0.46 or step == 0:
            goal = rng.choice(("Found the hub!", "Following path!", "Exploring around!", "Getting energy at the hub!"))
            infos.append(f'[{step},{{"message":"{goal}\\n","policy_name":"DinkyAgentsMultiPolicy"}}]')
    series = {
        "location": location,
        "action_id": action,
        "action_success": success,
        "animation_id": animation,
        "current_reward": reward,
        "total_reward": total,
        "inventory": inventory,
        "policy_infos": infos,
    }
    return ",".join(f'"{name}":[{",".join(points)}]' for name, points in series.items()).encode()


def large() -> Iterator[Bar]:
    """Measure 1,000 agents over 10,000 steps."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.json.z"
        text = large_replay(1000, 10_000)
        raw = len(text)
        path.write_bytes(zlib.compress(text, 1))
        del text
        refused = _refused(path)
        before, peak = peak_bytes(path, "large")
        note = f"{raw / 1e6:.0f} MB raw, {path.stat().st_size / 1e6:.0f} MB compressed; default limits: {refused}"
        yield Bar(
            "1,000 agents x 10,000 steps with Limits.large: memory", (peak - before) / _MIB, 4096, "MiB", note=note
        )
        yield Bar(
            "1,000 agents x 10,000 steps: refused by default, naming the flag",
            float("--large" in refused),
            1.0,
            "",
            higher_is_better=True,
        )


def _refused(path: Path) -> str:
    try:
        load_replay(path, limits=Limits.default)
    except Exception as error:  # noqa: BLE001 - the message is the figure
        return str(error)
    return "not refused"


def gates() -> list[Bar]:
    """Return what is sent as a page opens."""
    return [bar for name, limit in REPLAYS for bar in sizes(name, limit) if bar.gate]


def run() -> list[Bar]:
    """Return all bars of the codec."""
    bars = [bar for name, limit in REPLAYS for bar in encoding(name, limit)]
    return [*bars, *large()]
