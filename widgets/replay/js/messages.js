/** Asking Python for what is not embedded; no answer is an answer too. */
import { WireError, asBytes } from "./wire.js";

/**
 * @import { AnyModel } from "@anywidget/types"
 * @import { Ask } from "./replay.js"
 */

const PATIENCE_MS = 3000;
const ABSENT = "This part is not embedded in this page, and no Python answers for it";

export class Messages {
  /** @param {AnyModel<any>} model */
  constructor(model) {
    this.model = model;
    this.next = 0;
    this.prefix = Math.random().toString(36).slice(2, 12);
    /** @type {Map<string, {resolve: (bytes: Uint8Array) => void, reject: (error: Error) => void, timer: number}>} */
    this.waiting = new Map();
    this.receive = /** @type {(message: any, buffers?: DataView[]) => void} */ (this.#receive.bind(this));
    model.on("msg:custom", this.receive);
  }

  /** @param {"a" | "b"} source @returns {Ask} */
  asker(source) {
    return (hash, id) => new Promise((resolve, reject) => {
      const request = `${this.prefix}.${++this.next}`;
      const timer = window.setTimeout(() => this.#settle(request, null, ABSENT), PATIENCE_MS);
      this.waiting.set(request, { resolve, reject, timer });
      try {
        this.model.send({ type: "chunk", request, source, hash, id });
      } catch {
        this.#settle(request, null, ABSENT);
      }
    });
  }

  /** @param {any} message @param {DataView[]} [buffers] */
  #receive(message, buffers) {
    if (message?.type !== "chunk" || typeof message.request !== "string") return;
    const bytes = message.ok === true && buffers?.[0] ? asBytes(buffers[0]) : null;
    this.#settle(message.request, bytes, typeof message.error === "string" ? message.error : "Python sent no data for this part");
  }

  /** @param {string} request @param {Uint8Array | null} bytes @param {string} problem */
  #settle(request, bytes, problem) {
    const waiting = this.waiting.get(request);
    if (!waiting) return;
    this.waiting.delete(request);
    clearTimeout(waiting.timer);
    if (bytes) waiting.resolve(bytes);
    else waiting.reject(new WireError(problem));
  }

  stop() {
    this.model.off("msg:custom", this.receive);
    for (const { timer } of this.waiting.values()) clearTimeout(timer);
    this.waiting.clear();
  }
}
