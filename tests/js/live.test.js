import assert from "node:assert/strict";
import test from "node:test";

import { heldOf } from "../../widgets/page/js/live.js";

/** A model as marimo keeps one: each trait of a message is set by itself. */
function model(/** @type {Record<string, any>} */ state) {
  /** @type {Record<string, (() => void)[]>} */
  const handlers = {};
  return {
    sent: /** @type {any[]} */ ([]),
    get: (/** @type {string} */ name) => state[name],
    on: (/** @type {string} */ event, /** @type {() => void} */ each) => (handlers[event] ??= []).push(each),
    send(/** @type {any} */ message) { this.sent.push(message); },
    async receive(/** @type {Record<string, any>} */ message) {
      for (const [name, value] of Object.entries(message)) {
        state[name] = value;
        for (const each of handlers[`change:${name}`] ?? []) each();
      }
      await null;
      await null;
    },
  };
}
const joined = (/** @type {string} */ text, /** @type {any} */ piece) => text + piece.more;
const opened = (/** @type {Record<string, any>} */ more) => model({ version: 1, piece: {}, text: "a", ...more });

test("pieces are put onto the whole in their order, for all views of a model", async () => {
  const page = opened({});
  const held = heldOf(page, "text", joined);
  /** @type {any[]} */
  const told = [];
  held.listen((piece) => told.push(piece?.more ?? null));
  await page.receive({ piece: { at: 2, more: "b" } });
  await page.receive({ piece: { at: 3, more: "c" } });
  assert.deepEqual([held.value, told], ["abc", ["b", "c"]]);
  assert.equal(heldOf(page, "text", joined).value, "abc");
  await page.receive({ version: 4, text: "new" });
  assert.deepEqual([held.value, told.at(-1)], ["new", null]);
  await page.receive({ piece: { at: 3, more: "late" } });
  assert.equal(held.value, "new");
});

test("a page says which version it has, and again where a piece is missing", async () => {
  const page = opened({ piece: { at: 3, more: "c" } });
  const held = heldOf(page, "text", joined);
  assert.deepEqual(page.sent, [{ type: "here", at: 1 }]);
  held.listen(() => {});
  await page.receive({ text: "abc", version: 4 });
  held.shown();
  held.shown();
  assert.deepEqual(page.sent.slice(2), [{ type: "shown", at: 4 }]);
});
