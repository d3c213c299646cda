/**
 * Read the container that wire.py describes: a checked header and columns of numbers. Nothing here trusts a length,
 * an index or a type; what is wrong becomes a `WireError`.
 */

export const FORMAT = 1;

const MAX_RAW = 1 << 30;
/** Deflate cannot shrink below about 1 to 1032, so a larger claim is a lie. */
const MAX_RATIO = 1040;

/** What is wrong with the bytes, in words for the page. */
export class WireError extends Error {}

/**
 * @typedef {object} ChunkInfo
 * @property {string} id @property {string} kind @property {number} from @property {number} to
 * @property {number} size @property {number} raw @property {string[]} fields
 * @property {number | null} offset From the start of the container; null when the chunk must be asked for.
 * @typedef {{kind: string, scalar: number | number[] | null}} FieldInfo
 * @typedef {{path: string, rule: string, count: number, example: string, severity: string}} Issue
 * @typedef {object} Header
 * @property {string} hash @property {number} version @property {string} label
 * @property {number} width @property {number} height @property {number} steps
 * @property {number} objects @property {number} agents @property {number} pairs
 * @property {string[]} type_names @property {string[]} action_names @property {string[]} item_names
 * @property {string[]} capacity_names @property {string[]} group_names @property {string[]} vibe_names @property {string[]} tags
 * @property {Map<string, FieldInfo>} fields @property {Map<string, number>} movers @property {Map<string, unknown[]>} tables
 * @property {Issue[]} issues @property {number} issues_more @property {ChunkInfo[]} chunks
 * @typedef {Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array} Numbers
 */

/** @param {unknown} value @returns {Uint8Array} The bytes of what a model may hold in a bytes trait. */
export function asBytes(value) {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(0);
}

/**
 * Inflate zlib data whose length is known; the output can never grow past it.
 * @param {Uint8Array} bytes @param {number} raw @param {string} what Named in errors.
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function inflate(bytes, raw, what) {
  if (typeof DecompressionStream === "undefined") throw new WireError("this browser is too old to inflate data");
  if (raw > MAX_RAW || raw > bytes.length * MAX_RATIO + 64) throw new WireError(`${what} claims ${raw} bytes, which cannot be`);
  const out = new Uint8Array(raw);
  const packed = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]);
  const reader = packed.stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  let filled = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      out.set(part.value, filled);
      filled += part.value.length;
    }
  } catch {
    reader.cancel().catch(() => {});
    filled = -1;
  }
  if (filled !== raw) throw new WireError(`${what} is damaged and cannot be inflated`);
  return out;
}

/** @param {Uint8Array} bytes Of a container. @returns {Promise<Header>} */
export async function readHeader(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 16 || view.getUint32(0) !== 0x52504c57) throw new WireError("the data is not an encoded replay");
  const [format, size, raw] = [4, 8, 12].map((at) => view.getUint32(at, true));
  if (format !== FORMAT) throw new WireError(`the data has format ${format}, this viewer reads ${FORMAT}: encode the replay again`);
  if (16 + size > bytes.length || raw > MAX_RAW / 16) throw new WireError("the header is cut short");
  const json = parseJson(await inflate(bytes.subarray(16, 16 + size), raw, "the header"), "the header");
  return checkHeader(json ?? {}, 16 + size, bytes.length);
}

/** @param {Uint8Array} bytes @param {string} what @returns {any} */
export function parseJson(bytes, what) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new WireError(`${what} is not readable JSON`);
  }
}

/** @param {any} json @param {number} start Where the chunks begin. @param {number} length Of the container. @returns {Header} */
function checkHeader(json, start, length) {
  const [width, height] = asList(json.map_size);
  /** @type {any} */
  const header = {
    hash: asText(json.hash), label: asText(json.label), version: Number(json.version) || 0,
    width: whole(width, "map_size", 1, 16384), height: whole(height, "map_size", 1, 16384),
    steps: whole(json.steps, "steps", 1, 2e7), objects: whole(json.objects, "objects", 0, 5e6), agents: whole(json.agents, "agents", 0, json.objects), pairs: whole(json.pairs ?? 0, "pairs", 0, 5e7),
    fields: mapped(json.fields, (info) => ({ kind: asText(info?.kind), scalar: info?.scalar ?? null })),
    movers: mapped(json.movers, (movers, name) => whole(movers, `movers of ${name}`, 0, 5e7)),
    tables: mapped(json.tables, asList),
    issues: asList(json.issues).filter(Boolean),
    issues_more: Number(json.issues_more) || 0,
    chunks: asList(json.chunks).map((chunk) => chunkInfo(chunk ?? {}, start, length)),
  };
  for (const key of ["type_names", "action_names", "item_names", "capacity_names", "group_names", "vibe_names", "tags"]) header[key] = asList(json[key]).map(asText);
  if (width * height > 1 << 26) throw new WireError(`the map of ${width} x ${height} cells is too large to show`);
  return header;
}

/** @param {unknown} value @param {string} name @param {number} low @param {number} high @returns {number} */
function whole(value, name, low, high) {
  if (typeof value === "number" && Number.isInteger(value) && value >= low && value <= high) return value;
  throw new WireError(`the header's ${name} is not a whole number from ${low} to ${high}`);
}

/** @param {unknown} value @returns {string} */
function asText(value) {
  return String(value ?? "");
}

/** @param {unknown} value @returns {any[]} */
function asList(value) {
  return Array.isArray(value) ? value : [];
}

/** @template T @param {unknown} value @param {(entry: any, name: string) => T} read @returns {Map<string, T>} */
function mapped(value, read) {
  return new Map(Object.entries(value ?? {}).map(([name, entry]) => [name, read(entry, name)]));
}

/** @param {any} chunk @param {number} start @param {number} length @returns {ChunkInfo} */
function chunkInfo(chunk, start, length) {
  const size = whole(chunk.size, "chunk size", 0, MAX_RAW);
  const offset = chunk.offset === null ? null : start + whole(chunk.offset, "chunk offset", 0, length);
  if (offset !== null && offset + size > length) throw new WireError(`the part ${asText(chunk.id)} is cut off`);
  const [from, to, raw] = [chunk.from ?? 0, chunk.to ?? 0, chunk.raw].map((value) => whole(value, "chunk", 0, MAX_RAW));
  return { id: asText(chunk.id), kind: asText(chunk.kind), from, to, size, raw, offset, fields: asList(chunk.fields).map(asText) };
}

/** @type {Map<string, any>} */
const DTYPES = new Map(Object.entries({
  i1: Int8Array, u1: Uint8Array, i2: Int16Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array, json: Uint8Array,
}));

/** The columns of one inflated chunk, read in place. */
export class Columns {
  /** @param {Uint8Array<ArrayBuffer>} bytes Owning its whole buffer. @param {string} what */
  constructor(bytes, what) {
    this.what = what;
    this.bytes = bytes;
    const size = bytes.length < 8 ? MAX_RAW : new DataView(bytes.buffer).getUint32(0, true);
    if (8 + size > bytes.length) throw new WireError(`${what} is cut short`);
    this.directory = mapped(parseJson(bytes.subarray(8, 8 + size), what), asList);
  }

  /** @param {string} name @returns {boolean} */
  has(name) {
    return this.directory.has(name);
  }

  /**
   * Return a column's numbers; an absent column is empty.
   * @param {string} name @param {number} [length] What it must be; anything when left out.
   * @returns {Numbers}
   */
  numbers(name, length) {
    const [dtype, size, offset] = this.directory.get(name) ?? ["u1", 0, 0];
    const Type = DTYPES.get(dtype);
    const fits = Type && size >= 0 && offset >= 0 && offset % 8 === 0 && size % 1 === 0 && offset + size * Type.BYTES_PER_ELEMENT <= this.bytes.length;
    if (!fits || (length ?? size) !== size) throw new WireError(`${this.what} is damaged at ${name}`);
    return new Type(this.bytes.buffer, offset, size);
  }

  /** @param {string} name @returns {any} The value of a JSON column. */
  json(name) {
    return parseJson(/** @type {Uint8Array} */ (this.numbers(name)), `${name} of ${this.what}`);
  }
}

/** @param {Numbers} deltas @param {number} bound Every sum must be below it. @param {string} what @returns {Int32Array} */
export function runningSum(deltas, bound, what) {
  const sums = new Int32Array(deltas.length);
  for (let i = 0, sum = 0; i < deltas.length; i++) {
    sums[i] = sum += deltas[i];
    if (!(sum >= 0 && sum < bound)) throw new WireError(`${what} points outside its asList`);
  }
  return sums;
}
