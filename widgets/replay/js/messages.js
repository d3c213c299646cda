/** Asking Python for what is not embedded; no answer is an answer too. */
import { WireError, asBytes } from "./wire.js";

/**
 * @import { AnyModel } from "@anywidget/types"
 * @import { Ask } from "./replay.js"
 */

const PATIENCE_MS = 3000;
const ABSENT = "this part is not embedded in this page, and no Python answers for it";

/** @param {AnyModel<any>} model @returns {{asker: (source: "a" | "b") => Ask, stop: () => void}} */
export function messages(model) {
  const prefix = Math.random().toString(36).slice(2, 12);
  /** @type {Map<string, (bytes: Uint8Array | null, problem: string) => void>} */
  const waiting = new Map();
  let asked = 0;
  const receive = /** @param {any} message @param {DataView[]} [buffers] */ (message, buffers) => {
    if (message?.type !== "chunk") return;
    const bytes = message.ok === true && buffers?.[0] ? asBytes(buffers[0]) : null;
    waiting.get(message.request)?.(bytes, String(message.error || "Python sent no data for this part"));
  };
  model.on("msg:custom", receive);
  return {
    asker: (source) => (hash, id) => new Promise((resolve, reject) => {
      const request = `${prefix}.${++asked}`;
      const timer = setTimeout(() => waiting.get(request)?.(null, ABSENT), PATIENCE_MS);
      waiting.set(request, (bytes, problem) => {
        waiting.delete(request);
        clearTimeout(timer);
        if (bytes) resolve(bytes);
        else reject(new WireError(problem));
      });
      model.send({ type: "chunk", request, source, hash, id });
    }),
    stop() {
      model.off("msg:custom", receive);
      for (const settle of waiting.values()) settle(null, ABSENT);
    },
  };
}
