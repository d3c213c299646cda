import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { messages } from "../../widgets/replay/js/messages.js";

/** A model that keeps what is sent and lets the test answer. */
function fakeModel() {
  const handlers = new Set();
  return {
    sent: [], on: (_, handler) => handlers.add(handler), off: (_, handler) => handlers.delete(handler), send(message) { this.sent.push(message); },
    answer: (message, buffers) => handlers.forEach((handler) => handler(message, buffers)), handlers,
  };
}

test("an answer settles its own request only", async () => {
  const model = fakeModel();
  const ask = messages(model, () => {}).asker("a");
  const [first, second] = [ask("hash", "text/0"), ask("hash", "config")];
  const [one, two] = model.sent;
  assert.deepEqual({ ...one, request: "" }, { type: "chunk", request: "", source: "a", hash: "hash", id: "text/0" });
  assert.notEqual(one.request, two.request);
  model.answer({ type: "chunk", request: "someone else's", ok: true }, [new DataView(new ArrayBuffer(1))]);
  model.answer({ type: "chunk", request: two.request, ok: false, error: "no such part" });
  model.answer({ type: "chunk", request: one.request, ok: true }, [new DataView(new Uint8Array([1, 2]).buffer)]);
  assert.deepEqual([...(await first)], [1, 2]);
  await assert.rejects(second, /no such part/);
});

test("no answer means that the part is not embedded", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const waiting = messages(fakeModel(), () => {}).asker("b")("hash", "text/0");
  mock.timers.tick(3000);
  await assert.rejects(waiting, /not embedded in this page/);
  mock.timers.reset();
});

test("stopping lets nothing wait on", async () => {
  const model = fakeModel();
  const { asker, stop } = messages(model, () => {});
  const waiting = asker("a")("hash", "x");
  stop();
  await assert.rejects(waiting);
  assert.equal(model.handlers.size, 0);
});
