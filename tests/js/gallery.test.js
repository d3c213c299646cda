import assert from "node:assert/strict";
import test from "node:test";

import { ORDERS, passes, toggled } from "../../widgets/gallery/js/items.js";

const item = { id: "a", experiment: "arena", run: "ada.arena.base.s3", arm: "base", seed: 3, step: 50_000, when: "50,000 agent steps" };

test("every word has to be somewhere in a replay's facts", () => {
  assert.ok(passes(item, {}, "", null));
  assert.ok(passes(item, {}, "S3 arena", null));
  assert.ok(!passes(item, {}, "s4", null));
});

test("a least reward leaves out those whose reward nobody knows", () => {
  assert.deepEqual([{ reward: 2 }, { reward: 1 }, { reward: null }, {}].map((picture) => passes(item, picture, "", 2)), [true, false, false, false]);
});

test("a second replay stands beside the first only where it is asked for", () => {
  assert.deepEqual(toggled([], "a", true), ["a"]);
  assert.deepEqual(toggled(["a"], "b", false), ["b"]);
  assert.deepEqual(toggled(["a", "b"], "c", true), ["a", "c"]);
  assert.deepEqual(toggled(["a", "b"], "a", true), ["b"]);
});

test("a replay whose reward is not known stands last, whichever end comes first", () => {
  const unknown = { reward: null, not_finite: true };
  for (const order of ["highest reward", "lowest reward"]) assert.ok(ORDERS[order](item, unknown) < ORDERS[order](item, { reward: 1e9 }));
});
