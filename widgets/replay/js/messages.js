/** Asking Python for what is not embedded; no answer is an answer too. */
import { nonce } from "../../page/js/model.js";
import { WireError, asBytes } from "./wire.js";

/**
 * @import { AnyModel } from "@anywidget/types"
 * @import { Ask } from "./replay.js"
 */

const PATIENCE_MS = 3000;
const ABSENT = "this part is not embedded in this page, and no Python answers for it";

/** @param {AnyModel<any>} model @param {(problem: string) => void} refused Hears why a file that was sent cannot be opened. @returns {{asker: (source: "a" | "b") => Ask, stop: () => void}} */
export function messages(model, refused) {
  /** @type {Map<string, (bytes: Uint8Array | null, problem: string) => void>} */
  const waiting = new Map();
  const receive = /** @param {any} message @param {DataView[]} [buffers] */ (message, buffers) => {
    if (message?.type === "file") refused(String(message.error));
    waiting.get(message?.request)?.(message.ok === true && buffers?.[0] ? asBytes(buffers[0]) : null, String(message.error || "Python sent no data for this part"));
  };
  model.on("msg:custom", receive);
  return {
    asker: (source) => (hash, id) => new Promise((resolve, reject) => {
      const request = nonce();
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
