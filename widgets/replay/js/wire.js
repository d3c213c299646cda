/**
 * Read the container that wire.py describes. What was damaged on the way, zlib's own sums find, and who wrote it the
 * format's number says; so nothing that the codec has checked is checked here again.
 */

export const FORMAT = 3;

/** What is wrong with the bytes, in words for the page. */
export class WireError extends Error {}

/**
 * @typedef {object} ChunkInfo
 * @property {string} id @property {string} kind @property {number} from @property {number} to
 * @property {number} size @property {number} raw
 * @property {number | null} offset From the start of the container; null when the chunk must be asked for.
 * @typedef {{kind: string, words: string, scalar?: number | number[]}} FieldInfo
 * @typedef {string | [string, ...any[]]} Element Of the page: a text, or a tag with its classes behind dots and what is in it.
 * @typedef {[number, string]} Amount An item (-1: none of the list), and how much of it in words.
 * @typedef {object} Recipe A rule or a protocol, as the codec's recipes.py puts it.
 * @property {string} title @property {Amount[]} takes @property {Amount[]} gives @property {string[]} lines
 * @property {string} makes @property {string} uses @property {string} text Of these three, lower case, is searched.
 * @typedef {{name: string, limit: number, item: number, items: number[] | null}} Limit Of one item, or of several that share it.
 * @typedef {{field: string, of: Record<number, number>, names: string[], hues: number[], several: boolean}} Teams
 * @typedef {object} Header
 * @property {string} hash @property {string} label
 * @property {number} version @property {number} width @property {number} height @property {number} steps
 * @property {number} objects @property {number} agents
 * @property {string[]} item_names @property {string[]} vibe_names
 * @property {Map<string, FieldInfo>} fields @property {Record<string, number>} defaults Of fields that it lacks, where that is not 0. @property {Record<string, any[]>} tables
 * @property {import("./actions.js").Action[]} actions @property {[number | "bad" | "gain" | "good", string, string][]} legend Colour, style before it, and words.
 * @property {[import("./events.js").EventKind, string, "" | "gain" | "cold" | "bad" | "talk"][]} events Those that happen: kind, words, and the colour of its lane.
 * @property {import("./sprites.js").Sprite[]} looks @property {Teams} teams
 * @property {Record<import("./actions.js").Family | "stuck", string>} glyphs Signs around (0, 0), as paths of SVG.
 * @property {[keyof import("./store.js").Layers, string][]} layers What the map can show. @property {[string, string][]} keys
 * @property {number[]} scored @property {string[]} suggested @property {Element[]} about
 * @property {[string, string][]} quantities What can be charted. @property {[import("./curves.js").Grouping, string][]} groupings
 * @property {string} summary @property {Record<import("../../page/js/theme.js").Theme, import("./palette.js").Palette>} palettes
 * @property {Recipe[]} rules @property {{rules: number[], makes: string, uses: string, text: string}[]} kinds What things are, as one may ask for them.
 * @property {number} issues Of the file. @property {ChunkInfo[]} chunks
 * @typedef {Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array} Numbers
 */

/** @param {unknown} value @returns {Uint8Array} The bytes of what a model may hold in a bytes trait. */
export function asBytes(value) {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(0);
}

/** @param {Uint8Array} bytes @returns {DataView} */
export const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Inflate zlib data whose length is known.
 * @param {Uint8Array} bytes @param {number} raw @param {string} what Named in errors.
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function inflate(bytes, raw, what) {
  const packed = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]).stream();
  const out = await new Response(packed.pipeThrough(new DecompressionStream("deflate"))).arrayBuffer().catch(() => null);
  if (out?.byteLength !== raw) throw new WireError(`${what} is damaged and cannot be inflated`);
  return new Uint8Array(out);
}

/** @param {Uint8Array} bytes Of a container. @returns {Promise<Header>} */
export async function readHeader(bytes) {
  const view = viewOf(bytes);
  if (bytes.length < 16 || view.getUint32(0) !== 0x52504c57) throw new WireError("the data is not an encoded replay");
  const [format, size, raw] = [4, 8, 12].map((at) => view.getUint32(at, true));
  if (format !== FORMAT) throw new WireError(`the data has format ${format}, this viewer reads ${FORMAT}: encode the replay again`);
  const header = parseJson(await inflate(bytes.subarray(16, 16 + size), raw, "the header"));
  header.fields = new Map(Object.entries(header.fields));
  for (const chunk of header.chunks) if (chunk.offset !== null) chunk.offset += 16 + size;
  return header;
}

/** @param {Uint8Array} bytes @returns {any} */
export const parseJson = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

/** @type {Record<string, any>} */
const DTYPES = { i1: Int8Array, u1: Uint8Array, i2: Int16Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array, json: Uint8Array };

/** The columns of one inflated chunk, read in place. */
export class Columns {
  /** @param {Uint8Array<ArrayBuffer>} bytes Owning its whole buffer. */
  constructor(bytes) {
    this.bytes = bytes;
    /** Type, length and offset of each column. */
    this.directory = parseJson(bytes.subarray(8, 8 + viewOf(bytes).getUint32(0, true)));
  }

  /** @param {string} name @returns {Numbers} A column's numbers; an absent column is empty. */
  numbers(name) {
    const [dtype, size, offset] = this.directory[name] ?? ["u1", 0, 0];
    return new DTYPES[dtype](this.bytes.buffer, offset, size);
  }

  /** @param {string} name @returns {any} The value of a JSON column. */
  json(name) {
    return parseJson(/** @type {Uint8Array} */ (this.numbers(name)));
  }

  /** @param {string} name Of running differences. @returns {Int32Array} What they sum up to. */
  sums(name) {
    let sum = 0;
    return Int32Array.from(this.numbers(name), (delta) => (sum += delta));
  }
}
