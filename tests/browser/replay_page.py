"""A plain page around the replay viewer: a model that keeps what is set, and no Python behind it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from tests.widgets.replays import shipped_named, small
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.wire import encode

STATIC = Path(__file__).parents[2] / "widgets" / "replay" / "static"
ORIGIN = "http://replay"
STEP = "window.model.state.step"
STATE = {
    "kind": "viewer",
    "labels": [""],
    "step": 0,
    "selected": None,
    "playing": False,
    "speed": 10,
    "view": "",
    "url": "",
    "height": 640,
    "theme": "auto",
    "message": "",
    "drops": False,
}
PAGE = """<!doctype html><meta charset="utf-8"><body class="BODY"><div id="host" style="width: WIDTHpx"></div>
<script type="module">
import widget from "/viewer.js";
const state = STATE, handlers = {};
for (const name of BUFFERS) state[name] = new DataView(await (await fetch(`/${name}`)).arrayBuffer());
window.model = {
  saves: 0, sent: [], state,
  get: (key) => state[key],
  set(key, value) { state[key] = value; for (const each of [...handlers[`change:${key}`] ?? []]) each(); },
  save_changes() { this.saves++; },
  send(message) { this.sent.push(message); },
  tell(message) { for (const each of handlers["msg:custom"] ?? []) each(message); },
  on(event, each) { (handlers[event] ??= new Set()).add(each); },
  off(event, each) { handlers[event]?.delete(each); },
  listeners: () => Object.values(handlers).reduce((sum, set) => sum + set.size, 0),
};
const host = document.getElementById("host");
const root = SHADOW ? host.attachShadow({mode: "open"}) : host;
const style = document.createElement("style");
style.textContent = await (await fetch("/viewer.css")).text();
window.el = document.createElement("div");
root.append(style, window.el);
window.began = performance.now();
window.close_viewer = widget.render({model: window.model, el: window.el});
window.first = [window.el.innerText, window.el.offsetHeight];
window.ready = true;
</script>"""
TYPES = {".js": "text/javascript", ".css": "text/css"}


@cache
def sample(name: str) -> bytes:
    """Return one of mettagrid's own replays, encoded with everything embedded."""
    return encode(load_replay(shipped_named(name))).pack("all")


def open_page(page, *, width=1200, body="", shadow=False, buffers=None, **state):
    """Show the viewer and wait for what it shows first; requests to elsewhere are collected and refused."""
    buffers = buffers or {}
    html = PAGE.replace("BODY", body).replace("WIDTH", str(width)).replace("SHADOW", json.dumps(shadow))
    html = html.replace("BUFFERS", json.dumps(sorted(buffers)))
    html = html.replace("STATE", json.dumps({**STATE, **state}).replace("<", "\\u003c"))
    page.strangers = []

    def answer(route):
        name = route.request.url.removeprefix(ORIGIN).lstrip("/")
        if not route.request.url.startswith(ORIGIN):
            page.strangers.append(route.request.url)
            route.abort()
        elif name in buffers:
            route.fulfill(body=buffers[name], content_type="application/octet-stream")
        elif name:
            route.fulfill(path=STATIC / name, content_type=TYPES[Path(name).suffix])
        else:
            route.fulfill(body=html, content_type="text/html")

    page.unroute_all()
    page.route("**/*", answer)
    page.goto(f"{ORIGIN}/")
    page.wait_for_function("window.ready")
    page.wait_for_selector(".rv-map, .rv-alone")
    return page


def settle(page, expression, expected):
    """Wait until an expression of the page is what is expected."""
    # By a timer: on a busy machine frames, the default, can be seconds apart though the model is long set.
    page.wait_for_function(
        f"(wanted) => JSON.stringify({expression}) === JSON.stringify(wanted)", arg=expected, polling=20
    )


def encoded(**changes):
    """Return a small replay with changes, encoded with everything embedded."""
    return encode(load_replay(json.dumps(small(**changes)).encode())).pack("all")


def box_of(page, selector):
    """Return where an element is, in pixels of the window."""
    return page.locator(selector).bounding_box()
