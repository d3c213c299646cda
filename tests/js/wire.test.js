import assert from "node:assert/strict";
import { test } from "node:test";

import { Replay } from "../../widgets/replay/js/replay.js";
import { Columns, WireError, asBytes, inflate, readHeader } from "../../widgets/replay/js/wire.js";
import { BASE, HEADER, chunkBytes, container, opened, sample } from "./encoded.js";

const never = () => Promise.reject(new Error("not asked for"));

test("the header is read with its chunks at absolute offsets", async () => {
  const bytes = sample();
  const header = await readHeader(bytes);
  assert.equal(header.steps, 20);
  assert.deepEqual(header.type_names, ["agent", "wall", "altar"]);
  assert.ok(header.chunks.every((chunk) => chunk.offset >= 16 && chunk.offset + chunk.size <= bytes.length));
});

test("a model's bytes may come as a view, a buffer or nothing", () => {
  const buffer = new Uint8Array([1, 2, 3]).buffer;
  assert.deepEqual([...asBytes(new DataView(buffer, 1))], [2, 3]);
  assert.equal(asBytes(buffer).length, 3);
  assert.equal(asBytes(undefined).length, 0);
  assert.equal(asBytes("text").length, 0);
});

test("bytes that are no container say so", async () => {
  for (const bytes of [new Uint8Array(0), new Uint8Array(15), new TextEncoder().encode("PNG and much more text")]) {
    await assert.rejects(readHeader(bytes), WireError);
  }
});

test("another format asks to encode again", async () => {
  const bytes = sample();
  bytes[4] = 2;
  await assert.rejects(readHeader(bytes), /format 2.*encode the replay again/);
});

test("a header with impossible values is refused by name", async () => {
  const bad = { map_size: [0, 4], steps: 0, objects: -1, agents: 99, pairs: 1.5 };
  for (const [key, value] of Object.entries(bad)) {
    await assert.rejects(readHeader(sample({ header: { [key]: value } })), WireError, key);
  }
  await assert.rejects(readHeader(sample({ header: { map_size: [16000, 16000] } })), /too large/);
});

test("names that are no strings become text", async () => {
  const header = await readHeader(sample({ header: { type_names: [null, 7, { a: 1 }], tags: "no list" } }));
  assert.deepEqual(header.type_names, ["", "7", "[object Object]"]);
  assert.deepEqual(header.tags, []);
});

test("inflating never yields more than was announced", async () => {
  const { deflateSync } = await import("node:zlib");
  const bomb = new Uint8Array(deflateSync(Buffer.alloc(1_000_000)));
  await assert.rejects(inflate(bomb, 1000, "the bomb"), /the bomb is damaged/);
  await assert.rejects(inflate(bomb, 2 ** 40, "the bomb"), /cannot be/);
  assert.equal((await inflate(bomb, 1_000_000, "zeros")).length, 1_000_000);
});

test("a column outside its chunk is damage, not an exception of another kind", () => {
  const bytes = chunkBytes({ a: ["i2", [1, 2, 3]] });
  const columns = new Columns(bytes, "the part");
  assert.deepEqual([...columns.numbers("a")], [1, 2, 3]);
  assert.equal(columns.numbers("absent").length, 0);
  assert.throws(() => columns.numbers("a", 4), WireError);
  for (const entry of [["i2", 3, 4], ["i2", 1e9, 0], ["i2", -1, 8], ["x9", 1, 8], [], ["i2", 1.5, 8]]) {
    columns.directory.set("a", entry);
    if (entry.length) assert.throws(() => columns.numbers("a", 3), WireError, JSON.stringify(entry));
  }
});

test("every truncation and many flipped bytes end in a replay or a WireError", async () => {
  const whole = sample();
  let opens = 0;
  for (let i = 0; i < 400; i++) {
    const bytes = i < 60 ? whole.slice(0, Math.floor((whole.length * i) / 60)) : whole.slice();
    if (i >= 60) bytes[(i * 7919) % bytes.length] ^= 1 << (i % 8);
    try {
      const replay = await Replay.open(bytes, never);
      for (const step of [1, 10, 19]) {
        await replay.load(step);
        replay.locate(0, step);
        for (const name of replay.fields.keys()) replay.at(name, 0, step);
        replay.total(0, step);
      }
      opens++;
    } catch (error) {
      assert.ok(error instanceof WireError, `${i}: ${error.stack}`);
    }
  }
  assert.ok(opens > 0);
});

test("parts that leave a gap are refused", async () => {
  const bytes = container(HEADER, [{ id: "base", kind: "base", columns: BASE }, { id: "steps/0", kind: "steps", from: 0, to: 5, columns: {} }]);
  await assert.rejects(Replay.open(bytes, never), /do not join/);
});

test("a part whose steps go backwards fails alone, with its reason", async () => {
  const replay = await opened({ second: { "alive.s": ["u1", [200]] } });
  assert.equal(replay.at("alive", 0, 12), NaN);
  assert.match(replay.chunkOf(12).failed, /alive are out of order/);
  assert.equal(replay.at("alive", 0, 5), 1);
});
