/** The packed data of the page: base64 text in script elements that never run, most of it gzip. */
"use strict";
{
  const log = globalThis.experimentsLog;

  /** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
  const fromBase64 = (text) => {
    const quick = /** @type {any} */ (Uint8Array).fromBase64;
    if (quick) return quick.call(Uint8Array, text);
    const letters = atob(text);
    const bytes = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
    return bytes;
  };

  /** @param {string} name @returns {Promise<ArrayBuffer>} */
  const bytes = async (name) => {
    const block = document.getElementById(`data-${name}`);
    if (!block) throw new Error(`the file does not hold ${name}`);
    const packed = fromBase64(block.textContent ?? "");
    if (block.dataset.packed !== "gzip") return packed.buffer;
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  };

  /** @param {string} name */
  const text = async (name) => new TextDecoder().decode(await bytes(name));

  /** @type {Map<string, Promise<any>>} */
  const kept = new Map();

  /** Parsed once for all who ask: they must not change what they get. @param {string} name */
  const json = (name) => {
    if (!kept.has(name)) kept.set(name, text(name).then(JSON.parse));
    return kept.get(name);
  };

  Object.assign(log, {
    bytes,
    text,
    json,
    assets: JSON.parse(document.getElementById("log-assets")?.textContent ?? "{}"),
    /** @param {string} code @param {string} type */
    blobUrl: (code, type) => URL.createObjectURL(new Blob([code], { type })),
  });
}
