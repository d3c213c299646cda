import assert from "node:assert/strict";
import { test } from "node:test";

import { Replay } from "../../widgets/replay/js/replay.js";
import { Columns, WireError, asBytes, inflate, readHeader } from "../../widgets/replay/js/wire.js";
import { chunkBytes, sample } from "./encoded.js";

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
  bytes[4] = 1;
  await assert.rejects(readHeader(bytes), /format 1.*encode the replay again/);
});

test("what is not as long as was announced is damaged", async () => {
  const { deflateSync } = await import("node:zlib");
  const zeros = new Uint8Array(deflateSync(Buffer.alloc(1_000_000)));
  await assert.rejects(inflate(zeros, 1000, "the part"), /the part is damaged/);
  await assert.rejects(inflate(zeros.subarray(0, 900), 1_000_000, "the part"), /the part is damaged/);
  assert.equal((await inflate(zeros, 1_000_000, "the part")).length, 1_000_000);
});

test("columns are read in place, and absent ones are empty", () => {
  const columns = new Columns(chunkBytes({ a: ["i2", [1, 2, 3]], b: ["json", ["x"]] }));
  assert.deepEqual([[...columns.numbers("a")], [...columns.sums("a")]], [[1, 2, 3], [1, 3, 6]]);
  assert.equal(columns.numbers("absent").length, 0);
  assert.deepEqual(["a" in columns.directory, "absent" in columns.directory, columns.json("b")], [true, false, ["x"]]);
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
        for (const name of replay.header.fields.keys()) replay.at(name, 0, step);
        replay.total(0, step);
      }
      opens++;
    } catch (error) {
      assert.ok(error instanceof WireError, `${i}: ${error.stack}`);
    }
  }
  assert.ok(opens > 0);
});

test("a damaged part fails alone, with its reason", async () => {
  const whole = sample();
  whole[whole.length - 3] ^= 1;
  const replay = await Replay.open(whole, never);
  for (const step of [1, 12]) await replay.load(step);
  assert.equal(replay.at("alive", 0, 12), NaN);
  assert.match(replay.chunkOf(12).failed, /steps\/1 is damaged/);
  assert.equal(replay.at("alive", 0, 5), 1);
});
