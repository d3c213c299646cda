/** Vega's own code: from the page where it is there already, else from Python, once a page. */

/** @import { Model } from "./chart-view.js" */

const PATIENCE_MS = 60_000;

/** @param {Model} model @returns {Promise<any>} Vega's embed function. */
export function vega(model) {
  const page = /** @type {any} */ (globalThis);
  if (page.vegaEmbed) return Promise.resolve(page.vegaEmbed);
  if (!page.experimentsVega) {
    page.experimentsVega = asked(model).then(() => page.vegaEmbed);
    page.experimentsVega.catch(() => { page.experimentsVega = undefined; });
  }
  return page.experimentsVega;
}

/** @param {Model} model @returns {Promise<void>} */
function asked(model) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no answer")), PATIENCE_MS);
    const receive = /** @param {any} message @param {DataView[]} buffers */ async (message, buffers) => {
      if (message?.type !== "vega" || !buffers?.[0]) return;
      clearTimeout(timer);
      model.off("msg:custom", receive);
      const { buffer, byteOffset, byteLength } = buffers[0];
      const packed = new Blob([new Uint8Array(/** @type {ArrayBuffer} */ (buffer), byteOffset, byteLength)]);
      const script = document.createElement("script");
      script.text = await new Response(packed.stream().pipeThrough(new DecompressionStream("gzip"))).text();
      document.head.append(script);
      resolve();
    };
    model.on("msg:custom", receive);
    model.send({ type: "vega" });
  });
}
