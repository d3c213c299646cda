"""The replay viewer in chromium: first frame, memory, drawing, scrubbing, playing, and 1,000 agents for 10,000 steps.

The raw way that the first frame is compared with is upstream's: fetch the file, inflate, parse and expand it.
"""

from __future__ import annotations

import json
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from tests.benchmarks import Bar
from tests.benchmarks.replay_page import DRAW, FIRST_FRAME, FRAMES, PLAY, RAW, SCRUB, crowd
from tests.browser.replay_page import STATE, sample
from tests.fakes.serving import CHROMIUM
from tests.widgets.replays import shipped_named
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.wire import encode
from widgets.replay.pictures import pictures_of

WIDGET = Path(__file__).parents[2] / "widgets" / "replay"
REPLAYS = (("default.json.z", 0.15, 0.15), ("the_280_agents.json.z", 0.2, 0.25))
_ROUNDS = 5
_SCRUBS = 1000
# The text makes the browser find its fonts before anything is timed, as any notebook has done.
_PAGE = (
    b"<!doctype html><meta charset=utf-8><link rel=icon href='data:,'><link rel=stylesheet href=/viewer.css>"
    b"<body style='width:1200px;font:14px system-ui'>Some text."
)
_TYPES = {".js": "text/javascript", ".css": "text/css"}


class _Files(BaseHTTPRequestHandler):
    """Serves the viewer, its sources and the bytes put into `bodies`."""

    bodies: ClassVar[dict[str, bytes]] = {"/": _PAGE}

    def do_GET(self) -> None:
        """Answer with a file of the viewer or with prepared bytes."""
        folder = WIDGET.parent if "/js/" in self.path else WIDGET / "static"
        body = self.bodies.get(self.path) or (folder / self.path.lstrip("/")).read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", _TYPES.get(Path(self.path).suffix, "text/html"))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def pages() -> Iterator[Any]:
    """Yield a function that opens a fresh page, and its developer-tools session, at the served address."""
    from playwright.sync_api import sync_playwright

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])

        def fresh() -> tuple[Any, Any]:
            page = chromium.new_context(viewport={"width": 1240, "height": 900}).new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/")
            return page, page.context.new_cdp_session(page)

        yield fresh
        chromium.close()
    server.shutdown()
    server.server_close()


def held_bytes(tools: Any) -> float:
    """Return the page's JavaScript heap and array buffers, after collecting garbage."""
    tools.send("HeapProfiler.collectGarbage")
    usage = tools.send("Runtime.getHeapUsage")
    return float(usage["usedSize"] + usage.get("backingStorageSize", 0))


def timed(fresh: Any, script: str, address: str) -> tuple[float, float]:
    """Return the least milliseconds of a few fresh pages, and the bytes that the page then holds above an empty one."""
    times, held = [], []
    for _ in range(_ROUNDS):
        page, tools = fresh()
        empty = held_bytes(tools)
        times.append(page.evaluate(script, address))
        page.wait_for_timeout(300)
        held.append(held_bytes(tools) - empty)
        page.context.close()
    return min(times), statistics.median(held)


def first_frames(fresh: Any) -> list[Bar]:
    """Compare the way to the first frame with the raw file's way to the same data."""
    bars = []
    script = FIRST_FRAME.replace("STATE", json.dumps({**STATE, "height": 860}))
    for name, time_limit, heap_limit in REPLAYS:
        _Files.bodies[f"/raw/{name}"] = shipped_named(name).read_bytes()
        _Files.bodies[f"/columns/{name}"] = sample(name)
        raw_ms, raw_bytes = timed(fresh, RAW, f"/raw/{name}")
        ms, size = timed(fresh, script, f"/columns/{name}")
        note = f"{ms:.0f} ms, {size / 1e6:.1f} MB against {raw_ms:.0f} ms, {raw_bytes / 1e6:.0f} MB"
        bars.append(Bar(f"first frame of {name}, time against the raw file", ms / raw_ms, time_limit, note=note))
        bars.append(Bar(f"first frame of {name}, heap against the raw file", size / raw_bytes, heap_limit, note=note))
    return bars


def drawing(fresh: Any) -> Bar:
    """Time the map alone, all of it in view, every draw forced to finish; the quietest of a few pages counts."""
    medians = []
    for _ in range(_ROUNDS):
        page, _tools = fresh()
        medians.append(page.evaluate(DRAW, "/columns/the_280_agents.json.z")["median"])
        page.context.close()
    note = "medians " + ", ".join(f"{median:.1f}" for median in medians)
    return Bar("draw a step, whole map of the_280_agents", min(medians), 4, unit="ms", note=note)


def spent(tools: Any) -> float:
    """Return the milliseconds that tasks of the page have taken since its developer tools count."""
    metrics = {each["name"]: each["value"] for each in tools.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"]) * 1000


def scrubbing(fresh: Any) -> Bar:
    """Return the CPU time of the busiest of 1,000 scrubs: what the page could at most be blocked for."""
    page, tools = fresh()
    page.evaluate(FIRST_FRAME.replace("STATE", json.dumps(STATE)), "/columns/default.json.z")
    page.wait_for_timeout(1000)
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})

    costs, before = [], spent(tools)
    for i in range(_SCRUBS):
        page.evaluate(SCRUB, i)
        after = spent(tools)
        costs.append(after - before)
        before = after
    page.context.close()
    note = f"median {statistics.median(costs):.1f} ms of CPU"
    return Bar("scrubbing 1,000 steps of default.json.z, busiest step", max(costs), 50, unit="ms", note=note)


def playing(fresh: Any) -> list[Bar]:
    """Compare a frame while it plays with the side panel open, closed, and on a page that only asks for frames."""
    ways: dict[str, list[object]] = {"idle": []}
    for name, *_ in REPLAYS:
        encoded = encode(load_replay(shipped_named(name)))
        _Files.bodies[f"/columns/{name}"] = encoded.pack("all")
        _Files.bodies[f"/pictures/{name}"] = pictures_of([encoded.header])
        for panel in ("closed", "open"):
            ways[f"{name} {panel}"] = [f"/columns/{name}", f"/pictures/{name}", panel == "open"]
    # By turns, so that what else the machine does falls on all alike.
    rounds = [{way: frame_cost(fresh, shown) for way, shown in ways.items()} for _ in range(_ROUNDS)]
    cost = {way: min(each[way][0] for each in rounds) for way in ways}
    rate = {way: max(each[way][1] for each in rounds) for way in ways}
    bars = []
    for name, *_ in REPLAYS:
        shown, closed, idle = (cost[way] for way in (f"{name} open", f"{name} closed", "idle"))
        note = f"{shown:.2f} ms of CPU open, {closed:.2f} closed, {idle:.2f} on an idle page"
        rates = f"{rate[f'{name} open']:.0f} a second, {rate['idle']:.0f} on an idle page"
        kept = rate[f"{name} open"] / rate["idle"]
        bars += [
            Bar(f"a frame of {name}, side panel open against closed", shown / closed, 1.8, note=note),
            Bar(f"a frame of {name}, side panel open against an idle page's", shown / idle, 40, note=note),
            Bar(f"frames of {name}, against an idle page's", kept, 0.9, higher_is_better=True, note=rates),
        ]
    return bars


def frame_cost(fresh: Any, shown: list[object]) -> tuple[float, float]:
    """Return the milliseconds of CPU of a frame, and the frames a second; of an idle page where nothing is `shown`."""
    page, tools = fresh()
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})
    if shown:
        page.evaluate(PLAY, shown)
    before = spent(tools)
    frames = page.evaluate(FRAMES)
    cost = (spent(tools) - before) / frames
    page.context.close()
    return cost, frames / 2


def crowded(fresh: Any) -> list[Bar]:
    """Open 1,000 agents for 10,000 steps, play through all of it, and take the most that the page ever holds."""
    encoded = encode(crowd(1000, 10_000))
    _Files.bodies["/columns/crowd"] = encoded.pack("all")
    whole = sum(int(chunk.entry["raw"]) for chunk in encoded.chunks)
    page, tools = fresh()
    before = held_bytes(tools)
    ms = page.evaluate(FIRST_FRAME.replace("STATE", json.dumps(STATE)), "/columns/crowd")
    decoded = held_bytes(tools) - before
    peaks = []
    for step in range(0, 10_000, 500):
        page.evaluate("(step) => kept.model.set('step', step)", step)
        page.evaluate(SCRUB, step)
        page.wait_for_timeout(150)
        usage = tools.send("Runtime.getHeapUsage")
        peaks.append(usage["usedSize"] + usage.get("backingStorageSize", 0))
    page.context.close()
    size = len(_Files.bodies["/columns/crowd"])
    note = f"{size / 1e6:.0f} MB sent, {whole / 1e6:.0f} MB inflated, first frame after {ms:.0f} ms"
    early = (decoded - size) / whole
    return [
        Bar("1,000 agents x 10,000 steps, most memory in the page", max(peaks) / 1e6, 400, unit="MB", note=note),
        Bar("1,000 agents x 10,000 steps, share decoded at the first frame", early, 0.5, note=note),
    ]


def gates() -> list[Bar]:
    """Return the size of the viewer."""
    size = (WIDGET / "static" / "viewer.js").stat().st_size
    return [Bar("viewer code shipped, not minified", size / 1024, 120, unit="KiB", note=f"{size:,} bytes", gate=True)]


def run() -> list[Bar]:
    """Measure every bar of the viewer."""
    with pages() as fresh:
        return [
            *gates(),
            *first_frames(fresh),
            drawing(fresh),
            scrubbing(fresh),
            *playing(fresh),
            *crowded(fresh),
        ]
