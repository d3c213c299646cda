/** Asking Python for what is not embedded; no answer is an answer too. */
import { WireError, asBytes } from "./wire.js";

/**
 * @import { AnyModel } from "@anywidget/types"
 * @import { Ask } from "./replay.js"
 */

const PATIENCE_MS = 3000;
const ABSENT = "this part is not embedded in this page, and no Python answers for it";

export class Messages {
  /** @param {AnyModel<any>} model */
  constructor(model) {
    this.model = model;
    this.prefix = Math.random().toString(36).slice(2, 12);
    /** @type {Map<string, (bytes: Uint8Array | null, problem: string) => void>} */
    this.waiting = new Map();
    this.asked = 0;
    this.receive = /** @param {any} message @param {DataView[]} [buffers] */ (message, buffers) => {
      if (message?.type !== "chunk") return;
      const bytes = message.ok === true && buffers?.[0] ? asBytes(buffers[0]) : null;
      this.waiting.get(message.request)?.(bytes, String(message.error || "Python sent no data for this part"));
    };
    model.on("msg:custom", this.receive);
  }

  /** @param {"a" | "b"} source @returns {Ask} */
  asker(source) {
    return (hash, id) => new Promise((resolve, reject) => {
      const request = `${this.prefix}.${++this.asked}`;
      const timer = setTimeout(() => this.waiting.get(request)?.(null, ABSENT), PATIENCE_MS);
      this.waiting.set(request, (bytes, problem) => {
        this.waiting.delete(request);
        clearTimeout(timer);
        if (bytes) resolve(bytes);
        else reject(new WireError(problem));
      });
      this.model.send({ type: "chunk", request, source, hash, id });
    });
  }

  stop() {
    this.model.off("msg:custom", this.receive);
    for (const settle of this.waiting.values()) settle(null, ABSENT);
  }
}
