"""What the viewer's benchmarks run in the page, and the large replay that they make."""

from __future__ import annotations

import numpy as np

from widgets.replay.codec.columns import Column, Inventory, column, constant
from widgets.replay.codec.replay import Names, Replay
from widgets.replay.codec.rules import Rules

RAW = """async (address) => {
  const began = performance.now();
  const packed = await (await fetch(address)).arrayBuffer();
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const replay = JSON.parse(await new Response(stream).text());
  const steps = replay.max_steps;
  const dense = (series, part) => {
    const values = new Float32Array(steps);
    if (!Array.isArray(series)) return values.fill(Number(series) || 0);
    for (let i = 0; i < series.length; i++) values.fill(part(series[i][1]), series[i][0], series[i + 1]?.[0] ?? steps);
    return values;
  };
  const tracks = [];
  for (const thing of replay.objects ?? replay.grid_objects) {
    for (const [name, series] of Object.entries(thing)) {
      if (!Array.isArray(series) || !Array.isArray(series[0]) || series[0].length !== 2) continue;
      if (name === "location") tracks.push(dense(series, (cell) => cell[0]), dense(series, (cell) => cell[1]));
      else if (name === "action") tracks.push(dense(series, (pair) => pair[0]), dense(series, (pair) => pair[1]));
      else if (["number", "boolean"].includes(typeof series[0][1])) tracks.push(dense(series, Number));
    }
  }
  window.kept = {replay, tracks};
  return performance.now() - began;
}"""

FIRST_FRAME = """async (address) => {
  const widget = (await import("/viewer.js")).default;
  const el = document.body.appendChild(document.createElement("div"));
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  const data = new DataView(await (await fetch(address)).arrayBuffer());
  const began = performance.now();
  const drawn = new Promise((done) => {
    CanvasRenderingContext2D.prototype.drawImage = function (...all) {
      draw.apply(this, all);
      if (!this.canvas.classList.contains("rv-map-canvas")) return;
      CanvasRenderingContext2D.prototype.drawImage = draw;
      queueMicrotask(() => {
        this.getImageData(0, 0, 1, 1);
        done(performance.now() - began);
      });
    };
  });
  const state = {...STATE, data};
  const model = {get: (key) => state[key], set: (key, value) => { state[key] = value; heard[`change:${key}`]?.(); }};
  const heard = {};
  Object.assign(model, {on: (event, act) => { heard[event] = act; }, off() {}, save_changes() {}, send() {}});
  window.kept = {model, close: widget.render({model, el})};
  return drawn;
}"""

DRAW = """async (address) => {
  const {Viewer} = await import("/replay/js/viewer.js");
  const {Replay} = await import("/replay/js/replay.js");
  const data = new Uint8Array(await (await fetch(address)).arrayBuffer());
  const replay = await Replay.open(data, () => Promise.reject(Error()));
  const viewer = new Viewer(replay, {title: "", url: "", height: 900, theme: "light"});
  document.body.append(viewer.mount());
  for (const chunk of replay.chunks) await replay.load(chunk.from || 1);
  await new Promise((done) => setTimeout(done, 200));
  const pen = viewer.map.canvas.getContext("2d");
  const times = [];
  for (let i = 0; i < 200; i++) {
    viewer.store.set({step: (i * 37) % replay.steps, shown: (i * 37) % replay.steps});
    const began = performance.now();
    viewer.map.draw();
    pen.getImageData(0, 0, 1, 1);
    times.push(performance.now() - began);
  }
  viewer.stop();
  times.sort((a, b) => a - b);
  return {median: times[100], least: times[0]};
}"""

# Plays at a step a frame; closed, there is neither the side panel nor what it would have worked out.
PLAY = """async ([address, pictures, open]) => {
  const {Viewer} = await import("/replay/js/viewer.js");
  const {Replay} = await import("/replay/js/replay.js");
  const bytes = async (from) => new Uint8Array(await (await fetch(from)).arrayBuffer());
  const replay = await Replay.open(await bytes(address), () => Promise.reject(Error()));
  const viewer = new Viewer(replay, {title: "", url: "", height: 860, theme: "light"});
  document.body.append(viewer.mount());
  await viewer.setSprites(await bytes(pictures));
  for (const chunk of replay.chunks) await replay.load(chunk.from || 1);
  if (!open) {
    viewer.node.querySelector(".rv-side").style.display = "none";
    viewer.panels = undefined;
  }
  viewer.seek(100);
  viewer.store.set({speed: 60, playing: true});
  await new Promise((done) => setTimeout(done, 1000));
}"""

# Frames of the next two seconds, asked for as any page that moves does.
FRAMES = """() => new Promise((done) => {
  const began = performance.now();
  let frames = 0;
  requestAnimationFrame(function next(now) {
    frames++;
    if (now - began < 2000) requestAnimationFrame(next);
    else done(frames);
  });
})"""

SCRUB = """async (i) => {
  const line = document.querySelector(".rv-timeline");
  const box = line.getBoundingClientRect();
  line.setPointerCapture = () => {};
  const clientX = box.left + 80 + ((i * 137) % (box.width - 100));
  const pressed = {clientX, clientY: box.top + 8, button: 0, buttons: 1, pointerId: 1, bubbles: true};
  line.dispatchEvent(new PointerEvent("pointerdown", pressed));
  await new Promise(requestAnimationFrame);
}"""


def crowd(agents: int, steps: int) -> Replay:
    """Return a made-up episode in which every agent does something at about every second step."""
    rng = np.random.default_rng(0)
    side = 400
    places = rng.integers(0, side, (agents, 2)).astype(np.int32)

    def changing(values: np.ndarray, base: np.ndarray) -> Column:
        rows, at = np.nonzero(rng.random((agents, steps - 1)) < 0.5)
        return column(base, rows, at + 1, values[rows, at + 1])

    walk = np.cumsum(rng.integers(-1, 2, (agents, steps, 2), dtype=np.int8), axis=1, dtype=np.int32)
    cells = np.clip(walk + places[:, None, :], 0, side - 1)
    numbers = np.arange(agents, dtype=np.int32)
    none = np.zeros(0, np.int32)
    return Replay(
        digest="0" * 32,
        version=4,
        label="crowd",
        map_size=(side, side),
        steps=steps,
        names=Names(types=("agent",), actions=("noop", "move_north", "move_south", "get_items")),
        ids=numbers + 1,
        types=np.zeros(agents, np.int32),
        agent_ids=numbers,
        agents=numbers,
        location=changing(cells, cells[:, 0].copy()),
        columns={
            "action_id": changing(rng.integers(0, 4, (agents, steps), dtype=np.int32), np.zeros(agents, np.int32)),
            "current_reward": changing((rng.random((agents, steps)) < 0.01).astype(np.float64), np.zeros(agents)),
        },
        derived_total=True,
        inventory=Inventory(none, none, constant(none)),
        tables={},
        texts={},
        config=b"",
        render=b"",
        rules=Rules(),
        issues=(),
    )
