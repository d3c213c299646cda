// build/js/dom.js
var SVG = "http://www.w3.org/2000/svg";
function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (typeof value === "function")
      node.addEventListener(key.slice(2), value);
    else if (typeof value === "boolean")
      node.toggleAttribute(key, value);
    else
      node.setAttribute(key, String(value));
  }
  for (const child of children)
    if (child !== null)
      node.append(child);
  return node;
}
function fill(node, ...children) {
  node.replaceChildren(...children.filter((child) => child !== null));
}
function setText(node, text2) {
  if (node.textContent !== text2)
    node.textContent = text2;
}
var ICONS = {
  first: "M5 4v12M15 4l-8 6 8 6z",
  back: "M14 4l-9 6 9 6z",
  play: "M6 3.5l11 6.5-11 6.5z",
  pause: "M6 4h3v12H6zM11 4h3v12h-3z",
  forward: "M6 4l9 6-9 6z",
  last: "M15 4v12M5 4l8 6-8 6z",
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  fit: "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4",
  follow: "M10 2v4M10 14v4M2 10h4M14 10h4M10 7a3 3 0 1 0 .01 0z",
  layers: "M10 3l8 4-8 4-8-4zM2 11l8 4 8-4",
  share: "M7.5 9l5-3M7.5 11l5 3M5 8a2 2 0 1 0 .01 0zM15 3a2 2 0 1 0 .01 0zM15 13a2 2 0 1 0 .01 0z",
  search: "M8.5 3a5.5 5.5 0 1 0 .01 0zM13 13l4 4",
  earlier: "M12 5l-5 5 5 5",
  later: "M8 5l5 5-5 5"
};
var FILLED = /* @__PURE__ */ new Set(["back", "play", "pause", "forward"]);
function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", FILLED.has(name) ? "rv-icon rv-icon-filled" : "rv-icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}
function iconButton(name, label, press) {
  return h("button", { type: "button", class: "rv-button", "aria-label": label, title: label, onclick: press }, icon(name));
}
function prepareCanvas(canvas, width, height) {
  const ratio = pixelRatio();
  const w = Math.max(1, Math.round(width * ratio));
  const hgt = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== w || canvas.height !== hgt) {
    canvas.width = w;
    canvas.height = hgt;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}
function pixelRatio() {
  return Math.min(3, Math.max(1, globalThis.devicePixelRatio || 1));
}

// build/js/format.js
var MISSING = "–";
function count(value) {
  return Number.isFinite(value) ? Math.round(value).toLocaleString("en-GB") : MISSING;
}
function number(value) {
  if (!Number.isFinite(value))
    return MISSING;
  if (value === 0)
    return "0";
  const size = Math.abs(value);
  if (size >= 1e9 || size < 1e-4)
    return minus(value.toExponential(2));
  if (Number.isInteger(value) || size >= 1e3)
    return minus(Math.round(value).toLocaleString("en-GB"));
  return minus(String(Number(value.toPrecision(3))));
}
function signed(value) {
  return value > 0 ? `+${number(value)}` : number(value);
}
function minus(text2) {
  return text2.replace(/^-/, "−");
}
function words(name) {
  const text2 = String(name).replace(/[_\s]+/g, " ").trim();
  return text2 || "unnamed";
}
function clip(text2, limit) {
  return text2.length > limit ? `${text2.slice(0, limit - 1)}…` : text2;
}
function plural(n, noun) {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}
function tickStep(span, wanted) {
  if (!(span > 0) || !(wanted > 0))
    return 1;
  const raw = span / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const scaled = raw / power;
  return (scaled <= 1 ? 1 : scaled <= 2 ? 2 : scaled <= 5 ? 5 : 10) * power;
}
var PROBLEM = "the data could not be read";

// build/js/player.js
var SPEEDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3];
var SMOOTH_UP_TO = 45;
var LONGEST_PAUSE_MS = 250;
var Player = class {
  constructor(track) {
    this.track = track;
    this.position = 0;
    this.last = -1;
  }
  seek(step2) {
    this.position = step2;
    this.last = -1;
  }
  tick(now2, speed) {
    const { steps, ready, load } = this.track;
    const passed = this.last < 0 ? 0 : Math.min(LONGEST_PAUSE_MS, Math.max(0, now2 - this.last));
    this.last = now2;
    const wanted = Math.min(steps - 1, this.position + passed / 1e3 * speed);
    if (ready(Math.floor(wanted)))
      this.position = wanted;
    else
      load(Math.floor(wanted));
    const ahead = Math.min(steps - 1, Math.floor(this.position) + Math.max(64, Math.ceil(speed * 2)));
    if (!ready(ahead))
      load(ahead);
    const step2 = Math.floor(this.position);
    return { step: step2, fraction: this.position - step2, ended: step2 >= steps - 1 };
  }
};
function clampSpeed(speed) {
  return Number.isFinite(speed) ? Math.min(1e3, Math.max(0.1, speed)) : 10;
}

// build/js/camera.js
var MAX_SCALE = 96;
var MARGIN = 10;
function fit(map, view) {
  const scale = Math.min((view.width - 2 * MARGIN) / map.width, (view.height - 2 * MARGIN) / map.height);
  return { x: map.width / 2, y: map.height / 2, scale: Math.min(MAX_SCALE, Math.max(0.05, scale)) };
}
function minScale(map, view) {
  return Math.min(fit(map, view).scale * 0.6, 8);
}
function toScreen(camera, view, x, y) {
  return {
    x: (x - camera.x) * camera.scale + view.width / 2,
    y: (y - camera.y) * camera.scale + view.height / 2
  };
}
function toWorld(camera, view, px, py) {
  return {
    x: (px - view.width / 2) / camera.scale + camera.x,
    y: (py - view.height / 2) / camera.scale + camera.y
  };
}
function clamp(camera, map, view) {
  const finite = Number.isFinite(camera.x) && Number.isFinite(camera.y) && Number.isFinite(camera.scale);
  if (!finite)
    return fit(map, view);
  return {
    x: Math.min(map.width, Math.max(0, camera.x)),
    y: Math.min(map.height, Math.max(0, camera.y)),
    scale: Math.min(MAX_SCALE, Math.max(minScale(map, view), camera.scale))
  };
}
function zoomAt(camera, map, view, factor, px, py) {
  const scale = Math.min(MAX_SCALE, Math.max(minScale(map, view), camera.scale * factor));
  const fixed = toWorld(camera, view, px, py);
  const moved = {
    x: fixed.x - (px - view.width / 2) / scale,
    y: fixed.y - (py - view.height / 2) / scale,
    scale
  };
  return clamp(moved, map, view);
}
function pan(camera, dx, dy) {
  return { x: camera.x - dx / camera.scale, y: camera.y - dy / camera.scale, scale: camera.scale };
}
function visibleCells(camera, map, view) {
  const topLeft = toWorld(camera, view, 0, 0);
  const bottomRight = toWorld(camera, view, view.width, view.height);
  return {
    x0: Math.max(0, Math.floor(topLeft.x)),
    y0: Math.max(0, Math.floor(topLeft.y)),
    x1: Math.min(map.width, Math.ceil(bottomRight.x)),
    y1: Math.min(map.height, Math.ceil(bottomRight.y))
  };
}
function seesAll(camera, map, view) {
  const seen = visibleCells(camera, map, view);
  return seen.x0 <= 0 && seen.y0 <= 0 && seen.x1 >= map.width && seen.y1 >= map.height;
}

// build/js/palette.js
var palettes = {
  light: {
    page: "#ffffff",
    raised: "#f6f8fa",
    text: "#1c2128",
    muted: "#57606a",
    hairline: "#d0d7de",
    accent: "#0072b2",
    onMark: "#ffffff",
    floor: "#ffffff",
    wall: "#b4bcc6",
    grid: "rgba(28,33,40,0.07)",
    good: "#1a7f37",
    bad: "#c62828",
    cold: "#1f6feb",
    gain: "#9a6700",
    talk: "#6e5494",
    quiet: "#c9d1d9",
    fog: "rgba(28,33,40,0.42)",
    heat: [213, 94, 0],
    series: ["#0072b2", "#d55e00", "#008a62", "#b5477d", "#8a6d00", "#5a5fc8", "#3f8f9b", "#7a4b2a"]
  },
  dark: {
    page: "#14171c",
    raised: "#1c2128",
    text: "#e6edf3",
    muted: "#a0a8b3",
    hairline: "#30363d",
    accent: "#56b4e9",
    onMark: "#14171c",
    floor: "#14171c",
    wall: "#484f59",
    grid: "rgba(230,237,243,0.07)",
    good: "#4ac26b",
    bad: "#ff8a80",
    cold: "#6cb0ff",
    gain: "#e3b341",
    talk: "#c3a6ff",
    quiet: "#3d444d",
    fog: "rgba(0,0,0,0.6)",
    heat: [255, 146, 72],
    series: ["#56b4e9", "#ff9248", "#2fc79a", "#e58fbc", "#e6c84f", "#9ba2ff", "#74cbd6", "#c9966f"]
  }
};
function series(palette, index) {
  const n = palette.series.length;
  return palette.series[(index % n + n) % n];
}

// build/js/search.js
var AGENT = /^agent\s*#?(\d+)$/;
var ID = /^#(\d+)$/;
function search(facts, query) {
  const text2 = query.trim().toLowerCase();
  if (!text2)
    return null;
  const { replay } = facts;
  const byAgent = AGENT.exec(text2);
  if (byAgent) {
    const agent = Number(byAgent[1]);
    return { matches: (object) => facts.isAgent[object] === 1 && replay.agentIds[object] === agent, items: [], agent, text: `agent ${agent}` };
  }
  const byId = ID.exec(text2);
  if (byId) {
    const id = Number(byId[1]);
    return { matches: (object) => replay.ids[object] === id, items: [], agent: -1, text: `object ${id}` };
  }
  return byName(facts, text2.replace(/[_\s]+/g, " "));
}
function byName(facts, text2) {
  const { header, types } = facts.replay;
  const has = (name) => name.toLowerCase().replace(/[_\s]+/g, " ").includes(text2);
  const pick = (names) => names.flatMap((name, index) => name && has(name) ? [index] : []);
  const typeHits = new Set(pick(header.typeNames));
  const items = pick(header.itemNames);
  const tagHits = pick(header.tags);
  const tagField = facts.replay.field("tag_ids");
  const tagSets = (header.tables.get("tag_ids") ?? []).map((set) => Array.isArray(set) && tagHits.some((tag) => set.includes(tag)));
  const parts = [
    ...[...typeHits].map((type) => header.typeNames[type]),
    ...items.map((item) => `holds ${header.itemNames[item]}`),
    ...tagHits.map((tag) => header.tags[tag])
  ];
  return {
    matches: (object) => typeHits.has(types[object]) || tagHits.length > 0 && tagSets[tagField.first(object)] === true,
    items,
    agent: -1,
    text: parts.join(", ")
  };
}
function matching(facts, found, step2, limit = 5e3) {
  const { replay } = facts;
  const hits = /* @__PURE__ */ new Set();
  for (const item of found.items) {
    for (let pair = 0; pair < replay.pairItems.length; pair++) {
      if (replay.pairItems[pair] === item && replay.inventory.at(pair, step2) > 0)
        hits.add(replay.pairObjects[pair]);
    }
  }
  for (let object = 0; object < replay.header.objects; object++)
    if (found.matches(object))
      hits.add(object);
  const present = [...hits].filter((object) => replay.alive.at(object, step2) !== 0);
  present.sort((a, b) => facts.isAgent[b] - facts.isAgent[a] || a - b);
  return present.slice(0, limit);
}
function suggestions(facts) {
  const { header, agents, types } = facts.replay;
  const usedTypes = new Set(types);
  const usedItems = new Set(facts.replay.pairItems);
  const names = [
    ...header.typeNames.filter((name, index) => name && usedTypes.has(index)),
    ...header.itemNames.filter((name, index) => name && usedItems.has(index)),
    ...Array.from(agents.slice(0, 64), (object) => `agent ${facts.replay.agentIds[object]}`)
  ];
  return [...new Set(names)];
}

// build/js/overlays.js
var TRAIL_STEPS = 200;
var BANDS = 8;
var TAU = Math.PI * 2;
function drawTrail(context, viewer, frame) {
  const { replay, facts, store } = viewer;
  const { selected, shown } = store.state;
  if (selected < 0 || !facts.isAgent[selected] || !replay.ready(shown))
    return;
  const palette = viewer.palette();
  const width = Math.max(2, frame.perCell * 0.13);
  context.strokeStyle = series(palette, facts.teams.hue(facts.teams.of(selected, shown)));
  context.fillStyle = context.strokeStyle;
  context.lineJoin = "round";
  context.lineCap = "round";
  context.lineWidth = width;
  for (let band = BANDS - 1; band >= 0; band--) {
    const far = TRAIL_STEPS * (band + 1) / BANDS;
    const near = TRAIL_STEPS * band / BANDS;
    context.globalAlpha = 0.9 * (1 - band / BANDS);
    context.setLineDash([]);
    pathBetween(context, viewer, frame, selected, shown - far, shown - near);
    context.setLineDash([width * 0.1, width * 2.1]);
    pathBetween(context, viewer, frame, selected, shown + near, shown + far);
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}
function pathBetween(context, viewer, frame, object, from, to) {
  const { replay } = viewer;
  const first = Math.max(0, Math.round(from));
  const last = Math.min(replay.steps - 1, Math.round(to));
  if (first >= last)
    return;
  const place = { x: 0, y: 0 };
  let [lastX, lastY, started] = [0, 0, false];
  context.beginPath();
  replay.location.runs(object, first, last + 1, (start) => {
    replay.locate(object, start, place);
    const x = frame.originX + (place.x + 0.5) * frame.perCell;
    const y = frame.originY + (place.y + 0.5) * frame.perCell;
    const jump = Math.abs(place.x - lastX) + Math.abs(place.y - lastY) > 2;
    if (!started || jump)
      context.moveTo(x, y);
    else
      context.lineTo(x, y);
    [lastX, lastY, started] = [place.x, place.y, true];
  });
  context.stroke();
}
function sight(viewer, object) {
  const size = viewer.replay.field("vision_size").at(object, viewer.store.state.shown);
  return Number.isFinite(size) ? Math.max(0, Math.floor(size / 2)) : 5;
}
function drawVision(context, viewer, frame, place) {
  const { selected } = viewer.store.state;
  if (selected < 0 || !viewer.facts.isAgent[selected])
    return;
  const reach = sight(viewer, selected);
  const { x, y } = place(selected);
  const side = (2 * reach + 1) * frame.perCell;
  context.strokeStyle = viewer.palette().accent;
  context.lineWidth = 1.5;
  context.setLineDash([5, 4]);
  context.strokeRect(frame.originX + (x - reach) * frame.perCell, frame.originY + (y - reach) * frame.perCell, side, side);
  context.setLineDash([]);
}
function drawFog(context, viewer, frame, place) {
  const { replay, facts, store } = viewer;
  const { selected, shown } = store.state;
  const watchers = selected >= 0 && facts.isAgent[selected] ? [selected] : replay.agents;
  const mask = scratch(frame.width, frame.height);
  const pen = mask.getContext("2d");
  pen.clearRect(0, 0, frame.width, frame.height);
  pen.fillStyle = viewer.palette().fog;
  pen.fillRect(frame.originX, frame.originY, replay.map.width * frame.perCell, replay.map.height * frame.perCell);
  for (const object of watchers) {
    if (replay.alive.at(object, shown) === 0)
      continue;
    const reach = sight(viewer, object);
    const { x, y } = place(object);
    const side = (2 * reach + 1) * frame.perCell;
    pen.clearRect(frame.originX + (x - reach) * frame.perCell, frame.originY + (y - reach) * frame.perCell, side, side);
  }
  context.drawImage(mask, 0, 0);
}
var fogMask = null;
function scratch(width, height) {
  fogMask ??= document.createElement("canvas");
  if (fogMask.width !== width || fogMask.height !== height) {
    fogMask.width = width;
    fogMask.height = height;
  }
  return fogMask;
}
function drawHeat(context, presence, viewer, frame) {
  if (presence.tooLarge || presence.peak === 0)
    return;
  const { width, height } = viewer.replay.map;
  const picture2 = document.createElement("canvas");
  picture2.width = width;
  picture2.height = height;
  const pen = picture2.getContext("2d");
  const image = pen.createImageData(width, height);
  const [red, green, blue] = viewer.palette().heat;
  const top = Math.log1p(presence.peak);
  for (let cell = 0; cell < presence.counts.length; cell++) {
    const count2 = presence.counts[cell];
    if (count2 === 0)
      continue;
    image.data[4 * cell] = red;
    image.data[4 * cell + 1] = green;
    image.data[4 * cell + 2] = blue;
    image.data[4 * cell + 3] = 30 + 200 * (Math.log1p(count2) / top);
  }
  pen.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(picture2, frame.originX, frame.originY, width * frame.perCell, height * frame.perCell);
}
function drawHighlights(context, viewer, frame, place, drawObject) {
  const { store, facts } = viewer;
  const { found, shown } = store.state;
  if (!found)
    return;
  const palette = viewer.palette();
  context.globalAlpha = 0.72;
  context.fillStyle = palette.floor;
  context.fillRect(frame.originX, frame.originY, viewer.replay.map.width * frame.perCell, viewer.replay.map.height * frame.perCell);
  context.globalAlpha = 1;
  const hits = matching(facts, found, shown);
  const ring = Math.max(4, frame.perCell * 0.72);
  context.lineWidth = Math.max(1.5, frame.perCell * 0.06);
  for (const object of hits) {
    const { x, y } = place(object);
    const px = frame.originX + (x + 0.5) * frame.perCell;
    const py = frame.originY + (y + 0.5) * frame.perCell;
    if (px < -ring || py < -ring || px > frame.width + ring || py > frame.height + ring)
      continue;
    drawObject(object);
    if (hits.length > 800)
      continue;
    context.strokeStyle = palette.accent;
    context.beginPath();
    context.arc(px, py, ring, 0, TAU);
    context.stroke();
  }
}

// build/js/presence.js
var MAX_CELLS = 4e6;
var Presence = class {
  constructor(replay) {
    this.replay = replay;
    const cells = replay.map.width * replay.map.height;
    this.counts = new Float64Array(cells <= MAX_CELLS ? cells : 0);
    this.until = 0;
    this.peak = 0;
    this.agent = 0;
    this.goal = 0;
  }
  get tooLarge() {
    return this.counts.length === 0;
  }
  advance(step2, budget) {
    if (this.tooLarge)
      return true;
    if (step2 + 1 < this.until)
      this.#restart();
    const start = performance.now();
    while (this.until <= step2) {
      if (this.agent === 0)
        this.goal = Math.min(step2 + 1, this.until + 512);
      while (this.agent < this.replay.agents.length) {
        this.#countAgent(this.replay.agents[this.agent++], this.until, this.goal);
        if (performance.now() - start > budget)
          return false;
      }
      this.agent = 0;
      this.until = this.goal;
    }
    return true;
  }
  #restart() {
    this.counts.fill(0);
    this.until = 0;
    this.peak = 0;
    this.agent = 0;
  }
  #countAgent(object, from, to) {
    const { width } = this.replay.map;
    const place = { x: 0, y: 0 };
    this.replay.location.runs(object, from, to, (start, end) => {
      this.replay.locate(object, start, place);
      const cell = place.y * width + place.x;
      if (cell >= 0 && cell < this.counts.length) {
        this.counts[cell] += end - start;
        if (this.counts[cell] > this.peak)
          this.peak = this.counts[cell];
      }
    });
  }
};

// build/js/sprites.js
var WALL = /(^|[_.:\s-])(wall|block|border|obstacle)s?($|[_.:\s-])/i;
var AGENT2 = /^agent/i;
var TAU2 = Math.PI * 2;
var SHAPES = [[0, 0], [6, 0], [4, 0], [8, 1 / 16], [5, -1 / 4], [3, -1 / 4]];
function kindOf(name) {
  if (AGENT2.test(name))
    return "agent";
  return WALL.test(name) ? "wall" : "thing";
}
function hash(text2) {
  let value = 2166136261;
  for (let i = 0; i < text2.length; i++)
    value = Math.imul(value ^ text2.charCodeAt(i), 16777619);
  return value >>> 0;
}
function describeSprites(typeNames) {
  const looks = /* @__PURE__ */ new Set();
  const letters = /* @__PURE__ */ new Set();
  const made = /* @__PURE__ */ new Map();
  for (const name of [...new Set(typeNames)].sort()) {
    const kind = kindOf(name);
    const look = kind === "thing" ? freeLook(hash(name), looks) : 0;
    const label = kind === "wall" ? "" : freeLetters(name, letters);
    made.set(name, { kind, shape: look >> 3, hue: look & 7, letters: label, name });
  }
  return typeNames.map((name) => made.get(name));
}
function freeLook(start, taken) {
  const hues = new Set([...taken].map((look) => look & 7));
  const shape = (start >>> 8) % SHAPES.length;
  for (let i = 0; i < 8 * SHAPES.length; i++) {
    const look = ((shape + (i >> 3)) % SHAPES.length << 3 | start + i & 7) >>> 0;
    const fresh = hues.size >= 8 ? !taken.has(look) : !hues.has(look & 7);
    if (fresh) {
      taken.add(look);
      return look;
    }
  }
  return start % (8 * SHAPES.length);
}
function freeLetters(name, taken) {
  const parts = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const joined = parts.join("");
  const [first, ...rest] = [...joined];
  if (first === void 0)
    return "?";
  const initials = parts.slice(1).map((part) => [...part][0]);
  for (const second of [...initials, ...rest, ..."23456789"]) {
    const pair = first.toUpperCase() + second.toLowerCase();
    if (!taken.has(pair)) {
      taken.add(pair);
      return pair;
    }
  }
  return first.toUpperCase();
}
function traceShape(path, shape, cx, cy, radius) {
  const [corners, turn] = SHAPES[shape % SHAPES.length];
  if (corners === 0) {
    const half = radius * 0.88;
    path.roundRect(cx - half, cy - half, 2 * half, 2 * half, radius * 0.28);
    return;
  }
  for (let i = 0; i < corners; i++) {
    const angle = (turn + i / corners) * TAU2;
    const x = cx + Math.cos(angle) * radius;
    const y = cy + Math.sin(angle) * radius;
    if (i === 0)
      path.moveTo(x, y);
    else
      path.lineTo(x, y);
  }
  path.closePath();
}
function drawThing(context, sprite, palette, x, y, size) {
  context.fillStyle = series(palette, sprite.hue);
  context.beginPath();
  traceShape(context, sprite.shape, x + size / 2, y + size / 2, size * 0.47);
  context.fill();
  if (size >= 15)
    drawLetters(context, sprite.letters, palette.onMark, x + size / 2, y + size * 0.53, size * 0.42);
}
function drawAgent(context, colour, palette, label, x, y, size, facing) {
  const cx = x + size / 2;
  const cy = y + size / 2;
  context.fillStyle = palette.page;
  context.beginPath();
  context.arc(cx, cy, size * 0.5, 0, TAU2);
  context.fill();
  context.fillStyle = colour;
  if (facing >= 0 && size >= 8)
    drawNotch(context, cx, cy, size, facing);
  context.beginPath();
  context.arc(cx, cy, size * 0.41, 0, TAU2);
  context.fill();
  const points = size * (label.length > 2 ? 0.34 : 0.44);
  if (size >= 13)
    drawLetters(context, label, palette.onMark, cx, cy + size * 0.03, points);
}
var FACING_ANGLE = [-Math.PI / 2, Math.PI / 2, Math.PI, 0];
function drawNotch(context, cx, cy, size, facing) {
  const angle = FACING_ANGLE[facing & 3];
  const tip = size * 0.56;
  const base = size * 0.36;
  context.beginPath();
  context.moveTo(cx + Math.cos(angle) * tip, cy + Math.sin(angle) * tip);
  context.lineTo(cx + Math.cos(angle + 0.7) * base, cy + Math.sin(angle + 0.7) * base);
  context.lineTo(cx + Math.cos(angle - 0.7) * base, cy + Math.sin(angle - 0.7) * base);
  context.fill();
}
function drawLetters(context, text2, colour, x, y, points) {
  context.fillStyle = colour;
  context.font = `600 ${points}px system-ui, -apple-system, "Segoe UI", sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text2, x, y);
}

// build/js/wire.js
var FORMAT = 1;
var MAX_RAW = 1 << 30;
var MAX_HEADER = 1 << 26;
var MAX_SIDE = 65535;
var MAX_AREA = 1 << 26;
var MAX_OBJECTS = 5e6;
var MAX_STEPS = 2e7;
var MAX_RATIO = 1040;
var WireError = class extends Error {
};
function asBytes(value) {
  if (value instanceof Uint8Array)
    return value;
  if (ArrayBuffer.isView(value))
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer)
    return new Uint8Array(value);
  return new Uint8Array(0);
}
async function inflate(bytes, raw, what) {
  if (typeof DecompressionStream === "undefined") {
    throw new WireError("this browser cannot inflate data (DecompressionStream is missing): use a newer one");
  }
  if (raw > MAX_RAW || raw > bytes.length * MAX_RATIO + 64)
    throw new WireError(`${what} claims ${raw} bytes, which cannot be`);
  const out = new Uint8Array(raw);
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  let filled = 0;
  try {
    for (; ; ) {
      const { done, value } = await reader.read();
      if (done)
        break;
      if (filled + value.length > raw)
        throw new WireError(`${what} is longer than it says`);
      out.set(value, filled);
      filled += value.length;
    }
  } catch (error) {
    reader.cancel().catch(() => {
    });
    throw error instanceof WireError ? error : new WireError(`${what} is damaged and cannot be inflated`);
  }
  if (filled !== raw)
    throw new WireError(`${what} is shorter than it says`);
  return out;
}
async function readHeader(bytes) {
  if (bytes.length < 16)
    throw new WireError(`the data is ${bytes.length} bytes long, too short for a replay`);
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== "RPLW")
    throw new WireError("the data is not an encoded replay");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = view.getUint32(4, true);
  if (format !== FORMAT)
    throw new WireError(`the data has format ${format}, this viewer reads ${FORMAT}: encode the replay again`);
  const size = view.getUint32(8, true);
  const raw = view.getUint32(12, true);
  if (16 + size > bytes.length || raw > MAX_HEADER)
    throw new WireError("the header is cut short");
  const json = parseJson(await inflate(bytes.subarray(16, 16 + size), raw, "the header"), "the header");
  return checkHeader(json, 16 + size, bytes.length);
}
function parseJson(bytes, what) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new WireError(`${what} is not readable JSON`);
  }
}
function checkHeader(value, start, length) {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new WireError("the header is not an object");
  const [width, height] = Array.isArray(value.map_size) ? value.map_size : [];
  const objects = whole(value.objects, "objects", 0, MAX_OBJECTS);
  const header = {
    hash: text(value.hash),
    version: whole(value.version, "version", 0, 1e6),
    label: text(value.label),
    width: whole(width, "map_size", 1, MAX_SIDE),
    height: whole(height, "map_size", 1, MAX_SIDE),
    steps: whole(value.steps, "steps", 1, MAX_STEPS),
    objects,
    agents: whole(value.agents, "agents", 0, objects),
    pairs: whole(value.pairs ?? 0, "pairs", 0, 5e7),
    bins: whole(value.bins ?? 0, "bins", 0, 1e6),
    typeNames: texts(value.type_names),
    actionNames: texts(value.action_names),
    itemNames: texts(value.item_names),
    animationNames: texts(value.animation_names),
    capacityNames: texts(value.capacity_names),
    groupNames: texts(value.group_names),
    vibeNames: texts(value.vibe_names),
    tags: texts(value.tags),
    fields: fieldInfos(value.fields),
    movers: moverCounts(value.movers),
    tables: tables(value.tables),
    issues: list(value.issues).map(issue),
    issuesMore: Math.max(0, Number(value.issues_more) || 0),
    chunks: list(value.chunks).map((chunk) => chunkInfo(chunk, start, length))
  };
  if (header.width * header.height > MAX_AREA)
    throw new WireError(`the map of ${width} x ${height} cells is too large to show`);
  return header;
}
function whole(value, name, low, high) {
  if (typeof value !== "number" || !Number.isInteger(value) || value < low || value > high) {
    throw new WireError(`the header's ${name} is not a whole number from ${low} to ${high}`);
  }
  return value;
}
function text(value) {
  return typeof value === "string" ? value : value === null || value === void 0 ? "" : String(value);
}
function list(value) {
  return Array.isArray(value) ? value : [];
}
function texts(value) {
  return list(value).map(text);
}
function entries(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : [];
}
function fieldInfos(value) {
  return new Map(entries(value).map(([name, info]) => {
    const scalar = info?.scalar;
    const fine = typeof scalar === "number" || Array.isArray(scalar) && scalar.length === 2 && scalar.every((v) => typeof v === "number");
    return [name, { kind: text(info?.kind), scalar: fine ? scalar : null }];
  }));
}
function moverCounts(value) {
  return new Map(entries(value).map(([name, m]) => [name, whole(m, `movers of ${name}`, 0, 5e7)]));
}
function tables(value) {
  return new Map(entries(value).map(([name, rows]) => [name, list(rows)]));
}
function issue(value) {
  return {
    path: text(value?.path),
    rule: text(value?.rule),
    count: Number(value?.count) || 1,
    example: text(value?.example),
    severity: text(value?.severity) || "note"
  };
}
function chunkInfo(value, start, length) {
  const size = whole(value?.size, "chunk size", 0, MAX_RAW);
  const offset = value.offset === null || value.offset === void 0 ? null : start + whole(value.offset, "chunk offset", 0, length);
  if (offset !== null && offset + size > length)
    throw new WireError(`the part ${text(value.id)} is cut off`);
  return {
    id: text(value.id),
    kind: text(value.kind),
    from: whole(value.from ?? 0, "chunk start", 0, MAX_STEPS),
    to: whole(value.to ?? 0, "chunk end", 0, MAX_STEPS),
    size,
    raw: whole(value.raw, "chunk length", 0, MAX_RAW),
    offset,
    fields: texts(value.fields)
  };
}
var DTYPES = {
  i1: Int8Array,
  u1: Uint8Array,
  i2: Int16Array,
  u2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
  f4: Float32Array,
  f8: Float64Array
};
var Columns = class {
  constructor(bytes, what) {
    this.what = what;
    this.bytes = bytes;
    if (bytes.length < 8)
      throw new WireError(`${what} is too short`);
    const size = new DataView(bytes.buffer).getUint32(0, true);
    if (8 + size > bytes.length)
      throw new WireError(`the directory of ${what} is cut short`);
    this.directory = new Map(entries(parseJson(bytes.subarray(8, 8 + size), `the directory of ${what}`)));
  }
  has(name) {
    return this.directory.has(name);
  }
  numbers(name, length) {
    const [dtype, size, offset] = this.#entry(name);
    if (length !== void 0 && size !== length)
      throw this.#wrong(name, `${size} values where ${length} belong`);
    if (size === 0)
      return new Uint8Array(0);
    const Type = Object.hasOwn(DTYPES, dtype) ? DTYPES[dtype] : null;
    if (!Type)
      throw this.#wrong(name, "an unknown type");
    if (offset % 8 !== 0 || offset + size * Type.BYTES_PER_ELEMENT > this.bytes.length)
      throw this.#wrong(name, "values outside the data");
    return new Type(this.bytes.buffer, offset, size);
  }
  json(name) {
    const [dtype, size, offset] = this.#entry(name);
    if (dtype !== "json" || offset + size > this.bytes.length)
      throw this.#wrong(name, "no readable JSON");
    return parseJson(this.bytes.subarray(offset, offset + size), `${name} of ${this.what}`);
  }
  #entry(name) {
    const entry = this.directory.get(name) ?? ["u1", 0, 0];
    const fine = Array.isArray(entry) && Number.isInteger(entry[1]) && Number.isInteger(entry[2]) && entry[1] >= 0 && entry[2] >= 0;
    if (!fine)
      throw this.#wrong(name, "an unreadable directory entry");
    return entry;
  }
  #wrong(name, why) {
    return new WireError(`${this.what} is damaged: ${name} has ${why}`);
  }
};
function runningSum(deltas, bound, what) {
  const sums = new Int32Array(deltas.length);
  let sum = 0;
  for (let i = 0; i < deltas.length; i++) {
    sum += deltas[i];
    if (sum < 0 || sum >= bound)
      throw new WireError(`${what} points outside its list`);
    sums[i] = sum;
  }
  return sums;
}

// build/js/sprite-cache.js
var LIMIT = 4e3;
var PNG = [137, 80, 78, 71];
var SpriteCache = class {
  constructor() {
    this.drawn = /* @__PURE__ */ new Map();
    this.images = /* @__PURE__ */ new Map();
  }
  clear() {
    this.drawn.clear();
  }
  image(name) {
    return this.images.get(name) ?? null;
  }
  colour(sprite, palette) {
    return sprite.kind === "wall" ? palette.wall : series(palette, sprite.hue);
  }
  thing(sprite, palette, size) {
    return this.#make(`${sprite.name}|${size}`, size, (context) => {
      if (sprite.kind === "wall") {
        context.fillStyle = palette.wall;
        context.fillRect(0, 0, size, size);
      } else {
        drawThing(context, sprite, palette, 0, 0, size);
      }
    });
  }
  agent(colour, palette, label, size, facing) {
    const pad = agentPad(size);
    return this.#make(`${colour}|${label}|${facing}|${size}`, size + 2 * pad, (context) => {
      drawAgent(context, colour, palette, label, pad, pad, size, facing);
    });
  }
  #make(key, side, draw) {
    const ready = this.drawn.get(key);
    if (ready)
      return ready;
    if (this.drawn.size > LIMIT)
      this.drawn.clear();
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    draw(canvas.getContext("2d"));
    this.drawn.set(key, canvas);
    return canvas;
  }
  async readImages(bytes) {
    if (bytes.length < 8)
      return;
    const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    if (4 + size > bytes.length)
      return;
    const index = parseJson(bytes.subarray(4, 4 + size), "the sprite index");
    for (const [name, place] of Object.entries(index ?? {})) {
      const [offset, length] = Array.isArray(place) ? place : [];
      const file = bytes.subarray(4 + size + offset, 4 + size + offset + length);
      if (!PNG.every((byte, i) => file[i] === byte))
        continue;
      const blob = new Blob([file], { type: "image/png" });
      const image = await createImageBitmap(blob).catch(() => null);
      if (image)
        this.images.set(name, image);
    }
  }
};
function agentPad(size) {
  return Math.ceil(size * 0.08);
}

// build/js/tiles.js
var SIDE = 512;
var KEEP = 80;
var PLAIN_BELOW = 9;
var GRID_FROM = 14;
var StaticLayer = class {
  constructor(facts, sprites) {
    this.facts = facts;
    this.sprites = sprites;
    this.perCell = 0;
    this.grid = true;
    this.tiles = /* @__PURE__ */ new Map();
  }
  clear() {
    this.tiles.clear();
  }
  draw(context, frame, palette, { settled, grid }) {
    if (grid !== this.grid)
      this.clear();
    this.grid = grid;
    if (frame.perCell !== this.perCell) {
      if (!settled && this.tiles.size > 0) {
        this.#blit(context, frame, palette, frame.perCell / this.perCell, false);
        return;
      }
      this.clear();
      this.perCell = frame.perCell;
    }
    this.#blit(context, frame, palette, 1, true);
  }
  #blit(context, frame, palette, stretch, bake) {
    const side = SIDE * stretch;
    const { width, height } = this.facts.replay.map;
    const lastX = Math.ceil(width * this.perCell / SIDE);
    const lastY = Math.ceil(height * this.perCell / SIDE);
    for (let ty = Math.max(0, Math.floor(-frame.originY / side)); ty < lastY && frame.originY + ty * side < frame.height; ty++) {
      for (let tx = Math.max(0, Math.floor(-frame.originX / side)); tx < lastX && frame.originX + tx * side < frame.width; tx++) {
        const tile = this.#tile(tx, ty, palette, bake);
        if (tile)
          context.drawImage(tile, frame.originX + tx * side, frame.originY + ty * side, side, side);
      }
    }
  }
  #tile(tx, ty, palette, bake) {
    const key = `${tx},${ty}`;
    const ready = this.tiles.get(key);
    if (ready || !bake)
      return ready ?? null;
    if (this.tiles.size >= KEEP)
      this.tiles.delete(this.tiles.keys().next().value);
    const tile = document.createElement("canvas");
    tile.width = tile.height = SIDE;
    this.#bake(tile.getContext("2d"), tx * SIDE, ty * SIDE, palette);
    this.tiles.set(key, tile);
    return tile;
  }
  #bake(context, left, top, palette) {
    const scale = this.perCell;
    const [x0, y0, x1, y1] = [left / scale, top / scale, (left + SIDE) / scale, (top + SIDE) / scale];
    if (this.grid && scale >= GRID_FROM)
      this.#bakeGrid(context, left, top, palette);
    const plain = scale < PLAIN_BELOW;
    this.facts.blocks.each(x0 - 1, y0 - 1, x1 + 1, y1 + 1, (object, x, y) => {
      const px = Math.round(x * scale) - left;
      const py = Math.round(y * scale) - top;
      const size = Math.round((x + 1) * scale) - left - px;
      const sprite = this.facts.sprite(object);
      const image = this.sprites.image(sprite.name);
      if (sprite.kind === "wall" && !image) {
        context.fillStyle = palette.wall;
        context.fillRect(px, py, size, Math.round((y + 1) * scale) - top - py);
      } else if (plain) {
        context.fillStyle = this.sprites.colour(sprite, palette);
        context.fillRect(px, py, Math.max(2, size), Math.max(2, size));
      } else {
        context.drawImage(image ?? this.sprites.thing(sprite, palette, size), px, py, size, size);
      }
    });
  }
  #bakeGrid(context, left, top, palette) {
    const scale = this.perCell;
    const { width, height } = this.facts.replay.map;
    const right = Math.min(SIDE, Math.round(width * scale) - left);
    const bottom = Math.min(SIDE, Math.round(height * scale) - top);
    context.fillStyle = palette.grid;
    for (let x = Math.ceil(left / scale); Math.round(x * scale) - left < right; x++)
      context.fillRect(Math.round(x * scale) - left, 0, 1, bottom);
    for (let y = Math.ceil(top / scale); Math.round(y * scale) - top < bottom; y++)
      context.fillRect(0, Math.round(y * scale) - top, right, 1);
  }
};

// build/js/map-view.js
var SETTLE_MS = 110;
var TAU3 = Math.PI * 2;
var MapView = class {
  constructor(context) {
    this.context = context;
    this.canvas = h("canvas", { class: "rv-map-canvas" });
    this.tip = h("div", { class: "rv-tip", role: "presentation" });
    this.notice = h("div", { class: "rv-notice", role: "status" });
    this.node = h("div", { class: "rv-map", role: "img", "aria-label": "Map of the replay" }, this.canvas, this.tip, this.notice);
    this.layer = new StaticLayer(context.facts, context.sprites);
    this.presence = new Presence(context.replay);
    this.size = { width: 0, height: 0 };
    this.lastScale = 0;
    this.scaledAt = -1e9;
    this.settle = 0;
    this.point = { x: 0, y: 0 };
    this.#listen();
  }
  resize(width, height) {
    this.size = { width, height };
    const ratio = pixelRatio();
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
  }
  stop() {
    clearTimeout(this.settle);
  }
  restyle() {
    this.layer.clear();
  }
  get camera() {
    const { camera, follow, selected } = this.context.store.state;
    const { map } = this.context.replay;
    if (follow && selected >= 0) {
      const place = this.place(selected);
      const scale = camera ? camera.scale : Math.max(24, fit(map, this.size).scale);
      return { x: place.x + 0.5, y: place.y + 0.5, scale };
    }
    return camera ? clamp(camera, map, this.size) : fit(map, this.size);
  }
  frameOf(camera) {
    const ratio = this.canvas.width / Math.max(1, this.size.width);
    const perCell = camera.scale * ratio;
    return {
      perCell,
      originX: Math.round(this.canvas.width / 2 - camera.x * perCell),
      originY: Math.round(this.canvas.height / 2 - camera.y * perCell),
      width: this.canvas.width,
      height: this.canvas.height
    };
  }
  place(object) {
    const { replay, store } = this.context;
    const { shown, fraction } = store.state;
    const { location } = replay;
    const out = { x: 0, y: 0 };
    replay.locate(object, shown, out);
    const mover = location.moverOf ? location.moverOf[object] : -1;
    const next = shown + 1;
    if (fraction <= 0 || mover < 0 || next >= replay.steps || !replay.ready(next))
      return out;
    const { x, y } = out;
    replay.locate(object, next, out);
    if (Math.abs(out.x - x) + Math.abs(out.y - y) > 2)
      return { x, y };
    out.x = x + (out.x - x) * fraction;
    out.y = y + (out.y - y) * fraction;
    return out;
  }
  draw() {
    const { store, replay } = this.context;
    const palette = this.context.palette();
    const { layers, found, shown } = store.state;
    const context = this.canvas.getContext("2d", { alpha: false });
    const camera = this.camera;
    const frame = this.frameOf(camera);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = palette.raised;
    context.fillRect(0, 0, frame.width, frame.height);
    context.fillStyle = palette.floor;
    context.fillRect(frame.originX, frame.originY, Math.round(replay.map.width * frame.perCell), Math.round(replay.map.height * frame.perCell));
    if (layers.heat)
      this.#heat(context, frame);
    context.imageSmoothingEnabled = false;
    this.layer.draw(context, frame, palette, { settled: this.#settled(frame.perCell), grid: layers.grid });
    context.imageSmoothingEnabled = true;
    this.#drawTeamRings(context, frame);
    if (layers.trail)
      drawTrail(context, this.context, frame);
    this.#drawMovers(context, frame, camera);
    if (layers.fog)
      drawFog(context, this.context, frame, (object) => this.place(object));
    if (found)
      drawHighlights(context, this.context, frame, (object) => this.place(object), (object) => this.#drawOne(context, frame, object));
    if (layers.vision)
      drawVision(context, this.context, frame, (object) => this.place(object));
    this.#drawSelection(context, frame);
    this.#notices(shown);
  }
  #settled(perCell) {
    const now2 = performance.now();
    if (perCell !== this.lastScale) {
      this.lastScale = perCell;
      this.scaledAt = this.layer.tiles.size ? now2 : -1e9;
    }
    const rest = this.scaledAt + SETTLE_MS - now2;
    clearTimeout(this.settle);
    if (rest > 0)
      this.settle = window.setTimeout(() => this.context.invalidate("map"), rest + 1);
    return rest <= 0;
  }
  #heat(context, frame) {
    const done = this.presence.advance(this.context.store.state.shown, 8);
    drawHeat(context, this.presence, this.context, frame);
    if (!done)
      this.context.invalidate("map");
  }
  #drawTeamRings(context, frame) {
    const { facts, replay, store } = this.context;
    if (facts.teamThings.length === 0)
      return;
    const palette = this.context.palette();
    const { shown } = store.state;
    context.lineWidth = Math.max(1, frame.perCell * 0.1);
    for (const object of facts.teamThings) {
      const team = facts.teams.of(object, shown);
      if (team < 0 || replay.alive.at(object, shown) === 0)
        continue;
      replay.locate(object, shown, this.point);
      const x = frame.originX + this.point.x * frame.perCell;
      const y = frame.originY + this.point.y * frame.perCell;
      if (x < -frame.perCell || y < -frame.perCell || x > frame.width || y > frame.height)
        continue;
      context.strokeStyle = series(palette, facts.teams.hue(team));
      context.strokeRect(x + 0.5, y + 0.5, frame.perCell - 1, frame.perCell - 1);
    }
  }
  #drawMovers(context, frame, camera) {
    const { facts, replay, store } = this.context;
    const { shown } = store.state;
    const seen = visibleCells(camera, replay.map, this.size);
    for (const list2 of [facts.movingThings, replay.agents]) {
      for (const object of list2) {
        if (replay.alive.at(object, shown) === 0)
          continue;
        const place = this.place(object);
        if (place.x < seen.x0 - 1 || place.y < seen.y0 - 1 || place.x > seen.x1 || place.y > seen.y1)
          continue;
        this.#drawAt(context, frame, object, place.x, place.y);
      }
    }
  }
  #drawOne(context, frame, object) {
    const place = this.place(object);
    this.#drawAt(context, frame, object, place.x, place.y);
  }
  #drawAt(context, frame, object, x, y) {
    const { facts, sprites } = this.context;
    const palette = this.context.palette();
    const px = frame.originX + Math.round(x * frame.perCell);
    const py = frame.originY + Math.round(y * frame.perCell);
    const size = Math.max(2, Math.round(frame.perCell));
    const sprite = facts.sprite(object);
    const image = sprites.image(sprite.name);
    if (facts.isAgent[object]) {
      this.#drawAgent(context, object, px, py, size, image);
    } else if (size < PLAIN_BELOW && !image) {
      context.fillStyle = sprites.colour(sprite, palette);
      context.fillRect(px, py, size, size);
    } else {
      context.drawImage(image ?? sprites.thing(sprite, palette, size), px, py, size, size);
    }
  }
  #drawAgent(context, object, px, py, size, image) {
    const { facts, replay, sprites, store } = this.context;
    const palette = this.context.palette();
    const { shown } = store.state;
    const colour = series(palette, facts.teams.hue(facts.teams.of(object, shown)));
    const drawn = Math.max(7, size);
    const shift = (drawn - size) / 2;
    const facing = drawn >= 8 ? facts.facing(object, shown) : -1;
    if (image && size >= PLAIN_BELOW) {
      context.drawImage(image, px, py, size, size);
    } else {
      const pad = agentPad(drawn);
      const label = drawn >= 13 ? String(replay.agentIds[object]) : "";
      context.drawImage(sprites.agent(colour, palette, label, drawn, facing), Math.round(px - shift - pad), Math.round(py - shift - pad));
    }
    if (size >= 6)
      this.#drawBadges(context, object, px, py, size);
  }
  #drawBadges(context, object, px, py, size) {
    const { replay, store, facts } = this.context;
    const palette = this.context.palette();
    const { shown, layers } = store.state;
    if (replay.field("is_frozen").at(object, shown) > 0) {
      context.strokeStyle = palette.cold;
      context.lineWidth = Math.max(1.5, size * 0.1);
      context.strokeRect(px + 1, py + 1, size - 2, size - 2);
    }
    const unit = Math.max(3, size * 0.17);
    if (size >= 10 && replay.field("action_success").at(object, shown) === 0) {
      context.strokeStyle = palette.bad;
      context.lineWidth = Math.max(1.5, size * 0.08);
      cross(context, px + size - unit * 0.6, py + unit * 0.6, unit * 0.8);
    }
    const reward = replay.field("current_reward").at(object, shown);
    if (reward) {
      context.fillStyle = reward > 0 ? palette.good : palette.bad;
      context.beginPath();
      context.arc(px + unit * 0.6, py + unit * 0.6, unit * 0.75, 0, TAU3);
      context.fill();
    }
    if (layers.items && size >= 16)
      this.#drawItems(context, facts.holdings(object, shown), px, py, size);
  }
  #drawItems(context, held, px, py, size) {
    const palette = this.context.palette();
    const side = Math.max(3, Math.round(size * 0.16));
    held.slice(0, 6).forEach(({ item }, i) => {
      context.fillStyle = palette.page;
      context.fillRect(px + i * (side + 1) - 1, py + size - side - 1, side + 2, side + 2);
      context.fillStyle = series(palette, item);
      context.fillRect(px + i * (side + 1), py + size - side, side, side);
    });
  }
  #drawSelection(context, frame) {
    const { selected, hovered } = this.context.store.state;
    const palette = this.context.palette();
    for (const [object, colour, width] of [[hovered, palette.muted, 1.5], [selected, palette.text, 2.5]]) {
      if (object < 0)
        continue;
      const place = this.place(object);
      const radius = Math.max(7, frame.perCell * 0.66);
      const x = frame.originX + (place.x + 0.5) * frame.perCell;
      const y = frame.originY + (place.y + 0.5) * frame.perCell;
      context.lineWidth = width * 2;
      context.strokeStyle = palette.page;
      context.beginPath();
      context.arc(x, y, radius, 0, TAU3);
      context.stroke();
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.stroke();
    }
  }
  #notices(shown) {
    const { replay, store } = this.context;
    const { step: step2, layers } = store.state;
    const failure = replay.failure(step2);
    let text2 = "";
    if (failure)
      text2 = `Step ${step2} cannot be shown: ${failure}`;
    else if (shown !== step2 && !replay.ready(step2))
      text2 = `Loading step ${step2}`;
    else if (layers.heat && this.presence.tooLarge)
      text2 = "This map is too large for a presence map";
    setText(this.notice, text2);
  }
  objectsAt(x, y) {
    const { facts, replay, store } = this.context;
    const { shown } = store.state;
    const found = [];
    for (const list2 of [replay.agents, facts.movingThings]) {
      for (const object of list2) {
        if (replay.alive.at(object, shown) === 0)
          continue;
        replay.locate(object, shown, this.point);
        if (this.point.x === x && this.point.y === y)
          found.push(object);
      }
    }
    facts.blocks.each(x, y, x + 1, y + 1, (object, ox, oy) => {
      if (ox === x && oy === y)
        found.push(object);
    });
    return found;
  }
  #agentNear(px, py, reach) {
    const { replay, store } = this.context;
    const camera = this.camera;
    let best = reach;
    let found = -1;
    for (const object of replay.agents) {
      if (replay.alive.at(object, store.state.shown) === 0)
        continue;
      const place = this.place(object);
      const screen = toScreen(camera, this.size, place.x + 0.5, place.y + 0.5);
      const distance = Math.hypot(screen.x - px, screen.y - py);
      if (distance < best) {
        best = distance;
        found = object;
      }
    }
    return found;
  }
  #pick(px, py) {
    const camera = this.camera;
    const cell = toWorld(camera, this.size, px, py);
    const here = this.objectsAt(Math.floor(cell.x), Math.floor(cell.y));
    const near = this.#agentNear(px, py, Math.max(9, camera.scale * 0.6));
    return near >= 0 && !here.includes(near) ? [near, ...here] : here;
  }
  #listen() {
    const { canvas } = this;
    let drag = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0)
        return;
      drag = { x: event.clientX, y: event.clientY, moved: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const { x, y } = localPoint(canvas, event);
      if (!drag) {
        this.#hover(x, y);
        return;
      }
      const dx = event.clientX - drag.x;
      const dy = event.clientY - drag.y;
      if (!drag.moved && Math.hypot(dx, dy) < 4)
        return;
      drag = { x: event.clientX, y: event.clientY, moved: true };
      this.setCamera(pan(this.camera, dx, dy));
    });
    canvas.addEventListener("pointerup", (event) => {
      const { x, y } = localPoint(canvas, event);
      if (drag && !drag.moved)
        this.#click(x, y);
      drag = null;
    });
    canvas.addEventListener("pointercancel", () => {
      drag = null;
    });
    canvas.addEventListener("pointerleave", () => this.#hover(-1, -1));
    canvas.addEventListener("dblclick", (event) => {
      const { x, y } = localPoint(canvas, event);
      const [object] = this.#pick(x, y);
      if (object !== void 0)
        this.context.followObject(object);
    });
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }
  #wheel(event) {
    if (!event.ctrlKey && !event.metaKey && !this.context.hasFocus()) {
      this.context.hint("Click the map, or hold Ctrl, to zoom with the wheel");
      return;
    }
    event.preventDefault();
    const { x, y } = localPoint(this.canvas, event);
    const lines = event.deltaMode === 1 ? 16 : 1;
    const factor = Math.exp(-Math.max(-240, Math.min(240, event.deltaY * lines)) * 22e-4);
    this.zoom(factor, x, y);
  }
  zoom(factor, x = this.size.width / 2, y = this.size.height / 2) {
    const { follow } = this.context.store.state;
    const camera = zoomAt(this.camera, this.context.replay.map, this.size, factor, x, y);
    this.context.store.set({ camera, follow });
  }
  setCamera(camera) {
    this.context.store.set({ camera: clamp(camera, this.context.replay.map, this.size), follow: false });
  }
  #click(x, y) {
    const here = this.#pick(x, y);
    const { selected } = this.context.store.state;
    const next = here[(here.indexOf(selected) + 1) % Math.max(1, here.length)];
    this.context.select(next ?? -1);
  }
  #hover(x, y) {
    const object = x < 0 ? -1 : this.#pick(x, y)[0] ?? -1;
    const { facts, store } = this.context;
    const plainWall = object >= 0 && facts.sprite(object).kind === "wall";
    store.set({ hovered: plainWall ? -1 : object });
    this.canvas.style.cursor = object >= 0 && !plainWall ? "pointer" : "grab";
    const text2 = object < 0 || plainWall ? "" : facts.summary(object, store.state.shown);
    setText(this.tip, text2);
    this.tip.classList.toggle("rv-shown", text2 !== "");
    const left = Math.min(x + 14, this.size.width - Math.min(320, this.tip.offsetWidth) - 8);
    this.tip.style.transform = `translate(${Math.max(4, left)}px, ${y + 18 > this.size.height - 40 ? y - 36 : y + 16}px)`;
  }
};
function localPoint(node, event) {
  const box = node.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}
function cross(context, x, y, half) {
  context.beginPath();
  context.moveTo(x - half, y - half);
  context.lineTo(x + half, y + half);
  context.moveTo(x - half, y + half);
  context.lineTo(x + half, y - half);
  context.stroke();
}

// build/js/events.js
var KINDS = ["reward", "penalty", "gain", "freeze", "death", "talk", "failure"];
var KIND_WORDS = {
  reward: "reward",
  penalty: "negative reward",
  gain: "item gain",
  freeze: "freeze",
  death: "death",
  talk: "talk",
  failure: "failed action"
};
var OVERVIEW = { gain: "gains", freeze: "freezes", death: "deaths", talk: "talk", failure: "failures" };
function noEvents() {
  return { reward: [], penalty: [], gain: [], freeze: [], death: [], talk: [], failure: [] };
}
function agentEvents(replay, object, from = 0, to = replay.steps) {
  const events = noEvents();
  let last = NaN;
  replay.field("current_reward").runs(object, from, to, (start, _, value) => {
    if (value !== last && value > 0)
      events.reward.push(start);
    if (value !== last && value < 0)
      events.penalty.push(start);
    last = value;
  });
  risingEdges(replay.field("is_frozen"), object, from, to, 1, events.freeze);
  risingEdges(replay.field("alive"), object, from, to, 0, events.death);
  risingEdges(replay.field("action_success"), object, from, to, 0, events.failure);
  gains(replay, object, from, to, events.gain);
  return events;
}
function risingEdges(field, object, from, to, wanted, out) {
  let last = from > 0 ? field.at(object, from - 1) : 1 - wanted;
  field.runs(object, from, to, (start, _, value) => {
    if (value === wanted && last !== wanted)
      out.push(start);
    last = value;
  });
}
function gains(replay, object, from, to, out) {
  const [first, end] = replay.pairsOf(object);
  const steps = /* @__PURE__ */ new Set();
  for (let pair = first; pair < end; pair++) {
    let last = from > 0 ? replay.inventory.at(pair, from - 1) : NaN;
    replay.inventory.runs(pair, from, to, (start, _, value) => {
      if (value > last)
        steps.add(start);
      last = value;
    });
  }
  out.push(...[...steps].sort((a, b) => a - b));
}
function nextStep(sorted, step2, way) {
  if (way > 0)
    return sorted.find((value) => value > step2) ?? -1;
  return sorted.findLast((value) => value < step2) ?? -1;
}
function findEvent(replay, objects, kind, step2, way) {
  const span = 256;
  const list2 = [...objects];
  for (let low = way > 0 ? step2 + 1 : step2; way > 0 ? low < replay.steps : low > 0; low += way * span) {
    const from = way > 0 ? low : Math.max(0, low - span);
    const to = way > 0 ? Math.min(replay.steps, low + span) : low;
    let best = -1;
    for (const object of list2) {
      const found = nextStep(agentEvents(replay, object, from, to)[kind], step2, way);
      if (found >= 0 && (best < 0 || (found - best) * way < 0))
        best = found;
    }
    if (best >= 0)
      return best;
  }
  return -1;
}
function rewardBins(replay, object, bins) {
  const sums = new Float64Array(bins);
  const { steps } = replay;
  replay.field("current_reward").runs(object, 0, steps, (start, end, value) => {
    if (!value)
      return;
    let at = start;
    while (at < end) {
      const bin = binOf(at, bins, steps);
      const until = Math.min(end, binStart(bin + 1, bins, steps));
      sums[bin] += value * (until - at);
      at = until;
    }
  });
  return sums;
}
function binStart(bin, bins, steps) {
  return Math.floor(bin * steps / bins);
}
function binOf(step2, bins, steps) {
  let bin = Math.min(bins - 1, Math.max(0, Math.floor(step2 * bins / steps)));
  while (bin + 1 < bins && binStart(bin + 1, bins, steps) <= step2)
    bin++;
  return bin;
}

// build/js/timeline.js
function xOf(axis, step2) {
  return axis.left + (axis.steps > 1 ? step2 / (axis.steps - 1) * axis.width : 0);
}
function stepAt(axis, x) {
  const step2 = Math.round((x - axis.left) / Math.max(1, axis.width) * (axis.steps - 1));
  return Math.min(axis.steps - 1, Math.max(0, step2));
}
function ticks(axis, spacing = 90) {
  const step2 = Math.max(1, tickStep(axis.steps - 1, axis.width / spacing));
  const found = [];
  for (let at = 0; at < axis.steps; at += step2)
    found.push(at);
  return found;
}
function ratePerStep(sums, steps, share) {
  const bins = sums.length;
  return Float64Array.from({ length: bins }, (_, bin) => {
    const length = binStart(bin + 1, bins, steps) - binStart(bin, bins, steps);
    return length > 0 ? sums[bin] / length / Math.max(1, share) : 0;
  });
}
function runningTotal(sums, share) {
  const totals = new Float64Array(sums.length);
  let total = 0;
  for (let bin = 0; bin < sums.length; bin++)
    totals[bin] = total += sums[bin] / Math.max(1, share);
  return totals;
}
function extent(...lines) {
  let low = 0;
  let high = 0;
  for (const line2 of lines) {
    for (let i = 0; i < line2.length; i++) {
      if (line2[i] < low)
        low = line2[i];
      if (line2[i] > high)
        high = line2[i];
    }
  }
  return { low, high: high > low ? high : low + 1 };
}
function binsUnder(axis, x, bins) {
  const first = binOf(stepAt(axis, x), bins, axis.steps);
  const last = Math.max(first, binOf(stepAt(axis, x + 1), bins, axis.steps) - 1);
  return [first, last];
}

// build/js/timeline-view.js
var GUTTER = 78;
var RIGHT = 12;
var RAIL = 20;
var LANE = 11;
var CHART = 46;
var FOOT = 16;
var PREVIEW = 150;
var LANES = ["gain", "freeze", "death", "talk"];
var TimelineView = class {
  constructor(context, small) {
    this.context = context;
    this.small = small;
    const { base, header } = context.replay;
    this.lanes = LANES.filter((kind) => this.#overview(kind).some((value) => value > 0));
    this.reward = base.numbers("overview.reward");
    this.chartTop = RAIL + this.lanes.length * LANE + 6;
    this.height = this.chartTop + CHART + FOOT;
    this.canvas = h("canvas", { class: "rv-timeline-canvas" });
    this.preview = h("canvas", { class: "rv-preview-map" });
    this.previewText = h("div", {});
    this.tip = h("div", { class: "rv-tip rv-preview", role: "presentation" }, this.preview, this.previewText);
    this.node = h("div", {
      class: "rv-timeline",
      role: "slider",
      tabindex: 0,
      "aria-label": "Step",
      "aria-valuemin": 0,
      "aria-valuemax": header.steps - 1,
      "aria-valuenow": 0
    }, this.canvas, this.tip);
    this.node.style.height = `${this.height}px`;
    this.width = 0;
    this.hover = -1;
    this.agent = null;
    this.backdrop = null;
    this.window = [0, 0];
    this.#listen();
  }
  #overview(kind) {
    return this.context.replay.base.numbers(`overview.${OVERVIEW[kind]}`);
  }
  get axis() {
    return { left: GUTTER, width: Math.max(1, this.width - GUTTER - RIGHT), steps: this.context.replay.steps };
  }
  resize(width) {
    this.width = width;
    this.backdrop = null;
  }
  refresh() {
    this.backdrop = null;
    this.agent = null;
  }
  draw() {
    const pen = prepareCanvas(this.canvas, this.width, this.height);
    const { shown, selected, step: step2 } = this.context.store.state;
    this.backdrop ??= this.#drawBackdrop(selected);
    pen.clearRect(0, 0, this.width, this.height);
    pen.drawImage(this.backdrop, 0, 0, this.width, this.height);
    this.#drawHead(pen, step2 !== shown ? step2 : shown);
    this.node.setAttribute("aria-valuenow", String(step2));
    this.node.setAttribute("aria-valuetext", `step ${step2} of ${this.context.replay.steps - 1}`);
  }
  #drawBackdrop(selected) {
    const canvas = document.createElement("canvas");
    const pen = prepareCanvas(canvas, this.width, this.height);
    const { facts, replay } = this.context;
    if (selected >= 0 && facts.isAgent[selected]) {
      if (this.agent?.object !== selected) {
        const bins = Math.max(1, this.reward.length);
        this.agent = { object: selected, events: agentEvents(replay, selected), rewards: rewardBins(replay, selected, bins) };
      }
    } else {
      this.agent = null;
    }
    pen.font = "11px system-ui, -apple-system, 'Segoe UI', sans-serif";
    pen.textBaseline = "middle";
    this.#drawLanes(pen);
    this.#drawChart(pen);
    this.#drawTicks(pen);
    return canvas;
  }
  #drawLanes(pen) {
    const palette = this.context.palette();
    const { axis } = this;
    const colours = { gain: palette.gain, freeze: palette.cold, death: palette.bad, talk: palette.talk };
    this.lanes.forEach((kind, row) => {
      const y = RAIL + row * LANE;
      const colour = colours[kind];
      pen.fillStyle = palette.muted;
      pen.textAlign = "right";
      pen.fillText(`${KIND_WORDS[kind]}s`.replace("talks", "talk"), GUTTER - 8, y + LANE / 2 + 0.5);
      const counts = this.#overview(kind);
      const top = extent(counts).high;
      pen.fillStyle = colour;
      for (let x = axis.left; x <= axis.left + axis.width; x++) {
        let sum = 0;
        const [first, last] = binsUnder(axis, x, counts.length);
        for (let bin = first; bin <= last; bin++)
          sum = Math.max(sum, counts[bin]);
        if (sum === 0)
          continue;
        pen.globalAlpha = (this.agent ? 0.25 : 0.4) + (this.agent ? 0.15 : 0.6) * (sum / top);
        pen.fillRect(x, y + 2, 1, LANE - 4);
      }
      pen.globalAlpha = 1;
      if (this.agent)
        this.#drawAgentMarks(pen, this.agent.events[kind], y, colour);
    });
  }
  #drawAgentMarks(pen, steps, y, colour) {
    pen.fillStyle = colour;
    for (const step2 of steps)
      pen.fillRect(Math.round(xOf(this.axis, step2)) - 1, y, 2, LANE - 1);
  }
  #lines() {
    const { replay, store } = this.context;
    const share = replay.header.agents;
    const rate = store.state.chart === "rate";
    const shape = (sums, by) => rate ? ratePerStep(sums, replay.steps, by) : runningTotal(sums, by);
    const mean = shape(this.reward, share);
    const agent = this.agent ? shape(this.agent.rewards, 1) : null;
    return { mean, agent, ...extent(mean, agent ?? []) };
  }
  #drawChart(pen) {
    const palette = this.context.palette();
    const { axis, chartTop } = this;
    const lines = this.#lines();
    const bottom = chartTop + CHART;
    const y = (value) => bottom - (value - lines.low) / (lines.high - lines.low) * CHART;
    pen.textAlign = "right";
    pen.fillStyle = palette.muted;
    const flat = this.reward.every((value) => value === 0);
    if (flat) {
      pen.fillText("reward", GUTTER - 8, chartTop + CHART / 2);
      pen.textAlign = "left";
      pen.fillText("no reward in this replay", GUTTER + 4, chartTop + CHART / 2);
    } else {
      pen.fillText(number(lines.high), GUTTER - 8, chartTop + 5);
      if (lines.low < 0)
        pen.fillText(number(lines.low), GUTTER - 8, bottom - 5);
      else
        pen.fillText("0", GUTTER - 8, bottom - 4);
    }
    pen.strokeStyle = palette.hairline;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(axis.left, Math.round(y(0)) + 0.5);
    pen.lineTo(axis.left + axis.width, Math.round(y(0)) + 0.5);
    pen.stroke();
    if (flat)
      return;
    this.#trace(pen, lines.mean, y, palette.muted, lines.agent ? 1 : 1.5, lines.agent ? 0.55 : 1);
    if (lines.agent)
      this.#trace(pen, lines.agent, y, palette.accent, 1.75, 1);
    this.#drawPenalties(pen, bottom);
  }
  #trace(pen, values, y, colour, width, alpha) {
    const { axis } = this;
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.lineJoin = "round";
    pen.globalAlpha = alpha;
    pen.beginPath();
    const stairs = values.length < axis.width / 3;
    for (let bin = 0; bin < values.length; bin++) {
      const x = xOf(axis, binStart(bin, values.length, axis.steps));
      if (bin === 0)
        pen.moveTo(x, y(values[0]));
      else if (stairs)
        pen.lineTo(x, y(values[bin - 1]));
      pen.lineTo(x, y(values[bin]));
    }
    pen.lineTo(axis.left + axis.width, y(values[values.length - 1] ?? 0));
    pen.stroke();
    pen.globalAlpha = 1;
  }
  #drawPenalties(pen, bottom) {
    const palette = this.context.palette();
    pen.fillStyle = palette.bad;
    const steps = this.agent ? this.agent.events.penalty : negativeBins(this.reward, this.axis.steps);
    for (const step2 of steps) {
      const x = Math.round(xOf(this.axis, step2));
      pen.beginPath();
      pen.moveTo(x - 3.5, bottom - 6);
      pen.lineTo(x + 3.5, bottom - 6);
      pen.lineTo(x, bottom);
      pen.fill();
    }
  }
  #drawTicks(pen) {
    const palette = this.context.palette();
    const { axis } = this;
    const y = this.chartTop + CHART + 9;
    pen.fillStyle = palette.muted;
    const labels = ticks(axis);
    labels.forEach((step2, index) => {
      const x = xOf(axis, step2);
      pen.fillRect(Math.round(x), y - 8, 1, 3);
      pen.textAlign = index === 0 ? "left" : x > axis.left + axis.width - 24 ? "right" : "center";
      pen.fillText(count(step2), x, y + 1);
    });
    pen.textAlign = "right";
    pen.fillText("step", GUTTER - 8, y + 1);
  }
  #drawHead(pen, step2) {
    const palette = this.context.palette();
    const { axis } = this;
    const y = RAIL / 2 - 1;
    const x = xOf(axis, step2);
    pen.fillStyle = palette.hairline;
    pen.beginPath();
    pen.roundRect(axis.left, y - 2, axis.width, 4, 2);
    pen.fill();
    const [from, to] = this.window;
    if (to > from && to - from < axis.steps) {
      pen.fillStyle = palette.muted;
      pen.globalAlpha = 0.55;
      pen.fillRect(xOf(axis, from), y - 4, Math.max(3, xOf(axis, to) - xOf(axis, from)), 8);
      pen.globalAlpha = 1;
    }
    pen.fillStyle = palette.accent;
    pen.beginPath();
    pen.roundRect(axis.left, y - 2, Math.max(0, x - axis.left), 4, 2);
    pen.fill();
    if (this.hover >= 0) {
      pen.fillStyle = palette.muted;
      pen.fillRect(Math.round(xOf(axis, this.hover)), RAIL - 4, 1, this.height - RAIL - FOOT + 4);
    }
    pen.fillStyle = palette.accent;
    pen.fillRect(Math.round(x), RAIL - 4, 1.5, this.height - RAIL - FOOT + 4);
    pen.beginPath();
    pen.arc(x, y, 6.5, 0, Math.PI * 2);
    pen.fill();
  }
  #listen() {
    const { node } = this;
    let scrubbing = false;
    const at = (event) => stepAt(this.axis, localPoint(node, event).x);
    node.addEventListener("pointerdown", (event) => {
      if (event.button !== 0)
        return;
      scrubbing = true;
      node.setPointerCapture(event.pointerId);
      this.context.seek(at(event));
      this.#hideTip();
    });
    node.addEventListener("pointermove", (event) => {
      if (scrubbing)
        this.context.seek(at(event));
      else
        this.#showTip(at(event), localPoint(node, event).x);
    });
    node.addEventListener("pointerup", () => {
      scrubbing = false;
    });
    node.addEventListener("pointercancel", () => {
      scrubbing = false;
    });
    node.addEventListener("pointerleave", () => this.#hideTip());
  }
  #hideTip() {
    this.hover = -1;
    this.tip.classList.remove("rv-shown");
    this.context.invalidate("timeline");
  }
  #showTip(step2, x) {
    this.hover = step2;
    setText(this.previewText, this.#tipText(step2));
    const { replay } = this.context;
    this.preview.hidden = !replay.ready(step2);
    if (!this.preview.hidden) {
      const size = this.small.sizeWithin(PREVIEW);
      this.preview.style.width = `${size.width}px`;
      this.preview.style.height = `${size.height}px`;
      this.small.draw(prepareCanvas(this.preview, size.width, size.height), size, step2);
    } else {
      replay.load(step2);
    }
    this.tip.classList.add("rv-shown");
    const left = Math.min(Math.max(4, x - this.tip.offsetWidth / 2), this.width - this.tip.offsetWidth - 4);
    this.tip.style.transform = `translate(${left}px, ${-this.tip.offsetHeight - 6}px)`;
    this.context.invalidate("timeline");
  }
  #tipText(step2) {
    const { replay, facts } = this.context;
    const bins = Math.max(1, this.reward.length);
    const bin = binOf(step2, bins, replay.steps);
    const [from, to] = [binStart(bin, bins, replay.steps), binStart(bin + 1, bins, replay.steps) - 1];
    const span = to > from ? `steps ${count(from)} to ${count(to)}` : `step ${count(step2)}`;
    const lines = [to > from ? `step ${count(step2)} (${span}:)` : span];
    for (const kind of this.lanes) {
      const n = this.#overview(kind)[bin];
      if (n)
        lines.push(kind === "talk" ? plural(n, "talk line") : plural(n, KIND_WORDS[kind]));
    }
    const { reward } = this;
    if (reward[bin])
      lines.push(`reward ${signed(reward[bin])}, all agents`);
    if (this.agent?.rewards[bin])
      lines.push(`reward ${signed(this.agent.rewards[bin])}, ${facts.title(this.agent.object)}`);
    return lines.join("\n");
  }
};
function negativeBins(sums, steps) {
  const found = [];
  for (let bin = 0; bin < sums.length; bin++)
    if (sums[bin] < 0)
      found.push(binStart(bin, sums.length, steps));
  return found;
}

// build/js/compare-chart.js
var RAIL2 = 20;
var CHART2 = 64;
var HEIGHT = RAIL2 + CHART2 + 22;
var CompareChart = class {
  constructor(compare) {
    this.compare = compare;
    this.canvas = h("canvas", { class: "rv-timeline-canvas" });
    this.node = h("div", { class: "rv-timeline", role: "slider", tabindex: 0, "aria-label": "Step of both replays", "aria-valuemin": 0, "aria-valuemax": compare.steps - 1, "aria-valuenow": 0 }, this.canvas);
    this.node.style.height = `${HEIGHT}px`;
    this.width = 0;
    this.lines = compare.replays.map((replay) => runningTotal(replay.base.numbers("overview.reward"), replay.header.agents));
    this.backdrop = null;
    let scrubbing = false;
    const at = (event) => compare.seek(stepAt(this.axis, localPoint(this.node, event).x));
    this.node.addEventListener("pointerdown", (event) => {
      scrubbing = true;
      this.node.setPointerCapture(event.pointerId);
      at(event);
    });
    this.node.addEventListener("pointermove", (event) => {
      if (scrubbing)
        at(event);
    });
    this.node.addEventListener("pointerup", () => {
      scrubbing = false;
    });
    this.node.addEventListener("pointercancel", () => {
      scrubbing = false;
    });
  }
  get axis() {
    return { left: GUTTER, width: Math.max(1, this.width - GUTTER - 12), steps: this.compare.steps };
  }
  resize(width) {
    this.width = width;
    this.backdrop = null;
  }
  refresh() {
    this.backdrop = null;
  }
  draw(step2) {
    if (this.width === 0)
      return;
    const pen = prepareCanvas(this.canvas, this.width, HEIGHT);
    this.backdrop ??= this.#drawBackdrop();
    pen.clearRect(0, 0, this.width, HEIGHT);
    pen.drawImage(this.backdrop, 0, 0, this.width, HEIGHT);
    const palette = this.compare.left.context.palette();
    const x = xOf(this.axis, step2);
    pen.fillStyle = palette.accent;
    pen.fillRect(Math.round(x), RAIL2 - 4, 1.5, CHART2 + 8);
    pen.beginPath();
    pen.arc(x, RAIL2 / 2 - 1, 6.5, 0, Math.PI * 2);
    pen.fill();
    this.node.setAttribute("aria-valuenow", String(step2));
  }
  #drawBackdrop() {
    const canvas = document.createElement("canvas");
    const pen = prepareCanvas(canvas, this.width, HEIGHT);
    const palette = this.compare.left.context.palette();
    const { axis } = this;
    const { low, high } = extent(...this.lines);
    const bottom = RAIL2 + CHART2;
    const y = (value) => bottom - (value - low) / (high - low) * CHART2;
    pen.font = "11px system-ui, -apple-system, 'Segoe UI', sans-serif";
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    pen.fillStyle = palette.muted;
    pen.fillText(number(high), GUTTER - 8, RAIL2 + 5);
    pen.fillText(number(low), GUTTER - 8, bottom - 4);
    pen.fillText("step", GUTTER - 8, bottom + 11);
    pen.textAlign = "left";
    pen.fillText("reward so far, mean of the agents", GUTTER + 4, RAIL2 + 5);
    pen.fillStyle = palette.hairline;
    pen.fillRect(axis.left, RAIL2 / 2 - 3, axis.width, 4);
    pen.fillRect(axis.left, Math.round(y(0)), axis.width, 1);
    this.lines.forEach((line2, index) => this.#line(pen, line2, index, y));
    pen.fillStyle = palette.muted;
    for (const step2 of ticks(axis)) {
      pen.textAlign = step2 === 0 ? "left" : "center";
      pen.fillText(count(step2), xOf(axis, step2), bottom + 11);
    }
    return canvas;
  }
  #line(pen, line2, index, y) {
    const { replays, titles, left } = this.compare;
    const colour = series(left.context.palette(), index);
    const { steps } = replays[index];
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    pen.setLineDash(index === 1 ? [6, 3] : []);
    pen.beginPath();
    for (let bin = 0; bin < line2.length; bin++)
      pen.lineTo(xOf(this.axis, binStart(bin + 1, line2.length, steps) - 1), y(line2[bin]));
    pen.stroke();
    pen.setLineDash([]);
    pen.fillStyle = colour;
    pen.textAlign = "right";
    pen.fillText(titles[index], this.axis.left + this.axis.width, RAIL2 + 6 + index * 14, this.axis.width / 3);
  }
};

// build/js/keys.js
var KEY_HELP = [
  ["Space", "play or pause"],
  ["[ ] or ← →", "one step (with Shift: ten)"],
  ["Home End", "first, last step"],
  ["- =", "half, double speed"],
  ["↑ ↓", "previous, next agent"],
  [", .", "previous, next event"],
  ["F", "follow the selection"],
  ["0", "whole map"],
  ["/", "find"],
  ["Esc", "select nothing"]
];
var KEYS = {
  " ": (viewer) => viewer.toggle(),
  "[": (viewer) => step(viewer, -1),
  "]": (viewer) => step(viewer, 1),
  ArrowLeft: (viewer, event) => step(viewer, event.shiftKey ? -10 : -1),
  ArrowRight: (viewer, event) => step(viewer, event.shiftKey ? 10 : 1),
  ArrowUp: (viewer) => viewer.selectNext(-1),
  ArrowDown: (viewer) => viewer.selectNext(1),
  Home: (viewer) => viewer.seek(0),
  End: (viewer) => viewer.seek(viewer.replay.steps - 1),
  "-": (viewer) => viewer.store.set({ speed: clampSpeed(viewer.store.state.speed / 2) }),
  "=": (viewer) => viewer.store.set({ speed: clampSpeed(viewer.store.state.speed * 2) }),
  "+": (viewer) => viewer.store.set({ speed: clampSpeed(viewer.store.state.speed * 2) }),
  f: (viewer) => viewer.toggleFollow(),
  F: (viewer) => viewer.toggleFollow(),
  0: (viewer) => viewer.fit(),
  ",": (viewer) => viewer.jumpChosen(-1),
  ".": (viewer) => viewer.jumpChosen(1),
  "/": (viewer) => viewer.searchBox.focus(),
  Escape: (viewer) => viewer.select(-1)
};
function step(viewer, by) {
  viewer.seek(viewer.store.state.step + by);
}
function handleKey(event, viewer) {
  const target = event.composedPath()[0];
  if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, event.key))
    return;
  if (target.matches?.("input, select, textarea"))
    return;
  if (event.key === " " && target.closest?.("button, a, summary"))
    return;
  if (["ArrowUp", "ArrowDown", "Home", "End"].includes(event.key) && target.closest?.(".rv-scroll, .rv-trace-scroll"))
    return;
  event.preventDefault();
  event.stopPropagation();
  KEYS[event.key](viewer, event);
}

// build/js/transport.js
var Transport = class {
  constructor(steps, controls, kinds) {
    this.steps = steps;
    this.play = iconButton("play", "Play (Space)", controls.toggle);
    this.play.classList.add("rv-button-main");
    this.playing = false;
    this.input = h("input", {
      class: "rv-step-input",
      type: "text",
      inputmode: "numeric",
      "aria-label": "Step",
      value: "0",
      onchange: () => this.#typed(controls),
      onfocus: () => this.input.select()
    });
    this.input.style.width = `${Math.max(4, count(steps - 1).length + 1)}ch`;
    this.speeds = h("select", { class: "rv-select", "aria-label": "Speed in steps a second", onchange: () => controls.speed(Number(this.speeds.value)) });
    this.kind = h("select", { class: "rv-select", "aria-label": "Event to jump to" }, ...kinds.map((kind) => h("option", { value: kind }, KIND_WORDS[kind])));
    const jump = (way) => () => controls.jump(this.kind.value, way);
    const jumps = kinds.length === 0 ? null : h("div", { class: "rv-group rv-jumps", role: "group", "aria-label": "Jump to events" }, iconButton("earlier", "Previous event (,)", jump(-1)), this.kind, iconButton("later", "Next event (.)", jump(1)));
    this.node = h("div", { class: "rv-transport", role: "toolbar", "aria-label": "Playback" }, h("div", { class: "rv-group" }, iconButton("first", "First step (Home)", () => controls.seek(0)), iconButton("back", "One step back ([)", () => controls.move(-1)), this.play, iconButton("forward", "One step on (])", () => controls.move(1)), iconButton("last", "Last step (End)", () => controls.seek(steps - 1))), h("label", { class: "rv-step" }, h("span", {}, "step"), this.input, h("span", { class: "rv-muted" }, `of ${count(steps - 1)}`)), h("label", { class: "rv-step" }, this.speeds, h("span", { class: "rv-muted" }, "steps/s")), jumps, h("span", { class: "rv-grow" }));
    this.shownSpeed = NaN;
  }
  #typed(controls) {
    const step2 = Number(this.input.value.replace(/[\s,.']/g, ""));
    if (Number.isFinite(step2))
      controls.seek(step2);
  }
  update({ step: step2, playing, speed }) {
    const root = this.input.getRootNode();
    if (root.activeElement !== this.input || playing)
      this.input.value = count(step2);
    if (playing !== this.playing) {
      this.playing = playing;
      const label = playing ? "Pause (Space)" : "Play (Space)";
      this.play.setAttribute("aria-label", label);
      this.play.title = label;
      fill(this.play, icon(playing ? "pause" : "play"));
    }
    if (speed !== this.shownSpeed) {
      this.shownSpeed = speed;
      const known = [.../* @__PURE__ */ new Set([...SPEEDS, speed])].sort((a, b) => a - b);
      fill(this.speeds, ...known.map((value) => h("option", { value }, String(Number(value.toPrecision(4))))));
      this.speeds.value = String(speed);
    }
  }
};
function kindsIn(replay) {
  const { base } = replay;
  const some = (column, test) => base.numbers(`overview.${column}`).some(test);
  return KINDS.filter((kind) => {
    if (kind === "talk")
      return false;
    if (kind === "reward")
      return some("reward", (value) => value > 0);
    if (kind === "penalty")
      return replay.field("current_reward").movers.length > 0;
    return some(OVERVIEW[kind], (value) => value > 0);
  });
}

// build/js/agent-table.js
var ROW = 28;
var SPARE = 4;
var AgentTable = class {
  constructor(context) {
    this.context = context;
    this.mode = "now";
    this.sortKey = "agent";
    this.ascending = true;
    this.items = context.facts.agentItems();
    this.gained = /* @__PURE__ */ new Map();
    this.order = [...context.replay.agents];
    this.head = h("tr", {});
    this.body = h("tbody", {});
    this.table = h("table", { class: "rv-table", "aria-label": "Agents" }, h("thead", {}, this.head), this.body);
    this.scroller = h("div", { class: "rv-scroll", tabindex: 0, role: "region", "aria-label": "Agent table", onscroll: () => this.update() }, this.table);
    this.modes = h("div", { class: "rv-segments", role: "group", "aria-label": "Item columns show" }, ...this.#modeButtons(["now", "final", "gained"]));
    const bar = h("div", { class: "rv-panel-bar" }, h("span", { class: "rv-muted" }, "Items"), this.modes);
    bar.hidden = this.items.length === 0;
    this.node = h("div", { class: "rv-panel-fill" }, bar, this.scroller);
    this.columns = [];
    this.#build();
  }
  #modeButtons(modes) {
    return modes.map((mode) => h("button", {
      type: "button",
      class: "rv-segment",
      "aria-pressed": String(mode === this.mode),
      title: MODE_HINTS[mode],
      onclick: () => {
        this.mode = mode;
        for (const button of this.modes.children)
          button.setAttribute("aria-pressed", String(button.textContent === mode));
        this.#build();
        this.update();
      }
    }, mode));
  }
  #build() {
    this.columns = [...this.#plainColumns(), ...this.items.map((item) => this.#itemColumn(item))];
    this.head.replaceChildren(...this.columns.map((column) => this.#heading(column)));
    this.table.setAttribute("aria-rowcount", String(this.order.length + 1));
  }
  #heading(column) {
    const sorted = column.key === this.sortKey ? this.ascending ? "ascending" : "descending" : "none";
    const press = () => {
      this.ascending = column.key === this.sortKey ? !this.ascending : column.wide === true || column.key === "agent";
      this.sortKey = column.key;
      this.#build();
      this.update();
    };
    return h("th", { scope: "col", "aria-sort": sorted, class: column.wide ? "rv-left" : "" }, h("button", { type: "button", class: "rv-sort", title: column.hint, onclick: press }, column.title, h("span", { class: "rv-sort-mark", "aria-hidden": "true" }, sorted === "none" ? "" : sorted === "ascending" ? "↑" : "↓")));
  }
  #plainColumns() {
    const { replay, facts } = this.context;
    const reward = replay.field("current_reward");
    const totals = replay.field("total_reward");
    const action = replay.field("action_id");
    const parameter = replay.field("action_param");
    const finals = (object) => totals.last(object);
    return [
      { key: "agent", title: "agent", hint: "Agent number", value: (o) => replay.agentIds[o], text: (o) => String(replay.agentIds[o]) },
      {
        key: "action",
        title: "doing",
        hint: "Action at this step",
        wide: true,
        value: (o, s) => action.at(o, s),
        text: (o, s) => replay.alive.at(o, s) === 0 ? "dead" : facts.actionText(action.at(o, s), parameter.at(o, s))
      },
      { key: "reward", title: "reward", hint: "Reward at this step", value: (o, s) => reward.at(o, s), text: (o, s) => {
        const v = reward.at(o, s);
        return v ? signed(v) : v === 0 ? "0" : number(NaN);
      } },
      { key: "total", title: "total", hint: "Reward up to this step", value: (o, s) => replay.total(o, s), text: (o, s) => number(replay.total(o, s)) },
      { key: "final", title: "final", hint: "Reward of the whole episode", value: finals, text: (o) => number(finals(o)) }
    ];
  }
  #itemColumn(item) {
    const { facts, replay } = this.context;
    const value = ((object, step2) => {
      const pair = replay.pairOf(object, item);
      if (pair < 0)
        return 0;
      if (this.mode === "now")
        return replay.inventory.at(pair, step2);
      return this.mode === "final" ? replay.inventory.last(pair) : this.#gainedOf(pair);
    });
    return { key: `item ${item}`, title: facts.itemName(item), hint: `${facts.itemName(item)}: ${MODE_HINTS[this.mode]}`, value, text: (o, s) => blankZero(value(o, s)) };
  }
  #gainedOf(pair) {
    const known = this.gained.get(pair);
    if (known)
      return known[0];
    let sum = 0;
    let last = NaN;
    this.context.replay.inventory.runs(pair, 0, this.context.replay.steps, (_, __, value) => {
      if (value > last)
        sum += value - last;
      last = value;
    });
    this.gained.set(pair, Float64Array.of(sum));
    return sum;
  }
  refresh() {
    this.gained.clear();
  }
  update() {
    const { store, replay } = this.context;
    const { shown } = store.state;
    this.#sort(shown);
    const visible = Math.max(120, this.scroller.clientHeight);
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / ROW) - SPARE);
    const last = Math.min(this.order.length, first + Math.ceil(visible / ROW) + 2 * SPARE);
    const rows = this.order.slice(first, last);
    while (this.body.children.length > rows.length + 2)
      this.body.children[1].remove();
    while (this.body.children.length < rows.length + 2)
      this.body.append(h("tr", {}));
    this.#spacer(this.body.firstElementChild, first);
    rows.forEach((object, index) => this.#row(this.body.children[index + 1], object, shown, first + index));
    this.#spacer(this.body.lastElementChild, this.order.length - last);
    if (replay.agents.length === 0 && this.body.children.length <= 2)
      setText(this.head, "This replay has no agents.");
  }
  #spacer(row, hidden) {
    row.className = "rv-spacer";
    row.onclick = null;
    row.removeAttribute("aria-selected");
    row.replaceChildren(h("td", { colspan: this.columns.length }));
    row.firstElementChild.style.height = `${hidden * ROW}px`;
    row.hidden = hidden === 0;
  }
  #sort(step2) {
    const column = this.columns.find((candidate) => candidate.key === this.sortKey) ?? this.columns[0];
    const values = new Map(this.order.map((object) => [object, column.value(object, step2)]));
    const sign = this.ascending ? 1 : -1;
    const rank = (object) => values.get(object) || 0;
    this.order.sort((a, b) => sign * (rank(a) - rank(b)) || this.context.replay.agentIds[a] - this.context.replay.agentIds[b]);
  }
  #row(row, object, step2, index) {
    const { store, facts } = this.context;
    const { columns } = this;
    if (row.className === "rv-spacer" || row.cells.length !== columns.length) {
      row.hidden = false;
      row.className = "";
      row.replaceChildren(...columns.map((column) => h("td", { class: column.wide ? "rv-left" : "" })));
    }
    row.hidden = false;
    row.setAttribute("aria-rowindex", String(index + 2));
    row.setAttribute("aria-selected", String(store.state.selected === object));
    row.onclick = () => this.context.select(object);
    columns.forEach((column, at) => {
      const cell = row.cells[at];
      if (column.key === "agent")
        this.#agentCell(cell, object, step2, column.text(object, step2));
      else
        setText(cell, column.text(object, step2));
    });
    row.title = facts.summary(object, step2);
  }
  #agentCell(cell, object, step2, text2) {
    const { facts } = this.context;
    if (!cell.firstElementChild)
      cell.replaceChildren(h("span", { class: "rv-dot" }), h("span", {}));
    const [dot, label] = cell.children;
    dot.style.background = series(this.context.palette(), facts.teams.hue(facts.teams.of(object, step2)));
    setText(label, text2);
  }
};
var MODE_HINTS = { now: "held at this step", final: "held at the end", gained: "sum of all gains over the episode" };
function blankZero(value) {
  return value === 0 ? "" : number(value);
}

// build/js/actions.js
var RULES = [
  [/^(noop|none|wait|stay|rest|idle)/, "wait"],
  [/vibe|color|colour|talk|say|signal|emote/, "signal"],
  [/^(move|go|walk|step)|cardinal|8way/, "move"],
  [/rotate|turn|face|orient/, "turn"],
  [/attack|zap|fire|shoot|laser|hit/, "attack"],
  [/get|take|withdraw|pick|collect|mine|harvest|gather/, "take"],
  [/put|give|deposit|drop|transfer|place|craft|use|build/, "give"]
];
var FAMILIES = ["move", "turn", "take", "give", "attack", "signal", "other", "wait"];
function familyHue(family) {
  return family === "wait" ? -1 : { move: 0, turn: 6, take: 2, give: 1, attack: 3, signal: 5, other: 4 }[family];
}
var FAMILY_WORDS = {
  wait: "wait",
  move: "move",
  turn: "turn",
  take: "take",
  give: "put or use",
  attack: "attack",
  signal: "signal",
  other: "other"
};
function familyWords(family) {
  return FAMILY_WORDS[family];
}
function describeAction(name) {
  const lower = String(name).toLowerCase();
  const rule = RULES.find(([pattern]) => pattern.test(lower));
  const family = rule ? rule[1] : "other";
  return { name, family, direction: family === "move" || family === "turn" ? directionOf(lower) : -1 };
}
function directionOf(name) {
  if (/(^|[_-])(north|up)([_-]|$)/.test(name))
    return 0;
  if (/(^|[_-])(south|down)([_-]|$)/.test(name))
    return 1;
  if (/(^|[_-])(west|left)([_-]|$)/.test(name))
    return 2;
  if (/(^|[_-])(east|right)([_-]|$)/.test(name))
    return 3;
  return -1;
}
function directionOfMove(dx, dy) {
  if (dx === 0 && dy === 0)
    return -1;
  if (Math.abs(dx) > Math.abs(dy))
    return dx < 0 ? 2 : 3;
  return dy < 0 ? 0 : 1;
}
function drawGlyph(c, family, direction, x, y, size) {
  c.save();
  c.translate(x + size / 2, y + size / 2);
  if (direction >= 0)
    c.rotate([0, Math.PI, -Math.PI / 2, Math.PI / 2][direction]);
  c.scale(size / 16, size / 16);
  c.lineWidth = 2;
  c.lineCap = "round";
  c.lineJoin = "round";
  c.beginPath();
  GLYPHS[direction < 0 && family === "move" ? "stuck" : family](c);
  c.stroke();
  c.restore();
}
var GLYPHS = {
  wait: (c) => line(c, -1, 0, 1, 0),
  move: (c) => {
    line(c, 0, 5, 0, -4.5);
    line(c, -3.5, -1, 0, -4.5, 3.5, -1);
  },
  stuck: (c) => line(c, -3, -3.5, 0, -0.5, 3, -3.5),
  turn: (c) => {
    c.arc(0, 0, 4, -Math.PI * 0.4, Math.PI * 1.1);
    line(c, -2, -5.5, 1.5, -4, -1.5, -1);
  },
  take: (c) => {
    line(c, 0, -5, 0, 2);
    line(c, -3, -1, 0, 2, 3, -1);
    line(c, -4.5, 5, 4.5, 5);
  },
  give: (c) => {
    line(c, 0, 2, 0, -5);
    line(c, -3, -2, 0, -5, 3, -2);
    line(c, -4.5, 5, 4.5, 5);
  },
  attack: (c) => {
    line(c, -4, -4, 4, 4);
    line(c, -4, 4, 4, -4);
  },
  signal: (c) => line(c, 0, -4.5, 4.5, 0, 0, 4.5, -4.5, 0, 0, -4.5),
  other: (c) => {
    c.moveTo(3.5, 0);
    c.arc(0, 0, 3.5, 0, Math.PI * 2);
  }
};
function line(c, ...points) {
  c.moveTo(points[0], points[1]);
  for (let i = 2; i < points.length; i += 2)
    c.lineTo(points[i], points[i + 1]);
}

// build/js/tracks.js
var Track = class {
  constructor(from, starts, steps, read, key) {
    this.from = from;
    this.starts = starts;
    this.steps = steps;
    this.read = read;
    this.key = key;
  }
  find(mover, step2) {
    const first = this.starts[mover];
    const target = step2 - this.from;
    let low = first;
    let high = this.starts[mover + 1];
    while (low < high) {
      const middle = low + high >>> 1;
      if (this.steps[middle] <= target)
        low = middle + 1;
      else
        high = middle;
    }
    return low === first ? -1 : low - 1;
  }
  at(mover, step2) {
    const point = this.find(mover, step2);
    return point < 0 ? this.key(mover) : this.read(mover, point);
  }
  runs(mover, from, to, visit) {
    let point = this.find(mover, from);
    let start = from;
    const end = this.starts[mover + 1];
    while (start < to) {
      const next = point < 0 ? this.starts[mover] : point + 1;
      const until = next < end ? Math.min(to, this.from + this.steps[next]) : to;
      if (until > start)
        visit(start, until, point < 0 ? this.key(mover) : this.read(mover, point));
      start = until;
      point = next;
    }
  }
};
var PathTrack = class extends Track {
  constructor(from, starts, steps, x, y, keyX, keyY) {
    super(from, starts, steps, (_, point) => x[point], (mover) => keyX[mover]);
    this.x = x;
    this.y = y;
    this.keyX = keyX;
    this.keyY = keyY;
  }
};
function decodeTrack(columns, name, kind, movers, from, to, entry, map) {
  const starts = countsToStarts(columns, name, movers);
  const total = starts[movers];
  const steps = absoluteSteps(columns.numbers(`${name}.s`, total), starts, to - from, name);
  if (kind === "xy") {
    const keyX = entry ? entry.x : columns.numbers(`${name}.kx`, movers);
    const keyY = entry ? entry.y : columns.numbers(`${name}.ky`, movers);
    const x = accumulate(columns.numbers(`${name}.vx`, total), starts, keyX, 0, map.width, name);
    const y = accumulate(columns.numbers(`${name}.vy`, total), starts, keyY, 0, map.height, name);
    return new PathTrack(from, starts, steps, x, y, keyX, keyY);
  }
  const keys = entry ? entry.x : columns.numbers(`${name}.k`, movers);
  const key = (mover) => keys[mover];
  if (kind === "bool")
    return new Track(from, starts, steps, (m, p) => keys[m] ^ p - starts[m] + 1 & 1, key);
  let values = columns.numbers(`${name}.v`, total);
  if (kind === "delta")
    values = accumulate(values, starts, keys, -2147483648, 2147483648, name);
  if (kind === "float" && columns.has(`${name}.u`)) {
    const distinct = columns.numbers(`${name}.u`);
    const index = values;
    return new Track(from, starts, steps, (_, p) => distinct[index[p]] ?? NaN, key);
  }
  const plain = values;
  return new Track(from, starts, steps, (_, p) => plain[p], key);
}
function countsToStarts(columns, name, movers) {
  const starts = new Uint32Array(movers + 1);
  if (!columns.has(`${name}.n`))
    return starts;
  const counts = columns.numbers(`${name}.n`, movers);
  let sum = 0;
  for (let i = 0; i < movers; i++) {
    if (counts[i] < 0)
      throw new WireError(`${columns.what} is damaged: ${name} has a negative count`);
    sum += counts[i];
    starts[i + 1] = sum;
  }
  return starts;
}
function absoluteSteps(deltas, starts, span, name) {
  const steps = span <= 65536 ? new Uint16Array(deltas.length) : new Uint32Array(deltas.length);
  for (let mover = 0; mover + 1 < starts.length; mover++) {
    let step2 = 0;
    for (let i = starts[mover], first = i, end = starts[mover + 1]; i < end; i++) {
      const delta = deltas[i];
      if (delta < (i === first ? 0 : 1))
        throw new WireError(`the steps of ${name} do not ascend`);
      step2 += delta;
      steps[i] = step2;
    }
    if (step2 >= span && span > 0)
      throw new WireError(`the steps of ${name} leave their part`);
  }
  return steps;
}
function accumulate(deltas, starts, keys, low, high, name) {
  const narrow = low === 0 && high <= 65536;
  const values = narrow ? new Uint16Array(deltas.length) : new Int32Array(deltas.length);
  for (let mover = 0; mover + 1 < starts.length; mover++) {
    let value = keys[mover];
    for (let i = starts[mover], end = starts[mover + 1]; i < end; i++) {
      value += deltas[i];
      if (value < low || value >= high)
        throw new WireError(`a value of ${name} is out of range`);
      values[i] = value;
    }
  }
  return values;
}

// build/js/facts.js
var BLOCK = 16;
var UNKNOWN_SPRITE = { kind: "thing", shape: 0, hue: 7, letters: "?", name: "unknown" };
var Facts = class {
  constructor(replay) {
    this.replay = replay;
    const { header } = replay;
    this.sprites = describeSprites(header.typeNames);
    this.actions = header.actionNames.map(describeAction);
    this.teams = new Teams(replay);
    this.isAgent = new Uint8Array(header.objects);
    for (const object of replay.agents)
      this.isAgent[object] = 1;
    const { movers } = splitObjects(replay);
    this.blocks = new Blocks(replay, movers);
    this.movingThings = movers.filter((object) => !this.isAgent[object]);
    this.teamThings = this.teams.heldThings(this.isAgent);
    this.facesByField = replay.field("orientation").movers.length > 0;
    this.effectDelay = header.version === 1 ? 1 : 0;
  }
  sprite(object) {
    return this.sprites[this.replay.types[object]] ?? UNKNOWN_SPRITE;
  }
  title(object) {
    if (this.isAgent[object])
      return `agent ${this.replay.agentIds[object]}`;
    return `${words(this.replay.typeName(object))} #${this.replay.ids[object]}`;
  }
  action(action) {
    return this.actions[action] ?? null;
  }
  actionText(action, parameter) {
    const known = this.actions[action];
    if (!known)
      return action < 0 || Number.isNaN(action) ? "no action" : `action ${action}`;
    if (known.direction < 0 && known.family === "turn")
      return `${words(known.name)} ${DIRECTIONS[parameter] ?? parameter}`;
    return parameter ? `${words(known.name)} (${parameter})` : words(known.name);
  }
  direction(object, action, parameter, step2) {
    if (action.direction >= 0)
      return action.direction;
    if (action.family === "turn")
      return parameter >= 0 && parameter < 4 ? parameter : -1;
    if (action.family !== "move")
      return -1;
    const after = Math.min(this.replay.steps - 1, step2 + this.effectDelay);
    if (after < 1 || !this.replay.ready(after))
      return -1;
    this.replay.locate(object, after - 1, before);
    this.replay.locate(object, after, now);
    return directionOfMove(now.x - before.x, now.y - before.y);
  }
  facing(object, step2) {
    const { replay } = this;
    if (this.facesByField)
      return replay.field("orientation").at(object, step2);
    const { location } = replay;
    const mover = location.moverOf ? location.moverOf[object] : -1;
    if (mover < 0 || step2 <= 0)
      return -1;
    const track = replay.track(location, step2);
    if (!(track instanceof PathTrack))
      return -1;
    const point = track.find(mover, step2);
    if (point < 0)
      return -1;
    const first = point === track.starts[mover];
    const x = first ? track.keyX[mover] : track.x[point - 1];
    const y = first ? track.keyY[mover] : track.y[point - 1];
    return directionOfMove(track.x[point] - x, track.y[point] - y);
  }
  itemName(item) {
    const name = this.replay.header.itemNames[item];
    return name ? words(name) : `item ${item}`;
  }
  vibeName(vibe) {
    const name = this.replay.header.vibeNames[vibe];
    return name ? words(name) : String(vibe);
  }
  agentItems() {
    const { replay } = this;
    const found = /* @__PURE__ */ new Set();
    for (let pair = 0; pair < replay.pairItems.length; pair++)
      if (this.isAgent[replay.pairObjects[pair]])
        found.add(replay.pairItems[pair]);
    return [...found].sort((a, b) => a - b);
  }
  holdings(object, step2) {
    const { replay } = this;
    const [from, to] = replay.pairsOf(object);
    const held = [];
    for (let pair = from; pair < to; pair++) {
      const amount = replay.inventory.at(pair, step2);
      if (amount)
        held.push({ item: replay.pairItems[pair], amount });
    }
    return held;
  }
  summary(object, step2) {
    const parts = [this.title(object)];
    const team = this.teams.nameOf(this.teams.of(object, step2));
    if (team)
      parts.push(team);
    if (this.isAgent[object]) {
      const { replay } = this;
      parts.push(this.actionText(replay.field("action_id").at(object, step2), replay.field("action_param").at(object, step2)));
    }
    const held = this.holdings(object, step2).slice(0, 6).map(({ item, amount }) => `${this.itemName(item)} ${number(amount)}`);
    return [...parts, ...held].join(" · ");
  }
};
var DIRECTIONS = ["up", "down", "left", "right"];
var before = { x: 0, y: 0 };
var now = { x: 0, y: 0 };
function splitObjects(replay) {
  const found = /* @__PURE__ */ new Set([...replay.location.movers, ...replay.alive.movers]);
  return { movers: Int32Array.from(found).sort() };
}
var Blocks = class {
  constructor(replay, movers) {
    this.replay = replay;
    this.columns = Math.ceil(replay.map.width / BLOCK);
    this.rows = Math.ceil(replay.map.height / BLOCK);
    const n = replay.header.objects;
    const moves = new Uint8Array(n);
    for (const object of movers)
      moves[object] = 1;
    this.starts = new Uint32Array(this.columns * this.rows + 1);
    const block = new Int32Array(n).fill(-1);
    for (let i = 0; i < n; i++) {
      if (moves[i] || !replay.alive.first(i))
        continue;
      block[i] = this.#blockAt(replay.location.first(i), cellY(replay, i));
      if (block[i] >= 0)
        this.starts[block[i] + 1]++;
    }
    for (let b = 0; b < this.starts.length - 1; b++)
      this.starts[b + 1] += this.starts[b];
    this.objects = new Int32Array(this.starts[this.starts.length - 1]);
    const next = this.starts.slice();
    for (let i = 0; i < n; i++)
      if (block[i] >= 0)
        this.objects[next[block[i]]++] = i;
    for (let b = 0; b < this.starts.length - 1; b++) {
      this.objects.subarray(this.starts[b], this.starts[b + 1]).sort((p, q) => replay.types[p] - replay.types[q] || p - q);
    }
  }
  #blockAt(x, y) {
    if (!(x >= 0 && y >= 0 && x < this.replay.map.width && y < this.replay.map.height))
      return -1;
    return Math.floor(y / BLOCK) * this.columns + Math.floor(x / BLOCK);
  }
  each(x0, y0, x1, y1, visit) {
    const { replay } = this;
    for (let by = Math.max(0, Math.floor(y0 / BLOCK)); by < Math.min(this.rows, Math.ceil(y1 / BLOCK)); by++) {
      for (let bx = Math.max(0, Math.floor(x0 / BLOCK)); bx < Math.min(this.columns, Math.ceil(x1 / BLOCK)); bx++) {
        const b = by * this.columns + bx;
        for (let k = this.starts[b]; k < this.starts[b + 1]; k++) {
          const object = this.objects[k];
          visit(object, replay.location.first(object), cellY(replay, object));
        }
      }
    }
  }
};
function cellY(replay, object) {
  const { firstY, scalarY } = replay.location;
  return firstY ? firstY[object] : scalarY;
}
var Teams = class {
  constructor(replay) {
    const { header } = replay;
    this.replay = replay;
    this.tagged = header.tags.flatMap((tag, id) => tag.startsWith("team:") ? [{ id, name: tag.slice(5) }] : []);
    const collective = replay.field("collective_id");
    this.field = this.tagged.length ? replay.field("tag_ids") : collective.present ? collective : replay.field("group_id");
    this.teamOfEntry = this.tagged.length ? (header.tables.get("tag_ids") ?? []).map((tags) => this.#teamOfTags(tags)) : null;
    this.values = this.tagged.length ? this.tagged.map((_, index) => index) : this.#valuesSeen();
  }
  #teamOfTags(tags) {
    return Array.isArray(tags) ? this.tagged.findIndex((team) => tags.includes(team.id)) : -1;
  }
  #valuesSeen() {
    const seen = /* @__PURE__ */ new Set();
    for (const object of this.replay.agents)
      seen.add(this.field.first(object));
    return [...seen].filter((value) => value >= 0).sort((a, b) => a - b);
  }
  get count() {
    return this.values.length;
  }
  of(object, step2) {
    const value = this.field.at(object, step2);
    return this.teamOfEntry ? this.teamOfEntry[value] ?? -1 : Number.isNaN(value) ? -1 : value;
  }
  hue(team) {
    const index = this.values.indexOf(team);
    return index < 0 ? 0 : index;
  }
  nameOf(team) {
    if (team < 0 || this.count < 2)
      return "";
    const name = this.tagged[team]?.name ?? (this.field.name === "group_id" ? this.replay.header.groupNames[team] : void 0);
    return name ? words(name) : `team ${team}`;
  }
  heldThings(isAgent) {
    if (this.count < 2 || this.field.name === "group_id")
      return new Int32Array(0);
    const found = [];
    for (let object = 0; object < isAgent.length; object++) {
      if (isAgent[object])
        continue;
      const changes = this.field.moverOf !== null && this.field.moverOf[object] >= 0;
      if (changes || this.of(object, 0) >= 0)
        found.push(object);
    }
    return Int32Array.from(found);
  }
};

// build/js/share.js
function viewText(camera, follow) {
  if (!camera)
    return "";
  const round = (value) => String(Number(value.toFixed(2)));
  return [camera.x, camera.y, camera.scale].map(round).join(",") + (follow ? ",follow" : "");
}
function readView(text2) {
  const [x, y, scale, flag] = String(text2 ?? "").slice(0, 200).split(",");
  const camera = { x: Number(x), y: Number(y), scale: Number(scale) };
  const fine = [x, y, scale].every((part) => part !== void 0 && part.trim() !== "" && Number.isFinite(Number(part)));
  return fine && camera.scale > 0 ? { camera, follow: flag === "follow" } : { camera: null, follow: false };
}
function shareText(step2, id, view) {
  const parts = [`step=${step2}`];
  if (id !== null)
    parts.push(`selected=${id}`);
  if (view)
    parts.push(`view=${encodeURIComponent(view)}`);
  return parts.join("&");
}
function readShare(text2) {
  const cleaned = String(text2).slice(0, 2e3).trim().replace(/^[^=?#]*[?#]/, "");
  const values = new URLSearchParams(cleaned);
  return { step: wholeOrNull(values.get("step")), selected: wholeOrNull(values.get("selected")), view: values.get("view") };
}
function wholeOrNull(text2) {
  return text2 !== null && /^\d{1,15}$/.test(text2.trim()) ? Number(text2) : null;
}
function mettascopeLink(url) {
  return /^https?:\/\//i.test(url) ? `https://metta-ai.github.io/metta/mettascope/mettascope.html?replay=${encodeURIComponent(url)}` : "";
}

// build/js/snapshot.js
var FOOT2 = 28;
function picture(viewer) {
  const { canvas } = viewer.map;
  const palette = viewer.context.palette();
  const { step: step2, selected } = viewer.store.state;
  const ratio = canvas.width / Math.max(1, viewer.map.size.width);
  const copy = document.createElement("canvas");
  copy.width = canvas.width;
  copy.height = canvas.height + Math.round(FOOT2 * ratio);
  const pen = copy.getContext("2d");
  pen.fillStyle = palette.page;
  pen.fillRect(0, 0, copy.width, copy.height);
  pen.drawImage(canvas, 0, 0);
  pen.scale(ratio, ratio);
  pen.fillStyle = palette.text;
  pen.font = "13px system-ui, -apple-system, 'Segoe UI', sans-serif";
  pen.textBaseline = "middle";
  const parts = [viewer.options.title, `step ${count(step2)} of ${count(viewer.replay.steps - 1)}`];
  if (selected >= 0)
    parts.push(viewer.facts.title(selected));
  pen.fillText(parts.join(" · "), 10, viewer.map.size.height + FOOT2 / 2, viewer.map.size.width - 20);
  return copy;
}
function savePicture(viewer) {
  viewer.map.draw();
  picture(viewer).toBlob((blob) => {
    if (!blob) {
      viewer.hint("The picture could not be made");
      return;
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    const name = viewer.options.title.replace(/[^\w.-]+/g, "-").slice(0, 60);
    link.download = `${name || "replay"}-step-${viewer.store.state.step}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1e4);
  }, "image/png");
}

// build/js/menus.js
var LAYERS = [
  ["trail", "Path of the selection"],
  ["vision", "Vision of the selection"],
  ["fog", "Fog over what is unseen"],
  ["heat", "Where agents have been"],
  ["items", "Items carried"],
  ["grid", "Grid"]
];
function menu(name, label, ...content) {
  const details = h("details", { class: "rv-menu" }, h("summary", { class: "rv-button rv-button-text", "aria-label": label, title: label }, icon(name), h("span", {}, label)), h("div", { class: "rv-menu-box", tabindex: -1 }, ...content));
  details.addEventListener("focusout", (event) => {
    const next = event.relatedTarget;
    if (next instanceof Node && !details.contains(next))
      details.open = false;
  });
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape")
      return;
    details.open = false;
    event.stopPropagation();
    details.querySelector("summary")?.focus();
  });
  return details;
}
function layerMenu(viewer) {
  const { store } = viewer;
  const boxes = LAYERS.map(([key, label]) => {
    const box = h("input", { type: "checkbox", onchange: () => store.set({ layers: { ...store.state.layers, [key]: box.checked } }) });
    box.checked = store.state.layers[key];
    return h("label", { class: "rv-check" }, box, label);
  });
  const chart = h("input", { type: "checkbox", onchange: () => store.set({ chart: chart.checked ? "total" : "rate" }) });
  return menu("layers", "Show", ...boxes, h("hr", {}), h("label", { class: "rv-check" }, chart, "Reward as a running total"));
}
function placeText(viewer) {
  const { step: step2, selected, camera, follow } = viewer.store.state;
  return shareText(step2, selected >= 0 ? viewer.replay.ids[selected] : null, viewText(follow ? viewer.map.camera : camera, follow));
}
function goTo(viewer, text2) {
  const place = readShare(text2);
  if (place.selected !== null)
    viewer.select(viewer.replay.indexOfId(place.selected));
  if (place.view !== null)
    viewer.store.set(readView(place.view));
  if (place.step !== null)
    viewer.seek(place.step);
}
function shareMenu(viewer) {
  const input = h("input", { class: "rv-share-text", type: "text", "aria-label": "This place as text", spellcheck: "false" });
  const said = h("span", { class: "rv-muted", role: "status" });
  const copy = async () => {
    input.value = placeText(viewer);
    input.select();
    try {
      await navigator.clipboard.writeText(input.value);
      setText(said, "Copied");
    } catch {
      setText(said, "Selected: copy it with Ctrl+C");
    }
  };
  const button = (label, press) => h("button", { type: "button", class: "rv-action", onclick: press }, label);
  const link = mettascopeLink(viewer.options.url);
  const details = menu("share", "Share", h("label", { class: "rv-menu-label" }, "This place: step, selection and view", input), h("div", { class: "rv-row" }, button("Copy the place", copy), button("Go to the place", () => goTo(viewer, input.value)), said), h("hr", {}), h("div", { class: "rv-row" }, button("Save the map as PNG", () => savePicture(viewer)), link ? h("a", { class: "rv-action", href: link, target: "_blank", rel: "noopener noreferrer" }, "Open in MettaScope") : h("span", {})), h("hr", {}), h("dl", { class: "rv-keys" }, ...KEY_HELP.flatMap(([keys, what]) => [h("dt", {}, keys), h("dd", {}, what)])));
  details.addEventListener("toggle", () => {
    if (details.open)
      input.value = placeText(viewer);
    fill(said);
  });
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter")
      goTo(viewer, input.value);
  });
  return details;
}

// build/js/minimap.js
var SIDE2 = 132;
var Minimap = class {
  constructor(context, view, small) {
    this.context = context;
    this.view = view;
    this.small = small;
    this.size = small.sizeWithin(SIDE2);
    this.canvas = h("canvas", { class: "rv-minimap", "aria-label": "Whole map; click to move there", role: "img" });
    this.canvas.style.width = `${this.size.width}px`;
    this.canvas.style.height = `${this.size.height}px`;
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.#jump(event);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (event.buttons & 1)
        this.#jump(event);
    });
  }
  #jump(event) {
    const { x, y } = localPoint(this.canvas, event);
    const { width, height } = this.context.replay.map;
    const camera = this.view.camera;
    this.view.setCamera({ x: x / this.size.width * width, y: y / this.size.height * height, scale: camera.scale });
  }
  draw() {
    const { replay, store } = this.context;
    const camera = this.view.camera;
    const needed = !seesAll(camera, replay.map, this.view.size);
    this.canvas.hidden = !needed;
    if (!needed)
      return;
    const pen = prepareCanvas(this.canvas, this.size.width, this.size.height);
    this.small.draw(pen, this.size, store.state.shown);
    const scale = this.size.width / replay.map.width;
    const seen = visibleCells(camera, replay.map, this.view.size);
    pen.strokeStyle = this.context.palette().accent;
    pen.lineWidth = 1.5;
    pen.strokeRect(seen.x0 * scale + 0.75, seen.y0 * scale + 0.75, Math.max(3, (seen.x1 - seen.x0) * scale - 1.5), Math.max(3, (seen.y1 - seen.y0) * scale - 1.5));
  }
};

// build/js/activity.js
function activity(facts, object, from, to) {
  const lines = [];
  for (let step2 = Math.max(0, from); step2 < Math.min(facts.replay.steps, to); step2++) {
    if (!facts.replay.ready(step2))
      continue;
    const line2 = lineAt(facts, object, step2);
    const last = lines.at(-1);
    if (last && last.to === step2 - 1 && sameQuietLine(last, line2))
      last.to = step2;
    else
      lines.push(line2);
  }
  return lines;
}
function sameQuietLine(a, b) {
  const quiet = a.notes.length === 0 && b.notes.length === 0 && a.reward === 0 && b.reward === 0;
  return quiet && a.action === b.action && a.failed === b.failed && a.direction === b.direction;
}
function lineAt(facts, object, step2) {
  const { replay } = facts;
  const actionId = replay.field("action_id").at(object, step2);
  const parameter = replay.field("action_param").at(object, step2);
  const known = facts.action(actionId);
  return {
    from: step2,
    to: step2,
    action: facts.actionText(actionId, parameter),
    actionId,
    direction: known ? facts.direction(object, known, parameter, step2) : -1,
    failed: replay.field("action_success").at(object, step2) === 0,
    reward: replay.field("current_reward").at(object, step2) || 0,
    notes: notesAt(facts, object, step2)
  };
}
function notesAt(facts, object, step2) {
  const { replay } = facts;
  if (step2 === 0 || !replay.ready(step2 - 1))
    return [];
  const notes = [];
  const [first, end] = replay.pairsOf(object);
  for (let pair = first; pair < end; pair++) {
    const change = replay.inventory.at(pair, step2) - replay.inventory.at(pair, step2 - 1);
    if (change)
      notes.push(`${signed(change)} ${facts.itemName(replay.pairItems[pair])}`);
  }
  const frozen = replay.field("is_frozen");
  if (frozen.at(object, step2) && !frozen.at(object, step2 - 1))
    notes.push("frozen");
  if (replay.alive.at(object, step2) === 0 && replay.alive.at(object, step2 - 1) !== 0)
    notes.push("died");
  const vibe = replay.field("vibe_id");
  if (vibe.at(object, step2) !== vibe.at(object, step2 - 1))
    notes.push(`vibe ${facts.vibeName(vibe.at(object, step2))}`);
  return notes;
}

// build/js/object-panel.js
var BEFORE = 40;
var AFTER = 24;
var LINES_BEFORE = 9;
var LINES_AFTER = 6;
var PLAIN = [
  ["hp", "hp"],
  ["freeze_remaining", "frozen for"],
  ["cooldown_remaining", "cooldown left"],
  ["cooldown_duration", "cooldown"],
  ["conversion_remaining", "conversion left"],
  ["uses_count", "uses"],
  ["max_uses", "uses at most"],
  ["inventory_max", "holds at most"],
  ["output_limit", "output limit"]
];
var FLAGS = [
  ["is_frozen", "frozen"],
  ["is_converting", "converting"],
  ["is_cooling_down", "cooling down"],
  ["is_clipped", "clipped"],
  ["is_clip_immune", "immune to clipping"],
  ["allow_partial_usage", "allows partial use"]
];
var ObjectPanel = class {
  constructor(context) {
    this.context = context;
    this.node = h("div", { class: "rv-scroll rv-pad", tabindex: 0, role: "region", "aria-label": "Selected object" });
  }
  update() {
    const { selected } = this.context.store.state;
    if (selected < 0) {
      fill(this.node, h("p", { class: "rv-empty" }, "Nothing is selected. Click an object on the map, a row of the table or a row of the actions."));
      return;
    }
    const { facts } = this.context;
    fill(this.node, this.#title(selected), facts.isAgent[selected] ? this.#activity(selected) : null, this.#facts(selected), this.#inventory(selected), this.#recipes(selected), this.#tags(selected));
  }
  #title(object) {
    const { facts, replay, store } = this.context;
    const { shown } = store.state;
    const dot = h("span", { class: "rv-dot" });
    const team = facts.teams.of(object, shown);
    dot.style.background = facts.isAgent[object] ? series(this.context.palette(), facts.teams.hue(team)) : this.context.sprites.colour(facts.sprite(object), this.context.palette());
    const flags = FLAGS.filter(([field]) => replay.field(field).at(object, shown) > 0).map(([, word]) => word);
    if (replay.alive.at(object, shown) === 0)
      flags.unshift("removed");
    const name = facts.teams.nameOf(team);
    return h("div", { class: "rv-object-title" }, dot, h("h3", {}, facts.title(object)), name ? h("span", { class: "rv-muted" }, name) : null, ...flags.map((flag) => h("span", { class: "rv-chip" }, flag)));
  }
  #facts(object) {
    const { replay, facts, store } = this.context;
    const { shown } = store.state;
    const place = { x: 0, y: 0 };
    replay.locate(object, shown, place);
    const rows = [["cell", `${place.x}, ${place.y}`]];
    if (facts.isAgent[object]) {
      rows.push(["reward", `${signed(replay.field("current_reward").at(object, shown))} now, ${number(replay.total(object, shown))} so far, ${number(replay.field("total_reward").last(object))} at the end`]);
    }
    if (replay.field("vibe_id").present)
      rows.push(["vibe", facts.vibeName(replay.field("vibe_id").at(object, shown))]);
    for (const [name, label] of PLAIN) {
      const value = replay.field(name).at(object, shown);
      if (value)
        rows.push([label, number(value)]);
    }
    if (facts.isAgent[object] && replay.field("vision_size").present) {
      const size = replay.field("vision_size").at(object, shown);
      rows.push(["sees", `${size} x ${size} cells`]);
    }
    rows.push(["type, id", `${replay.typeName(object)}, ${replay.ids[object]}`]);
    return definitions(rows);
  }
  #inventory(object) {
    const { replay, facts, store } = this.context;
    const { shown } = store.state;
    const [from, to] = replay.pairsOf(object);
    if (from === to)
      return null;
    const limits = this.#limits(object);
    const rows = [];
    for (let pair = from; pair < to; pair++) {
      const item = replay.pairItems[pair];
      const amount = replay.inventory.at(pair, shown);
      const limit = limits.get(replay.header.itemNames[item] ?? "");
      limits.delete(replay.header.itemNames[item] ?? "");
      if (amount || limit !== void 0)
        rows.push(inventoryRow(facts.itemName(item), amount, limit));
    }
    const rest = [...limits].map(([name, limit]) => `${words(name)} ${number(limit)}`);
    return h("section", {}, h("h4", {}, "Inventory"), rows.length ? h("div", { class: "rv-inventory" }, ...rows) : h("p", { class: "rv-empty" }, "Holds nothing at this step."), rest.length ? h("p", { class: "rv-muted" }, `Limits: ${rest.join(", ")}`) : null);
  }
  #limits(object) {
    const { replay, store } = this.context;
    const index = replay.field("inventory_capacities").at(object, store.state.shown);
    const pairs = replay.tableValue("inventory_capacities", index);
    const limits = /* @__PURE__ */ new Map();
    for (const pair of Array.isArray(pairs) ? pairs : []) {
      if (Array.isArray(pair))
        limits.set(replay.header.capacityNames[pair[0]] ?? `capacity ${pair[0]}`, Number(pair[1]));
    }
    return limits;
  }
  #tags(object) {
    const { replay, store } = this.context;
    const tags = replay.tableValue("tag_ids", replay.field("tag_ids").at(object, store.state.shown));
    if (!Array.isArray(tags) || tags.length === 0)
      return null;
    const names = tags.map((tag) => replay.header.tags[tag] || `tag ${tag}`);
    return h("section", {}, h("h4", {}, "Tags"), h("p", { class: "rv-chips" }, ...names.map((name) => h("span", { class: "rv-chip" }, name))));
  }
  #recipes(object) {
    const { replay, store } = this.context;
    const { shown } = store.state;
    const read = (name) => replay.tableValue(name, replay.field(name).at(object, shown));
    const lines = [];
    const protocols = read("protocols");
    for (const protocol of Array.isArray(protocols) ? protocols : [])
      lines.push(this.#protocolText(protocol));
    const [inputs, outputs] = [read("input_resources"), read("output_resources")];
    if (inputs || outputs)
      lines.push(`${this.#amounts(inputs)} → ${this.#amounts(outputs)}`);
    if (lines.length === 0)
      return null;
    return h("section", {}, h("h4", {}, "Protocols"), h("ul", { class: "rv-list" }, ...lines.slice(0, 60).map((line2) => h("li", {}, line2))));
  }
  #protocolText(protocol) {
    const { facts } = this.context;
    const parts = [`${this.#amounts(protocol?.inputs)} → ${this.#amounts(protocol?.outputs)}`];
    if (protocol?.cooldown)
      parts.push(`cooldown ${number(Number(protocol.cooldown))}`);
    if (protocol?.minAgents > 1)
      parts.push(`${number(Number(protocol.minAgents))} agents`);
    const vibes = Array.isArray(protocol?.vibes) ? protocol.vibes : [];
    if (vibes.length)
      parts.push(`vibe ${vibes.map((vibe) => facts.vibeName(Number(vibe))).join(", ")}`);
    return parts.join(", ");
  }
  #amounts(pairs) {
    const { facts } = this.context;
    const list2 = Array.isArray(pairs) ? pairs.filter(Array.isArray) : [];
    return list2.length ? list2.map(([item, amount]) => `${number(Number(amount))} ${facts.itemName(Number(item))}`).join(" + ") : "nothing";
  }
  #activity(object) {
    const { facts, store } = this.context;
    const { shown } = store.state;
    const lines = activity(facts, object, shown - BEFORE, shown + AFTER);
    const here = Math.max(0, lines.findIndex((line2) => line2.from <= shown && line2.to >= shown));
    const near = lines.slice(Math.max(0, here - LINES_BEFORE), here + LINES_AFTER + 1);
    return h("section", {}, h("h4", {}, "What it did"), h("div", { class: "rv-activity" }, ...near.map((line2) => this.#line(line2, shown))));
  }
  #line(line2, shown) {
    const now2 = line2.from <= shown && line2.to >= shown;
    const span = line2.to > line2.from ? `${count(line2.from)}–${count(line2.to)}` : count(line2.from);
    const times = line2.to > line2.from ? ` ×${line2.to - line2.from + 1}` : "";
    const notes = [line2.failed ? "failed" : "", line2.reward ? `reward ${signed(line2.reward)}` : "", ...line2.notes].filter(Boolean);
    return h("button", {
      type: "button",
      class: `rv-line${now2 ? " rv-now" : ""}${line2.to < shown ? " rv-past" : ""}`,
      "aria-current": now2 ? "step" : "false",
      onclick: () => this.context.seek(line2.from)
    }, h("span", { class: "rv-line-step" }, span), h("span", { class: line2.failed ? "rv-line-action rv-bad" : "rv-line-action" }, line2.action + times), h("span", { class: line2.reward > 0 ? "rv-line-note rv-good" : line2.reward < 0 || line2.failed ? "rv-line-note rv-bad" : "rv-line-note" }, notes.join(", ")));
  }
};
function definitions(rows) {
  return h("dl", { class: "rv-facts" }, ...rows.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
}
function inventoryRow(name, amount, limit) {
  const bar = h("span", { class: "rv-bar" });
  if (limit !== void 0 && limit > 0) {
    const part = h("span", { class: "rv-bar-part" });
    part.style.width = `${Math.min(100, 100 * amount / limit)}%`;
    bar.append(part);
  } else {
    bar.classList.add("rv-bar-none");
  }
  return h("div", { class: "rv-inventory-row" }, h("span", {}, name), bar, h("span", { class: "rv-number" }, limit !== void 0 ? `${number(amount)} / ${number(limit)}` : number(amount)));
}

// build/js/small-map.js
var MOST = 640;
var SmallMap = class {
  constructor(context) {
    this.context = context;
    this.picture = null;
  }
  restyle() {
    this.picture = null;
  }
  sizeWithin(limit) {
    const { width, height } = this.context.replay.map;
    const scale = limit / Math.max(width, height);
    return { width: Math.max(8, Math.round(width * scale)), height: Math.max(8, Math.round(height * scale)) };
  }
  #baked() {
    if (this.picture)
      return this.picture;
    const { replay, facts, sprites } = this.context;
    const palette = this.context.palette();
    const scale = Math.min(3, MOST / Math.max(replay.map.width, replay.map.height));
    const picture2 = document.createElement("canvas");
    picture2.width = Math.max(1, Math.round(replay.map.width * scale));
    picture2.height = Math.max(1, Math.round(replay.map.height * scale));
    const pen = picture2.getContext("2d");
    pen.fillStyle = palette.floor;
    pen.fillRect(0, 0, picture2.width, picture2.height);
    const side = Math.max(1, scale);
    facts.blocks.each(0, 0, replay.map.width, replay.map.height, (object, x, y) => {
      pen.fillStyle = sprites.colour(facts.sprite(object), palette);
      pen.fillRect(Math.floor(x * scale), Math.floor(y * scale), Math.ceil(side), Math.ceil(side));
    });
    this.picture = picture2;
    return picture2;
  }
  draw(pen, size, step2) {
    const { replay, facts, store } = this.context;
    const palette = this.context.palette();
    const scale = size.width / replay.map.width;
    pen.drawImage(this.#baked(), 0, 0, size.width, size.height);
    const place = { x: 0, y: 0 };
    const { selected } = store.state;
    const dot = Math.max(2, scale);
    for (const object of replay.agents) {
      if (replay.alive.at(object, step2) === 0)
        continue;
      replay.locate(object, step2, place);
      const large = object === selected ? dot + 2 : dot;
      pen.fillStyle = object === selected ? palette.text : series(palette, facts.teams.hue(facts.teams.of(object, step2)));
      pen.fillRect((place.x + 0.5) * scale - large / 2, (place.y + 0.5) * scale - large / 2, large, large);
    }
  }
};

// build/js/store.js
function initialState() {
  return {
    step: 0,
    shown: 0,
    fraction: 0,
    selected: -1,
    hovered: -1,
    playing: false,
    speed: 10,
    camera: null,
    follow: false,
    layers: { trail: true, vision: false, fog: false, heat: false, grid: true, items: false },
    query: "",
    found: null,
    tab: "agents",
    chart: "rate"
  };
}
var Store = class {
  constructor(state) {
    this.state = state;
    this.listeners = /* @__PURE__ */ new Set();
  }
  set(patch) {
    const changed = Object.keys(patch).filter((key) => this.state[key] !== patch[key]);
    if (changed.length === 0)
      return;
    Object.assign(this.state, patch);
    const keys = new Set(changed);
    for (const listener of this.listeners)
      listener(keys);
  }
  listen(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
};

// build/js/text-panels.js
var TALK_LINES = 40;
var LONGEST = 2e4;
var TextPanel = class {
  constructor(context, texts2) {
    this.context = context;
    this.texts = texts2;
    this.node = h("div", { class: "rv-scroll rv-pad", tabindex: 0, role: "region", "aria-label": "Talk and policy notes" });
  }
  update() {
    if (!this.texts.present) {
      fill(this.node, empty("This replay holds no talk and no policy notes."));
      return;
    }
    const { shown, selected } = this.context.store.state;
    const part = this.texts.part(shown);
    if (part?.failed) {
      fill(this.node, empty(part.failed), h("button", { type: "button", class: "rv-action", onclick: () => this.#retry() }, "Try again"));
    } else if (!part?.fields) {
      fill(this.node, empty("Loading the texts of these steps"));
    } else {
      fill(this.node, selected >= 0 ? this.#agent(selected, shown) : null, this.#talk(shown), selected < 0 ? empty("Select an agent to read its policy notes.") : null);
    }
  }
  #retry() {
    this.texts.retry();
    this.update();
  }
  #agent(object, step2) {
    const talk = this.texts.at("talk_text", object, step2);
    const monologue = this.texts.at("monologue_append", object, step2);
    const notes = this.texts.at("policy_infos", object, step2);
    const some = talk || monologue || notes;
    return h("section", {}, h("h4", {}, this.context.facts.title(object)), talk ? h("p", { class: "rv-quote" }, String(talk)) : null, monologue ? h("p", { class: "rv-quote" }, String(monologue)) : null, notes !== null && typeof notes === "object" ? noteList(notes) : notes ? h("p", {}, String(notes)) : null, some ? null : empty("No text at this step."));
  }
  #talk(step2) {
    const lines = this.texts.recentTalk(step2, TALK_LINES);
    if (lines.length === 0)
      return null;
    return h("section", {}, h("h4", {}, "Talk so far"), h("div", { class: "rv-activity" }, ...lines.map((line2) => h("button", {
      type: "button",
      class: "rv-line",
      onclick: () => {
        this.context.select(line2.object);
        this.context.seek(line2.step);
      }
    }, h("span", { class: "rv-line-step" }, count(line2.step)), h("span", { class: "rv-line-action" }, this.context.facts.title(line2.object)), h("span", { class: "rv-line-note" }, line2.text)))));
  }
};
function noteList(notes) {
  const rows = Object.entries(notes).slice(0, 100).map(([key, value]) => {
    const text2 = typeof value === "string" ? value : JSON.stringify(value, null, 1);
    return [words(key), String(text2).slice(0, LONGEST).trim()];
  });
  const list2 = definitions(rows);
  list2.classList.add("rv-notes");
  return list2;
}
function empty(text2) {
  return h("p", { class: "rv-empty" }, text2);
}
var SEVERITY = { error: "Error", warning: "Warning", note: "Note" };
var AboutPanel = class {
  constructor(context, { url }) {
    this.context = context;
    this.url = url;
    this.config = h("div", {});
    this.node = h("div", { class: "rv-scroll rv-pad", tabindex: 0, role: "region", "aria-label": "About this replay" });
    this.#build();
  }
  update() {
  }
  #build() {
    const { header } = this.context.replay;
    const used = /* @__PURE__ */ new Map();
    for (const type of this.context.replay.types)
      used.set(type, (used.get(type) ?? 0) + 1);
    const types = [...used].sort((a, b) => b[1] - a[1]).slice(0, 60).map(([type, n]) => `${words(header.typeNames[type] ?? "unknown")} ${count(n)}`);
    const rows = [
      ["format", `MettaScope replay, version ${header.version}`],
      ["map", `${count(header.width)} x ${count(header.height)} cells`],
      ["steps", count(header.steps)],
      ["objects", `${count(header.objects)}: ${types.join(", ")}`],
      ["items", header.itemNames.filter(Boolean).slice(0, 100).map(words).join(", ") || "none"],
      ["actions", `${count(header.actionNames.length)}`]
    ];
    fill(this.node, definitions(rows), this.#link(), this.#issues(), this.#configSection());
  }
  #link() {
    const address = mettascopeLink(this.url);
    if (!address)
      return null;
    return h("p", {}, h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, "Open in MettaScope"));
  }
  #issues() {
    const { issues, issuesMore } = this.context.replay.header;
    const entries2 = issues.map((issue2) => h("li", {}, h("strong", {}, `${SEVERITY[issue2.severity] ?? "Note"}: `), `${issue2.path}: ${issue2.rule}`, issue2.count > 1 ? ` (${count(issue2.count)} times)` : "", h("div", { class: "rv-muted rv-code" }, issue2.example)));
    return h("section", {}, h("h4", {}, `Issues in the file`), entries2.length ? h("ul", { class: "rv-list" }, ...entries2) : empty("None found."), issuesMore > 0 ? h("p", { class: "rv-muted" }, `and ${plural(issuesMore, "more issue")}`) : null);
  }
  #configSection() {
    if (!this.context.replay.config)
      return null;
    fill(this.config, h("button", { type: "button", class: "rv-action", onclick: () => this.#loadConfig() }, "Show the configuration"));
    return h("section", {}, h("h4", {}, "Configuration"), this.config);
  }
  async #loadConfig() {
    fill(this.config, empty("Loading the configuration"));
    try {
      const text2 = JSON.stringify(await this.context.replay.configValue(), null, 2) ?? "";
      const shown = text2.slice(0, 4e5);
      fill(this.config, h("pre", { class: "rv-code" }, shown), shown.length < text2.length ? empty("Cut at 400,000 characters.") : null);
    } catch (error) {
      fill(this.config, empty(error instanceof Error ? error.message : PROBLEM), h("button", { type: "button", class: "rv-action", onclick: () => this.#loadConfig() }, "Try again"));
    }
  }
};

// build/js/texts.js
var Texts = class {
  constructor(replay, onload) {
    this.replay = replay;
    this.onload = onload;
    this.parts = replay.texts.map((info) => ({ from: info.from, to: info.to, loading: false, failed: "", fields: null }));
  }
  get present() {
    return this.parts.length > 0;
  }
  part(step2) {
    const index = this.parts.findIndex((part2) => step2 >= part2.from && step2 < part2.to);
    if (index < 0)
      return null;
    const part = this.parts[index];
    if (!part.fields && !part.loading && !part.failed)
      this.#load(part, index);
    return part;
  }
  retry() {
    for (const part of this.parts)
      part.failed = "";
  }
  async #load(part, index) {
    part.loading = true;
    try {
      const columns = await this.replay.textColumns(index);
      const { header, map } = this.replay;
      part.fields = /* @__PURE__ */ new Map();
      for (const name of this.replay.texts[index].fields) {
        const objects = runningSum(columns.numbers(`${name}.i`), header.objects, name);
        const track = decodeTrack(columns, name, "int", objects.length, part.from, part.to, null, map);
        const table = columns.json(`${name}.table`);
        part.fields.set(name, { objects, track, table: Array.isArray(table) ? table : [] });
      }
    } catch (error) {
      part.fields = null;
      part.failed = error instanceof Error ? error.message : PROBLEM;
    }
    part.loading = false;
    this.onload();
  }
  at(name, object, step2) {
    const field = this.part(step2)?.fields?.get(name);
    const mover = field ? field.objects.indexOf(object) : -1;
    return field && mover >= 0 ? field.table[field.track.at(mover, step2)] ?? null : null;
  }
  recentTalk(step2, limit) {
    const part = this.part(step2);
    const field = part?.fields?.get("talk_text");
    if (!part || !field)
      return [];
    const lines = [];
    field.objects.forEach((object, mover) => {
      field.track.runs(mover, part.from, step2 + 1, (start, _, value) => {
        const text2 = field.table[value];
        if (typeof text2 === "string" && text2)
          lines.push({ step: start, object, text: text2 });
      });
    });
    return lines.sort((a, b) => b.step - a.step).slice(0, limit);
  }
};

// build/js/trace-view.js
var ROW2 = 18;
var WIDTHS = [1, 2, 4, 8, 15];
var RIGHT2 = 12;
var GLYPHS_FROM = 12;
var NO_DATA = -2;
var TraceView = class {
  constructor(context) {
    this.context = context;
    this.canvas = h("canvas", { class: "rv-trace-canvas" });
    this.spacer = h("div", { class: "rv-trace-spacer" }, this.canvas);
    this.tip = h("div", { class: "rv-tip rv-preview", role: "presentation" });
    this.scroller = h("div", {
      class: "rv-trace-scroll",
      tabindex: 0,
      role: "img",
      "aria-label": "What each agent did at each step; click to go there"
    }, this.spacer);
    this.legend = h("div", { class: "rv-legend" });
    this.node = h("section", { class: "rv-trace", "aria-label": "Actions by agent" }, h("div", { class: "rv-trace-head" }, h("span", { class: "rv-heading" }, "Actions"), this.legend, h("span", { class: "rv-grow" }), iconButton("minus", "Show more steps", () => this.#widen(-1)), iconButton("plus", "Show fewer steps", () => this.#widen(1))), this.scroller, this.tip);
    this.spacer.style.height = `${context.replay.agents.length * ROW2}px`;
    this.width = 0;
    this.height = 0;
    this.zoom = WIDTHS.length - 1;
    this.start = 0;
    this.backdrop = null;
    this.glyphs = /* @__PURE__ */ new Map();
    this.lastSelected = -1;
    this.#listen();
    this.restyle();
  }
  get cell() {
    return WIDTHS[this.zoom];
  }
  get columns() {
    return Math.max(1, Math.floor((this.width - GUTTER - RIGHT2) / this.cell));
  }
  get window() {
    return [this.start, Math.min(this.context.replay.steps, this.start + this.columns)];
  }
  resize(width, height) {
    this.width = width;
    this.height = Math.min(height, Math.max(ROW2, this.context.replay.agents.length * ROW2));
    this.scroller.style.height = `${this.height}px`;
    this.backdrop = null;
  }
  refresh() {
    this.backdrop = null;
  }
  restyle() {
    this.backdrop = null;
    this.glyphs.clear();
    const palette = this.context.palette();
    const used = new Set(this.context.facts.actions.map((action) => action.family));
    const entries2 = FAMILIES.filter((family) => used.has(family)).map((family) => {
      const mark = h("span", { class: "rv-swatch" });
      mark.style.background = this.#colour(family);
      return h("span", { class: "rv-legend-entry" }, mark, familyWords(family));
    });
    const failed = h("span", { class: "rv-swatch rv-swatch-hollow" });
    failed.style.borderColor = palette.bad;
    const reward = h("span", { class: "rv-swatch rv-swatch-low" });
    reward.style.background = palette.good;
    this.legend.replaceChildren(...entries2, h("span", { class: "rv-legend-entry" }, failed, "failed"), h("span", { class: "rv-legend-entry" }, reward, "reward"));
  }
  #colour(family) {
    const palette = this.context.palette();
    const hue = familyHue(family);
    return hue < 0 ? palette.quiet : series(palette, hue);
  }
  #widen(by) {
    const { shown } = this.context.store.state;
    this.zoom = Math.min(WIDTHS.length - 1, Math.max(0, this.zoom + by));
    this.start = this.#startFor(shown);
    this.backdrop = null;
    this.context.invalidate("trace", "timeline");
  }
  #startFor(step2) {
    const { steps } = this.context.replay;
    return Math.max(0, Math.min(steps - this.columns, step2 - Math.floor(this.columns / 3)));
  }
  draw() {
    const { shown, selected } = this.context.store.state;
    const [from, to] = this.window;
    if (shown < from || shown >= to) {
      this.start = this.#startFor(shown);
      this.backdrop = null;
      this.context.invalidate("timeline");
    }
    if (selected !== this.lastSelected)
      this.#reveal(selected);
    const pen = prepareCanvas(this.canvas, this.width, this.height);
    this.backdrop ??= this.#drawBackdrop();
    pen.clearRect(0, 0, this.width, this.height);
    pen.drawImage(this.backdrop, 0, 0, this.width, this.height);
    const palette = this.context.palette();
    pen.strokeStyle = palette.accent;
    pen.lineWidth = 1.5;
    pen.strokeRect(GUTTER + (shown - this.start) * this.cell - 0.75, 0.75, this.cell + 0.5, this.height - 1.5);
  }
  #reveal(selected) {
    this.lastSelected = selected;
    this.backdrop = null;
    const row = this.context.replay.agents.indexOf(selected);
    if (row < 0)
      return;
    const { scroller } = this;
    const top = row * ROW2;
    if (top < scroller.scrollTop || top + ROW2 > scroller.scrollTop + this.height) {
      scroller.scrollTop = Math.max(0, top - this.height / 2);
    }
  }
  #drawBackdrop() {
    const canvas = document.createElement("canvas");
    const pen = prepareCanvas(canvas, this.width, this.height);
    const { agents } = this.context.replay;
    const top = this.scroller.scrollTop;
    const first = Math.floor(top / ROW2);
    const last = Math.min(agents.length - 1, Math.floor((top + this.height - 1) / ROW2));
    for (let row = first; row <= last; row++)
      this.#drawRow(pen, agents[row], row * ROW2 - top);
    return canvas;
  }
  #drawRow(pen, object, y) {
    const palette = this.context.palette();
    const { replay, facts, store } = this.context;
    const chosen = store.state.selected === object;
    if (chosen) {
      pen.fillStyle = palette.raised;
      pen.fillRect(0, y, this.width, ROW2);
      pen.fillStyle = palette.accent;
      pen.fillRect(0, y, 3, ROW2);
    }
    pen.fillStyle = series(palette, facts.teams.hue(facts.teams.of(object, store.state.shown)));
    pen.beginPath();
    pen.arc(GUTTER - 13, y + ROW2 / 2, 3.5, 0, Math.PI * 2);
    pen.fill();
    pen.fillStyle = chosen ? palette.text : palette.muted;
    pen.font = `${chosen ? 600 : 400} 12px system-ui, -apple-system, "Segoe UI", sans-serif`;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.fillText(`agent ${replay.agentIds[object]}`, GUTTER - 22, y + ROW2 / 2 + 0.5);
    const cells = this.#read(object);
    for (let column = 0; column < cells.action.length; column++)
      this.#drawCell(pen, object, cells, column, y);
  }
  #read(object) {
    const { replay } = this.context;
    const [from, to] = this.window;
    const n = to - from;
    const fill2 = (name, out) => {
      replay.field(name).runs(object, from, to, (start, end, value) => out.fill(value, start - from, end - from));
      return out;
    };
    const row = {
      action: fill2("action_id", new Int16Array(n).fill(NO_DATA)),
      parameter: fill2("action_param", new Int16Array(n)),
      success: fill2("action_success", new Int8Array(n)),
      reward: fill2("current_reward", new Float32Array(n)),
      frozen: fill2("is_frozen", new Int8Array(n)),
      alive: fill2("alive", new Int8Array(n)),
      gain: new Uint8Array(n)
    };
    if (this.cell >= 4)
      this.#readGains(object, from, to, row.gain);
    return row;
  }
  #readGains(object, from, to, gain) {
    const { replay } = this.context;
    const [first, end] = replay.pairsOf(object);
    for (let pair = first; pair < end; pair++) {
      let last = from > 0 ? replay.inventory.at(pair, from - 1) : NaN;
      replay.inventory.runs(pair, from, to, (start, _, value) => {
        if (value > last)
          gain[start - from] = 1;
        last = value;
      });
    }
  }
  #drawCell(pen, object, cells, column, y) {
    const palette = this.context.palette();
    const { facts } = this.context;
    const x = GUTTER + column * this.cell;
    const gap = this.cell >= 4 ? 1 : 0;
    const width = this.cell - gap;
    if (cells.action[column] === NO_DATA || cells.alive[column] === 0) {
      pen.fillStyle = palette.hairline;
      pen.fillRect(x, y + ROW2 / 2, width, 1);
      return;
    }
    const action = facts.action(cells.action[column]);
    const family = action ? action.family : "wait";
    const failed = cells.success[column] === 0 && family !== "wait";
    if (this.cell >= GLYPHS_FROM) {
      const direction = action ? facts.direction(object, action, cells.parameter[column], this.start + column) : -1;
      pen.drawImage(this.#glyph(family, direction, failed), x, y + 1, width, ROW2 - 2);
    } else {
      pen.fillStyle = this.#colour(family);
      if (failed)
        pen.fillRect(x, y + ROW2 - 7, width, 3);
      else
        pen.fillRect(x, y + 3, width, ROW2 - 7);
    }
    if (cells.frozen[column]) {
      pen.fillStyle = palette.cold;
      pen.fillRect(x, y + 1, width, 2);
    }
    if (cells.gain[column]) {
      pen.fillStyle = palette.gain;
      pen.fillRect(x + Math.max(0, width - 4), y + 1, Math.min(4, width), 4);
    }
    if (cells.reward[column]) {
      pen.fillStyle = cells.reward[column] > 0 ? palette.good : palette.bad;
      pen.fillRect(x, y + ROW2 - 3, width, 3);
    }
  }
  #glyph(family, direction, failed) {
    const key = `${family}${direction}${failed}`;
    const ready = this.glyphs.get(key);
    if (ready)
      return ready;
    const palette = this.context.palette();
    const width = this.cell - 1;
    const height = ROW2 - 2;
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * pixelRatio());
    canvas.height = Math.round(height * pixelRatio());
    const pen = canvas.getContext("2d");
    pen.scale(canvas.width / width, canvas.height / height);
    const colour = this.#colour(family);
    pen.beginPath();
    pen.roundRect(0.75, 0.75, width - 1.5, height - 1.5, 2.5);
    if (failed) {
      pen.strokeStyle = palette.bad;
      pen.lineWidth = 1.25;
      pen.stroke();
    } else {
      pen.fillStyle = colour;
      pen.fill();
    }
    pen.strokeStyle = failed ? palette.bad : family === "wait" ? palette.muted : palette.onMark;
    drawGlyph(pen, family, direction, (width - 12) / 2, (height - 12) / 2 - 0.5, 12);
    this.glyphs.set(key, canvas);
    return canvas;
  }
  #cellAt(event) {
    const { x, y } = localPoint(this.canvas, event);
    const row = Math.floor((y + this.scroller.scrollTop) / ROW2);
    const { agents } = this.context.replay;
    if (row < 0 || row >= agents.length || y < 0 || y > this.height)
      return null;
    const [from, to] = this.window;
    const step2 = from + Math.floor((x - GUTTER) / this.cell);
    return { object: agents[row], step: x < GUTTER || step2 >= to ? -1 : step2, x, y };
  }
  #listen() {
    const { scroller, context } = this;
    scroller.addEventListener("scroll", () => {
      this.backdrop = null;
      context.invalidate("trace");
    });
    this.canvas.addEventListener("click", (event) => {
      const hit = this.#cellAt(event);
      if (!hit)
        return;
      context.select(hit.object);
      if (hit.step >= 0)
        context.seek(hit.step);
    });
    this.canvas.addEventListener("pointermove", (event) => this.#showTip(this.#cellAt(event)));
    this.canvas.addEventListener("pointerleave", () => this.#showTip(null));
    scroller.addEventListener("wheel", (event) => {
      if (!event.shiftKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY))
        return;
      event.preventDefault();
      this.#slide(event.deltaX || event.deltaY);
    }, { passive: false });
  }
  #slide(pixels) {
    const { steps } = this.context.replay;
    const { shown } = this.context.store.state;
    const start = Math.max(0, Math.min(steps - this.columns, this.start + Math.round(pixels / this.cell)));
    this.start = Math.max(0, Math.max(shown - this.columns + 1, Math.min(shown, start)));
    this.backdrop = null;
    this.context.invalidate("trace", "timeline");
  }
  #showTip(hit) {
    this.tip.classList.toggle("rv-shown", hit !== null && hit.step >= 0);
    if (!hit || hit.step < 0)
      return;
    const { facts } = this.context;
    setText(this.tip, describeLine(facts.title(hit.object), lineAt(facts, hit.object, hit.step)));
    const left = Math.min(Math.max(4, hit.x + 12), this.width - this.tip.offsetWidth - 4);
    this.tip.style.transform = `translate(${left}px, ${hit.y + this.scroller.offsetTop - this.tip.offsetHeight - 10}px)`;
  }
};
function describeLine(title, line2) {
  const parts = [`${title}, step ${count(line2.from)}`, line2.failed ? `${line2.action}, failed` : line2.action];
  if (line2.reward)
    parts.push(`reward ${signed(line2.reward)}`);
  return [...parts, ...line2.notes].join("\n");
}

// build/js/viewer.js
var ALL = ["map", "timeline", "trace", "panel"];
var PANEL_MS = 110;
var HINT_MS = 2600;
var TRACE_ROWS = 6;
var Viewer = class {
  constructor(replay, options) {
    this.replay = replay;
    this.options = options;
    this.theme = options.theme;
    this.facts = new Facts(replay);
    this.sprites = new SpriteCache();
    this.store = new Store(initialState());
    this.player = new Player({ steps: replay.steps, ready: (step2) => replay.ready(step2), load: (step2) => void replay.load(step2) });
    this.dirty = /* @__PURE__ */ new Set();
    this.frame = 0;
    this.panelAt = 0;
    this.hintTimer = 0;
    this.stopped = false;
    this.context = {
      replay,
      facts: this.facts,
      sprites: this.sprites,
      store: this.store,
      palette: () => palettes[this.theme],
      invalidate: (...parts) => this.invalidate(...parts),
      seek: (step2) => this.seek(step2),
      select: (object) => this.select(object),
      followObject: (object) => this.follow(object),
      hasFocus: () => this.node.matches(":focus-within"),
      hint: (text2) => this.hint(text2)
    };
    this.texts = new Texts(replay, () => this.invalidate("panel"));
    const small = new SmallMap(this.context);
    this.small = small;
    this.map = new MapView(this.context);
    this.minimap = new Minimap(this.context, this.map, small);
    this.hintNode = h("div", { class: "rv-hint", role: "status" });
    this.followButton = iconButton("follow", "Follow the selection (F)", () => this.toggleFollow());
    this.followButton.setAttribute("aria-pressed", "false");
    this.map.node.append(this.minimap.canvas, this.#mapButtons(), this.hintNode);
    this.timeline = new TimelineView(this.context, small);
    this.trace = new TraceView(this.context);
    this.transport = new Transport(replay.steps, this.#controls(), kindsIn(replay));
    this.panels = {
      agents: new AgentTable(this.context),
      selected: new ObjectPanel(this.context),
      text: new TextPanel(this.context, this.texts),
      about: new AboutPanel(this.context, options)
    };
    this.searchBox = h("input", {
      class: "rv-search",
      type: "search",
      placeholder: "Find a type, item or agent",
      "aria-label": "Find a type, item or agent",
      autocomplete: "off",
      oninput: () => this.search(this.searchBox.value),
      onkeydown: (event) => this.#searchKey(event)
    });
    this.found = h("span", { class: "rv-found rv-muted", role: "status" });
    this.tabs = h("div", { class: "rv-tabs", role: "tablist", "aria-label": "Panels" });
    this.panel = h("div", { class: "rv-panel", role: "tabpanel" });
    this.node = options.compact ? this.#compactLayout() : this.#layout();
    this.store.listen((changed) => this.#changed(changed));
    replay.onload = () => this.#loaded();
    this.observer = new ResizeObserver(() => this.#resized());
    this.observer.observe(this.map.node);
    this.observer.observe(this.timeline.node);
    this.invalidate(...ALL);
  }
  #layout() {
    const { replay, options } = this;
    const { header } = replay;
    const list2 = h("datalist", {}, ...suggestions(this.facts).map((value) => h("option", { value })));
    list2.id = `rv-${Math.random().toString(36).slice(2)}`;
    this.searchBox.setAttribute("list", list2.id);
    const facts = `${plural(header.agents, "agent")}, ${plural(header.steps, "step")}, ${header.width} x ${header.height}`;
    const node = h("div", { class: "rv-root", tabindex: 0, role: "application", "aria-label": `Replay viewer: ${options.title}`, "data-theme": this.theme }, h("header", { class: "rv-head" }, h("h2", { class: "rv-title", title: options.title }, clip(options.title, 80)), h("span", { class: "rv-muted rv-facts-line" }, facts), h("span", { class: "rv-grow" }), this.found, h("label", { class: "rv-search-wrap" }, icon("search"), this.searchBox, list2)), h("div", { class: "rv-body" }, h("div", { class: "rv-main" }, this.map.node, this.transport.node, this.timeline.node, this.trace.node), h("aside", { class: "rv-side" }, this.tabs, this.panel)));
    node.style.setProperty("--rv-height", `${options.height}px`);
    node.addEventListener("keydown", (event) => handleKey(event, this));
    node.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("button") : null;
      if (event.detail > 0 && button)
        node.focus({ preventScroll: true });
    });
    this.transport.node.append(layerMenu(this), shareMenu(this));
    this.#drawTabs();
    return node;
  }
  #compactLayout() {
    const { options } = this;
    return h("section", { class: "rv-half", "aria-label": options.title }, h("h3", { class: "rv-title", title: options.title }, clip(options.title, 60)), this.map.node);
  }
  #drawTabs() {
    const { tab } = this.store.state;
    const issues = this.replay.header.issues.length;
    const names = { agents: "Agents", selected: "Selected", text: "Talk and notes", about: issues ? `About (${plural(issues, "issue")})` : "About" };
    const keys = Object.keys(names).filter((key) => key !== "text" || this.texts.present);
    fill(this.tabs, ...keys.map((key) => h("button", {
      type: "button",
      role: "tab",
      class: "rv-tab",
      "aria-selected": String(key === tab),
      onclick: () => this.store.set({ tab: key })
    }, names[key])));
    const shown = this.panels[tab].node;
    if (this.panel.firstElementChild !== shown)
      fill(this.panel, shown);
  }
  #mapButtons() {
    return h("div", { class: "rv-map-buttons", role: "toolbar", "aria-label": "Map view" }, iconButton("plus", "Zoom in", () => this.map.zoom(1.5)), iconButton("minus", "Zoom out", () => this.map.zoom(1 / 1.5)), iconButton("fit", "Show the whole map (0)", () => this.fit()), this.followButton);
  }
  get steps() {
    return this.replay.steps;
  }
  get stepNow() {
    return this.store.state.step;
  }
  #controls() {
    return {
      toggle: () => this.toggle(),
      seek: (step2) => this.seek(step2),
      move: (by) => this.seek(this.store.state.step + by),
      speed: (speed) => this.store.set({ speed: clampSpeed(speed) }),
      jump: (kind, way) => this.jump(kind, way)
    };
  }
  seek(step2) {
    const goal = this.replay.clampStep(step2);
    this.player.seek(goal);
    const ready = this.replay.ready(goal);
    this.store.set(ready ? { step: goal, shown: goal, fraction: 0 } : { step: goal });
    if (!ready)
      void this.replay.load(goal);
  }
  toggle() {
    const { playing, step: step2 } = this.store.state;
    if (!playing && step2 >= this.replay.steps - 1)
      this.seek(0);
    this.store.set({ playing: !playing });
  }
  select(object) {
    const { follow, tab } = this.store.state;
    const keep = tab === "text" || tab === "selected";
    this.store.set({ selected: object, follow: follow && object >= 0, tab: object < 0 || keep ? tab : "selected" });
  }
  selectNext(by) {
    const { agents } = this.replay;
    if (agents.length === 0)
      return;
    const at = agents.indexOf(this.store.state.selected);
    const next = at < 0 ? by > 0 ? 0 : agents.length - 1 : (at + by + agents.length) % agents.length;
    this.select(agents[next]);
  }
  follow(object) {
    this.select(object);
    const { camera } = this.map;
    this.store.set({ follow: true, camera: { ...camera, scale: Math.max(26, camera.scale) } });
  }
  toggleFollow() {
    const { follow, selected } = this.store.state;
    if (follow)
      this.store.set({ follow: false, camera: this.map.camera });
    else if (selected >= 0)
      this.follow(selected);
    else
      this.hint("Select something to follow first");
  }
  fit() {
    this.store.set({ camera: null, follow: false });
  }
  jump(kind, way) {
    const { step: step2, selected } = this.store.state;
    const one = selected >= 0 && this.facts.isAgent[selected];
    const found = findEvent(this.replay, one ? [selected] : this.replay.agents, kind, step2, way);
    if (found >= 0)
      this.seek(found);
    else
      this.hint(`No ${way > 0 ? "later" : "earlier"} event of this kind${one ? ` for ${this.facts.title(selected)}` : ""}`);
  }
  jumpChosen(way) {
    const kind = this.transport.kind.value;
    if (kind)
      this.jump(kind, way);
  }
  search(query) {
    this.store.set({ query, found: search(this.facts, query) });
  }
  #searchKey(event) {
    if (event.key === "Escape") {
      this.searchBox.value = "";
      this.search("");
      this.node.focus({ preventScroll: true });
    }
    if (event.key === "Enter")
      this.nextHit(event.shiftKey ? -1 : 1);
  }
  nextHit(by) {
    const { found, shown, selected } = this.store.state;
    if (!found)
      return;
    const hits = matching(this.facts, found, shown);
    if (hits.length === 0)
      return;
    const next = hits[(hits.indexOf(selected) + by + hits.length) % hits.length] ?? hits[0];
    this.select(next);
    const { camera } = this.store.state;
    const place = this.map.place(next);
    if (camera)
      this.map.setCamera({ ...camera, x: place.x + 0.5, y: place.y + 0.5 });
  }
  hint(text2) {
    clearTimeout(this.hintTimer);
    setText(this.hintNode, text2);
    this.hintNode.classList.add("rv-shown");
    this.hintTimer = window.setTimeout(() => this.hintNode.classList.remove("rv-shown"), HINT_MS);
  }
  setTheme(theme) {
    if (theme === this.theme)
      return;
    this.theme = theme;
    this.node.dataset.theme = theme;
    this.sprites.clear();
    this.map.restyle();
    this.small.restyle();
    this.timeline.refresh();
    this.trace.restyle();
    this.invalidate(...ALL);
  }
  async setSprites(bytes) {
    await this.sprites.readImages(bytes).catch(() => {
    });
    this.map.restyle();
    this.invalidate("map");
  }
  #changed(changed) {
    if (["shown", "fraction", "selected", "hovered", "camera", "follow", "layers", "found"].some((key) => changed.has(key)))
      this.invalidate("map");
    if (["step", "shown", "playing", "speed"].some((key) => changed.has(key)))
      this.invalidate("timeline", "panel");
    if (changed.has("shown"))
      this.invalidate("trace");
    if (changed.has("selected"))
      this.invalidate("trace", "panel");
    if (changed.has("selected") || changed.has("chart")) {
      this.timeline.refresh();
      this.invalidate("timeline");
    }
    if (changed.has("tab")) {
      this.#drawTabs();
      this.invalidate("panel");
    }
    if (changed.has("found"))
      this.invalidate("panel");
    if (changed.has("follow"))
      this.followButton.setAttribute("aria-pressed", String(this.store.state.follow));
    if (changed.has("playing")) {
      this.player.seek(this.store.state.shown);
      this.invalidate("map");
    }
  }
  #loaded() {
    const { step: step2, shown } = this.store.state;
    if (step2 !== shown && this.replay.ready(step2))
      this.store.set({ shown: step2, fraction: 0 });
    this.timeline.refresh();
    this.trace.refresh();
    this.panels.agents.refresh();
    this.invalidate(...ALL);
  }
  #resized() {
    const { clientWidth, clientHeight } = this.map.node;
    this.map.resize(clientWidth, clientHeight);
    this.timeline.resize(this.timeline.node.clientWidth);
    this.trace.resize(this.timeline.node.clientWidth, TRACE_ROWS * 18);
    this.#draw(performance.now(), true);
  }
  invalidate(...parts) {
    for (const part of parts)
      this.dirty.add(part);
    if (!this.frame && !this.stopped)
      this.frame = requestAnimationFrame((now2) => this.#tick(now2));
  }
  #tick(now2) {
    this.frame = 0;
    if (this.store.state.playing)
      this.#play(now2);
    this.#draw(now2, !this.store.state.playing);
    if (this.store.state.playing || this.dirty.size > 0)
      this.invalidate();
  }
  #play(now2) {
    const { speed } = this.store.state;
    const { step: step2, fraction, ended } = this.player.tick(now2, speed);
    const smooth = speed <= SMOOTH_UP_TO && !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.store.set({ step: step2, shown: step2, fraction: smooth && !ended ? fraction : 0 });
    if (ended)
      this.store.set({ playing: false });
  }
  #draw(now2, atOnce) {
    if (this.map.size.width === 0)
      return;
    const { dirty } = this;
    if (dirty.delete("map")) {
      this.map.draw();
      this.minimap.draw();
    }
    if (dirty.delete("trace"))
      this.trace.draw();
    if (dirty.delete("timeline")) {
      this.timeline.window = this.trace.window;
      this.timeline.draw();
      this.transport.update(this.store.state);
    }
    if (dirty.has("panel") && (atOnce || now2 - this.panelAt > PANEL_MS)) {
      dirty.delete("panel");
      this.panelAt = now2;
      this.#drawPanel();
    }
  }
  #drawPanel() {
    const { tab, found, shown } = this.store.state;
    this.panels[tab].update();
    if (!found)
      setText(this.found, "");
    else {
      const hits = matching(this.facts, found, shown).length;
      setText(this.found, hits ? `${count(hits)} found` : "none found");
      this.found.title = found.text;
    }
  }
  stop() {
    this.stopped = true;
    cancelAnimationFrame(this.frame);
    clearTimeout(this.hintTimer);
    this.observer.disconnect();
    this.map.stop();
    this.store.listeners.clear();
    this.replay.onload = () => {
    };
  }
};

// build/js/compare.js
var PANEL_MS2 = 110;
var Compare = class {
  constructor(replays, titles, options) {
    this.replays = replays;
    this.titles = titles;
    this.options = options;
    this.left = new Viewer(replays[0], { ...options, title: titles[0], compact: true });
    this.right = new Viewer(replays[1], { ...options, title: titles[1], compact: true });
    this.steps = Math.max(replays[0].steps, replays[1].steps);
    this.store = this.left.store;
    this.replay = replays[0];
    this.map = this.left.map;
    this.player = new Player({ steps: this.steps, ready: (step2) => replays.every((r) => r.ready(r.clampStep(step2))), load: (step2) => {
      for (const r of replays)
        void r.load(r.clampStep(step2));
    } });
    this.frame = 0;
    this.panelAt = 0;
    this.stopped = false;
    this.goal = 0;
    this.transport = new Transport(this.steps, {
      toggle: () => this.toggle(),
      seek: (step2) => this.seek(step2),
      move: (by) => this.seek(this.goal + by),
      speed: (speed) => this.store.set({ speed: clampSpeed(speed) }),
      jump: () => {
      }
    }, []);
    this.chart = new CompareChart(this);
    this.panel = h("div", { class: "rv-panel rv-pad rv-scroll", tabindex: 0, role: "region", "aria-label": "Differences" });
    this.node = h("div", { class: "rv-root", tabindex: 0, role: "application", "aria-label": "Two replays compared", "data-theme": options.theme }, h("div", { class: "rv-body" }, h("div", { class: "rv-main" }, h("div", { class: "rv-halves" }, this.left.node, this.right.node), this.transport.node, this.chart.node), h("aside", { class: "rv-side" }, this.panel)));
    this.node.style.setProperty("--rv-height", `${options.height}px`);
    this.node.addEventListener("keydown", (event) => handleKey(event, this));
    this.store.listen((changed) => {
      if (changed.has("selected"))
        this.#mirrorSelection();
      if (changed.has("step") || changed.has("playing") || changed.has("speed"))
        this.invalidate();
      if (changed.has("playing"))
        this.player.seek(this.goal);
    });
    this.left.context.seek = (step2) => this.seek(step2);
    this.observer = new ResizeObserver(() => {
      this.chart.resize(this.chart.node.clientWidth);
      this.invalidate();
    });
    this.observer.observe(this.chart.node);
    this.invalidate();
  }
  get stepNow() {
    return this.goal;
  }
  #mirrorSelection() {
    const { selected } = this.store.state;
    const agent = selected >= 0 && this.left.facts.isAgent[selected] ? this.replays[0].agentIds[selected] : -1;
    const twin = this.replays[1].agents.find((object) => this.replays[1].agentIds[object] === agent) ?? -1;
    this.right.select(agent < 0 ? -1 : twin);
    this.invalidate();
  }
  seek(step2) {
    this.goal = Math.min(this.steps - 1, Math.max(0, Math.round(step2) || 0));
    this.player.seek(this.goal);
    this.left.seek(this.goal);
    this.right.seek(this.goal);
    this.invalidate();
  }
  toggle() {
    const { playing } = this.store.state;
    if (!playing && this.goal >= this.steps - 1)
      this.seek(0);
    this.store.set({ playing: !playing });
  }
  selectNext(by) {
    this.left.selectNext(by);
  }
  select(object) {
    this.left.select(object);
  }
  fit() {
    this.left.fit();
    this.right.fit();
  }
  toggleFollow() {
    this.left.toggleFollow();
    if (this.right.store.state.selected >= 0)
      this.right.toggleFollow();
  }
  jumpChosen() {
  }
  setTheme(theme) {
    this.node.dataset.theme = theme;
    this.left.setTheme(theme);
    this.right.setTheme(theme);
    this.chart.refresh();
    this.invalidate();
  }
  async setSprites(bytes) {
    await Promise.all([this.left.setSprites(bytes), this.right.setSprites(bytes)]);
  }
  invalidate() {
    if (!this.frame && !this.stopped)
      this.frame = requestAnimationFrame((now2) => this.#tick(now2));
  }
  #tick(now2) {
    this.frame = 0;
    const { playing, speed } = this.store.state;
    if (playing)
      this.#play(now2, speed);
    this.chart.draw(this.goal);
    this.transport.update({ step: this.goal, playing: this.store.state.playing, speed });
    if (!playing || now2 - this.panelAt > PANEL_MS2) {
      this.panelAt = now2;
      this.#drawPanel();
    }
    if (this.store.state.playing)
      this.invalidate();
  }
  #play(now2, speed) {
    const { step: step2, fraction, ended } = this.player.tick(now2, speed);
    this.goal = step2;
    const smooth = speed <= SMOOTH_UP_TO && !ended && !matchMedia("(prefers-reduced-motion: reduce)").matches;
    for (const side of [this.left, this.right]) {
      const at = side.replay.clampStep(step2);
      side.store.set({ step: at, shown: at, fraction: smooth && at === step2 ? fraction : 0 });
    }
    if (ended)
      this.store.set({ playing: false });
  }
  #drawPanel() {
    const [a, b] = [sumsAt(this.left, this.goal), sumsAt(this.right, this.goal)];
    const names = [.../* @__PURE__ */ new Set([...a.keys(), ...b.keys()])];
    const rows = names.map((name) => {
      const [x, y] = [a.get(name) ?? 0, b.get(name) ?? 0];
      return h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, number(x)), h("td", {}, number(y)), h("td", { class: y > x ? "rv-good" : y < x ? "rv-bad" : "rv-muted" }, signed(y - x)));
    });
    fill(this.panel, h("h4", {}, "At this step, over all agents"), h("table", { class: "rv-table rv-differences" }, h("thead", {}, h("tr", {}, h("th", {}), h("th", { scope: "col" }, "left"), h("th", { scope: "col" }, "right"), h("th", { scope: "col" }, "right − left"))), h("tbody", {}, ...rows)));
  }
  stop() {
    this.stopped = true;
    cancelAnimationFrame(this.frame);
    this.observer.disconnect();
    this.left.stop();
    this.right.stop();
  }
};
function sumsAt(side, step2) {
  const { replay, facts } = side;
  const at = replay.clampStep(step2);
  const sums = /* @__PURE__ */ new Map([["reward so far", 0], ["reward per agent", 0], ["agents alive", 0]]);
  const add = (name, value) => sums.set(name, (sums.get(name) ?? 0) + value);
  for (const object of replay.agents) {
    add("reward so far", replay.total(object, at));
    add("agents alive", replay.alive.at(object, at) === 0 ? 0 : 1);
  }
  sums.set("reward per agent", (sums.get("reward so far") ?? 0) / Math.max(1, replay.agents.length));
  for (let pair = 0; pair < replay.pairItems.length; pair++) {
    if (facts.isAgent[replay.pairObjects[pair]])
      add(facts.itemName(replay.pairItems[pair]), replay.inventory.at(pair, at));
  }
  return sums;
}

// build/js/messages.js
var PATIENCE_MS = 3e3;
var ABSENT = "This part is not embedded in this page, and no Python answers for it";
var Messages = class {
  constructor(model) {
    this.model = model;
    this.next = 0;
    this.prefix = Math.random().toString(36).slice(2, 12);
    this.waiting = /* @__PURE__ */ new Map();
    this.receive = this.#receive.bind(this);
    model.on("msg:custom", this.receive);
  }
  asker(source) {
    return (hash2, id) => new Promise((resolve, reject) => {
      const request = `${this.prefix}.${++this.next}`;
      const timer = window.setTimeout(() => this.#settle(request, null, ABSENT), PATIENCE_MS);
      this.waiting.set(request, { resolve, reject, timer });
      try {
        this.model.send({ type: "chunk", request, source, hash: hash2, id });
      } catch {
        this.#settle(request, null, ABSENT);
      }
    });
  }
  #receive(message, buffers) {
    if (message?.type !== "chunk" || typeof message.request !== "string")
      return;
    const bytes = message.ok === true && buffers?.[0] ? asBytes(buffers[0]) : null;
    this.#settle(message.request, bytes, typeof message.error === "string" ? message.error : "Python sent no data for this part");
  }
  #settle(request, bytes, problem) {
    const waiting = this.waiting.get(request);
    if (!waiting)
      return;
    this.waiting.delete(request);
    clearTimeout(waiting.timer);
    if (bytes)
      waiting.resolve(bytes);
    else
      waiting.reject(new WireError(problem));
  }
  stop() {
    this.model.off("msg:custom", this.receive);
    for (const { timer } of this.waiting.values())
      clearTimeout(timer);
    this.waiting.clear();
  }
};

// build/js/replay.js
var DEFAULTS = /* @__PURE__ */ new Map([["alive", 1], ["collective_id", -1], ["action_id", -1], ["action_success", 1], ["vision_size", 11]]);
var KEEP_BYTES = 48e6;
var StepsChunk = class {
  constructor(info) {
    this.info = info;
    this.from = info.from;
    this.to = info.to;
    this.columns = null;
    this.loading = null;
    this.failed = "";
    this.used = 0;
    this.tracks = /* @__PURE__ */ new Map();
    this.sums = null;
  }
};
var Field = class {
  constructor(replay, name, base, length) {
    const { header } = replay;
    const info = header.fields.get(name);
    this.replay = replay;
    this.name = name;
    this.present = info !== void 0;
    this.kind = info?.kind ?? "int";
    const [x, y] = this.kind === "xy" ? ["x", "y"] : ["", ""];
    const scalar = info ? info.scalar : DEFAULTS.get(name) ?? 0;
    this.scalarX = Array.isArray(scalar) ? scalar[0] : scalar;
    this.scalarY = Array.isArray(scalar) ? scalar[1] : scalar;
    this.firstX = scalar === null ? base.numbers(`${name}.c${x}`, length) : null;
    this.firstY = scalar === null && y ? base.numbers(`${name}.c${y}`, length) : this.firstX;
    const count2 = info ? header.movers.get(name) ?? 0 : 0;
    this.movers = count2 ? runningSum(base.numbers(`${name}.i`, count2), length, name) : new Int32Array(0);
    this.lasts = count2 ? base.numbers(`${name}.f${x}`, count2) : null;
    this.moverOf = count2 ? new Int32Array(length).fill(-1) : null;
    for (let m = 0; m < count2; m++)
      this.moverOf[this.movers[m]] = m;
  }
  first(object) {
    return this.firstX ? this.firstX[object] : this.scalarX;
  }
  last(object) {
    const mover = this.moverOf ? this.moverOf[object] : -1;
    return mover < 0 ? this.first(object) : this.lasts[mover];
  }
  at(object, step2) {
    const mover = this.moverOf ? this.moverOf[object] : -1;
    if (mover < 0 || step2 <= 0)
      return this.first(object);
    const track = this.replay.track(this, step2);
    return track ? track.at(mover, step2) : NaN;
  }
  runs(object, from, to, visit) {
    const mover = this.moverOf ? this.moverOf[object] : -1;
    if (mover < 0) {
      if (from < to)
        visit(from, to, this.first(object));
      return;
    }
    for (const chunk of this.replay.chunks) {
      const low = Math.max(from, chunk.from);
      const high = Math.min(to, chunk.to);
      if (low < high && chunk.columns)
        this.replay.track(this, low)?.runs(mover, low, high, visit);
    }
  }
};
function gather(column, scalar, indices) {
  const values = new Float64Array(indices.length);
  for (let i = 0; i < indices.length; i++)
    values[i] = column ? column[indices[i]] : scalar;
  return values;
}
var Replay = class _Replay {
  constructor(bytes, header, base, ask) {
    this.bytes = bytes;
    this.header = header;
    this.base = base;
    this.ask = ask;
    this.steps = header.steps;
    this.map = { width: header.width, height: header.height };
    const n = header.objects;
    this.ids = runningSum(base.numbers("id", n), 2147483647, "the object ids");
    this.types = base.numbers("type", n);
    this.agentIds = base.numbers("agent_id", n);
    this.agents = Int32Array.from(base.numbers("agent_objects", header.agents)).filter((object) => object >= 0 && object < n);
    this.fields = /* @__PURE__ */ new Map();
    for (const [name, info] of header.fields)
      if (name !== "inventory" && info.kind !== "text")
        this.field(name);
    this.location = this.field("location");
    if (!this.location.present)
      throw new WireError("the replay holds no locations");
    this.alive = this.field("alive");
    this.pairItems = base.numbers("inventory.t", header.pairs);
    this.pairObjects = runningSum(base.numbers("inventory.o", header.pairs), n, "the inventory");
    this.inventory = new Field(this, "inventory", base, header.pairs);
    this.chunks = header.chunks.filter((chunk) => chunk.kind === "steps").map((chunk) => new StepsChunk(chunk));
    this.#checkChunks();
    this.texts = header.chunks.filter((chunk) => chunk.kind === "text");
    this.config = header.chunks.find((chunk) => chunk.kind === "config") ?? null;
    this.objectById = /* @__PURE__ */ new Map();
    this.lastChunk = 0;
    this.clock = 0;
    this.onload = () => {
    };
  }
  static async open(bytes, ask) {
    const header = await readHeader(bytes);
    const info = header.chunks.find((chunk) => chunk.kind === "base");
    if (!info || info.offset === null)
      throw new WireError("the data holds no first step");
    const raw = await inflate(bytes.subarray(info.offset, info.offset + info.size), info.raw, "the first step");
    return new _Replay(bytes, header, new Columns(raw, "the first step"), ask);
  }
  #checkChunks() {
    let next = 0;
    for (const chunk of this.chunks) {
      if (chunk.from !== next || chunk.to <= chunk.from)
        throw new WireError("the parts of the replay do not join");
      next = chunk.to;
    }
    if (next !== this.steps)
      throw new WireError("the parts of the replay do not cover its steps");
  }
  field(name) {
    let field = this.fields.get(name);
    if (!field) {
      field = new Field(this, name, this.base, this.header.objects);
      this.fields.set(name, field);
    }
    return field;
  }
  typeName(object) {
    return this.header.typeNames[this.types[object]] || "unknown";
  }
  indexOfId(id) {
    if (this.objectById.size === 0)
      this.ids.forEach((value, index) => this.objectById.set(value, index));
    return this.objectById.get(id) ?? -1;
  }
  clampStep(step2) {
    return Number.isFinite(step2) ? Math.min(this.steps - 1, Math.max(0, Math.round(step2))) : 0;
  }
  chunkOf(step2) {
    const recent = this.chunks[this.lastChunk];
    if (step2 >= recent.from && step2 < recent.to)
      return recent;
    let low = 0;
    let high = this.chunks.length - 1;
    while (low < high) {
      const middle = low + high >> 1;
      if (this.chunks[middle].to <= step2)
        low = middle + 1;
      else
        high = middle;
    }
    this.lastChunk = low;
    return this.chunks[low];
  }
  ready(step2) {
    return step2 <= 0 || this.chunkOf(step2).columns !== null;
  }
  failure(step2) {
    return step2 <= 0 ? "" : this.chunkOf(step2).failed;
  }
  load(step2) {
    const chunk = this.chunkOf(step2);
    if (chunk.columns || chunk.failed)
      return Promise.resolve();
    chunk.loading ??= this.#fetch(chunk);
    return chunk.loading;
  }
  retry(step2) {
    const chunk = this.chunkOf(step2);
    chunk.failed = "";
    return this.load(step2);
  }
  async #fetch(chunk) {
    const what = `the part with steps ${chunk.from} to ${chunk.to - 1}`;
    try {
      chunk.columns = new Columns(await this.#raw(chunk.info, what), what);
      chunk.used = ++this.clock;
      this.#forget();
    } catch (error) {
      chunk.failed = error instanceof Error ? error.message : String(error);
    }
    chunk.loading = null;
    this.onload();
  }
  async #raw(info, what) {
    const packed = info.offset === null ? await this.ask(this.header.hash, info.id) : this.bytes.subarray(info.offset, info.offset + info.size);
    return inflate(packed, info.raw, what);
  }
  #forget() {
    const held = this.chunks.filter((chunk) => chunk.columns).sort((a, b) => a.used - b.used);
    let bytes = held.reduce((sum, chunk) => sum + chunk.info.raw, 0);
    while (held.length > 3 && bytes > KEEP_BYTES) {
      const chunk = held.shift();
      bytes -= chunk.info.raw;
      chunk.columns = null;
      chunk.tracks.clear();
      chunk.sums = null;
    }
  }
  get isSmall() {
    return this.chunks.reduce((sum, chunk) => sum + chunk.info.raw, 0) <= KEEP_BYTES;
  }
  track(field, step2) {
    const chunk = this.chunkOf(step2);
    if (!chunk.columns)
      return null;
    chunk.used = ++this.clock;
    const done = chunk.tracks.get(field.name);
    if (done)
      return done;
    return this.#guard(chunk, (columns) => {
      const track = this.#decode(chunk, columns, field);
      chunk.tracks.set(field.name, track);
      return track;
    });
  }
  #guard(chunk, read) {
    if (!chunk.columns)
      return null;
    try {
      return read(chunk.columns);
    } catch (error) {
      chunk.failed = error instanceof Error ? error.message : String(error);
      chunk.columns = null;
      chunk.tracks.clear();
      queueMicrotask(() => this.onload());
      return null;
    }
  }
  #decode(chunk, columns, field) {
    const entry = chunk.from > 0 ? null : {
      x: gather(field.firstX, Number(field.scalarX), field.movers),
      y: gather(field.firstY, Number(field.scalarY), field.movers)
    };
    return decodeTrack(columns, field.name, field.kind, field.movers.length, chunk.from, chunk.to, entry, this.map);
  }
  locate(object, step2, out) {
    const { location } = this;
    const mover = location.moverOf ? location.moverOf[object] : -1;
    const track = mover < 0 || step2 <= 0 ? null : this.track(location, step2);
    if (track instanceof PathTrack) {
      const point = track.find(mover, step2);
      out.x = point < 0 ? track.keyX[mover] : track.x[point];
      out.y = point < 0 ? track.keyY[mover] : track.y[point];
    } else {
      out.x = location.first(object);
      out.y = location.firstY ? location.firstY[object] : location.scalarY;
    }
  }
  pairsOf(object) {
    return [lowerBound(this.pairObjects, object), lowerBound(this.pairObjects, object + 1)];
  }
  pairOf(object, item) {
    const [from, to] = this.pairsOf(object);
    for (let pair = from; pair < to; pair++)
      if (this.pairItems[pair] === item)
        return pair;
    return -1;
  }
  total(object, step2) {
    const totals = this.field("total_reward");
    if (totals.kind !== "derived")
      return totals.at(object, step2);
    const mover = totals.moverOf ? totals.moverOf[object] : -1;
    if (mover < 0 || step2 <= 0)
      return totals.first(object);
    const chunk = this.chunkOf(step2);
    return this.#guard(chunk, (columns) => {
      const entry = chunk.from > 0 ? columns.numbers("total_reward.k", totals.movers.length)[mover] : totals.first(object);
      return entry + this.#rewardWithin(chunk, object, step2);
    }) ?? NaN;
  }
  #rewardWithin(chunk, object, step2) {
    const rewards = this.field("current_reward");
    const begin = chunk.from > 0 ? chunk.from : 1;
    const mover = rewards.moverOf ? rewards.moverOf[object] : -1;
    if (mover < 0)
      return rewards.first(object) * (step2 - begin + 1);
    const track = this.track(rewards, step2);
    if (!track)
      return NaN;
    chunk.sums ??= sumsBefore(track, rewards.movers.length, begin);
    const point = track.find(mover, step2);
    if (point < 0)
      return track.key(mover) * (step2 - begin + 1);
    return chunk.sums[point] + track.read(mover, point) * (step2 - (track.from + track.steps[point]) + 1);
  }
  tableValue(table, index) {
    return this.header.tables.get(table)?.[index] ?? null;
  }
  async textColumns(text2) {
    return new Columns(await this.#raw(this.texts[text2], "the texts"), "the texts");
  }
  async configValue() {
    if (!this.config)
      return null;
    return parseJson(await this.#raw(this.config, "the configuration"), "the configuration");
  }
};
function lowerBound(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = low + high >>> 1;
    if (sorted[middle] < value)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}
function sumsBefore(track, movers, begin) {
  const sums = new Float64Array(track.steps.length);
  for (let mover = 0; mover < movers; mover++) {
    let sum = 0;
    let since = begin;
    let value = track.key(mover);
    for (let p = track.starts[mover]; p < track.starts[mover + 1]; p++) {
      const step2 = track.from + track.steps[p];
      sum += value * Math.max(0, step2 - since);
      sums[p] = sum;
      since = step2;
      value = track.read(mover, p);
    }
  }
  return sums;
}

// build/js/sync.js
var PLAY_MS = 200;
var SETTLE_MS2 = 60;
function syncTraits(model, viewer) {
  const { store, replay } = viewer;
  let timer = 0;
  const current = () => {
    const { selected, playing, speed, camera, follow } = store.state;
    return { step: viewer.stepNow, selected: selected >= 0 ? replay.ids[selected] : null, playing, speed, view: viewText(follow ? viewer.map.camera : camera, follow) };
  };
  const write = () => {
    timer = 0;
    let dirty = false;
    for (const [key, value] of Object.entries(current())) {
      if (model.get(key) === value)
        continue;
      model.set(key, value);
      dirty = true;
    }
    if (dirty)
      model.save_changes();
  };
  const stopListening = store.listen((changed) => {
    if (!["step", "selected", "playing", "speed", "camera", "follow"].some((key) => changed.has(key)))
      return;
    if (changed.has("playing") && !store.state.playing) {
      clearTimeout(timer);
      write();
    } else if (!timer) {
      timer = window.setTimeout(write, store.state.playing ? PLAY_MS : SETTLE_MS2);
    }
  });
  const read = () => readTraits(model, viewer);
  for (const key of NAMES)
    model.on(`change:${key}`, read);
  read();
  return () => {
    clearTimeout(timer);
    stopListening();
    for (const key of NAMES)
      model.off(`change:${key}`, read);
  };
}
var NAMES = ["step", "selected", "playing", "speed", "view"];
function readTraits(model, viewer) {
  const { store, replay } = viewer;
  const { state } = store;
  const id = model.get("selected");
  const object = typeof id === "number" ? replay.indexOfId(id) : -1;
  if (object !== state.selected)
    viewer.select(object);
  const view = String(model.get("view") ?? "");
  if (view !== viewText(state.follow ? viewer.map.camera : state.camera, state.follow))
    store.set(readView(view));
  const speed = clampSpeed(Number(model.get("speed")));
  if (speed !== state.speed)
    store.set({ speed });
  const step2 = Math.min(viewer.steps - 1, Math.max(0, Math.round(Number(model.get("step")) || 0)));
  if (step2 !== viewer.stepNow && !(state.playing && Math.abs(step2 - viewer.stepNow) < state.speed))
    viewer.seek(step2);
  const playing = model.get("playing") === true;
  if (playing !== state.playing)
    store.set({ playing });
}

// build/js/theme.js
function pageTheme(asked) {
  if (asked === "light" || asked === "dark")
    return asked;
  for (const node of [document.body, document.documentElement]) {
    const marked = node ? markOf(node) : null;
    if (marked)
      return marked;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
function markOf(node) {
  const { theme, colorMode, jpThemeLight } = node.dataset;
  for (const word of [theme, colorMode, jpThemeLight === "false" ? "dark" : jpThemeLight === "true" ? "light" : ""]) {
    if (word === "dark" || word === "light")
      return word;
  }
  if (node.classList.contains("dark") || node.classList.contains("dark-theme"))
    return "dark";
  if (node.classList.contains("light") || node.classList.contains("light-theme"))
    return "light";
  const scheme = node.style.colorScheme;
  return scheme === "dark" || scheme === "light" ? scheme : null;
}
function watchTheme(changed) {
  const observer = new MutationObserver(changed);
  for (const node of [document.body, document.documentElement]) {
    if (node)
      observer.observe(node, { attributes: true, attributeFilter: ["class", "style", "data-theme", "data-color-mode", "data-jp-theme-light"] });
  }
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    media.removeEventListener("change", changed);
  };
}

// build/js/widget.js
var Mount = class {
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.messages = new Messages(model);
    this.shown = null;
    this.stopSync = () => {
    };
    this.generation = 0;
    this.retheme = () => this.shown?.setTheme(this.theme);
    this.reload = () => void this.load();
    this.stopTheme = watchTheme(() => this.retheme());
    for (const name of RELOADING)
      model.on(`change:${name}`, this.reload);
    model.on("change:theme", this.retheme);
  }
  get theme() {
    return pageTheme(String(this.model.get("theme") ?? "auto"));
  }
  async load() {
    const generation = ++this.generation;
    try {
      const bytes = asBytes(this.model.get("data"));
      if (bytes.length === 0) {
        this.#say(String(this.model.get("message") || "No replay to show."));
        return;
      }
      const replay = await Replay.open(bytes, this.messages.asker("a"));
      const other = this.model.get("kind") === "compare" ? await Replay.open(asBytes(this.model.get("data_b")), this.messages.asker("b")) : null;
      if (generation !== this.generation)
        return;
      this.#show(replay, other);
    } catch (error) {
      if (generation === this.generation)
        this.#say(`This replay cannot be shown: ${error instanceof Error ? error.message : PROBLEM}.`);
    }
  }
  #show(replay, other) {
    const { model } = this;
    const labels = Array.isArray(model.get("labels")) ? model.get("labels") : [];
    const title = (i, r) => String(labels[i] || r.header.label || "Replay");
    const options = {
      title: title(0, replay),
      url: String(model.get("url") ?? ""),
      theme: this.theme,
      compact: false,
      height: Math.min(4e3, Math.max(420, Number(model.get("height")) || 640))
    };
    this.#clear();
    const viewer = other ? new Compare([replay, other], [title(0, replay), title(1, other)], options) : new Viewer(replay, options);
    this.shown = viewer;
    fill(this.el, viewer.node);
    const sprites = asBytes(model.get("sprites"));
    if (sprites.length > 0)
      void viewer.setSprites(sprites);
    this.stopSync = syncTraits(model, viewer);
    void loadRest(other ? [replay, other] : [replay]);
  }
  #say(text2) {
    this.#clear();
    const theme = this.theme;
    const box = h("div", { class: "rv-root rv-alone", "data-theme": theme, role: "status" }, h("p", { class: "rv-empty" }, text2));
    fill(this.el, box);
  }
  #clear() {
    this.stopSync();
    this.stopSync = () => {
    };
    this.shown?.stop();
    this.shown = null;
  }
  stop() {
    this.generation++;
    this.#clear();
    this.stopTheme();
    this.messages.stop();
    for (const name of RELOADING)
      this.model.off(`change:${name}`, this.reload);
    this.model.off("change:theme", this.retheme);
    fill(this.el);
  }
};
var RELOADING = ["data", "data_b", "message"];
async function loadRest(replays) {
  for (const replay of replays) {
    const wanted = replay.isSmall ? replay.chunks : replay.chunks.slice(0, 1);
    for (const chunk of wanted) {
      if (chunk.info.offset === null)
        continue;
      await new Promise((resolve) => setTimeout(resolve, 0));
      await replay.load(Math.max(1, chunk.from));
    }
  }
}
function render({ model, el }) {
  const mount = new Mount(model, el);
  mount.reload();
  return () => mount.stop();
}
var widget_default = { render };
export {
  widget_default as default
};
