/** A small encoder of replay containers, so that the reader is tested against the format's description and not against itself. */
import { deflateSync } from "node:zlib";

const TYPES = { i1: Int8Array, u1: Uint8Array, i2: Int16Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array };

/** Lay out columns as `{name: [dtype, values]}`; "json" columns take any value. */
export function chunkBytes(columns) {
  const parts = Object.entries(columns).map(([name, [dtype, values]]) => {
    const bytes = dtype === "json" ? new TextEncoder().encode(JSON.stringify(values)) : new Uint8Array(TYPES[dtype].from(values).buffer);
    return { name, dtype, length: dtype === "json" ? bytes.length : values.length, bytes };
  });
  const room = 64 + 48 * parts.length + parts.reduce((sum, part) => sum + part.name.length, 0);
  const start = Math.ceil((8 + room) / 8) * 8;
  let offset = start;
  const directory = {};
  for (const part of parts) {
    directory[part.name] = [part.dtype, part.length, offset];
    part.offset = offset;
    offset += Math.ceil(part.bytes.length / 8) * 8;
  }
  const out = new Uint8Array(offset);
  new DataView(out.buffer).setUint32(0, start - 8, true);
  out.set(new TextEncoder().encode(JSON.stringify(directory).padEnd(start - 8)), 8);
  for (const part of parts) out.set(part.bytes, part.offset);
  return out;
}

/** Join a header and chunks `[{id, kind, columns, from, to, embed}]` into a container. */
export function container(header, chunks) {
  let offset = 0;
  const packed = chunks.map((chunk) => {
    const raw = chunk.bytes ?? chunkBytes(chunk.columns);
    const bytes = deflateSync(raw);
    const info = { id: chunk.id, kind: chunk.kind, from: chunk.from, to: chunk.to, size: bytes.length, raw: raw.length, offset: chunk.embed === false ? null : offset, ...chunk.info };
    if (chunk.embed !== false) offset += bytes.length;
    return { info, bytes, embed: chunk.embed !== false };
  });
  const json = Buffer.from(JSON.stringify({ ...header, chunks: packed.map((each) => each.info) }));
  const head = deflateSync(json);
  const out = Buffer.concat([Buffer.alloc(16), head, ...packed.filter((each) => each.embed).map((each) => each.bytes)]);
  out.write("RPLW", 0, "ascii");
  [3, head.length, json.length].forEach((value, i) => out.writeUInt32LE(value, 4 + 4 * i));
  return new Uint8Array(out);
}

export const HEADER = {
  format: 3, hash: "00", version: 4, label: "test", width: 10, height: 8, steps: 20, objects: 4, agents: 2,
  type_names: ["agent", "wall", "altar"], item_names: ["ore_red"], vibe_names: [],
  fields: {
    location: { kind: "xy" }, alive: { kind: "bool", scalar: 1 }, action: { kind: "int", scalar: 0 }, action_success: { kind: "bool", scalar: 1 },
    current_reward: { kind: "float", scalar: 0 }, total_reward: { kind: "derived", scalar: 0 }, inventory: { kind: "delta" }, tag_ids: { kind: "table" },
  },
  tables: { tag_ids: [null, ["team:blue"], ["team:red"]] }, issues: 0,
  actions: [{ name: "noop", family: "wait", hue: -1, direction: -1 }, { name: "move east", family: "move", hue: 0, direction: 3 }, { name: "get items", family: "take", hue: 2, direction: -1 }], legend: [[0, "background:", "move"]],
  events: [["death", "death", "bad"]],
  looks: [{ kind: "agent", shape: "", middle: 0.5, tall: 0.4, hue: 1, letters: "", name: "agent" }, { kind: "wall", shape: "", middle: 0.5, tall: 0.4, hue: 1, letters: "", name: "wall" }, { kind: "thing", shape: "", middle: 0.5, tall: 0.4, hue: 2, letters: "Al", name: "altar" }, { kind: "thing", shape: "", middle: 0.5, tall: 0.4, hue: 7, letters: "?", name: "unknown" }],
  teams: { field: "tag_ids", of: { 1: 0, 2: 1 }, names: ["blue", "red"], hues: [0, 1], several: true },
  scored: [0], suggested: ["agent", "altar", "ore red"], about: [["p", "20 steps"]], defaults: { alive: 1, collective_id: -1, action_success: 1, vision_size: 11 }, quantities: [["item 0", "ore red held"]], rules: [], palettes: { light: { page: "#ffffff", series: ["#0072b2", "#d55e00", "#008a62", "#b5477d", "#8a6d00", "#5a5fc8", "#3f8f9b", "#7a4b2a"] }, dark: { page: "#14171c", series: ["#56b4e9", "#ff9248", "#2fc79a", "#e58fbc", "#e6c84f", "#9ba2ff", "#74cbd6", "#c9966f"] } },
  groupings: [["all", "all agents"]], summary: "2 agents, 20 steps, 10 x 8", glyphs: {}, layers: [], keys: [],
  kinds: ["agent\nteam:blue", "agent\nteam:red", "wall", "altar"].map((text) => ({ rules: [], makes: "", uses: "", text })),
};

/** Agent 0 (object 0) walks east a cell a step up to step 5, takes an ore at 6, earns 1 there and -0.5 at 12, and dies at 15. */
export const BASE = {
  id: ["i1", [1, 1, 1, 1]], type: ["i1", [0, 0, 1, 2]], agent_id: ["i1", [0, 1, -1, -1]], agent_objects: ["i1", [0, 1]],
  "location.cx": ["i1", [0, 5, 3, 9]], "location.cy": ["i1", [0, 5, 3, 7]], "location.i": ["i1", [0]], "location.fx": ["i1", [5]], "location.fy": ["i1", [0]],
  "alive.i": ["i1", [0]], "alive.f": ["i1", [0]], "action.i": ["i1", [0]], "action.f": ["i1", [0]],
  "action_success.i": ["i1", [0]], "action_success.f": ["i1", [1]], "current_reward.i": ["i1", [0]], "current_reward.f": ["f4", [0]],
  "total_reward.i": ["i1", [0]], "total_reward.f": ["f8", [0.5]],
  "inventory.o": ["i1", [0]], "inventory.t": ["i1", [0]], "inventory.c": ["i1", [0]], "inventory.i": ["i1", [0]], "inventory.f": ["i1", [1]],
  "inventory.g": ["i1", [1]], "tag_ids.c": ["i1", [1, 2, 0, 0]], "still": ["i1", [2, 1]], "walls": ["i1", [0, 0]], "kind": ["i1", [0, 1, 2, 3]],
  "overview.sum": ["f4", [0, 0, 0, 1, 0, 0, -0.5, 0, 0, 0]], "overview.death": ["u1", [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]],
};

/** The steps before 10, then the rest with the values on entry. */
export const FIRST = {
  "location.kx": ["i1", [0]], "location.ky": ["i1", [0]], "alive.k": ["u1", [1]], "action.k": ["i1", [0]], "action_success.k": ["u1", [1]],
  "inventory.k": ["i1", [0]], "current_reward.k": ["f4", [0]], "total_reward.k": ["f8", [0]],
  "location.n": ["u1", [5]], "location.s": ["u1", [1, 1, 1, 1, 1]], "location.vx": ["i1", [1, 1, 1, 1, 1]], "location.vy": ["i1", [0, 0, 0, 0, 0]],
  "action.n": ["u1", [3]], "action.s": ["u1", [1, 5, 1]], "action.v": ["i1", [1, 2, 0]],
  "action_success.n": ["u1", [2]], "action_success.s": ["u1", [8, 1]],
  "current_reward.n": ["u1", [2]], "current_reward.s": ["u1", [6, 1]], "current_reward.u": ["f4", [0, 1]], "current_reward.v": ["u1", [1, 0]],
  "inventory.n": ["u1", [1]], "inventory.s": ["u1", [6]], "inventory.v": ["i1", [1]],
};
export const SECOND = {
  "location.kx": ["i1", [5]], "location.ky": ["i1", [0]], "alive.k": ["u1", [1]], "alive.n": ["u1", [1]], "alive.s": ["u1", [5]],
  "action.k": ["i1", [0]], "action_success.k": ["u1", [1]], "inventory.k": ["i1", [1]],
  "current_reward.k": ["f4", [0]], "current_reward.n": ["u1", [2]], "current_reward.s": ["u1", [2, 1]], "current_reward.v": ["f4", [-0.5, 0]], "total_reward.k": ["f8", [1]],
};

/** The sample replay; `change` may alter its header, base, first and second part. */
export function sample(change = {}) {
  return container({ ...HEADER, ...change.header }, [
    { id: "base", kind: "base", columns: { ...BASE, ...change.base } },
    { id: "steps/0", kind: "steps", from: 0, to: 10, columns: { ...FIRST, ...change.first } },
    { id: "steps/1", kind: "steps", from: 10, to: 20, columns: { ...SECOND, ...change.second }, embed: change.embedSecond ?? true },
    ...(change.more ?? []),
  ]);
}

/** Open the sample and load all its steps. */
export async function opened(change = {}) {
  const { Replay } = await import("../../widgets/replay/js/replay.js");
  const replay = await Replay.open(sample(change), () => Promise.reject(new Error("not asked for")));
  await replay.load(1);
  await replay.load(10);
  return replay;
}
