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
  [1, head.length, json.length].forEach((value, i) => out.writeUInt32LE(value, 4 + 4 * i));
  return new Uint8Array(out);
}

export const HEADER = {
  format: 1, hash: "00", version: 4, label: "test", map_size: [10, 8], steps: 20, objects: 4, agents: 2, pairs: 1, bins: 10,
  type_names: ["agent", "wall", "altar"], action_names: ["noop", "move_east", "get_items"], item_names: ["ore_red"],
  animation_names: [], capacity_names: [], group_names: [], vibe_names: [], tags: ["team:blue", "team:red"], render: null,
  movers: { location: 1, alive: 1, action_id: 1, action_success: 1, current_reward: 1, total_reward: 1, inventory: 1 },
  fields: {
    location: { kind: "xy" }, alive: { kind: "bool", scalar: 1 }, action_id: { kind: "int", scalar: 0 }, action_success: { kind: "bool", scalar: 1 },
    current_reward: { kind: "float", scalar: 0 }, total_reward: { kind: "derived", scalar: 0 }, inventory: { kind: "delta" }, tag_ids: { kind: "table" },
  },
  tables: { tag_ids: [null, [0], [1]] }, derived: { total_reward: "sum:current_reward" }, issues: [], issues_more: 0,
};

/** Agent 0 (object 0) walks east a cell a step up to step 5, takes an ore at 6, earns 1 there and -0.5 at 12, and dies at 15. */
export const BASE = {
  id: ["i1", [1, 1, 1, 1]], type: ["i1", [0, 0, 1, 2]], agent_id: ["i1", [0, 1, -1, -1]], agent_objects: ["i1", [0, 1]],
  "location.cx": ["i1", [0, 5, 3, 9]], "location.cy": ["i1", [0, 5, 3, 7]], "location.i": ["i1", [0]], "location.fx": ["i1", [5]], "location.fy": ["i1", [0]],
  "alive.i": ["i1", [0]], "alive.f": ["i1", [0]], "action_id.i": ["i1", [0]], "action_id.f": ["i1", [0]],
  "action_success.i": ["i1", [0]], "action_success.f": ["i1", [1]], "current_reward.i": ["i1", [0]], "current_reward.f": ["f4", [0]],
  "total_reward.i": ["i1", [0]], "total_reward.f": ["f8", [0.5]],
  "inventory.o": ["i1", [0]], "inventory.t": ["i1", [0]], "inventory.c": ["i1", [0]], "inventory.i": ["i1", [0]], "inventory.f": ["i1", [1]],
  "tag_ids.c": ["i1", [1, 2, 0, 0]], "overview.reward": ["f4", [0, 0, 0, 1, 0, 0, -0.5, 0, 0, 0]], "overview.deaths": ["u1", [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]],
};

/** The steps before 10, then the rest with the values on entry. */
export const FIRST = {
  "location.n": ["u1", [5]], "location.s": ["u1", [1, 1, 1, 1, 1]], "location.vx": ["i1", [1, 1, 1, 1, 1]], "location.vy": ["i1", [0, 0, 0, 0, 0]],
  "action_id.n": ["u1", [3]], "action_id.s": ["u1", [1, 5, 1]], "action_id.v": ["i1", [1, 2, 0]],
  "action_success.n": ["u1", [2]], "action_success.s": ["u1", [8, 1]],
  "current_reward.n": ["u1", [2]], "current_reward.s": ["u1", [6, 1]], "current_reward.u": ["f4", [0, 1]], "current_reward.v": ["u1", [1, 0]],
  "inventory.n": ["u1", [1]], "inventory.s": ["u1", [6]], "inventory.v": ["i1", [1]],
};
export const SECOND = {
  "location.kx": ["i1", [5]], "location.ky": ["i1", [0]], "alive.k": ["u1", [1]], "alive.n": ["u1", [1]], "alive.s": ["u1", [5]],
  "action_id.k": ["i1", [0]], "action_success.k": ["u1", [1]], "inventory.k": ["i1", [1]],
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
